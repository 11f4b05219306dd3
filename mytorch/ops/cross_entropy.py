"""Cross-entropy of logits, and negative log-likelihood: against classes or probabilities.

Source: handout appendix B; torch.nn.functional.{cross_entropy, nll_loss}.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, BoundsError, DtypeError, GraphError, ShapeError
from mytorch.grad_mode import is_traced
from mytorch.ops.common import float_data, total
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import sum_of_products, wide
from mytorch.ops.softmax import LogSoftmax, Softmax
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = [
    "CrossEntropy",
    "NLL",
    "SoftCrossEntropy",
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

_FEW = 64  # so few classes are laid out as rows: NumPy reduces many short rows slowly


class _Rows(Function):
    """Of losses l (N,) of rows, with weights w (N,): each w l, their sum, or sum w l / sum w.

    The rows are those of x (N, C), or with ``axis`` 0 the columns of x (C, N). Without weights all
    are 1. A row of weight 0 counts for nothing, whatever its numbers. The mean of no rows is nan,
    with gradient 0. ``target`` is an int64 array (N,), checked by ``class_indices``.

    Attributes:
        losses: losses(ctx, a) is l, and saves what ``pull`` needs; pull(ctx, g) is g dl/da for a
            gradient g of the losses that broadcasts to a.
    """

    on_arrays = True
    losses: Any
    pull: Any

    @classmethod
    def forward(
        cls,
        ctx: Any,
        a: Any,
        target: np.ndarray,
        weights: Any = None,
        reduction: str = "mean",
        axis: int = 1,
    ) -> Any:
        ctx.weights, ctx.reduction, ctx.axis, ctx.count = weights, reduction, axis, 1
        rows = np.arange(len(target))
        ctx.places = (rows, target) if axis else (target, rows)
        return a.new(quietly(cls._reduced, ctx, a))  # inf - inf, and the mean of none, are nan

    @classmethod
    def _reduced(cls, ctx: Any, a: Any) -> Any:
        losses = cls._weighted(ctx, cls.losses(ctx, a))
        if ctx.reduction == "none":
            return losses
        result = wide(losses).sum()
        if ctx.reduction == "mean":
            count = len(losses) if ctx.weights is None else wide(ctx.weights).sum()
            ctx.count = count or 1
            result = result / result.dtype.type(count)
        return losses.dtype.type(result)

    @staticmethod
    def _weighted(ctx: Any, losses: Any) -> Any:
        if ctx.weights is None:
            return losses
        return masked(losses, ctx.weights != 0) * ctx.weights

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        grad = _across(grad_output, ctx.axis) / ctx.count
        if ctx.weights is None:
            return cls.pull(ctx, grad), None, None, None, None
        weights = _across(ctx.weights, ctx.axis)
        return masked(cls.pull(ctx, grad * weights), weights != 0), None, None, None, None

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any, *_: Any) -> Any:
        losses = (cls.pull(ctx, np.ones((1, 1), tangent.dtype)) * tangent).sum(ctx.axis)
        losses = cls._weighted(ctx, losses) / ctx.count
        return losses if ctx.reduction == "none" else losses.sum()


def _across(x: Any, axis: int) -> Any:
    """Return x (N,) as (N, 1), or as (1, N) where the rows are columns."""
    return x.reshape((-1, 1) if axis else (1, -1))


class NLL(_Rows):
    """l_i = -x[i, t_i] for log-probabilities x (N, C);  dl/dx = -onehot(t). See ``_Rows``."""

    @staticmethod
    def losses(ctx: Any, a: Any) -> np.ndarray:
        ctx.shape_in = a.data.shape
        return -a.data[ctx.places]

    @staticmethod
    def pull(ctx: Any, grad: Any) -> Any:
        picked = np.zeros(ctx.shape_in, bool)  # (N, C)
        picked[ctx.places] = True
        return masked(np.broadcast_to(-grad, ctx.shape_in), picked)


class CrossEntropy(_Rows):
    """l_i = -log softmax(z_i)[t_i] for logits z (N, C);  dl/dz = softmax(z) - onehot(t).

    By default the mean: dL/dz = (softmax(z) - onehot(t)) / N. See ``_Rows``.
    """

    @staticmethod
    def losses(ctx: Any, logits: Any) -> np.ndarray:
        z = logits.data.T if ctx.axis else logits.data  # (C, N)
        if len(z) <= _FEW:
            z = np.ascontiguousarray(z)
        shifted = z - z.max(axis=0, initial=-np.inf)
        softmax = np.exp(shifted)
        sums = softmax.sum(axis=0)
        softmax /= sums
        ctx.save_for_backward(logits, logits.new(softmax.T if ctx.axis else softmax))
        picked = (shifted.T if ctx.axis else shifted)[ctx.places]
        return np.log(sums) - picked

    @staticmethod
    def pull(ctx: Any, grad: Any) -> Any:
        logits, softmax = ctx.saved_tensors
        if ctx.bare:
            result = softmax.copy()
            result[ctx.places] -= 1
            result *= grad
            return result
        one_hot = np.zeros_like(softmax.data)
        one_hot[ctx.places] = 1
        return (Softmax.apply(logits, ctx.axis) - one_hot) * grad


class SoftCrossEntropy(Function):
    """l_i = -sum_c p_ic log softmax(z_i)[c] for logits z and p (N, C);  0 log 0 is 0.

    dl/dz = softmax(z) sum_c p - p;  dl/dp = -log softmax(z). ``axis`` as of ``_Rows``.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, logits: Any, p: Any, axis: int = 1) -> Any:
        ctx.axis = axis
        log_q = quietly(LogSoftmax.value, logits.data, (axis,))
        ctx.save_for_backward(logits, p, logits.new(log_q))
        never = np.isneginf(log_q) & (p.data == 0)
        if never.any():
            log_q = masked(log_q, ~never)
        return logits.new(-sum_of_products(log_q, p.data, (axis,)).reshape(-1))

    @staticmethod
    def _saved(ctx: Any) -> tuple[Any, Any, Any]:
        """Return log softmax(z), p, and softmax(z) sum_c p - p."""
        logits, p, log_q = ctx.saved_tensors
        if not ctx.bare:
            log_q = LogSoftmax.apply(logits, ctx.axis)
        return log_q, p, np.exp(log_q) * p.sum(ctx.axis, keepdims=True) - p

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        log_q, _, slope = SoftCrossEntropy._saved(ctx)
        grad = _across(grad_output, ctx.axis)
        needs = ctx.needs_input_grad
        return slope * grad if needs[0] else None, log_q * -grad if needs[1] else None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, tangent_p: Any, *_: Any) -> Any:
        log_q, _, slope = SoftCrossEntropy._saved(ctx)
        moved = total(
            None if tangent is None else tangent * slope,
            None if tangent_p is None else -tangent_p * log_q,
        )
        return moved.sum(ctx.axis)


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
    classes, found = _classes(logits), labels.reshape(-1).astype(np.int64)
    if ignore_index is None or ignore_index < 0:
        largest = found.view(np.uint64).max(initial=0)  # so read, a negative one is beyond all
        if largest < classes:
            return found, None
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


def _rows(input: Any) -> tuple[Any, int]:
    """Return (N, C), or (C, N * d…) of (N, C, d…) and of (C,), and the axis of the classes."""
    shape = input.data.shape
    if len(shape) == 2:
        return input, 1
    columns = np.moveaxis(input, 1, 0) if len(shape) > 1 else input
    return columns.reshape(columns.shape[0], -1), 0


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
    x, axis = _rows(input)
    result = cls.apply(x, labels, weights, reduction, axis)
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
    by_label = not are_probabilities(input, target)
    if by_label and not label_smoothing:
        return _by_class(name, CrossEntropy, input, target, weight, ignore_index, reduction)
    if not by_label and ignore_index >= 0:
        raise ArgumentError(f"{name}: ignore_index={ignore_index} needs labels, not probabilities")
    dtype = float_data(name, input).dtype
    (x, axis), kept = _rows(input), None
    if by_label:
        labels, kept = class_indices(name, input, target, ignore_index)
        p = x.new(np.zeros(x.data.shape, dtype))
        p.data[(np.arange(labels.size), labels) if axis else (labels, np.arange(labels.size))] = 1
    else:
        p, _ = _rows(target)
    if label_smoothing:
        p = p * (1 - label_smoothing) + label_smoothing / _classes(input)
    counts = np.ones(x.data.shape[1 - axis], dtype) if kept is None else kept
    if weight is not None:
        by_class = class_weight(name, input, weight)
        p = p * (by_class if axis else by_class[:, None])
        counts = counts * by_class[labels] if by_label else counts
    losses = SoftCrossEntropy.apply(x, p, axis)
    if kept is not None:
        losses = masked(losses, kept != 0)
    if reduction == "none":
        return losses.reshape(_shape_of_target(input))
    return losses.sum() / (counts.sum() if reduction == "mean" else 1)


def are_probabilities(input: Any, target: Any) -> bool:
    """Whether ``target`` holds a probability for each element of ``input``, and no labels."""
    if not isinstance(target, Variable) or target.data.shape != input.data.shape:
        return False
    return target.data.dtype.kind == "f" and bool(target.data.ndim)
