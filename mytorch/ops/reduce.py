"""Reductions over axes. ``dim`` is an int, a tuple or None for all; ``keepdim`` keeps size 1."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import EmptyError
from mytorch.ops.common import (
    Axes,
    as_float,
    float_data,
    normalize_axes,
    pair,
    refuse_booleans,
    spread,
    values,
)
from mytorch.ops.index import Gather
from mytorch.ops.pointwise import Clone, Maximum, masked
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["LogSumExp", "Max", "Mean", "Sum"]


class Sum(Function):
    """y = sum of x over axes;  dy/dx = 1. Integers are summed in int64, as in torch."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        ctx.shape_in, ctx.axes = a.data.shape, normalize_axes(axis, a.data.ndim)
        ctx.keepdims = keepdims
        dtype = None if a.data.dtype.kind in "fc" else np.int64
        return a.new(a.data.sum(axis=ctx.axes, keepdims=keepdims, dtype=dtype))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return spread(grad_output, ctx.shape_in, ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.sum(ctx.axes, keepdims=ctx.keepdims)


class Mean(Function):
    """y = sum of x over axes / n;  dy/dx = 1/n. Of nothing it is nan; integers are refused."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = float_data("mean", a)
        ctx.shape_in, ctx.axes = x.shape, normalize_axes(axis, x.ndim)
        ctx.keepdims = keepdims
        ctx.count = int(np.prod([x.shape[i] for i in ctx.axes]))
        with np.errstate(invalid="ignore", divide="ignore"):
            return a.new(x.sum(axis=ctx.axes, keepdims=keepdims) / x.dtype.type(ctx.count))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return spread(grad_output / ctx.count, ctx.shape_in, ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.sum(ctx.axes, keepdims=ctx.keepdims) / ctx.count


class Max(Function):
    """y = the largest of x over axes;  dy/dx = 1/k at each of the k largest (torch.amax).

    A nan is larger than everything.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        ctx.axes, ctx.keepdims = normalize_axes(axis, a.data.ndim), keepdims
        if any(a.data.shape[i] == 0 for i in ctx.axes):
            raise EmptyError(f"max: nothing to choose from over axes {ctx.axes} of {a.data.shape}")
        kept = a.data.max(axis=ctx.axes, keepdims=True)
        ctx.save_for_backward(a, a.new(kept))
        return a.new(kept if keepdims else kept.squeeze(ctx.axes))

    @staticmethod
    def _largest(ctx: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the mask of the largest, and how many there are."""
        x, kept = map(values, ctx.saved_tensors)
        largest = (x == kept) | (np.isnan(x) & np.isnan(kept))
        return largest, largest.sum(axis=ctx.axes, keepdims=True, dtype=x.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        largest, count = Max._largest(ctx)
        share = grad_output.reshape(count.shape) / count
        return masked(np.broadcast_to(share, largest.shape), largest), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        largest, count = Max._largest(ctx)
        mean = masked(tangent, largest).sum(ctx.axes, keepdims=True) / count
        return mean if ctx.keepdims else np.squeeze(mean, ctx.axes)


class LogSumExp(Function):
    """y = log sum e**x over axes, shifted by the maximum;  dy/dx = e**(x - y) = softmax(x).

    No overflow: log sum e**x = m + log sum e**(x - m). Source: handout appendix B.1.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = as_float(a.data)
        ctx.axes, ctx.keepdims = normalize_axes(axis, x.ndim), keepdims
        with np.errstate(all="ignore"):
            shift = x.max(axis=ctx.axes, keepdims=True, initial=-np.inf)
            shift = np.where(np.isfinite(shift), shift, x.dtype.type(0))
            kept = np.log(np.exp(x - shift).sum(axis=ctx.axes, keepdims=True)) + shift
        result = a.new(kept if keepdims else kept.squeeze(ctx.axes))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, result = ctx.saved_tensors
        softmax = np.exp(a - spread(result, a.shape, ctx.axes))
        return spread(grad_output, a.shape, ctx.axes) * softmax, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        a, result = ctx.saved_tensors
        softmax = np.exp(a - spread(result, a.shape, ctx.axes))
        return (tangent * softmax).sum(ctx.axes, keepdims=ctx.keepdims)


# ------------------------------------------------------------------------------ the functions


@operation(numpy=np.sum)
def sum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the sum over ``dim``, None for all; integers are summed in int64 (torch.sum)."""
    return Sum.apply(input if dtype is None else input.astype(dtype), dim, keepdim)


@operation(numpy=np.mean)
def mean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the mean over ``dim``, None for all; of floats only (torch.mean)."""
    return Mean.apply(input if dtype is None else input.astype(dtype), dim, keepdim)


@operation(space=("mytorch", "special"))
def logsumexp(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return log sum e**x over ``dim``, without overflow (torch.logsumexp)."""
    return LogSumExp.apply(input, dim, keepdim)


@operation(numpy=(np.max, np.amax))
def amax(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return the largest over ``dim``; ties share the gradient evenly (torch.amax)."""
    return Max.apply(input, dim, keepdim)


class MaxResult(NamedTuple):
    """What ``max`` along an axis returns (torch.return_types.max)."""

    values: Any
    indices: Any


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
    indices = _argmax(input, dim, keepdim=True)
    found = Gather.apply(input, indices.data, dim) if input.data.ndim else Clone.apply(input)
    if keepdim or not input.data.ndim:
        return MaxResult(found, indices)
    return MaxResult(found.squeeze(dim), indices.squeeze(dim))


@operation(numpy=np.argmax)
def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the index of the first largest element, int64 (torch.argmax). A nan is the largest."""
    refuse_booleans("argmax", input)
    return _argmax(input, dim, keepdim)


def _argmax(input: Any, dim: int | None, keepdim: bool) -> Any:
    normalize_axes(dim, input.data.ndim)
    if input.data.size == 0:
        raise EmptyError(f"argmax: nothing to choose from in shape {input.data.shape}")
    if input.data.ndim == 0:
        return input.new(np.zeros((), np.int64))
    return input.new(np.asarray(input.data.argmax(axis=dim, keepdims=keepdim), np.int64))
