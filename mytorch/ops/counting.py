"""Distinct values, counts and histograms, and places in sorted sequences: without derivatives."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.dtypes import result_type
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import as_operand, float_data, one_axis
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Histogram"]


class Histogram(NamedTuple):
    """What ``histogram`` returns: how many are in each bin, and the bins' edges."""

    hist: Any
    bin_edges: Any


# ----------------------------------------------------------------------------- distinct values


@operation()
def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the distinct elements, or slices along ``dim``, in rising order (torch.unique).

    Each nan is distinct from every other.

    Args:
        sorted: any; the result always is.
        return_inverse: return also where each element of the input is in the result.
        return_counts: return also how often each occurs.
    Returns:
        Tensor; with one of the two, a tuple.
    """
    x, axis = input.data, _axis_of_slices("unique", input.data, dim)
    found, inverse, counts = np.unique(
        x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    inverse = inverse.reshape(x.shape if axis is None else -1)
    return _chosen_of(input, found, inverse, counts, return_inverse, return_counts)


@operation()
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """Return the elements, or slices along ``dim``, without immediate repetitions.

    Arguments and results are those of ``unique``. Source: torch.unique_consecutive.
    """
    x, axis = input.data, _axis_of_slices("unique_consecutive", input.data, dim)
    rows = x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0)
    is_new = np.ones(len(rows), bool)
    is_new[1:] = (rows[1:] != rows[:-1]).any(axis=tuple(range(1, rows.ndim)))
    starts = np.flatnonzero(is_new)
    inverse = (np.cumsum(is_new) - 1).reshape(x.shape if axis is None else -1)
    counts = np.diff(np.append(starts, len(rows)))
    found = rows[starts] if axis is None else np.moveaxis(rows[starts], 0, axis)
    return _chosen_of(input, found, inverse, counts, return_inverse, return_counts)


def _axis_of_slices(name: str, x: np.ndarray, dim: int | None) -> int | None:
    if dim is None:
        return None
    if not x.ndim:
        raise IndexError(f"{name}: a 0-d tensor has no axis {dim}")
    axis = one_axis(name, dim, x.ndim)
    if 0 in x.shape[:axis] + x.shape[axis + 1 :]:
        raise ShapeError(f"{name}: the slices of shape {x.shape} along axis {axis} are empty")
    return axis


def _chosen_of(
    input: Any, found: Any, inverse: Any, counts: Any, wants_inverse: bool, wants_counts: bool
) -> Any:
    """Return the results that were asked for, as constant Tensors."""
    results = [input.new(found)]
    if wants_inverse:
        results.append(input.new(inverse.astype(np.int64, copy=False)))
    if wants_counts:
        results.append(input.new(counts.astype(np.int64, copy=False)))
    return results[0] if len(results) == 1 else tuple(results)


# -------------------------------------------------------------------------------------- counts


@operation()
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Return how often each integer from 0 occurs (torch.bincount).

    Args:
        input (Tensor): (n,), integers of 0 and more.
        weights (Tensor): (n,); each element counts as much as its weight: the result is float32 of
            float32 weights, else float64.
        minlength: the least size of the result, which otherwise ends at the largest integer.
    Raises:
        ShapeError: not one axis, a negative element or minlength, or other weights than elements;
        DtypeError: not integers.
    """
    x = input.data
    if x.dtype.kind not in "iu":
        raise DtypeError(f"bincount: expects integers, got {x.dtype}")
    if x.ndim != 1:
        raise ShapeError(f"bincount: expects one axis, got shape {x.shape}")
    if x.size and x.min() < 0:
        raise ShapeError(f"bincount: cannot count negative integers, such as {x.min()}")
    if minlength < 0:
        raise ShapeError(f"bincount: minlength must not be negative, got {minlength}")
    if weights is None:
        return input.new(np.bincount(x.astype(np.int64), minlength=minlength).astype(np.int64))
    if weights.data.shape != x.shape:
        raise ShapeError(f"bincount: weights {weights.data.shape} must have the shape {x.shape}")
    if not x.size:
        return input.new(np.zeros(minlength, np.int64))
    dtype = np.float32 if weights.data.dtype == np.float32 else np.float64
    counts = np.bincount(x.astype(np.int64), weights.data.astype(np.float64), minlength)
    return input.new(counts.astype(dtype))


@operation()
def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    """Return how many elements are in each of ``bins`` equal parts of [min, max] (torch.histc).

    Elements outside, and nan, are not counted. If min equals max, it is the smallest to the largest
    element; if these are equal too, one less to one more.
    Returns:
        Tensor: (bins,), in the dtype of the input.
    """
    x = float_data("histc", input)
    _check_bins("histc", bins)
    if min == max and x.size:
        min, max = x.min(), x.max()
    counts, _ = np.histogram(x, bins, _limits("histc", min, max, 1.0))
    return input.new(counts.astype(x.dtype))


@operation()
def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Histogram:
    """Return how many elements are in each bin, and the edges of the bins (torch.histogram).

    Args:
        input (Tensor): floats of any shape; those outside of all bins, and nan, are not counted.
        bins: the number of equal bins, or a Tensor of their edges, rising.
        range: (low, high) for a number of bins; default: from the smallest to the largest element,
            half less to half more if these are equal.
        weight (Tensor): of the shape of the input; each element counts as much.
        density: divide so that the integral over all bins is 1.
    Returns:
        named tuple (hist, bin_edges): (bins,) and (bins + 1,), in the dtype of the input.
    """
    x = float_data("histogram", input)
    if weight is not None and weight.data.shape != x.shape:
        raise ShapeError(f"histogram: weight {weight.data.shape} must have the shape {x.shape}")
    limits = None
    if isinstance(bins, Variable):
        parts = edges = _checked_edges(bins.data, x.dtype)
    else:
        _check_bins("histogram", bins)
        if range is None:
            range = (x.min(), x.max()) if x.size else (0.0, 1.0)
        limits = _limits("histogram", range[0], range[1], 0.5)
        parts, edges = bins, np.linspace(*limits, bins + 1, dtype=x.dtype)
    weights = None if weight is None else weight.data.reshape(-1)
    with np.errstate(all="ignore"):  # the density of nothing is nan
        counts, _ = np.histogram(x.reshape(-1), parts, limits, bool(density), weights)
    return Histogram(input.new(counts.astype(x.dtype)), input.new(edges))


def _check_bins(name: str, bins: Any) -> None:
    if not isinstance(bins, (int, np.integer)):
        raise TypeError(f"{name}: bins must be an int, not {type(bins).__name__}")
    if bins < 1:
        raise ShapeError(f"{name}: bins must be positive, got {bins}")


def _limits(name: str, low: float, high: float, margin: float) -> tuple[float, float]:
    """Return the limits of a histogram as floats, ``margin`` apart from each other at least."""
    if low > high:
        raise ShapeError(f"{name}: the range must rise, got {low} to {high}")
    if not np.isfinite([low, high]).all():
        raise ShapeError(f"{name}: the range must be finite, got {low} to {high}")
    return (float(low), float(high)) if low < high else (float(low - margin), float(high + margin))


def _checked_edges(edges: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if edges.ndim != 1 or edges.size < 2:
        raise ShapeError(f"histogram: edges of bins are at least two, (n,), got {edges.shape}")
    if edges.dtype != dtype:
        raise DtypeError(f"histogram: edges must have the dtype of the input, {dtype}")
    if not (edges[1:] >= edges[:-1]).all():
        raise ShapeError("histogram: the edges of the bins must rise")
    return edges.copy()


# ------------------------------------------------------------------- places in sorted sequences


@operation(method=False)
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Return where to insert the elements of ``input`` to keep a sequence sorted.

    Args:
        sorted_sequence (Tensor): (…, n), rising along the last axis; a nan is the largest.
        input (Tensor or number): (…, m), the leading sizes as those of the sequence, which may
            also be (n,) for every ``input``.
        right: behind equal elements instead of before; the same as side="right".
        sorter (Tensor): the indices that sort a sequence that is not sorted.
    Returns:
        Tensor: int64 (int32 with ``out_int32``), of the shape of ``input``.
    Raises:
        ShapeError: shapes that do not fit, or ``right`` and ``side`` that contradict each other;
        DtypeError: booleans.
    Source: torch.searchsorted.
    """
    if not isinstance(sorted_sequence, Variable):
        kind = type(sorted_sequence).__name__
        raise TypeError(f"searchsorted: expects a Tensor as `sorted_sequence`, got {kind}")
    values = as_operand(sorted_sequence, input)
    if values is None:
        raise TypeError(f"searchsorted: cannot search for {type(input).__name__}; give a Tensor")
    if side not in (None, "left", "right"):
        raise ShapeError(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    if side == "left" and right:
        raise ShapeError("searchsorted: side='left' contradicts right=True")
    x, v = sorted_sequence.data, values.data
    if x.dtype.kind == v.dtype.kind == "b":
        raise DtypeError("searchsorted: not for booleans; convert with .long() or .float()")
    if not x.ndim or (x.ndim > 1 and x.shape[:-1] != v.shape[:-1]):
        raise ShapeError(
            f"searchsorted: a sequence {x.shape} does not fit values {v.shape}: it must be (n,), "
            "or all sizes but the last must agree"
        )
    if sorter is not None:
        x = np.take_along_axis(x, _checked_sorter(sorter.data, x.shape), -1)
    places = _places(x, v, "right" if right or side == "right" else "left")
    return sorted_sequence.new(places.astype(np.int32 if out_int32 else np.int64, copy=False))


@operation(method=False, numbers=True)
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """Return in which bucket each element is: ``searchsorted(boundaries, input)``, of one axis.

    Bucket i is boundaries[i-1] < x <= boundaries[i], with ``right`` [i-1] <= x < [i].
    Source: torch.bucketize.
    """
    if isinstance(boundaries, Variable) and boundaries.data.ndim != 1:
        raise ShapeError(f"bucketize: boundaries have one axis, got shape {boundaries.data.shape}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


def _checked_sorter(order: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if order.shape != shape:
        raise ShapeError(f"searchsorted: sorter {order.shape} must have the shape {shape}")
    if order.dtype != np.int64:
        raise DtypeError(f"searchsorted: sorter must be int64, not {order.dtype}")
    if order.size and not 0 <= order.min() <= order.max() < shape[-1]:
        raise ShapeError(f"searchsorted: sorter has an index outside of 0 to {shape[-1] - 1}")
    return order


def _places(x: np.ndarray, v: np.ndarray, side: Any) -> np.ndarray:
    """Return the places of ``v`` in the sorted rows of ``x``, all rows at once."""
    dtype = result_type(x, v)
    x, v = x.astype(dtype, copy=False), v.astype(dtype, copy=False)
    if x.ndim == 1:
        return np.asarray(np.searchsorted(x, v, side))
    low = np.zeros(v.shape, np.int64)  # the place is in [low, high]
    high = np.full(v.shape, x.shape[-1])
    for _ in range(x.shape[-1].bit_length()):  # bisection
        middle = (low + high) // 2
        at = np.take_along_axis(x, np.minimum(middle, x.shape[-1] - 1), -1)
        before = (at < v) | (~np.isnan(at) & np.isnan(v))
        if side == "right":
            before |= (at == v) | (np.isnan(at) & np.isnan(v))
        before &= low < high
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    return low
