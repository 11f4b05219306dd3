"""Losses that ask for a margin: between scores, or between distances (torch.nn.functional).

``reduction`` is "mean", "sum", or "none": the loss of each example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from mytorch.ops.activations import LogSigmoid
from mytorch.ops.common import check_broadcast, check_tensors, float_data
from mytorch.ops.cross_entropy import check_reduction, class_indices, class_weight, first_wrong
from mytorch.ops.index import Gather
from mytorch.ops.losses import check_same_shape, reduced, times
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.similarity import pairwise_distance

# --------------------------------------------------------------------------- targets of 1 and -1


@operation("functional")
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, *, reduction: str = "mean"
) -> Any:
    """Return the mean of x where t = 1, and of max(0, margin - x) where t = -1.

    Args:
        input (Tensor): distances; target (Tensor): 1 or -1, of the same shape.
    Source: torch.nn.functional.hinge_embedding_loss.
    """
    check_reduction("hinge_embedding_loss", reduction)
    check_same_shape("hinge_embedding_loss", input, target)
    t = target.data
    near, far = masked(input, t != -1), masked((margin - input).clamp_min(0), t != 1)
    return reduced(near + far, reduction)


@operation("functional")
def soft_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return the mean of log(1 + e**(-t x)), without overflow, for t of 1 or -1.

    Source: torch.nn.functional.soft_margin_loss.
    """
    check_reduction("soft_margin_loss", reduction)
    check_same_shape("soft_margin_loss", input, target)
    float_data("soft_margin_loss", input)
    return reduced(-LogSigmoid.apply(target * input), reduction)


@operation("functional")
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, *, reduction: str = "mean"
) -> Any:
    """Return the mean of max(0, margin - t (x1 - x2)): x1 shall be larger where t = 1.

    Args:
        input1, input2 (Tensor): scores; target (Tensor): 1 or -1; with equally many axes.
    Source: torch.nn.functional.margin_ranking_loss.
    """
    name = "margin_ranking_loss"
    check_reduction(name, reduction)
    shapes = _same_rank(name, input1, input2, target)
    check_broadcast(name, shapes[0], shapes[1])
    check_broadcast(name, shapes[0], shapes[2])
    return reduced((-target * (input1 - input2) + float(margin)).clamp_min(0), reduction)


def _same_rank(name: str, *tensors: Any) -> list[tuple[int, ...]]:
    """Return the shapes, which must have equally many axes."""
    check_tensors(name, *tensors)
    shapes = [tensor.data.shape for tensor in tensors]
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError(f"{name}: expects equally many axes, got shapes {shapes}")
    return shapes


@operation("functional")
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, *, reduction: str = "mean"
) -> Any:
    """Return the mean of 1 - cos(x1, x2) where t = 1, and of max(0, cos - margin) where t = -1.

    Args:
        input1, input2 (Tensor): (N, D), with target (N,); or (D,), with target ().
    Raises:
        ShapeError: other shapes.
    Source: torch.nn.functional.cosine_embedding_loss, with its 1e-12 beside each squared length.
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    check_tensors(name, input1, input2, target)
    first, second, wanted = (x.data.shape for x in (input1, input2, target))
    if first != second or len(first) not in (1, 2) or wanted != first[:-1]:
        raise ShapeError(
            f"{name}: expects inputs (N, D) and target (N,), or (D,) and (), "
            f"got {first}, {second} and {wanted}"
        )
    lengths = ((input1 * input1).sum(-1) + 1e-12) * ((input2 * input2).sum(-1) + 1e-12)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    near, far = 1 - cosine, (cosine - margin).clamp_min(0)
    return reduced(masked(near, target.data == 1) + masked(far, target.data == -1), reduction)


# ------------------------------------------------------------------------------------- triplets


@operation("functional")
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Any:
    """Return the mean of max(0, d(anchor, positive) - d(anchor, negative) + margin).

    Args:
        anchor, positive, negative (Tensor): (N, D) or (D,).
        margin: more than 0; p, eps: of the distance d, ``pairwise_distance``.
        swap: take d(positive, negative) where it is less than d(anchor, negative).
    Source: torch.nn.functional.triplet_margin_loss; Balntas et al. 2016, BMVC.
    """

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    name = "triplet_margin_loss"
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


@operation("functional")
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """As ``triplet_margin_loss``, d being any function of two tensors.

    Source: torch.nn.functional.triplet_margin_with_distance_loss.
    """
    name = "triplet_margin_with_distance_loss"
    distance = distance_function or pairwise_distance
    return _triplet(name, anchor, positive, negative, distance, margin, swap, reduction)


def _triplet(
    name: str,
    anchor: Any,
    positive: Any,
    negative: Any,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    check_reduction(name, reduction)
    if not margin > 0:
        raise ArgumentError(f"{name}: margin must be positive, got {margin}")
    _same_rank(name, anchor, positive, negative)
    far = distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((distance(anchor, positive) - far + margin).clamp_min(0), reduction)


# ------------------------------------------------------------------------- scores of the classes


@operation("functional")
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    *,
    reduction: str = "mean",
) -> Any:
    """Return the mean of sum over j != t of max(0, margin - x_t + x_j)**p / C.

    Args:
        input (Tensor): scores (N, C), or (C,); target (Tensor): classes (N,), or ().
        p: 1 or 2; weight (Tensor): (C,), what the loss is multiplied by where t is that class.
    Raises:
        IndexError: a label outside [0, C). Others as ``cross_entropy``.
    Source: torch.nn.functional.multi_margin_loss.
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    if p not in (1, 2):
        raise ArgumentError(f"{name}: p must be 1 or 2, got {p}")
    if input.data.ndim > 2:
        raise ShapeError(f"{name}: expects input (N, C) or (C,), got {input.data.shape}")
    labels, _ = class_indices(name, input, target)
    scores = input if input.data.ndim > 1 else input.reshape(1, -1)
    others = np.arange(scores.data.shape[1]) != labels[:, None]  # (N, C)
    excess = (scores - Gather.apply(scores, labels[:, None], 1) + margin).relu()
    excess = masked(excess if p == 1 else excess * excess, others)
    losses = excess.sum(1) / scores.data.shape[1]
    if weight is not None:
        losses = losses * input.new(class_weight(name, input, weight)[labels])
    return reduced(losses if input.data.ndim > 1 else losses.reshape(()), reduction)


@operation("functional")
def multilabel_margin_loss(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return the mean of sum over t, j of max(0, 1 - x_t + x_j) / C, t a label and j no label.

    Args:
        input (Tensor): scores (N, C), or (C,).
        target (Tensor): integers of that shape, the labels of each row up to the first -1.
    Raises:
        ShapeError: other shapes; DtypeError: labels that are no integers; IndexError: a label
        outside [0, C).
    Source: torch.nn.functional.multilabel_margin_loss.
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction)
    check_same_shape(name, input, target)
    float_data(name, input)
    if not 1 <= input.data.ndim <= 2:
        raise ShapeError(f"{name}: expects input (N, C) or (C,), got {input.data.shape}")
    if target.data.dtype.kind not in "iu":
        raise DtypeError(f"{name}: expects integer labels, got {target.data.dtype}; use .long()")
    labels = np.atleast_2d(target.data)  # (N, C)
    scores = input.reshape(labels.shape)
    listed = np.logical_and.accumulate(labels != -1, axis=1)
    wrong = listed & ((labels < 0) | (labels >= labels.shape[1]))
    if wrong.any():
        place, label = first_wrong(wrong, labels)
        raise BoundsError(
            f"{name}: target[{place}] is {label}, but the classes are 0 to {labels.shape[1] - 1}"
        )
    count = int(listed.sum(1).max(initial=0))
    labels, listed = np.where(listed, labels, 0)[:, :count], listed[:, :count]  # (N, K)
    is_label = np.zeros(scores.data.shape, bool)
    is_label[np.nonzero(listed)[0], labels[listed]] = True
    own = Gather.apply(scores, labels, 1)  # (N, K)
    excess = (1 - own[:, :, None] + scores[:, None]).relu()  # (N, K, C)
    losses = masked(excess, listed[:, :, None] & ~is_label[:, None]).sum((1, 2)) / is_label.shape[1]
    return reduced(losses if input.data.ndim > 1 else losses.reshape(()), reduction)


@operation("functional")
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """Return the mean of -t log sigmoid(x) - (1 - t) log sigmoid(-x), over the classes first.

    Args:
        input (Tensor): logits (…, C); target (Tensor): 0 or 1, of that shape.
        weight (Tensor): what each term is multiplied by; it broadcasts.
    Source: torch.nn.functional.multilabel_soft_margin_loss.
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    check_same_shape(name, input, target)
    float_data(name, input)
    if not input.data.ndim:
        raise IndexError(f"{name}: expects input of shape (…, C), got ()")
    terms = -(target * LogSigmoid.apply(input) + (1 - target) * LogSigmoid.apply(-input))
    return reduced(times(name, terms, weight).mean(-1), reduction)
