"""Reductions that choose elements: the largest, the smallest, the middle, and where they are.

Ties as in torch: over everything, and in ``amax``, ``amin`` and ``aminmax``, all that are equal
share the gradient evenly; ``max`` and ``min`` along an axis give it to the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import EmptyError
from mytorch.ops.common import (
    Axes,
    all_if_empty,
    normalize_axes,
    one_axis,
    pair,
    refuse_booleans,
    values,
)
from mytorch.ops.index import Gather
from mytorch.ops.pointwise import Clone, Maximum, Minimum, masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import fold
from mytorch.variable import Variable

__all__ = ["Max", "Median", "Min", "NanMedian", "ValuesAndIndices"]


class ValuesAndIndices(NamedTuple):
    """What a search along one axis finds: the elements, and where they are (int64)."""

    values: Any
    indices: Any


class MinAndMax(NamedTuple):
    """What ``aminmax`` returns."""

    min: Any
    max: Any


def check_not_empty(name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Raise EmptyError if there is nothing along one of ``axes``."""
    for axis in axes:
        if shape[axis] == 0:
            raise EmptyError(f"{name}: nothing to choose from over axis {axis} of shape {shape}")


class _Chosen(Function):
    """y = one of the elements of x over axes;  dy/dx = 1/k at each of the k equal to it.

    A nan equals a nan here, so that it gets the gradient if it is chosen.
    """

    on_arrays = True

    @staticmethod
    def choose(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        """Return the chosen element over ``axes``, which keep size 1."""
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        ctx.axes, ctx.keepdims = normalize_axes(axis, a.data.ndim), keepdims
        kept = cls.choose(a.data, ctx.axes)
        ctx.save_for_backward(a, a.new(kept))
        result = kept.copy()  # which may be changed in place
        return a.new(result if keepdims else result.squeeze(ctx.axes))

    @staticmethod
    def _equal(ctx: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the mask of the elements equal to the chosen one, and how many there are."""
        x, kept = map(values, ctx.saved_tensors)
        equal = (x == kept) | (np.isnan(x) & np.isnan(kept))
        return equal, equal.sum(axis=ctx.axes, keepdims=True, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        equal, count = _Chosen._equal(ctx)
        share = grad_output.reshape(count.shape) / count
        return masked(np.broadcast_to(share, equal.shape), equal), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        equal, count = _Chosen._equal(ctx)
        mean = masked(tangent, equal).sum(ctx.axes, keepdims=True) / count
        return mean if ctx.keepdims else np.squeeze(mean, ctx.axes)


class Max(_Chosen):
    """y = the largest of x over axes;  dy/dx = 1/k at each of the k largest (torch.amax).

    A nan is larger than everything.
    """

    @staticmethod
    def choose(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        check_not_empty("max", x.shape, axes)
        return fold(np.maximum, x, axes)


class Min(_Chosen):
    """y = the smallest of x over axes;  dy/dx = 1/k at each of the k smallest (torch.amin).

    A nan is smaller than everything.
    """

    @staticmethod
    def choose(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        check_not_empty("min", x.shape, axes)
        return fold(np.minimum, x, axes)


class Median(_Chosen):
    """y = the element in the middle of all, the lower of two; nan if one is nan;  dy/dx as of Max.

    Of nothing it is nan.
    """

    @staticmethod
    def choose(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return _middle(x).reshape((1,) * x.ndim)


class NanMedian(_Chosen):
    """y = the element in the middle of those that are not nan, the lower of two;  dy/dx as of Max.

    Of nothing, and where all are nan, it is nan.
    """

    @staticmethod
    def choose(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        known = x[~np.isnan(x)] if x.dtype.kind == "f" else x
        return _middle(known if known.size else x).reshape((1,) * x.ndim)


def _middle(x: np.ndarray) -> np.ndarray:
    if not x.size:
        return np.full((), np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype)
    if x.dtype.kind == "f" and np.isnan(x).any():
        return np.full((), np.nan, x.dtype)
    middle = (x.size - 1) // 2
    return np.partition(x.reshape(-1), middle)[middle]


def picked(input: Any, indices: np.ndarray, dim: int, keepdim: bool) -> ValuesAndIndices:
    """Return the elements of ``input`` at ``indices`` along ``dim``, where these have size 1."""
    if not input.data.ndim:
        return ValuesAndIndices(Clone.apply(input), input.new(indices.reshape(())))
    found, places = Gather.apply(input, indices, dim), input.new(indices.copy())
    if keepdim:
        return ValuesAndIndices(found, places)
    return ValuesAndIndices(found.squeeze(dim), places.squeeze(dim))


# ------------------------------------------------------------------------------ the functions


@operation(numpy=(np.max, np.amax))
def amax(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return the largest over ``dim``; ties share the gradient evenly (torch.amax)."""
    return Max.apply(input, all_if_empty(dim), keepdim)


@operation(numpy=(np.min, np.amin))
def amin(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return the smallest over ``dim``; ties share the gradient evenly (torch.amin)."""
    return Min.apply(input, all_if_empty(dim), keepdim)


@operation()
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> MinAndMax:
    """Return the named tuple (min, max) over one ``dim``, or over all (torch.aminmax)."""
    axis = None if dim is None else one_axis("aminmax", dim, input.data.ndim)
    axis = axis if input.data.ndim else None
    return MinAndMax(Min.apply(input, axis, keepdim), Max.apply(input, axis, keepdim))


@operation()
def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the largest element; along one ``dim`` also where it is (torch.max).

    Ties as torch: over everything they share the gradient, along an axis the first takes it.

    Args:
        dim: None for all, an axis, or a second Tensor, which makes this ``maximum``.
    Returns:
        Tensor; with an axis, a named tuple ``(values, indices)``.
    """
    if isinstance(dim, Variable):
        return Maximum.apply(*pair("max", input, dim))
    if dim is None:
        return Max.apply(input)
    indices = _where("max", np.argmax, input.data, dim, True)
    return picked(input, indices, one_axis("max", dim, input.data.ndim), keepdim)


@operation()
def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Return the smallest element; along one ``dim`` also where it is (torch.min).

    Arguments, ties and results are those of ``max``.
    """
    if isinstance(dim, Variable):
        return Minimum.apply(*pair("min", input, dim))
    if dim is None:
        return Min.apply(input)
    indices = _where("min", np.argmin, input.data, dim, True)
    return picked(input, indices, one_axis("min", dim, input.data.ndim), keepdim)


@operation(numpy=np.argmax)
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the index of the first largest element, int64 (torch.argmax). A nan is the largest."""
    refuse_booleans("argmax", input)
    return input.new(_where("argmax", np.argmax, input.data, dim, keepdim))


@operation(numpy=np.argmin)
def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the index of the first smallest element, int64 (torch.argmin). A nan is that."""
    refuse_booleans("argmin", input)
    return input.new(_where("argmin", np.argmin, input.data, dim, keepdim))


def _where(
    name: str, find: Callable[..., Any], x: np.ndarray, dim: int | None, keepdim: bool
) -> np.ndarray:
    """Return what ``find`` (np.argmax or np.argmin) finds along ``dim``, None: in all of x."""
    axis = None if dim is None else one_axis(name, dim, x.ndim)
    check_not_empty(name, x.shape, tuple(range(x.ndim)) if axis is None else (axis,)[: x.ndim])
    if not x.ndim:
        return np.zeros((), np.int64)
    return np.asarray(find(x, axis=axis, keepdims=keepdim), np.int64)
