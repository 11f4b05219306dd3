"""Convolution of signals and images, and its transpose (torch.nn.Conv1d …).

The homework's ``Conv1d``, which starts otherwise, is in ``mytorch/nn/conv.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.nn.init import uniform_
from mytorch.nn.module import Module
from mytorch.nn.parameter import Parameter, check_sizes, parameter_dtype
from mytorch.ops.windows import check_image, per_axis
from mytorch.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

_MODES = ("zeros", "reflect", "replicate", "circular")
Sizes = int | Sequence[int]  # one for every axis, or one for each


class _Convolution(Module):
    """What the four layers share: the sizes and their checks, the kernel, how it starts, repr."""

    transposed = False
    _axes: int

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        name, axes = type(self).__name__, self._axes
        check_sizes(name, 1, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"{name}: groups={groups} must divide in_channels={in_channels} and "
                f"out_channels={out_channels}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, axes)
        self.stride = per_axis(name, "stride", stride, axes)
        self.padding = self._checked_padding(padding)
        self.dilation = per_axis(name, "dilation", dilation, axes)
        self.output_padding = (0,) * axes
        self.groups = groups
        if padding_mode not in _MODES:
            raise ValueError(f"{name}: padding_mode is one of {_MODES}, not {padding_mode!r}")
        self.padding_mode = padding_mode
        wanted = parameter_dtype(name, dtype, device)
        self.weight = Parameter(np.empty(self._weight_shape(), wanted))
        self.bias: Any = Parameter(np.empty(out_channels, wanted)) if bias else None
        self.reset_parameters()

    def _checked_padding(self, padding: Any) -> Any:
        name = type(self).__name__
        if not isinstance(padding, str):
            return per_axis(name, "padding", padding, self._axes, least=0)
        if padding not in ("same", "valid"):
            raise ValueError(f"{name}: padding is 'same', 'valid' or integers, not {padding!r}")
        if padding == "same" and max(self.stride) > 1:
            raise ValueError(f"{name}: padding='same' needs stride 1, got {self.stride}")
        return padding

    def _weight_shape(self) -> tuple[int, ...]:
        return self.out_channels, self.in_channels // self.groups, *self.kernel_size

    def reset_parameters(self) -> None:
        """Draw weight and bias again."""
        bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))  # kaiming_uniform_, a = sqrt(5)
        for parameter in self.parameters(recurse=False):
            uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the sizes; what is as by default is left out."""
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        zeros, ones = (0,) * self._axes, (1,) * self._axes
        for argument, default in (
            ("padding", zeros),
            ("dilation", ones),
            ("output_padding", zeros),
            ("groups", 1),
        ):
            if getattr(self, argument) != default:
                parts.append(f"{argument}={getattr(self, argument)}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def _padded(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the input with what is added to it, and how many zeros are to be added yet."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return x, self.padding
        check_image(type(self).__name__, x, self._axes)
        margins: list[int] = []  # the last axis first
        for axis in reversed(range(self._axes)):
            if self.padding == "same":
                both = self.dilation[axis] * (self.kernel_size[axis] - 1)
                margins += [both // 2, both - both // 2]
            else:
                margins += [self.padding[axis]] * 2
        return F.pad(x, margins, self.padding_mode), 0


class Conv1d(_Convolution):
    """As ``Conv2d``, of signals: x (N, C, L) or (C, L), weight (O, C / groups, k).

    Source: torch.nn.Conv1d.
    """

    _axes = 1

    def forward(self, x: Tensor) -> Tensor:
        """Return the result, (N, O, length) or (O, length)."""
        x, padding = self._padded(x)
        parameters = self.weight, self.bias
        return F.conv1d(x, *parameters, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Convolution):
    """y = the cross-correlation of images with kernels, plus a bias for each channel.

    x is (N, C, H, W), or (C, H, W) of one sample; formula and sizes: ``nn.functional.conv2d``.
    Args:
        in_channels, out_channels: C and O, the channels of x and of y.
        kernel_size, stride, dilation: an integer, or one for each axis.
        padding: the same, of elements added at both ends of each axis; "valid" is none, and "same"
            as many as make y as large as x, for stride 1.
        groups: output channels see only the input channels of their group.
        bias: whether there is a bias.
        padding_mode: what is added: "zeros"; or what is inside, as ``nn.functional.pad`` does in
            its modes "reflect", "replicate" and "circular".
        device: the CPU; dtype: of the parameters, by default the default dtype.
    Attributes:
        weight (Tensor): (O, C / groups, h, w); bias (Tensor | None): (O,). Both are drawn from
            U(-b, b), b = 1 / sqrt(C / groups * h * w), by NumPy's global generator, weight first.
    Raises:
        ValueError: numbers that do not fit; TypeError: sizes that are no integers.
    Source: torch.nn.Conv2d.
    """

    _axes = 2

    def forward(self, x: Tensor) -> Tensor:
        """Return the result, (N, O, rows, columns) or (O, rows, columns)."""
        x, padding = self._padded(x)
        parameters = self.weight, self.bias
        return F.conv2d(x, *parameters, self.stride, padding, self.dilation, self.groups)


class _Transposed(_Convolution):
    """What the transposed ones share: another kernel, and a choice of sizes of the result."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: the only padding_mode is 'zeros', not {padding_mode!r}")
        extra = per_axis(name, "output_padding", output_padding, self._axes, least=0)
        sizes = in_channels, out_channels, kernel_size, stride, padding, dilation
        super().__init__(*sizes, groups, bias, padding_mode, device, dtype)
        self.output_padding = extra

    def _checked_padding(self, padding: Any) -> Any:
        return per_axis(type(self).__name__, "padding", padding, self._axes, least=0)

    def _weight_shape(self) -> tuple[int, ...]:
        return self.in_channels, self.out_channels // self.groups, *self.kernel_size

    def _extra(self, x: Tensor, output_size: Any) -> tuple[int, ...]:
        """Return the output_padding that makes a result of ``output_size``."""
        if output_size is None:
            return self.output_padding
        name, axes = type(self).__name__, self._axes
        check_image(name, x, axes)
        sizes = tuple(map(int, output_size))
        if len(sizes) not in (axes, x.ndim):
            raise ShapeError(
                f"{name}: output_size {sizes} has {len(sizes)} sizes; for {tuple(x.shape)} it has "
                f"{axes}, or {x.ndim} with those before"
            )
        numbers = x.shape[-axes:], self.stride, self.padding, self.dilation, self.kernel_size
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in zip(*numbers, strict=True)
        ]
        extra = tuple(size - each for size, each in zip(sizes[-axes:], least, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            most = [each + s - 1 for each, s in zip(least, self.stride, strict=True)]
            raise ShapeError(
                f"{name}: output_size {sizes[-axes:]} cannot be: input {tuple(x.shape)} gives "
                f"from {tuple(least)} to {tuple(most)}"
            )
        return extra


class ConvTranspose1d(_Transposed):
    """As ``ConvTranspose2d``, of signals: x (N, C, L) or (C, L), weight (C, O / groups, k).

    Source: torch.nn.ConvTranspose1d.
    """

    _axes = 1

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the result, (N, O, length) or (O, length); see ``ConvTranspose2d``."""
        extra = self._extra(x, output_size)
        how = self.stride, self.padding, extra, self.groups, self.dilation
        return F.conv_transpose1d(x, self.weight, self.bias, *how)


class ConvTranspose2d(_Transposed):
    """y = the transposed convolution of images, plus a bias for each channel.

    It is the gradient of a convolution with respect to its input, with that one's stride, padding
    and kernel: what it took from (N, O, H, W) to (N, C, rows, columns) goes back.
    Args:
        in_channels, out_channels: C and O, the channels of x and of y.
        kernel_size, stride, padding, dilation, groups, bias, device, dtype: as of ``Conv2d``; the
            padding is integers, of zeros.
        output_padding: how much larger y is, below and on the right: strides above 1 leave several
            sizes to choose from.
    Attributes:
        weight (Tensor): (C, O / groups, h, w); bias (Tensor | None): (O,). Both are drawn from
            U(-b, b), b = 1 / sqrt(O / groups * h * w), by NumPy's global generator, weight first.
    Raises:
        ValueError: numbers that do not fit; TypeError: sizes that are no integers.
    Source: torch.nn.ConvTranspose2d; M. Zeiler et al., "Deconvolutional networks" (2010).
    """

    _axes = 2

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return the result, (N, O, H, W) or (O, H, W).

        Args:
            output_size: (H, W), or the whole shape, in place of ``output_padding``.
        Raises:
            ShapeError: a size that the input cannot have come from.
        """
        extra = self._extra(x, output_size)
        how = self.stride, self.padding, extra, self.groups, self.dilation
        return F.conv_transpose2d(x, self.weight, self.bias, *how)
