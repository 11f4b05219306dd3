"""Windows that slide over images: their geometry, and what all their users share.

Convolution, pooling, ``unfold`` and ``fold`` look at an image through the same windows: ``kernel``
elements, ``dilation`` apart, every ``stride`` elements, over an image with a margin around it.

Arrays are seen *batch last*, as (C, H, W, N): a view of the logical (N, C, H, W). Where the memory
is in that order too, as that of every result of a convolution is, each element of a kernel meets a
long contiguous run of the image; elementwise operations and pooling keep the order. A signal
(N, C, L) is an image of one row.
Source: torch.nn.functional (conv2d, max_pool2d, unfold); V. Dumoulin and F. Visin, "A guide to
convolution arithmetic for deep learning" (2016).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.shape import Squeeze, Unsqueeze

__all__ = [
    "SMALL",
    "Windows",
    "add_windows",
    "batch_first",
    "batch_last",
    "batched",
    "blocks",
    "check_image",
    "contiguous",
    "image_of",
    "per_axis",
    "windows_of",
    "windows_on",
    "without_margins",
]

Sizes = tuple[int, ...]  # of each axis

# How many multiplications a product of matrices may have for OpenBLAS to take its quick way, which
# copies nothing and wakes no other thread: that would cost more than it gains, block by block.
SMALL = 10**6


class Windows(NamedTuple):
    """Where the windows lie on an image; each pair is for (rows, columns).

    Attributes:
        size: of the image; kernel: of a window, in elements.
        stride: from one window to the next; dilation: from one element of a window to the next.
        before: the margin above and left of the image; below and right it is what ``grid`` needs.
        grid: how many windows there are.
    """

    size: Sizes
    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    before: Sizes
    grid: Sizes

    @property
    def extent(self) -> Sizes:
        """The size of the image with its margins, beyond the reach of the windows or not."""
        rows, columns = (
            max((grid - 1) * stride + (kernel - 1) * dilation + 1, before + size)
            for size, kernel, stride, dilation, before, grid in zip(*self, strict=True)
        )
        return rows, columns

    def offsets(self) -> tuple[tuple[slice, slice], ...]:
        """Return, for each element of the kernel, the (rows, columns) that it meets."""
        return _offsets(self.kernel, self.stride, self.dilation, self.grid)


@functools.lru_cache(maxsize=256)
def _offsets(
    kernel: Sizes, stride: Sizes, dilation: Sizes, grid: Sizes
) -> tuple[tuple[slice, slice], ...]:
    rows, columns = (
        [slice(i * step, i * step + (n - 1) * s + 1, s) for i in range(k)]
        for k, s, step, n in zip(kernel, stride, dilation, grid, strict=True)
    )
    return tuple((each, other) for each in rows for other in columns)


def windows_on(
    size: Any, kernel: Any, stride: Any, dilation: Any, before: Any, grid: Any
) -> Windows:
    """Return the Windows on an image, or on a signal, of one size each: an image of one row."""
    numbers = size, kernel, stride, dilation, before, grid
    pairs = [
        (one_row, *each) if len(each) == 1 else tuple(each)
        for each, one_row in zip(numbers, (1, 1, 1, 1, 0, 1), strict=True)
    ]
    return Windows(*pairs)


# ---------------------------------------------------------------------------------- arguments


def per_axis(name: str, argument: str, value: Any, axes: int, least: int = 1) -> tuple[int, ...]:
    """Return an argument that is one number for all ``axes`` or one for each, as a tuple.

    Raises:
        TypeError: no integers; ShapeError: too many or few, or one below ``least``.
    """
    numbers = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all(isinstance(each, (int, np.integer)) for each in numbers):
        raise TypeError(f"{name}: {argument} is an integer or a tuple of {axes}, not {value!r}")
    if len(numbers) not in (1, axes):
        raise ShapeError(f"{name}: {argument}={value} has {len(numbers)} numbers for {axes} axes")
    if min(numbers) < least:
        raise ShapeError(f"{name}: {argument} must be at least {least}, got {value}")
    return tuple(map(int, numbers)) * (axes // len(numbers))


def check_image(name: str, input: Any, axes: int) -> None:
    """Raise unless ``input`` is a Tensor (N, C, *axes), or (C, *axes) of one sample."""
    check_tensors(name, input)
    shape = input.data.shape
    if len(shape) not in (axes + 1, axes + 2):
        letters = ", ".join("L" if axes == 1 else "DHW"[-axes:])
        raise ShapeError(f"{name}: expects (N, C, {letters}) or (C, {letters}), got {shape}")


def batched(function: Any, input: Any, axes: int) -> Any:
    """Return ``function`` of ``input``, which may be one sample (C, *axes) without its batch."""
    if input.data.ndim == axes + 2:
        return function(input)
    return Squeeze.apply(function(Unsqueeze.apply(input, 0)), 0)


# ------------------------------------------------------------------------------------- layout


def batch_last(x: np.ndarray) -> np.ndarray:
    """Return (N, C, H, W) or (N, C, L) as a view (C, H, W, N) or (C, 1, L, N)."""
    return x.transpose(1, 2, 3, 0) if x.ndim == 4 else x.transpose(1, 2, 0)[:, None]


def batch_first(x: np.ndarray, ndim: int) -> np.ndarray:
    """Return (C, H, W, N) as a view (N, C, H, W), or of one row, where ``ndim`` is 3, (N, C, W)."""
    return x.transpose(3, 0, 1, 2) if ndim == 4 else x[:, 0].transpose(2, 0, 1)


def contiguous(x: np.ndarray) -> np.ndarray:
    """Return (N, C, H, W) or (N, C, L) as (C, H, W, N), contiguous: a copy where it must be."""
    x = batch_last(x)
    if x.flags.c_contiguous:
        return x
    result = np.empty(x.shape, x.dtype)
    _copy(x, result)
    return result


def image_of(x: np.ndarray, windows: Windows, fill: Any = 0) -> np.ndarray:
    """Return (N, C, H, W) batch last and contiguous, with its margins filled with ``fill``."""
    if windows.extent == windows.size:
        return contiguous(x)
    x = batch_last(x)
    result = np.full((len(x), *windows.extent, x.shape[3]), fill, x.dtype)
    _copy(x, without_margins(result, windows))
    return result


def _copy(x: np.ndarray, result: np.ndarray) -> None:
    samples = max(x.shape[3], 1)
    step = samples if x.strides[3] == x.itemsize else 16  # to transpose more misses the cache
    for start in range(0, samples, step):
        result[..., start : start + step] = x[..., start : start + step]


def without_margins(image: np.ndarray, windows: Windows) -> np.ndarray:
    """Return what is inside the margins of (C, *extent, N): a view (C, *size, N)."""
    (top, left), (height, width) = windows.before, windows.size
    return image[:, top : top + height, left : left + width]


# ------------------------------------------------------------------------------------ windows


def windows_of(image: np.ndarray, windows: Windows) -> np.ndarray:
    """Return every window of an image with margins as a view (C, *kernel, *grid, N)."""
    channel, row, column, sample = image.strides
    (dy, dx), (sy, sx) = windows.dilation, windows.stride
    shape = (len(image), *windows.kernel, *windows.grid, image.shape[3])
    strides = (channel, row * dy, column * dx, row * sy, column * sx, sample)
    return as_strided(image, shape, strides, writeable=False)


def add_windows(
    image: np.ndarray, parts: np.ndarray, windows: Windows, start: Sizes = (0, 0)
) -> None:
    """Add ``parts``, (C, *kernel, *grid, N), to where in the image ``windows_of`` takes them.

    The adjoint of ``windows_of``; ``grid`` may be less, of the windows from ``start`` on.
    """
    (height, width), (dy, dx), (sy, sx) = windows.kernel, windows.dilation, windows.stride
    rows, columns = parts.shape[3:5]
    image = image[:, start[0] * sy :, start[1] * sx :]
    # The elements of a single window are as far apart as windows can be: seen as windows of one
    # element each, they are added at one stroke.
    if rows == 1:
        height, rows, sy, parts = 1, height, dy, parts.swapaxes(1, 3)
    if columns == 1:
        width, columns, sx, parts = 1, width, dx, parts.swapaxes(2, 4)
    places = _offsets((height, width), (sy, sx), (dy, dx), (rows, columns))
    elements = itertools.product(range(height), range(width))
    for (i, j), place in zip(elements, places, strict=True):
        part = image[(slice(None), *place)]
        part += parts[:, i, j]


def blocks(
    windows: Windows, depth: int, outputs: int, samples: int, groups: int = 1
) -> Iterator[tuple[Any, ...]]:
    """Yield blocks of windows that are worth one product of matrices each, as indices of (…, N).

    Each is part of one row of windows, or some rows: the windows of a block lie in one piece. The
    product is one of (outputs, depth) by (depth, windows * samples), for each of the groups.
    """
    columns = max(512, 2**16 // max(depth * groups, 1))  # 256 kB of float32 stay in the cache
    if outputs * depth * 256 <= SMALL:
        columns = min(columns, SMALL // max(outputs * depth, 1))
    wanted = max(1, columns // max(samples, 1))
    rows, columns = windows.grid
    height = max(1, wanted // columns)
    width = -(-columns // -(-columns // wanted))  # parts of a row of equal size
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            place = slice(top, min(top + height, rows)), slice(left, min(left + width, columns))
            yield (..., *place, slice(None))
