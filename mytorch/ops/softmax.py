"""Softmax and the losses built on it: stable by the log-sum-exp trick.

Source: handout appendix B; torch.nn.functional.{softmax, log_softmax, nll_loss, cross_entropy}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import float_data, normalize_axes
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
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
