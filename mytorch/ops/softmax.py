"""Softmax and its logarithm: stable by the log-sum-exp trick.

Source: handout appendix B; torch.nn.functional.{softmax, log_softmax}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError
from mytorch.ops.common import float_data, normalize_axes
from mytorch.ops.registry import operation

__all__ = [
    "LogSoftmax",
    "Softmax",
    "log_softmax",
    "softmax",
]


def _log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    """Return x - max - log sum e**(x - max) along ``axis``, which neither over- nor underflows."""
    with np.errstate(all="ignore"):  # inf - inf is nan, as in torch
        shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def _one_axis(a: Any, dim: int) -> int:
    """Return ``dim`` as a non-negative axis of ``a``, with a 0-d tensor seen as one element."""
    return (normalize_axes(dim, a.data.ndim) or (0,))[0]


class Softmax(Function):
    """y_i = e**x_i / sum_j e**x_j along ``dim``;  dL/dx = y * (g - sum(g * y))."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int = -1) -> Any:
        x = np.atleast_1d(float_data("softmax", a))
        ctx.dim = _one_axis(a, dim)
        result = a.new(np.exp(_log_softmax(x, ctx.dim)).reshape(a.data.shape))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        weighted = grad_output * result
        return weighted - result * weighted.sum(ctx.dim, keepdims=True), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return Softmax.backward(ctx, tangent)[0]  # the Jacobian is symmetric


class LogSoftmax(Function):
    """y_i = x_i - log sum_j e**x_j along ``dim``;  dL/dx = g - e**y * sum(g)."""

    on_arrays = True
    value = staticmethod(_log_softmax)

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int = -1) -> Any:
        x = np.atleast_1d(float_data("log_softmax", a))
        ctx.dim = _one_axis(a, dim)
        result = a.new(_log_softmax(x, ctx.dim).reshape(a.data.shape))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return grad_output - np.exp(result) * grad_output.sum(ctx.dim, keepdims=True), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        (result,) = ctx.saved_tensors
        return tangent - (np.exp(result) * tangent).sum(ctx.dim, keepdims=True)


# ------------------------------------------------------------------------------ the functions


def _logits(name: str, input: Any, dtype: Any, temperature: float) -> Any:
    """Return input / temperature, in another dtype where that is wanted."""
    if not temperature > 0:
        raise ArgumentError(
            f"{name}: temperature must be positive, got {temperature}; its limit 0 is one_hot of "
            "the argmax"
        )
    x = input if dtype is None else input.astype(dtype)
    return x if temperature == 1 else x / temperature


@operation(space=("mytorch", "functional", "special"))
def softmax(input: Any, dim: int = -1, dtype: Any = None, *, temperature: float = 1.0) -> Any:
    """Return e**(x_i / T) / sum_j e**(x_j / T) along ``dim`` (torch.softmax, which has T = 1).

    Args:
        dtype: convert input to it first.
        temperature: T > 0; towards 0 all weight is on the largest, towards inf all weigh the same.
    """
    return Softmax.apply(_logits("softmax", input, dtype, temperature), dim)


@operation(space=("mytorch", "functional", "special"))
def log_softmax(input: Any, dim: int = -1, dtype: Any = None, *, temperature: float = 1.0) -> Any:
    """Return log softmax(x / temperature) along ``dim``, without overflow (torch.log_softmax)."""
    return LogSoftmax.apply(_logits("log_softmax", input, dtype, temperature), dim)
