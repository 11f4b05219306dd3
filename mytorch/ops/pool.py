"""Pooling: one number for each window of an image. The functions, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import check_tensors, float_data, refuse_booleans
from mytorch.ops.index import Assign, Gather
from mytorch.ops.pooling import MaxPool, WindowSum, flat, indices_of_largest, places_of
from mytorch.ops.registry import operation
from mytorch.ops.windows import Windows, batched, check_image, per_axis, windows_on

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "lp_pool1d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
]

_SPACES = ("mytorch", "functional")

# ------------------------------------------------------------------------------ max pooling


@operation(_SPACES, method=False)
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest of each window of a signal, (N, C, L) or (C, L) (max_pool1d).

    As ``max_pool2d``.
    """
    refuse_booleans("max_pool1d", input)
    numbers = kernel_size, stride, padding, dilation, ceil_mode
    windows = _pool_windows("max_pool1d", 1, input, *numbers)
    return _max_pool(input, 1, windows, return_indices)


@operation(_SPACES, method=False)
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest of each window of an image (torch.nn.functional.max_pool2d).

    Of several, the first in the window has the gradient, row by row; a nan is the largest.
    Args:
        input (Tensor): (N, C, H, W), or (C, H, W) of one sample.
        kernel_size, stride, padding, dilation: an integer, or one for each axis; the stride is by
            default the kernel's size. Nothing of the padding is ever taken.
        ceil_mode: let the last window reach beyond the image, if it begins inside.
        return_indices: return also the index of each in the flattened image, H * W.
    Raises:
        ShapeError: padding above half of the kernel, a kernel larger than the padded image.
    """
    refuse_booleans("max_pool2d", input)
    numbers = kernel_size, stride, padding, dilation, ceil_mode
    windows = _pool_windows("max_pool2d", 2, input, *numbers)
    return _max_pool(input, 2, windows, return_indices)


def _max_pool(input: Any, axes: int, windows: Windows, return_indices: bool) -> Any:
    if return_indices:
        return with_indices(input, axes, places_of(windows))
    return batched(lambda x: MaxPool.apply(x, windows), input, axes)


def with_indices(input: Any, axes: int, tables: list[np.ndarray]) -> tuple[Any, Any]:
    """Return the largest of each window, given by the places that it sees, and where it is."""
    x = input.data if input.data.ndim == axes + 2 else input.data[None]
    places = indices_of_largest(x, *tables)
    found = batched(lambda x: Gather.apply(flat(x), flat(places), 2), input, axes)
    shape = (*input.data.shape[:-axes], *places.shape[-axes:])
    return found.reshape(shape), input.new(places.reshape(shape).copy())


@operation(_SPACES, method=False)
def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Return a signal with the maxima put back, 0 elsewhere (max_unpool1d); see max_unpool2d."""
    numbers = kernel_size, stride, padding, output_size
    return _unpool("max_unpool1d", 1, input, indices, *numbers)


@operation("functional")
def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Return an image with the maxima put back to their ``indices``, 0 elsewhere (max_unpool2d).

    Where windows overlapped and one place is named twice, which value stays is not defined.
    Args:
        input, indices: what ``max_pool2d`` returned; kernel_size, stride, padding: as it had them.
        output_size: of the image; by default the smallest that has as many windows.
    Raises:
        ShapeError: shapes that differ; an index outside the image.
    """
    numbers = kernel_size, stride, padding, output_size
    return _unpool("max_unpool2d", 2, input, indices, *numbers)


def _unpool(
    name: str,
    axes: int,
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Any:
    grid = image_size(name, axes, input)
    float_data(name, input)
    check_tensors(name, indices)
    if indices.data.shape != input.data.shape or indices.data.dtype != np.int64:
        raise ShapeError(
            f"{name}: indices {indices.data.shape}, {indices.data.dtype}, must be int64 and of the "
            f"shape of input, {input.data.shape}"
        )
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    steps = kernel if stride is None else per_axis(name, "stride", stride, axes)
    margin = per_axis(name, "padding", padding, axes, least=0)
    size = [(n - 1) * s - 2 * p + k for n, s, p, k in zip(grid, steps, margin, kernel, strict=True)]
    if output_size is not None:
        size = list(per_axis(name, "output_size", tuple(output_size)[-axes:], axes))
    places = indices.data.reshape(math.prod(input.data.shape[:-axes]), math.prod(grid))
    total = math.prod(size)
    if places.size and not (places.min() >= 0 and places.max() < total):
        raise ShapeError(f"{name}: an index is outside the result of size {tuple(size)}")
    empty = input.new(np.zeros((len(places), total), input.data.dtype))
    index = (np.arange(len(places))[:, None], places)
    filled = Assign.apply(empty, input.reshape(places.shape), index)
    return filled.reshape((*input.data.shape[:-axes], *size))


# ------------------------------------------------------------------------------ means


@operation(_SPACES, method=False)
def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """Return the mean of each window of a signal, (N, C, L) or (C, L) (avg_pool1d).

    As ``avg_pool2d``.
    """
    numbers = kernel_size, stride, padding, ceil_mode, count_include_pad, None
    return _avg_pool("avg_pool1d", 1, input, *numbers)


@operation("functional")
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of each window of an image (torch.nn.functional.avg_pool2d).

    Args:
        input (Tensor): (N, C, H, W), or (C, H, W) of one sample.
        kernel_size, stride, padding: an integer, or one for each axis; the stride is by default
            the kernel's size.
        ceil_mode: let the last window reach beyond the image, if it begins inside; what is beyond
            the padding does not count.
        count_include_pad: the zeros of the padding count as elements.
        divisor_override: what to divide the sums by instead of the number of elements.
    Raises:
        ShapeError: padding above half of the kernel, a kernel larger than the padded image.
    """
    numbers = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _avg_pool("avg_pool2d", 2, input, *numbers)


def _avg_pool(
    name: str,
    axes: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    windows = _pool_windows(name, axes, input, kernel_size, stride, padding, 1, ceil_mode)
    if input.data.dtype.kind not in "fc" and input.data.dtype != np.int64:
        raise DtypeError(f"{name}: not for {input.data.dtype}; use .float()")
    if divisor_override == 0:
        raise ShapeError(f"{name}: divisor_override must not be 0")
    divisor: Any = divisor_override or _counts(windows, count_include_pad)[-axes:]
    if not isinstance(divisor, int):
        divisor = divisor[0] if axes == 1 else np.multiply.outer(*divisor)
        divisor = int(divisor.flat[0]) if divisor.min() == divisor.max() else divisor
    return batched(lambda x: _divided(WindowSum.apply(x, windows), divisor), input, axes)


def _counts(windows: Windows, with_margin: bool) -> list[np.ndarray]:
    """Return for rows and for columns how many elements each window has."""
    counts = []
    for size, kernel, stride, _, before, grid in zip(*windows, strict=True):
        start = np.arange(grid) * stride - before
        margin = before if with_margin else 0
        counts.append(np.minimum(start + kernel, size + margin) - np.maximum(start, -margin))
    return counts


def _divided(total: Any, divisor: Any) -> Any:
    if total.data.dtype.kind == "i":  # towards zero, as in torch
        return total.new(np.sign(total.data) * (np.abs(total.data) // divisor))
    if isinstance(divisor, int):
        return total / divisor
    return total / total.new(divisor.astype(total.data.dtype))


# ------------------------------------------------------------------------------ powers


@operation("functional")
def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """Return (sum of x ** p) ** (1 / p) of each window of a signal (lp_pool1d); see lp_pool2d."""
    return _lp_pool("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@operation("functional")
def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """Return (sum of x ** p) ** (1 / p) of each window of an image (lp_pool2d).

    The root of a negative sum, which only an odd p can have, is nan, and the gradient of a window
    of zeros is 0, as in torch.
    Args:
        norm_type: p; 1 is sum pooling, and a large p nears max pooling of positive numbers.
        kernel_size, stride, ceil_mode: as of ``avg_pool2d``; a window that reaches beyond the
            image is made up for by the ratio of the sizes.
    """
    return _lp_pool("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    name: str,
    axes: int,
    input: Any,
    norm_type: float,
    kernel_size: Any,
    stride: Any,
    ceil_mode: bool,
) -> Any:
    check_image(name, input, axes)
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    mean = _avg_pool(name, axes, input**norm_type, kernel, stride, 0, ceil_mode, True, None)
    sign = mean.new(np.sign(mean.data))
    size = mean.abs().relu()  # relu stops the infinite slope of the root at 0, as in torch
    return (sign * size * math.prod(kernel)) ** (1.0 / norm_type)


# ------------------------------------------------------------------------------ arguments


def _pool_windows(
    name: str,
    axes: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Windows:
    """Return the windows of a pooling whose arguments all fit, or raise ShapeError."""
    size = image_size(name, axes, input)
    kernel = per_axis(name, "kernel_size", kernel_size, axes)
    steps = kernel if stride is None or stride == () else per_axis(name, "stride", stride, axes)
    before = per_axis(name, "padding", padding, axes, least=0)
    spread = per_axis(name, "dilation", dilation, axes)
    reach = [d * (k - 1) + 1 for d, k in zip(spread, kernel, strict=True)]
    if any(p > k // 2 for p, k in zip(before, kernel, strict=True)):
        raise ShapeError(f"{name}: padding {before} is more than half of the kernel {kernel}")
    grid = []
    for n, p, r, s in zip(size, before, reach, steps, strict=True):
        room = n + 2 * p - r
        number = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (number - 1) * s >= n + p:  # a window must begin before the margin below
            number -= 1
        grid.append(number)
    if min(grid) < 1:
        raise ShapeError(
            f"{name}: the kernel {kernel} with dilation {spread} is larger than the input "
            f"{tuple(size)} with padding {before}: the result would be of size {tuple(grid)}"
        )
    return windows_on(size, kernel, steps, spread, before, grid)


def image_size(name: str, axes: int, input: Any) -> tuple[int, ...]:
    """Return the size of each axis; raise ShapeError for another rank or an empty image."""
    check_image(name, input, axes)
    shape = input.data.shape
    if 0 in shape[-axes - 1 :]:
        raise ShapeError(f"{name}: only the batch may be empty, got {shape}")
    return shape[-axes:]
