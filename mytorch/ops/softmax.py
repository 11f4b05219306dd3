"""Softmax and the losses built on it: stable by the log-sum-exp trick.

Source: handout appendix B; torch.nn.functional.{softmax, log_softmax, nll_loss, cross_entropy}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import float_data, normalize_axes, one_axis
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_products, add_up, fold, wide
from mytorch.variable import Variable

__all__ = [
    "CrossEntropy",
    "LogSoftmax",
    "NLL",
    "Softmax",
    "class_indices",
    "log_softmax",
    "nll_loss",
    "softmax",
]


def _axes(name: str, a: Any, dim: int) -> tuple[int, ...]:
    """Return the axis ``dim``, of a 0-d tensor none: it is softmax of one element."""
    return (one_axis(name, dim, a.data.ndim),) if a.data.ndim else normalize_axes(dim, 0)


def _shifted(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return x - max over ``axes``, whose exponentials neither over- nor underflow altogether."""
    return np.asarray(x - fold(np.maximum, x, axes, initial=-np.inf))


class Softmax(Function):
    """y_i = e**x_i / sum_j e**x_j along ``dim``;  dL/dx = y * (g - sum(g * y))."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int = -1) -> Any:
        x = float_data("softmax", a)
        ctx.axes = axes = _axes("softmax", a, dim)
        with np.errstate(all="ignore"):  # inf - inf is nan, as in torch
            y = _shifted(wide(x), axes)
            np.exp(y, out=y)
            y /= add_up(y, axes, True)
            result = a.new(y.astype(x.dtype, copy=False))
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
    def forward(ctx: Any, a: Any, dim: int = -1) -> Any:
        x = float_data("log_softmax", a)
        ctx.axes = axes = _axes("log_softmax", a, dim)
        with np.errstate(all="ignore"):  # inf - inf is nan, as in torch
            y = _shifted(wide(x), axes)
            y -= np.log(add_up(np.exp(y), axes, True))
            result = a.new(y.astype(x.dtype, copy=False))
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


class NLL(Function):
    """L = -(1/N) sum_i x[i, t_i] for log-probabilities x (N, C);  dL/dx = -onehot(t)/N.

    ``target`` is an int64 array (N,), checked by ``class_indices``.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, target: np.ndarray) -> Any:
        ctx.target, ctx.shape_in = target, a.data.shape
        picked = a.data[np.arange(len(target)), target]  # (N,)
        with np.errstate(invalid="ignore"):  # the mean of no losses is nan
            return a.new(-picked.sum() / a.data.dtype.type(len(target)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        picked = np.zeros(ctx.shape_in, bool)  # (N, C)
        picked[np.arange(len(ctx.target)), ctx.target] = True
        share = grad_output / -max(len(ctx.target), 1)
        return masked(np.broadcast_to(share, ctx.shape_in), picked), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent[np.arange(len(ctx.target)), ctx.target].sum() / -max(len(ctx.target), 1)


class CrossEntropy(Function):
    """L = -(1/N) sum_i log softmax(z_i)[t_i] for logits z (N, C);  dL/dz = (softmax(z) - onehot)/N.

    ``target`` is an int64 array (N,), checked by ``class_indices``.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, logits: Any, target: np.ndarray) -> Any:
        with np.errstate(all="ignore"):  # inf - inf, and the mean of no losses, are nan
            shifted = logits.data - logits.data.max(axis=1, keepdims=True, initial=-np.inf)
            softmax = np.exp(shifted)  # (N, C)
            total = softmax.sum(axis=1, keepdims=True)  # (N, 1)
            softmax /= total
            losses = np.log(total[:, 0]) - shifted[np.arange(len(target)), target]  # (N,)
            ctx.target = target
            ctx.save_for_backward(logits, logits.new(softmax))
            return logits.new(losses.sum() / losses.dtype.type(len(target)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        logits, softmax = ctx.saved_tensors
        count = max(len(ctx.target), 1)
        rows = np.arange(len(ctx.target))
        if ctx.bare:
            grad = softmax.copy()
            grad[rows, ctx.target] -= 1
            grad *= grad_output / count
            return grad, None
        one_hot = np.zeros_like(softmax.data)
        one_hot[rows, ctx.target] = 1
        return (Softmax.apply(logits, 1) - one_hot) * (grad_output / count), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return (CrossEntropy.backward(ctx, 1.0)[0] * tangent).sum()


def class_indices(name: str, logits: Any, target: Any) -> np.ndarray:
    """Return ``target`` as int64 indices (N,) for logits (N, C), or say what is wrong with it.

    Floats with integer values are accepted, as the handout's Tensors hold them.
    Raises:
        ShapeError: logits not (N, C), or target not (N,); TypeError: labels that are no integers;
        IndexError: a label outside [0, C).
    """
    float_data(name, logits)
    shape = logits.data.shape
    if len(shape) != 2:
        raise ShapeError(f"{name}: expects logits of shape (N, C), got {shape}")
    labels = target.data if isinstance(target, Variable) else np.asarray(target)
    if labels.shape != shape[:1]:
        raise ShapeError(
            f"{name}: logits {shape} need a target of shape {shape[:1]}, got {labels.shape}"
        )
    if labels.dtype.kind == "f":
        wrong = np.flatnonzero(~np.isfinite(labels) | (labels != np.floor(labels)))
        if wrong.size:
            raise TypeError(
                f"{name}: labels are class indices; target[{wrong[0]}] is {labels[wrong[0]]}"
            )
    elif labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels are class indices (integers), not {labels.dtype}")
    outside = np.flatnonzero((labels < 0) | (labels >= shape[1]))
    if outside.size:
        raise IndexError(
            f"{name}: target[{outside[0]}] is {labels[outside[0]]:.0f}, "
            f"but the logits have classes 0 to {shape[1] - 1}"
        )
    return labels.astype(np.int64)


# ------------------------------------------------------------------------------ the functions


@operation(space=("mytorch", "functional", "special"))
def softmax(input: Any, dim: int = -1, dtype: Any = None) -> Any:
    """Return e**x_i / sum_j e**x_j along ``dim`` (torch.softmax)."""
    return Softmax.apply(input if dtype is None else input.astype(dtype), dim)


@operation(space=("mytorch", "functional", "special"))
def log_softmax(input: Any, dim: int = -1, dtype: Any = None) -> Any:
    """Return log softmax(x) along ``dim``, without overflow (torch.log_softmax)."""
    return LogSoftmax.apply(input if dtype is None else input.astype(dtype), dim)


@operation("functional")
def nll_loss(input: Any, target: Any) -> Any:
    """Return -(1/N) sum_i input[i, t_i] (torch.nn.functional.nll_loss).

    Args and errors as ``cross_entropy``, with log-probabilities (N, C) for logits.
    """
    return NLL.apply(input, class_indices("nll_loss", input, target))
