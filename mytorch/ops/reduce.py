"""Reductions over axes. ``axis`` is an int, a tuple or None for all; ``keepdims`` keeps size 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import Axes, float_data, kept_shape, normalize_axes
from mytorch.ops.pointwise import Masked

__all__ = ["LogSumExp", "Max", "Mean", "Sum"]


def _spread(grad_output: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Repeat the gradient of a reduction over the axes that were reduced."""
    return grad_output.reshape(kept_shape(shape, axes)).expand(shape)


class Sum(Function):
    """y = sum of x over axes;  dy/dx = 1. Integers are summed in int64, as in torch."""

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        ctx.shape_in, ctx.axes = a.data.shape, normalize_axes(axis, a.data.ndim)
        ctx.keepdims = keepdims
        dtype = None if a.data.dtype.kind in "fc" else np.int64
        return a.new(a.data.sum(axis=ctx.axes, keepdims=keepdims, dtype=dtype))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _spread(grad_output, ctx.shape_in, ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.sum(ctx.axes, ctx.keepdims)


class Mean(Function):
    """y = sum of x over axes / n;  dy/dx = 1/n. Of nothing it is nan; integers are refused."""

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
        return _spread(grad_output / ctx.count, ctx.shape_in, ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.sum(ctx.axes, ctx.keepdims) / ctx.count


class Max(Function):
    """y = the largest of x over axes;  dy/dx = 1/k at each of the k largest (torch.amax).

    A nan is larger than everything.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        ctx.axes = normalize_axes(axis, a.data.ndim)
        if any(a.data.shape[i] == 0 for i in ctx.axes):
            raise IndexError(f"max: nothing to choose from over axes {ctx.axes} of {a.data.shape}")
        kept = a.data.max(axis=ctx.axes, keepdims=True)
        ctx.save_for_backward(a, a.new(kept))
        return a.new(kept if keepdims else kept.squeeze(ctx.axes))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, kept = ctx.saved_tensors
        largest = (a.data == kept.data) | (np.isnan(a.data) & np.isnan(kept.data))
        count = largest.sum(axis=ctx.axes, keepdims=True, dtype=grad_output.data.dtype)
        share = grad_output.reshape(count.shape) / a.new(count)
        return Masked.apply(share.expand(a.data.shape), largest), None, None


class LogSumExp(Function):
    """y = log sum e**x over axes, shifted by the maximum;  dy/dx = e**(x - y) = softmax(x).

    No overflow: log sum e**x = m + log sum e**(x - m). Source: handout appendix B.1.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, axis: Axes = None, keepdims: bool = False) -> Any:
        x = float_data("logsumexp", a)
        ctx.axes = normalize_axes(axis, x.ndim)
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
        softmax = (a - _spread(result, a.shape, ctx.axes)).exp()
        return _spread(grad_output, a.shape, ctx.axes) * softmax, None, None
