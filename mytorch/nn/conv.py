"""The layers of homework 2, with its conventions; torch's are in ``mytorch/nn/convolution.py``."""

from __future__ import annotations

from mytorch.nn.convolution import Conv1d as _Conv1d
from mytorch.nn.init import normal_, zeros_
from mytorch.nn.shape import Flatten

__all__ = ["Conv1d", "Flatten"]


class Conv1d(_Conv1d):
    """y[n, o, t] = b[o] + the sum over c, k of x[n, c, t * s + k] w[o, c, k]: no padding.

    It is ``nn.Conv1d`` but for how it starts, and for the names of its sizes, which are integers.
    Args:
        in_channel, out_channel: C and O, the channels of x (N, C, L) and y (N, O, length).
        kernel_size: k; stride: s, from one window to the next.
    Attributes:
        weight (Tensor): (O, C, k), drawn from N(0, 1) by NumPy's global generator; bias (Tensor):
            (O,), zeros. The arguments too, under their names.
    Source: homework 2.
    """

    def __init__(self, in_channel: int, out_channel: int, kernel_size: int, stride: int = 1):
        super().__init__(in_channel, out_channel, kernel_size, stride)
        self.in_channel = in_channel
        self.out_channel = out_channel
        self.kernel_size = kernel_size  # type: ignore[assignment]
        self.stride = stride  # type: ignore[assignment]

    def reset_parameters(self) -> None:
        """Draw the weight again, and make the bias zeros."""
        normal_(self.weight)
        zeros_(self.bias)
