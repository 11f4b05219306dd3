"""Pooling: one number for each window of a signal or an image (torch.nn.MaxPool1d …).

The layers of signals take (N, C, L) or (C, L), those of images (N, C, H, W) or (C, H, W); formulas
and conventions are at the functions of the same names in ``nn.functional``. Sizes are an integer,
or one for each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule
from mytorch.ops.windows import per_axis
from mytorch.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "LPPool1d",
    "LPPool2d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxUnpool1d",
    "MaxUnpool2d",
]

Sizes = int | Sequence[int]
OutputSizes = int | None | Sequence[int | None]


class _Pool(FunctionModule):
    """A pooling; ``repr`` shows the arguments that torch's shows."""

    _shown: tuple[str, ...]

    def extra_repr(self) -> str:
        """Return the sizes."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)


# ------------------------------------------------------------------------------ maxima


class _MaxPool(_Pool):
    _shown = "kernel_size", "stride", "padding", "dilation", "ceil_mode"

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            dilation=dilation,
            return_indices=return_indices,
            ceil_mode=ceil_mode,
        )


class MaxPool1d(_MaxPool, function=F.max_pool1d):
    """y = the largest of each window of a signal; the arguments are those of ``MaxPool2d``."""


class MaxPool2d(_MaxPool, function=F.max_pool2d):
    """y = the largest of each window of an image.

    Args:
        kernel_size: of a window; stride: from one to the next, by default the kernel's size.
        padding: how far windows reach beyond the image, at most half of the kernel.
        dilation: from one element of a window to the next.
        return_indices: return also where each is in the flattened image, for ``MaxUnpool2d``.
        ceil_mode: let the last window reach beyond the image, if it begins inside.
    """


class _MaxUnpool(_Pool):
    _shown = "kernel_size", "stride", "padding"
    _axes: int

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0):
        stride = kernel_size if stride is None else stride
        super().__init__(**_tuples(self, self._axes, kernel_size, stride, padding))

    def forward(self, x: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Return the maxima x at their ``indices``, in zeros of ``output_size``.

        The size is by default the smallest that has as many windows.
        """
        return super().forward(x, indices, output_size=output_size)


class MaxUnpool1d(_MaxUnpool, function=F.max_unpool1d):
    """y = a signal of zeros with maxima put back where ``MaxPool1d`` took them."""

    _axes = 1


class MaxUnpool2d(_MaxUnpool, function=F.max_unpool2d):
    """y = an image of zeros with maxima put back where ``MaxPool2d`` took them."""

    _axes = 2


def _tuples(layer: Any, axes: int, kernel: Any, stride: Any, padding: Any) -> dict[str, Any]:
    """Return the three as the tuples that torch makes of them in some layers."""
    name = type(layer).__name__
    return {
        "kernel_size": per_axis(name, "kernel_size", kernel, axes),
        "stride": per_axis(name, "stride", stride, axes),
        "padding": per_axis(name, "padding", padding, axes, least=0),
    }


# ------------------------------------------------------------------------------ means, norms


class AvgPool1d(_Pool, function=F.avg_pool1d):
    """y = the mean of each window of a signal; the arguments are those of ``AvgPool2d``."""

    _shown = "kernel_size", "stride", "padding"

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        stride = kernel_size if stride is None else stride
        sizes = _tuples(self, 1, kernel_size, stride, padding)
        super().__init__(**sizes, ceil_mode=ceil_mode, count_include_pad=count_include_pad)


class AvgPool2d(_Pool, function=F.avg_pool2d):
    """y = the mean of each window of an image.

    Args:
        kernel_size: of a window; stride: from one to the next, by default the kernel's size.
        padding: how far windows reach beyond the image, at most half of the kernel.
        ceil_mode: let the last window reach beyond the image, if it begins inside.
        count_include_pad: the zeros of the padding count as elements.
        divisor_override: what to divide the sums by instead of the number of elements.
    """

    _shown = "kernel_size", "stride", "padding"

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__(
            kernel_size=kernel_size,
            stride=kernel_size if stride is None else stride,
            padding=padding,
            ceil_mode=ceil_mode,
            count_include_pad=count_include_pad,
            divisor_override=divisor_override,
        )


class _LPPool(_Pool):
    _shown = "norm_type", "kernel_size", "stride", "ceil_mode"

    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ):
        sizes = {"kernel_size": kernel_size, "stride": stride}
        super().__init__(norm_type=norm_type, **sizes, ceil_mode=ceil_mode)


class LPPool1d(_LPPool, function=F.lp_pool1d):
    """y = (sum of x ** p) ** (1 / p) of each window of a signal, p = ``norm_type``."""


class LPPool2d(_LPPool, function=F.lp_pool2d):
    """y = (sum of x ** p) ** (1 / p) of each window of an image, p = ``norm_type``.

    1 is sum pooling, and a large p nears max pooling of positive numbers.
    """


# ------------------------------------------------------------------------------ adaptive


class _AdaptiveAvgPool(_Pool):
    _shown = ("output_size",)

    def __init__(self, output_size: OutputSizes):
        super().__init__(output_size=output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool, function=F.adaptive_avg_pool1d):
    """y = the means of ``output_size`` parts of a signal, of equal length or nearly so."""


class AdaptiveAvgPool2d(_AdaptiveAvgPool, function=F.adaptive_avg_pool2d):
    """y = the means of a grid of ``output_size`` parts of an image; 1 is global average pooling.

    Args:
        output_size: an integer, or one for each axis; None keeps the size of the input.
    """


class _AdaptiveMaxPool(_Pool):
    _shown = ("output_size",)

    def __init__(self, output_size: OutputSizes, return_indices: bool = False):
        super().__init__(output_size=output_size, return_indices=return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool, function=F.adaptive_max_pool1d):
    """y = the largest of ``output_size`` parts of a signal, of equal length or nearly so."""


class AdaptiveMaxPool2d(_AdaptiveMaxPool, function=F.adaptive_max_pool2d):
    """y = the largest of a grid of ``output_size`` parts of an image.

    Args:
        output_size: an integer, or one for each axis; None keeps the size of the input.
        return_indices: return also where each is in the flattened image.
    """
