"""Reductions over axes. ``dim`` is an int, a tuple or None for all; ``keepdim`` keeps size 1.

Those that choose elements (max, min, …) are in ``extremes.py``, others in ``statistics.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import (
    Axes,
    all_if_empty,
    as_float,
    float_data,
    normalize_axes,
    spread,
    values,
)
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_up, fold, is_normal, wide
from mytorch.quiet import quietly

__all__ = ["LogSumExp", "Mean", "Prod", "Sum"]


class Sum(Function):
    """y = sum of x over axes;  dy/dx = 1. Integers are summed in int64, as in torch."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = a.data
        ctx.shape_in, ctx.axes = x.shape, normalize_axes(axis, x.ndim)
        ctx.keepdims = keepdims
        if x.dtype.kind in "fc":
            return a.new(add_up(x, ctx.axes, keepdims))
        return a.new(x.sum(axis=ctx.axes, keepdims=keepdims, dtype=np.int64))

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
        ctx.count = math.prod([x.shape[i] for i in ctx.axes])
        total = add_up(wide(x), ctx.axes, keepdims)
        mean = quietly(np.divide, total, total.dtype.type(ctx.count))
        return a.new(mean.astype(x.dtype, copy=False))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return spread(grad_output / ctx.count, ctx.shape_in, ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.sum(ctx.axes, keepdims=ctx.keepdims) / ctx.count


class Prod(Function):
    """y = product of x over axes;  dy/dx_i = product of the others, exact also where x is 0.

    Integers are multiplied in int64, as in torch.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = a.data
        ctx.axes, ctx.keepdims = normalize_axes(axis, x.ndim), keepdims
        with np.errstate(all="ignore"):
            if x.dtype.kind in "fc":
                result = wide(x).prod(axis=ctx.axes, keepdims=keepdims).astype(x.dtype, copy=False)
            else:
                result = x.prod(axis=ctx.axes, keepdims=keepdims, dtype=np.int64)
        product = a.new(result)
        ctx.save_for_backward(a, product)
        return product

    @staticmethod
    def _slope(ctx: Any) -> Any:
        """Return the product of the others for each element: y / x, unless y lost it."""
        x, y = ctx.saved_tensors
        if is_normal(values(y)):
            return spread(y, x.shape, ctx.axes) / x
        kept = [axis for axis in range(x.ndim) if axis not in ctx.axes]
        order = (*kept, *ctx.axes)
        moved = np.transpose(x, order)
        rows = moved.reshape((*[x.shape[axis] for axis in kept], -1))
        others = _product_before(rows) * np.flip(_product_before(np.flip(rows, -1)), -1)
        return np.transpose(others.reshape(moved.shape), tuple(np.argsort(order).tolist()))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        slope = Prod._slope(ctx)
        grad = spread(grad_output, slope.shape, ctx.axes) * slope
        return masked(grad, slope != 0) if ctx.bare else grad, None, None  # 0 also of a nan

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return (tangent * Prod._slope(ctx)).sum(ctx.axes, keepdims=ctx.keepdims)


def _product_before(rows: Any) -> Any:
    """Return for each element the product of those before it on the last axis, at first 1."""
    ones = np.ones((*rows.shape[:-1], 1), rows.dtype)
    return np.concatenate([ones, np.cumprod(rows[..., :-1], -1)], -1)


class LogSumExp(Function):
    """y = log sum e**x over axes, shifted by the maximum;  dy/dx = e**(x - y) = softmax(x).

    No overflow: log sum e**x = m + log sum e**(x - m). Source: handout appendix B.1.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = wide(as_float(a.data))
        ctx.axes, ctx.keepdims = normalize_axes(axis, x.ndim), keepdims
        with np.errstate(all="ignore"):
            shift = fold(np.maximum, x, ctx.axes, initial=-np.inf)
            shift = np.where(np.isfinite(shift), shift, x.dtype.type(0))
            shifted = np.asarray(x - shift)
            total = add_up(np.exp(shifted, out=shifted), ctx.axes, keepdims=True)
            kept = (np.log(total) + shift).astype(as_float(a.data).dtype, copy=False)
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


def _in_dtype(cls: type[Function], input: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    """Reduce ``input`` as ``dtype``, which is then that of the result too; None: as it is."""
    if dtype is None:
        return cls.apply(input, all_if_empty(dim), keepdim)
    return cls.apply(input.astype(dtype), all_if_empty(dim), keepdim).astype(dtype)


@operation(numpy=np.sum)
def sum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the sum over ``dim``, None or () for all (torch.sum).

    Integers and booleans are summed in int64, unless ``dtype`` says otherwise.
    """
    return _in_dtype(Sum, input, dim, keepdim, dtype)


@operation(numpy=np.mean)
def mean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the mean over ``dim``, None or () for all; of floats only (torch.mean)."""
    return _in_dtype(Mean, input, dim, keepdim, dtype)


@operation(numpy=np.prod)
def prod(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the product over ``dim``, None for all; several axes too, as NumPy (torch.prod).

    Integers and booleans are multiplied in int64, unless ``dtype`` says otherwise.
    """
    return _in_dtype(Prod, input, dim, keepdim, dtype)


@operation(numpy=np.nansum)
def nansum(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the sum over ``dim`` of what is not nan, which gets the gradient (torch.nansum)."""
    return _in_dtype(Sum, masked(input, ~np.isnan(input.data)), dim, keepdim, dtype)


@operation(numpy=np.nanmean)
def nanmean(input: Any, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """Return the mean over ``dim`` of what is not nan; nan if there is nothing (torch.nanmean)."""
    known = ~np.isnan(float_data("nanmean", input))
    axes = normalize_axes(all_if_empty(dim), known.ndim)
    total = nansum(input, dim, keepdim, dtype=dtype)
    count = known.sum(axis=axes, keepdims=keepdim)
    return total / input.new(np.asarray(count, total.data.dtype))


@operation(space=("mytorch", "special"))
def logsumexp(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return log sum e**x over ``dim``, without overflow (torch.logsumexp)."""
    return LogSumExp.apply(input, all_if_empty(dim), keepdim)


def _truth(function: Any, input: Any, dim: Axes, keepdim: bool) -> Any:
    """Return a constant, boolean, or uint8 of uint8 as in torch."""
    result = function(input.data, axis=normalize_axes(dim, input.data.ndim), keepdims=keepdim)
    return input.new(np.asarray(result, np.uint8 if input.data.dtype == np.uint8 else bool))


@operation(numpy=np.all)
def all(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return whether every element over ``dim`` is not 0; of none it is True (torch.all)."""
    return _truth(np.all, input, dim, keepdim)


@operation(numpy=np.any)
def any(input: Any, dim: Axes = None, keepdim: bool = False) -> Any:
    """Return whether some element over ``dim`` is not 0, as a nan is not (torch.any)."""
    return _truth(np.any, input, dim, keepdim)


@operation(numpy=np.count_nonzero)
def count_nonzero(input: Any, dim: Axes = None, *, keepdim: bool = False) -> Any:
    """Return how many elements over ``dim`` are not 0, int64 (torch.count_nonzero).

    torch has no ``keepdim`` here; NumPy has.
    """
    axes = normalize_axes(all_if_empty(dim), input.data.ndim)
    return input.new(np.asarray((input.data != 0).sum(axis=axes, keepdims=keepdim)))
