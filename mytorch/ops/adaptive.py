"""Adaptive pooling: an image is cut into a grid of so many windows, of equal size or nearly so.

Window i of n reaches from i * H // n to the ceiling of (i + 1) * H / n: they may overlap.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import float_data
from mytorch.ops.pool import image_size, with_indices
from mytorch.ops.pooling import MaxPool, WindowSum
from mytorch.ops.registry import operation
from mytorch.ops.sparse import Sparse, along_axis
from mytorch.ops.windows import Windows, batched, per_axis, windows_on

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "means_of_parts",
]


@operation("functional")
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return ``output_size`` maxima of a signal (N, C, L) or (C, L) (adaptive_max_pool1d)."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


@operation("functional")
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """Return maxima in a grid of ``output_size`` over an image (adaptive_max_pool2d).

    Window i of n reaches from i * H // n to the ceiling of (i + 1) * H / n: they may overlap.
    Args:
        output_size: an integer, or one for each axis; None keeps the size of the input.
    """
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def _adaptive_max(name: str, axes: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    wanted = _output_size(name, axes, input, output_size)
    float_data(name, input)
    size = input.data.shape[-axes:]
    if not return_indices and _divides(wanted, size):
        return batched(lambda x: MaxPool.apply(x, _tiles(size, wanted)), input, axes)
    places = []
    for n, parts in zip(size, wanted, strict=True):
        start, length = _adaptive(n, parts)
        steps = np.arange(length.max(initial=1))
        places.append(start[:, None] + np.minimum(steps, length[:, None] - 1))
    if axes == 1:
        places.insert(0, np.zeros((1, 1), int))  # a signal is an image of one row
    found = with_indices(input, axes, places)
    return found if return_indices else found[0]


def _divides(parts: tuple[int, ...], size: tuple[int, ...]) -> bool:
    return all(part and n % part == 0 for part, n in zip(parts, size, strict=True))


def _tiles(size: tuple[int, ...], parts: tuple[int, ...]) -> Windows:
    """Return windows side by side, as many as asked for, which divide the image."""
    kernel = [n // part for n, part in zip(size, parts, strict=True)]
    ones, zeros = [1] * len(size), [0] * len(size)
    return windows_on(size, kernel, kernel, ones, zeros, parts)


def _adaptive(size: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each of so many parts of an axis starts, and its length."""
    number = np.arange(parts)
    start = number * size // max(parts, 1)
    return start, -(-(number + 1) * size // max(parts, 1)) - start


@operation(("mytorch", "functional"), method=False)
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Return ``output_size`` means of a signal (N, C, L) or (C, L) (adaptive_avg_pool1d)."""
    return _adaptive_avg("adaptive_avg_pool1d", 1, input, output_size)


@operation("functional")
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Return means in a grid of ``output_size`` over an image (adaptive_avg_pool2d).

    Window i of n reaches from i * H // n to the ceiling of (i + 1) * H / n: they may overlap.
    Args:
        output_size: an integer, or one for each axis; None keeps the size of the input.
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, input, output_size)


def _adaptive_avg(name: str, axes: int, input: Any, output_size: Any) -> Any:
    wanted = _output_size(name, axes, input, output_size)
    float_data(name, input)
    size = input.data.shape[-axes:]
    if _divides(wanted, size):
        windows = _tiles(size, wanted)
        count = math.prod(windows.kernel)
        return batched(lambda x: WindowSum.apply(x, windows) / count, input, axes)
    result = input
    for axis, n, parts in zip(range(-axes, 0), size, wanted, strict=True):
        result = along_axis(result, means_of_parts(n, parts), axis)
    return result


def means_of_parts(size: int, parts: int) -> Sparse:
    """Return the matrix that takes the means of so many parts of an axis."""
    start, length = _adaptive(size, parts)
    rows = np.repeat(np.arange(parts), length)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(length) - length - start, length)
    return Sparse(rows, columns, np.repeat(1 / length, length), parts, size)


def _output_size(name: str, axes: int, input: Any, output_size: Any) -> tuple[int, ...]:
    """Return the sizes asked for; None is that of the input."""
    size = image_size(name, axes, input)
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    wanted = [n if each is None else each for each, n in zip(given, size, strict=False)]
    if len(given) != axes:
        raise ShapeError(f"{name}: output_size={output_size} has {len(given)} numbers for {axes}")
    return per_axis(name, "output_size", tuple(wanted), axes, least=0)
