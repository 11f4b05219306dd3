"""Sorting, and the elements at a rank: median, quantile, mode, the k largest.

A nan is larger than everything, as in torch and NumPy. Every sort is stable: equal elements keep
their order; a search for a rank finds the element that such a sort puts there. (torch's searches
pick one of the equal elements, and does not say which.) The gradient goes to the element found.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, EmptyError, ShapeError
from mytorch.ops.common import one_axis, refuse_booleans
from mytorch.ops.extremes import (
    Median,
    NanMedian,
    ValuesAndIndices,
    check_not_empty,
    picked,
)
from mytorch.ops.index import Gather
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__: list[str] = []


def _order(x: np.ndarray, axis: int, descending: bool = False) -> np.ndarray:
    """Return the indices that sort ``x`` along ``axis``, equal elements in their order."""
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)


def _at_rank(x: np.ndarray, rank: int, axis: int) -> np.ndarray:
    """Return the index of what a stable sort puts at ``rank``; without sorting, in O(n)."""
    if not x.ndim:
        return np.zeros((), np.int64)
    value = np.partition(x, rank, axis).take([rank], axis)
    if x.dtype.kind == "f" and np.isnan(value).any():
        equal = (x == value) | (np.isnan(x) & np.isnan(value))
        smaller = np.where(np.isnan(value), ~np.isnan(x), x < value)
    else:
        equal, smaller = x == value, x < value
    place = rank + 1 - smaller.sum(axis=axis, keepdims=True)  # among the equal ones, from 1
    found = equal & (np.cumsum(equal, axis=axis) == place)
    return found.argmax(axis=axis, keepdims=True)


# ------------------------------------------------------------------------------------- sorting


@operation()
def sort(
    input: Any, dim: int = -1, descending: bool = False, stable: bool | None = None
) -> ValuesAndIndices:
    """Return the elements sorted along ``dim``, and where they were (torch.sort).

    Args:
        stable: any; the sort always keeps the order of equal elements.
    Returns:
        named tuple: (values, indices); each gradient goes back to where its element was.
    """
    axis = one_axis("sort", dim, input.data.ndim)
    return picked(input, _order(input.data, axis, descending), axis, True)


@operation()
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    """Return the indices that sort along ``dim``; always stable (torch.argsort)."""
    axis = one_axis("argsort", dim, input.data.ndim)
    return input.new(_order(input.data, axis, descending))


@operation()
def msort(input: Any) -> Any:
    """Return the rows sorted along the first axis (torch.msort)."""
    return sort(input, 0).values


@operation()
def topk(
    input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """Return the ``k`` largest (or smallest) along ``dim``, and where they are (torch.topk).

    Which of equal elements are taken at the limit is not defined, as in torch.

    Args:
        sorted: any; the result always is.
    Raises:
        ShapeError: k is negative or more than there are; DtypeError: booleans.
    """
    axis, x = one_axis("topk", dim, input.data.ndim), input.data
    refuse_booleans("topk", input)
    _check_k("topk", k, 0, x.shape[axis] if x.ndim else 1, x.shape)
    if not x.ndim:
        return picked(input, np.zeros((), np.int64), 0, True)
    size = x.shape[axis]
    if 0 < k < size:
        parted = np.argpartition(x, size - k if largest else k - 1, axis)
        wanted = range(size - k, size) if largest else range(k)
        candidates = np.sort(parted.take(wanted, axis), axis)  # in order, for a stable sort
        among = _order(np.take_along_axis(x, candidates, axis), axis, largest)
        indices = np.take_along_axis(candidates, among, axis)
    else:
        indices = _order(x, axis, largest).take(range(k), axis)
    return picked(input, indices, axis, True)


def _check_k(name: str, k: Any, least: int, most: int, shape: tuple[int, ...]) -> None:
    if not isinstance(k, (int, np.integer)):
        raise TypeError(f"{name}: k must be an int, not {type(k).__name__}")
    if not least <= k <= most:
        raise ShapeError(f"{name}: k must be from {least} to {most} for shape {shape}, got {k}")


@operation()
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """Return the ``k``-th smallest along ``dim``, from 1, and where it is (torch.kthvalue).

    Raises:
        ShapeError: there is no k-th; EmptyError: nothing along ``dim``; DtypeError: booleans.
    """
    axis, x = one_axis("kthvalue", dim, input.data.ndim), input.data
    refuse_booleans("kthvalue", input)
    check_not_empty("kthvalue", x.shape, (axis,)[: x.ndim])
    _check_k("kthvalue", k, 1, x.shape[axis] if x.ndim else 1, x.shape)
    return picked(input, _at_rank(x, k - 1, axis), axis, keepdim)


# ------------------------------------------------------------------------------ median and mode


@operation()
def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median: of an even number of elements the lower of the two in the middle.

    Over everything, equal elements share the gradient; along ``dim`` one takes it. A nan makes the
    median nan. NumPy's is the mean of the two: ``quantile(input, 0.5)``.

    Returns:
        Tensor; along ``dim`` a named tuple (values, indices).
    Source: torch.median.
    """
    refuse_booleans("median", input)
    if dim is None:
        return Median.apply(input)
    axis, x = one_axis("median", dim, input.data.ndim), input.data
    check_not_empty("median", x.shape, (axis,)[: x.ndim])
    indices = _at_rank(x, (x.shape[axis] - 1) // 2 if x.ndim else 0, axis)
    if x.ndim and x.dtype.kind == "f":
        unknown = np.isnan(x)
        spoilt = unknown.any(axis=axis, keepdims=True)
        indices = np.where(spoilt, unknown.argmax(axis=axis, keepdims=True), indices)
    return picked(input, indices, axis, keepdim)


@operation()
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median of what is not nan (torch.nanmedian); nan only where all are."""
    refuse_booleans("nanmedian", input)
    if dim is None:
        return NanMedian.apply(input)
    axis, x = one_axis("nanmedian", dim, input.data.ndim), input.data
    if not x.ndim or x.dtype.kind != "f" or not np.isnan(x).any():
        return median(input, dim, keepdim)
    known = (~np.isnan(x)).sum(axis=axis, keepdims=True)
    middle = np.maximum(known - 1, 0) // 2
    return picked(input, np.take_along_axis(_order(x, axis), middle, axis), axis, keepdim)


@operation()
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """Return the most frequent element along ``dim``, and where it is last (torch.mode).

    Of equally frequent ones it is the smallest. A nan equals nothing, not even a nan.
    """
    axis, x = one_axis("mode", dim, input.data.ndim), input.data
    check_not_empty("mode", x.shape, (axis,)[: x.ndim])
    if not x.ndim:
        return picked(input, np.zeros((), np.int64), axis, keepdim)
    order = np.moveaxis(_order(x, axis), axis, -1)
    ordered = np.take_along_axis(np.moveaxis(x, axis, -1), order, -1)
    places = np.arange(x.shape[axis])
    is_new = np.ones(ordered.shape, bool)
    is_new[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    starts = np.maximum.accumulate(np.where(is_new, places, 0), -1)
    last = (places - starts).argmax(-1, keepdims=True)  # the end of the first longest run
    indices = np.moveaxis(np.take_along_axis(order, last, -1), -1, axis)
    return picked(input, indices, axis, keepdim)


# ------------------------------------------------------------------------------------ quantiles

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@operation()
def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """Return the values below which the shares ``q`` of the elements lie (torch.quantile).

    Math: the element at rank r = q (n - 1) of the sorted; between two ranks, ``interpolation``
    says: "linear" between the two, "lower", "higher", "midpoint", or "nearest" (half to even).
    A nan along ``dim`` makes the result nan.
    Args:
        q: a float in [0, 1], or a Tensor of several, (Q,), which become the first axis.
        dim: the axis, None for all elements.
    Raises:
        DtypeError: not float32 or float64, or q of another dtype; ShapeError: q outside of [0, 1]
        or of more than one axis; EmptyError: no elements; ValueError: the interpolation.
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


@operation()
def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """Return the quantiles of what is not nan (torch.nanquantile); nan only where all are.

    Arguments and errors are those of ``quantile``.
    """
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _quantile(
    name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skips_nan: bool
) -> Any:
    shares = _checked_shares(name, input, q, interpolation)
    shape = input.data.shape
    if dim is None or not shape:
        rows, rest = input.reshape(-1), (1,) * (len(shape) * keepdim)
    else:
        axis = one_axis(name, dim, len(shape))
        rows = np.moveaxis(input, axis, -1)  # (…, n)
        rest = (*shape[:axis], *(1,) * keepdim, *shape[axis + 1 :])
    unknown = np.isnan(rows.data)
    last = (~unknown).sum(-1, keepdims=True) - 1
    ranks = shares.reshape(-1) * input.new(np.maximum(last, 0).astype(input.data.dtype))  # (…, Q)
    if unknown.any() and not skips_nan:  # the last of the sorted is nan
        spoilt = np.broadcast_to(unknown.any(-1, keepdims=True), ranks.data.shape)
        ranks = input.new(np.where(spoilt, rows.data.shape[-1] - 1, ranks.data))
    result = _interpolated(rows, ranks, interpolation)
    if not shares.data.ndim:
        return result.reshape(rest)
    return np.moveaxis(result, -1, 0).reshape((shares.data.size, *rest))


def _checked_shares(name: str, input: Any, q: Any, interpolation: str) -> Any:
    """Return ``q`` as a Tensor, () or (Q,), after all arguments were checked."""
    dtype = input.data.dtype
    if dtype not in (np.float32, np.float64):
        raise DtypeError(f"{name}: expects float32 or float64, got {dtype}; use .float()")
    if not input.data.size:
        raise EmptyError(f"{name}: nothing to choose from in shape {input.data.shape}")
    if interpolation not in _INTERPOLATIONS:
        known = ", ".join(_INTERPOLATIONS)
        raise ShapeError(f"{name}: interpolation must be one of {known}; got {interpolation!r}")
    if not isinstance(q, Variable):
        if not isinstance(q, (int, float)):
            raise TypeError(f"{name}: q must be a float or a Tensor, not {type(q).__name__}")
        q = input.new(np.asarray(q, dtype))
    if q.data.dtype != dtype:
        raise DtypeError(f"{name}: q must have the dtype of the input, {dtype}, not {q.data.dtype}")
    if q.data.ndim > 1:
        raise ShapeError(f"{name}: q must be a number or have one axis, got {q.data.shape}")
    if not ((q.data >= 0) & (q.data <= 1)).all():
        raise ShapeError(f"{name}: q must be in [0, 1], got {q.data.tolist()}")
    return q


@np.errstate(all="ignore")  # inf - inf
def _interpolated(rows: Any, ranks: Any, interpolation: str) -> Any:
    """Return the sorted elements of each row (…, n) at ``ranks`` (…, Q), between two of them."""
    order = _order(rows.data, -1)

    def at(places: np.ndarray) -> Any:
        chosen = np.take_along_axis(order, places.astype(np.int64), -1)
        return Gather.apply(rows, chosen, -1)

    exact = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}.get(interpolation)
    if exact is not None:
        return at(exact(ranks.data))
    below = np.floor(ranks.data)
    low, high = at(below), at(np.ceil(ranks.data))
    weight = ranks.new(np.full_like(below, 0.5)) if interpolation == "midpoint" else ranks - below
    step = high - low  # from the nearer of the two: an infinite one leaves the other finite
    return np.where(weight.data < 0.5, low + step * weight, high - step * (1 - weight))
