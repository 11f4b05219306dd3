"""Softmax and its logarithm: stable by the log-sum-exp trick.

Source: handout appendix B; torch.nn.functional.{softmax, log_softmax}.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError
from mytorch.ops.common import float_data, normalize_axes, one_axis
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_products, add_up, exponentials, fold, wide
from mytorch.quiet import quietly

__all__ = [
    "LogSoftmax",
    "Softmax",
    "log_softmax",
    "softmax",
]


def _axes(name: str, a: Any, dim: int | None) -> tuple[int, ...]:
    """Return the axis ``dim``, of a 0-d tensor none: it is softmax of one element.

    None is torch's old choice, with its warning: axis 0 of 1 or 3 axes, else axis 1.
    """
    if dim is None:
        dim = 0 if a.data.ndim in (0, 1, 3) else 1
        warnings.warn(
            f"{name}: without dim it is over axis {dim} of {a.data.ndim}; say which: dim={dim}",
            UserWarning,
            stacklevel=2,
        )
    return (one_axis(name, dim, a.data.ndim),) if a.data.ndim else normalize_axes(dim, 0)


class Softmax(Function):
    """y_i = e**x_i / sum_j e**x_j along ``dim``;  dL/dx = y * (g - sum(g * y))."""

    on_arrays = True

    @staticmethod
    def value(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        y, sums = exponentials(wide(x), axes)
        y *= 1 / sums  # sooner than to divide every element
        return y.astype(x.dtype, copy=False)

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int | None = -1) -> Any:
        x = float_data("softmax", a)
        ctx.axes = axes = _axes("softmax", a, dim)
        result = a.new(quietly(Softmax.value, x, axes))  # inf - inf is nan, as in torch
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (y,) = ctx.saved_tensors
        if ctx.bare:
            grad = grad_output - add_products(grad_output, y, ctx.axes, True)
            grad *= y
            return grad, None
        return (grad_output - (grad_output * y).sum(ctx.axes, keepdims=True)) * y, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return Softmax.backward(ctx, tangent)[0]  # the Jacobian is symmetric


class LogSoftmax(Function):
    """y_i = x_i - log sum_j e**x_j along ``dim``;  dL/dx = g - e**y * sum(g)."""

    on_arrays = True

    @staticmethod
    def value(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        z = wide(x)
        y = np.asarray(z - fold(np.maximum, z, axes, initial=-np.inf))
        y -= np.log(add_up(np.exp(y), axes, True))
        return y.astype(x.dtype, copy=False)

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int | None = -1) -> Any:
        x = float_data("log_softmax", a)
        ctx.axes = _axes("log_softmax", a, dim)
        result = a.new(quietly(LogSoftmax.value, x, ctx.axes))  # inf - inf is nan, as in torch
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (y,) = ctx.saved_tensors
        if ctx.bare:
            grad = np.exp(y)
            grad *= -add_up(grad_output, ctx.axes, True)
            grad += grad_output
            return grad, None
        return grad_output - np.exp(y) * grad_output.sum(ctx.axes, keepdims=True), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        (y,) = ctx.saved_tensors
        return tangent - (np.exp(y) * tangent).sum(ctx.axes, keepdims=True)


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
def softmax(
    input: Any, dim: int | None = -1, dtype: Any = None, *, temperature: float = 1.0
) -> Any:
    """Return e**(x_i / T) / sum_j e**(x_j / T) along ``dim`` (torch.softmax, which has T = 1).

    Args:
        dtype: convert input to it first.
        temperature: T > 0; towards 0 all weight is on the largest, towards inf all weigh the same.
    """
    return Softmax.apply(_logits("softmax", input, dtype, temperature), dim)


@operation(space=("mytorch", "functional", "special"))
def log_softmax(
    input: Any, dim: int | None = -1, dtype: Any = None, *, temperature: float = 1.0
) -> Any:
    """Return log softmax(x / temperature) along ``dim``, without overflow (torch.log_softmax)."""
    return LogSoftmax.apply(_logits("log_softmax", input, dtype, temperature), dim)
