"""Activation functions along an axis, as modules. Source: torch.nn."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.nn.function_module import FunctionModule
from mytorch.tensor import Tensor

__all__ = ["GLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin"]


class Softmax(FunctionModule, function=F.softmax):
    """y_i = e**x_i / sum_j e**x_j along ``dim``.

    Without ``dim`` it is axis 0 of 1 or 3 axes and else axis 1, with a warning, as in torch.
    """

    def __init__(self, dim: int | None = None):
        super().__init__(dim=dim)


class LogSoftmax(FunctionModule, function=F.log_softmax):
    """y = log softmax(x) along ``dim``, without overflow; without ``dim`` as Softmax."""

    def __init__(self, dim: int | None = None):
        super().__init__(dim=dim)


class Softmin(FunctionModule, function=F.softmin):
    """y = softmax(-x) along ``dim``; without ``dim`` as Softmax."""

    def __init__(self, dim: int | None = None):
        super().__init__(dim=dim)


class Softmax2d(FunctionModule, function=F.softmax):
    """Softmax over the channels of images, (N, C, H, W) or (C, H, W).

    Raises:
        ShapeError: another number of axes.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the result, of input's shape."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected (N, C, H, W) or (C, H, W), got {input.shape}")
        return F.softmax(input, -3)


class GLU(FunctionModule, function=F.glu):
    """y = a sigmoid(b), a and b being the halves of x along ``dim``."""

    def __init__(self, dim: int = -1):
        super().__init__(dim=dim)
