"""Cross-entropy of logits, and negative log-likelihood: against classes or probabilities.

Source: handout appendix B; torch.nn.functional.{cross_entropy, nll_loss}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, BoundsError, DtypeError, GraphError, ShapeError
from mytorch.grad_mode import is_traced
from mytorch.ops.common import float_data, values
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.softmax import LogSoftmax, Softmax
from mytorch.variable import Variable

__all__ = [
    "CrossEntropy",
    "NLL",
    "are_probabilities",
    "check_reduction",
    "class_indices",
    "general_cross_entropy",
    "nll_loss",
]


def check_reduction(name: str, reduction: str, *others: str) -> None:
    """Raise ArgumentError unless ``reduction`` is "mean", "sum", "none" or one of ``others``."""
    known = ("mean", "sum", "none", *others)
    if reduction not in known:
        raise ArgumentError(f"{name}: reduction must be one of {known}, got {reduction!r}")


# --------------------------------------------------------------------- rows, each with its class


class _Rows(Function):
    """Of losses l (N,) of rows, with weights w (N,): each w l, their sum, or sum w l / sum w.

    Without weights all are 1. A row of weight 0 counts for nothing, whatever its numbers. The mean
    of no rows is nan, with gradient 0.

    Attributes:
        losses: losses(ctx, a) is l, and saves what ``pull`` needs; pull(ctx, g) is g dl/da for a
            gradient g (N, 1) or (1, 1) of the losses.
    """

    on_arrays = True
    losses: Any
    pull: Any

    @classmethod
    def forward(
        cls, ctx: Any, a: Any, target: np.ndarray, weights: Any = None, reduction: str = "mean"
    ) -> Any:
        ctx.target, ctx.weights, ctx.reduction = target, weights, reduction
        ctx.count = 1
        with np.errstate(all="ignore"):  # inf - inf, and the mean of no losses, are nan
            losses = cls._weighted(ctx, cls.losses(ctx, a))
            if reduction == "none":
                return a.new(losses)
            total = losses.sum()
            if reduction == "mean":
                count = len(target) if weights is None else weights.sum()
                ctx.count = count or 1
                total = total / losses.dtype.type(count)
            return a.new(total)

    @staticmethod
    def _weighted(ctx: Any, losses: Any) -> Any:
        if ctx.weights is None:
            return losses
        return masked(losses, ctx.weights != 0) * ctx.weights

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        grad = grad_output.reshape(-1, 1) / ctx.count
        if ctx.weights is None:
            return cls.pull(ctx, grad), None, None, None
        weights = ctx.weights[:, None]
        return masked(cls.pull(ctx, grad * weights), weights != 0), None, None, None

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any, *_: Any) -> Any:
        losses = (cls.pull(ctx, np.ones((1, 1), tangent.dtype)) * tangent).sum(1)
        losses = cls._weighted(ctx, losses) / ctx.count
        return losses if ctx.reduction == "none" else losses.sum()


class NLL(_Rows):
    """l_i = -x[i, t_i] for log-probabilities x (N, C);  dl/dx = -onehot(t). See ``_Rows``.

    ``target`` is an int64 array (N,), checked by ``class_indices``.
    """

    @staticmethod
    def losses(ctx: Any, a: Any) -> np.ndarray:
        ctx.shape_in = a.data.shape
        return -a.data[np.arange(len(ctx.target)), ctx.target]

    @staticmethod
    def pull(ctx: Any, grad: Any) -> Any:
        picked = np.zeros(ctx.shape_in, bool)  # (N, C)
        picked[np.arange(len(ctx.target)), ctx.target] = True
        return masked(np.broadcast_to(-grad, ctx.shape_in), picked)


class CrossEntropy(_Rows):
    """l_i = -log softmax(z_i)[t_i] for logits z (N, C);  dl/dz = softmax(z) - onehot(t).

    By default the mean: dL/dz = (softmax(z) - onehot(t)) / N. See ``_Rows``. ``target`` is an
    int64 array (N,), checked by ``class_indices``.
    """

    @staticmethod
    def losses(ctx: Any, logits: Any) -> np.ndarray:
        shifted = logits.data - logits.data.max(axis=1, keepdims=True, initial=-np.inf)
        softmax = np.exp(shifted)  # (N, C)
        total = softmax.sum(axis=1, keepdims=True)  # (N, 1)
        softmax /= total
        ctx.save_for_backward(logits, logits.new(softmax))
        return np.log(total[:, 0]) - shifted[np.arange(len(ctx.target)), ctx.target]

    @staticmethod
    def pull(ctx: Any, grad: Any) -> Any:
        logits, softmax = ctx.saved_tensors
        rows = np.arange(len(ctx.target))
        if ctx.bare:
            result = softmax.copy()
            result[rows, ctx.target] -= 1
            result *= grad
            return result
        one_hot = np.zeros_like(softmax.data)
        one_hot[rows, ctx.target] = 1
        return (Softmax.apply(logits, 1) - one_hot) * grad


# ---------------------------------------------------------------------------- the labels, checked


def class_indices(
    name: str, logits: Any, target: Any, ignore_index: int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return ``target`` as int64 indices (M,), and which are not ignored: (M,) of 1 and 0, or None.

    Logits (N, C, d…) go with a target (N, d…), and (C,) with (); M is the number of labels. Floats
    with integer values are accepted, as the handout's Tensors hold them.
    Raises:
        ShapeError: shapes that do not fit; TypeError: labels that are no integers;
        IndexError: a label outside [0, C) that is not ``ignore_index``.
    """
    x = float_data(name, logits)
    shape = x.shape
    labels = target.data if isinstance(target, Variable) else np.asarray(target)
    if len(shape) < 2 and not (shape and labels.shape == ()):
        raise ShapeError(
            f"{name}: expects logits of shape (N, C), got {shape}"
            + (", which needs one label of shape ()" if shape else "")
        )
    expected = _shape_of_target(logits)
    if labels.shape != expected:
        raise ShapeError(
            f"{name}: logits {shape} need a target of shape {expected}, got {labels.shape}"
        )
    if labels.dtype.kind == "f":
        wrong = ~np.isfinite(labels) | (labels != np.floor(labels))
        if wrong.any():
            place, label = first_wrong(wrong, labels)
            raise TypeError(f"{name}: labels are class indices; target[{place}] is {label}")
    elif labels.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels are class indices (integers), not {labels.dtype}")
    classes = _classes(logits)
    outside, ignored = (labels < 0) | (labels >= classes), None
    if ignore_index is not None and (ignore_index >= 0 or outside.any()):
        ignored = labels == ignore_index
        outside &= ~ignored
    if outside.any():
        place, label = first_wrong(outside, labels)
        raise BoundsError(
            f"{name}: target[{place}] is {label:.0f}, "
            f"but the logits have classes 0 to {classes - 1}"
        )
    found = labels.reshape(-1).astype(np.int64)
    if ignored is None or not ignored.any():
        return found, None
    kept = ~ignored.reshape(-1)
    return found * kept, kept.astype(x.dtype)


def _classes(input: Any) -> int:
    """Return C, for (N, C, d…) and for (C,)."""
    return input.data.shape[:2][-1]


def _shape_of_target(input: Any) -> tuple[int, ...]:
    """Return (N, d…) for (N, C, d…), and () for (C,)."""
    shape = input.data.shape
    return (*shape[:1], *shape[2:]) if len(shape) > 1 else ()


def first_wrong(wrong: np.ndarray, labels: np.ndarray) -> tuple[str, Any]:
    """Return where the first of the wrong labels stands, as text, and the label."""
    place = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return ", ".join(map(str, place)), labels[place]


def class_weight(name: str, input: Any, weight: Any) -> np.ndarray:
    """Return the weights of the classes of ``input``, (C,), as an array.

    Raises:
        ShapeError: another shape; DtypeError: another dtype; GraphError: its gradient is wanted.
    """
    x, w = input.data, float_data(name, weight)
    classes = _classes(input)
    if w.shape != (classes,):
        raise ShapeError(
            f"{name}: weight has shape {w.shape}; it needs one number for each of the "
            f"{classes} classes: ({classes},)"
        )
    if w.dtype != x.dtype:
        raise DtypeError(f"{name}: input is {x.dtype} but weight is {w.dtype}; convert one")
    if is_traced() and (weight.requires_grad or weight._tangents):
        raise GraphError(f"{name}: weight is taken as constant; give weight.detach()")
    return w


def _rows(input: Any) -> Any:
    """Return (N, C, d…) as (N * d…, C), and (C,) as (1, C)."""
    shape = input.data.shape
    if len(shape) == 2:
        return input
    if len(shape) < 2:
        return input.reshape(1, -1)
    return np.moveaxis(input, 1, -1).reshape(-1, shape[1])


# ------------------------------------------------------------------------------ the functions


@operation("functional")
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Return -input[i, t_i], reduced over i (torch.nn.functional.nll_loss).

    Args and errors as ``cross_entropy``, with log-probabilities for logits.
    """
    check_reduction("nll_loss", reduction)
    return _by_class("nll_loss", NLL, input, target, weight, ignore_index, reduction)


def _by_class(
    name: str,
    cls: type[_Rows],
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    reduction: str,
) -> Any:
    """Return the loss of one label for each row, with the weight of its class."""
    labels, weights = class_indices(name, input, target, ignore_index)
    if weight is not None:
        by_class = class_weight(name, input, weight)[labels]
        weights = by_class if weights is None else weights * by_class
    result = cls.apply(_rows(input), labels, weights, reduction)
    return result if reduction != "none" else result.reshape(_shape_of_target(input))


def general_cross_entropy(
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Any:
    """Return the loss of ``cross_entropy``, whose docstring says what the arguments mean."""
    name = "cross_entropy"
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"{name}: label_smoothing must be in [0, 1], got {label_smoothing}")
    if not are_probabilities(input, target):
        if not label_smoothing:
            return _by_class(name, CrossEntropy, input, target, weight, ignore_index, reduction)
        labels, kept = class_indices(name, input, target, ignore_index)
        wanted: Any = np.zeros((labels.size, _classes(input)), input.data.dtype)
        wanted[np.arange(labels.size), labels] = 1
        counts = np.ones(labels.size, wanted.dtype) if kept is None else kept
    elif ignore_index >= 0:
        raise ArgumentError(f"{name}: ignore_index={ignore_index} needs labels, not probabilities")
    else:
        float_data(name, input)
        wanted, labels, kept = _rows(target), None, None
        counts = np.ones(wanted.shape[0], input.data.dtype)
    if label_smoothing:
        wanted = wanted * (1 - label_smoothing) + label_smoothing / _classes(input)
    if weight is not None:
        by_class = class_weight(name, input, weight)
        wanted = wanted * by_class
        counts = counts if labels is None else counts * by_class[labels]
    losses = _against(LogSoftmax.apply(_rows(input), 1), wanted, kept)
    if reduction == "none":
        return losses.reshape(_shape_of_target(input))
    return losses.sum() / (counts.sum() if reduction == "mean" else 1)


def _against(log_q: Any, p: Any, kept: np.ndarray | None) -> Any:
    """Return -sum_c p[i, c] log q[i, c], 0 log 0 being 0; 0 for the rows that are not kept."""
    counted = ~((values(p) == 0) & np.isneginf(log_q.data))
    if kept is not None:
        counted &= kept[:, None] != 0
    return -((log_q if counted.all() else masked(log_q, counted)) * p).sum(1)


def are_probabilities(input: Any, target: Any) -> bool:
    """Whether ``target`` holds a probability for each element of ``input``, and no labels."""
    if not isinstance(target, Variable) or target.data.shape != input.data.shape:
        return False
    return target.data.dtype.kind == "f" and bool(target.data.ndim)
