"""unfold and fold: the windows of an image as columns of a matrix, and back again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors, float_data
from mytorch.ops.registry import operation
from mytorch.ops.shape import Squeeze, Unsqueeze
from mytorch.ops.windows import (
    Windows,
    add_windows,
    batch_last,
    batched,
    check_image,
    per_axis,
    windows_of,
    windows_on,
    without_margins,
)
from mytorch.variable import Variable

__all__ = ["Fold", "Unfold", "fold", "unfold"]


class Unfold(Function):
    """y = the windows of images (N, C, H, W) as columns (N, C * h * w, windows);  dL/dx folds."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, windows: Windows) -> Any:
        ctx.windows = windows
        columns = _unfolded(a.data, windows)
        return a.new(columns.copy() if np.may_share_memory(columns, a.data) else columns)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _fold(grad_output, ctx.windows), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _unfold(tangent, ctx.windows)


class Fold(Function):
    """The adjoint of Unfold: what several windows say of one element adds up."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, windows: Windows) -> Any:
        ctx.windows = windows
        return a.new(_folded(a.data, windows))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _unfold(grad_output, ctx.windows), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _fold(tangent, ctx.windows)


def _unfold(x: Any, windows: Windows) -> Any:
    return Unfold.apply(x, windows) if isinstance(x, Variable) else _unfolded(x, windows)


def _fold(x: Any, windows: Windows) -> Any:
    return Fold.apply(x, windows) if isinstance(x, Variable) else _folded(x, windows)


def _unfolded(x: np.ndarray, windows: Windows) -> np.ndarray:
    image = batch_last(x)
    if windows.extent != windows.size:
        image = batch_last(np.zeros((*x.shape[:2], *windows.extent), x.dtype))
        without_margins(image, windows)[...] = batch_last(x)
    columns = windows_of(image, windows).transpose(5, 0, 1, 2, 3, 4)
    rows = x.shape[1] * math.prod(windows.kernel)
    return np.ascontiguousarray(columns).reshape(len(x), rows, math.prod(windows.grid))


@np.errstate(all="ignore")  # inf - inf is nan silently, as in torch
def _folded(x: np.ndarray, windows: Windows) -> np.ndarray:
    channels = x.shape[1] // math.prod(windows.kernel)
    parts = x.reshape(len(x), channels, *windows.kernel, *windows.grid)
    image = np.zeros((len(x), channels, *windows.extent), x.dtype)
    add_windows(batch_last(image), parts.transpose(1, 2, 3, 4, 5, 0), windows)
    return without_margins(image.transpose(1, 2, 3, 0), windows).transpose(3, 0, 1, 2)


# ------------------------------------------------------------------------------ the functions


@operation("functional")
def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Return the windows of an image as columns of a matrix (torch.nn.functional.unfold; im2col).

    Args:
        input (Tensor): (N, C, H, W), or (C, H, W) of one sample.
        kernel_size, dilation, padding, stride: an integer, or one for each axis, as of ``conv2d``.
    Returns:
        Tensor: (N, C * h * w, windows), the windows row by row.
    Raises:
        ShapeError: a kernel larger than the padded image.
    """
    check_image("unfold", input, 2)
    float_data("unfold", input)
    windows = _windows("unfold", input.data.shape[-2:], kernel_size, dilation, padding, stride)
    return batched(lambda x: Unfold.apply(x, windows), input, 2)


@operation("functional")
def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Return the image that columns, each a window, add up to (torch.nn.functional.fold; col2im).

    Args:
        input (Tensor): (N, C * h * w, windows), or of one sample without N.
        output_size: (H, W) of the image; the others: as of ``unfold``.
    Returns:
        Tensor: (N, C, H, W); where windows overlap, their sum.
    Raises:
        ShapeError: a matrix that no image of this size unfolds to.
    """
    check_tensors("fold", input)
    float_data("fold", input)
    size = per_axis("fold", "output_size", output_size, 2)
    windows = _windows("fold", size, kernel_size, dilation, padding, stride)
    shape, rows = input.data.shape, math.prod(windows.kernel)
    if len(shape) not in (2, 3) or shape[-2] % rows or shape[-1] != math.prod(windows.grid):
        raise ShapeError(
            f"fold: windows {windows.kernel} of an image {size} are {windows.grid} in number: "
            f"expects (N, C * {rows}, {math.prod(windows.grid)}), got {shape}"
        )
    if len(shape) == 3:
        return Fold.apply(input, windows)
    return Squeeze.apply(Fold.apply(Unsqueeze.apply(input, 0), windows), 0)


def _windows(
    name: str, size: tuple[int, ...], kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> Windows:
    """Return the windows on an image of this size, or raise."""
    kernel = per_axis(name, "kernel_size", kernel_size, 2)
    spread = per_axis(name, "dilation", dilation, 2)
    before = per_axis(name, "padding", padding, 2, least=0)
    steps = per_axis(name, "stride", stride, 2)
    room = [
        n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(size, before, spread, kernel, strict=True)
    ]
    if min(room) < 0:
        raise ShapeError(
            f"{name}: the kernel {kernel} with dilation {spread} is larger than the image {size} "
            f"with padding {before}"
        )
    grid = [each // s + 1 for each, s in zip(room, steps, strict=True)]
    return windows_on(size, kernel, steps, spread, before, grid)
