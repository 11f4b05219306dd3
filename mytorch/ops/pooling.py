"""What pooling computes: the largest of each window, and the sum of each window.

Of the largest, only the element that was taken has a gradient: the first of equal ones, row by
row, and the last nan where there is one, as in torch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import select, values
from mytorch.ops.index import Scatter
from mytorch.ops.windows import (
    Windows,
    add_windows,
    batch_first,
    batch_last,
    image_of,
    without_margins,
)
from mytorch.variable import Variable

__all__ = ["MaxPool", "WindowSpread", "WindowSum", "flat", "indices_of_largest", "places_of"]

# ------------------------------------------------------------------------------ the operations


class MaxPool(Function):
    """y = the largest x of each window;  dL/dx is dL/dy added where the largest was taken.

    Windows may overlap, and reach into a margin, of which nothing is taken.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, windows: Windows) -> Any:
        ctx.windows = windows
        first, *others = _elements(a.data, windows)
        best = first.copy(order="K")
        for each in others:
            np.maximum(best, each, out=best)
        best = batch_first(best, a.data.ndim)
        kept = best.copy(order="K")  # y itself may be changed in place, as by a relu
        ctx.save_for_backward(a, a.new(kept))
        return a.new(best)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, largest = map(values, ctx.saved_tensors)
        if ctx.bare:
            return _routed(grad_output, x, largest, ctx.windows), None
        places = flat(indices_of_largest(x, *places_of(ctx.windows)))
        shape = (*x.shape[:2], math.prod(x.shape[2:]))
        return Scatter.apply(flat(grad_output), places, 2, shape).reshape(x.shape), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        x, largest = map(values, ctx.saved_tensors)
        places = flat(indices_of_largest(x, *places_of(ctx.windows)))
        return np.take_along_axis(flat(tangent), places, 2).reshape(largest.shape)


class WindowSum(Function):
    """y = the sum of each window, 0 in its margin;  dL/dx is the sum of dL/dy of its windows."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, windows: Windows) -> Any:
        ctx.windows = windows
        return a.new(_summed(a.data, windows))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _window_spread(grad_output, ctx.windows), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _window_sum(tangent, ctx.windows)


class WindowSpread(Function):
    """The adjoint of WindowSum: each element is added to all of its window."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, windows: Windows) -> Any:
        ctx.windows = windows
        return a.new(_spread_out(a.data, windows))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _window_sum(grad_output, ctx.windows), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _window_spread(tangent, ctx.windows)


def _window_sum(x: Any, windows: Windows) -> Any:
    return WindowSum.apply(x, windows) if isinstance(x, Variable) else _summed(x, windows)


def _window_spread(y: Any, windows: Windows) -> Any:
    return WindowSpread.apply(y, windows) if isinstance(y, Variable) else _spread_out(y, windows)


# ------------------------------------------------------------------------------------ on arrays


def _elements(x: np.ndarray, windows: Windows, fill: Any = None) -> list[np.ndarray]:
    """Return the first element of all windows, the second, …: views (C, *grid, N).

    The margin is filled with ``fill``, by default the smallest number.
    """
    if windows.extent == windows.size:
        image = batch_last(x)
    else:
        if fill is None:
            fill = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        image = image_of(x, windows, fill)
    return [image[:, rows, columns] for rows, columns in windows.offsets()]


@np.errstate(all="ignore")  # inf - inf is nan silently, as in torch
def _summed(x: np.ndarray, windows: Windows) -> np.ndarray:
    if windows.grid == (1, 1) and windows.kernel == windows.extent:  # all: at one stroke
        return x.sum((-2, -1), keepdims=True) if x.ndim == 4 else x.sum(-1, keepdims=True)
    first, *others = _elements(x, windows, 0)
    result = first.copy(order="K")
    for each in others:
        result += each
    return batch_first(result, x.ndim)


@np.errstate(all="ignore")  # inf - inf is nan silently, as in torch
def _spread_out(y: np.ndarray, windows: Windows) -> np.ndarray:
    grad = batch_last(y)
    image = np.zeros((len(grad), *windows.extent, grad.shape[3]), y.dtype)
    parts = np.broadcast_to(
        grad[:, None, None], (len(grad), *windows.kernel, *windows.grid, grad.shape[3])
    )
    add_windows(image, parts, windows)
    return batch_first(without_margins(image, windows), y.ndim)


def _routed(grad: np.ndarray, x: np.ndarray, largest: np.ndarray, windows: Windows) -> np.ndarray:
    """Return zeros like x with ``grad`` added to the elements that were taken."""
    best = batch_last(largest)
    flow = np.empty_like(best)  # in the same order in memory
    flow[...] = batch_last(grad)
    has_margin = windows.extent != windows.size
    if has_margin:
        image = np.zeros((len(best), *windows.extent, best.shape[3]), x.dtype)
    else:
        image = np.zeros_like(batch_last(x))
    are_apart = all(s >= (k - 1) * d + 1 for _, k, s, d, _, _ in zip(*windows, strict=True))
    for mask, place in zip(_taken(x, best, windows), windows.offsets(), strict=True):
        part = image[(slice(None), *place)]
        if are_apart:
            select(flow, mask, out=part)
        else:
            part += select(flow, mask)
    return batch_first(without_margins(image, windows), x.ndim)


def _taken(x: np.ndarray, best: np.ndarray, windows: Windows) -> Iterator[np.ndarray]:
    """Yield for each element of the kernel in which windows it is the one that was taken."""
    elements = _elements(x, windows)
    last = len(elements) - 1
    small = np.min_scalar_type(last + 1)  # of one byte: quick
    rank = np.zeros_like(best, small)  # last - number of the one taken: the first has the highest
    inside: list[Any] = []
    if windows.extent != windows.size:  # a margin is never taken, though all else be -inf
        inside = _elements(np.ones((1, 1, *windows.size), bool), windows, False)
    for number, each in enumerate(elements):
        is_largest = each == best
        if inside:
            is_largest &= inside[number]
        np.maximum(rank, is_largest * small.type(last - number), out=rank)
    if np.isnan(best).any():
        for number, each in enumerate(elements):
            rank[np.isnan(each)] = last - number
    return (rank == last - number for number in range(len(elements)))


# ------------------------------------------------------------------------------ by index


def flat(x: Any) -> Any:
    """Return (N, C, …), an array or a Tensor, as (N, C, M)."""
    return x.reshape((*x.shape[:2], math.prod(x.shape[2:])))


def places_of(windows: Windows) -> list[np.ndarray]:
    """Return for rows and for columns the places (grid, kernel) that windows see of the image.

    One in the margin is replaced by the nearest inside of the same window.
    """
    tables = []
    for size, kernel, stride, dilation, before, grid in zip(*windows, strict=True):
        start = (np.arange(grid) * stride - before)[:, None]
        place = start + np.arange(kernel) * dilation
        first = start + -(start // dilation).clip(max=0) * dilation
        last = start + (size - 1 - start) // dilation * dilation
        tables.append(place.clip(first, last).clip(0, size - 1))
    return tables


def indices_of_largest(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the index in the flattened image (H * W) of the largest of each window, (N, C, *grid).

    Args:
        x: (N, C, H, W) or (N, C, L).
        rows, columns: the places that a window sees, (grid, elements) each.
    """
    image, first = batch_last(x), 1  # the axis of the rows
    if not image.flags.c_contiguous:
        image, first = np.ascontiguousarray(x if x.ndim == 4 else x[:, :, None]), 2
    best, column = _largest_along(image, columns, first + 1)
    _, row = _largest_along(best, rows, first)
    result = row * image.shape[first + 1] + np.take_along_axis(column, row, first)
    if first == 1:
        return np.ascontiguousarray(batch_first(result, x.ndim))
    return result if x.ndim == 4 else result[:, :, 0]


def _largest_along(x: np.ndarray, places: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, along an axis, the largest of each row of ``places``, and its place."""
    best = np.take(x, places[:, 0], axis)
    rank = np.zeros_like(best, np.min_scalar_type(places.shape[1]))  # which of the places it is
    for number, place in enumerate(places.T[1:], start=1):
        each = np.take(x, place, axis)
        np.maximum(rank, (each > best) * rank.dtype.type(number), out=rank)
        np.maximum(best, each, out=best)
    if x.dtype.kind == "f" and np.isnan(best).any():  # the last nan is the largest
        for number, place in enumerate(places.T):
            rank[np.isnan(np.take(x, place, axis))] = number
    row = np.arange(len(places)).reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return best, places[row, rank]
