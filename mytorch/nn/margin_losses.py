"""Losses with a margin, as modules; the others are in ``loss.py``. Formulas: nn.functional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.distance import PairwiseDistance
from mytorch.nn.loss import Loss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(Loss, function=F.hinge_embedding_loss):
    """L = mean of x where the target is 1, of max(0, margin - x) where it is -1."""

    def __init__(
        self,
        margin: float = 1.0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, margin=margin)


class MarginRankingLoss(Loss, function=F.margin_ranking_loss):
    """L = mean of max(0, -y (x1 - x2) + margin): ``loss(input1, input2, y)``, y is 1 or -1."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, margin=margin)


class CosineEmbeddingLoss(Loss, function=F.cosine_embedding_loss):
    """L = mean of 1 - cos(x1, x2) where y is 1, of max(0, cos(x1, x2) - margin) where it is -1."""

    def __init__(
        self,
        margin: float = 0.0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, margin=margin)


class SoftMarginLoss(Loss, function=F.soft_margin_loss):
    """L = mean of log(1 + e**(-y x)), y being 1 or -1."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class MultiLabelSoftMarginLoss(Loss, function=F.multilabel_soft_margin_loss):
    """L = mean over the classes of BCEWithLogitsLoss, y 0 or 1; weight (C,) is the classes'."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, weight=weight)


class MultiLabelMarginLoss(Loss, function=F.multilabel_margin_loss):
    """L = sum over labels j and other classes i of max(0, 1 - (x_j - x_i)), over C."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class MultiMarginLoss(Loss, function=F.multi_margin_loss):
    """L = sum over classes i other than the label t of max(0, margin - x_t + x_i)**p, over C.

    Raises:
        ValueError: p is neither 1 nor 2, or weight not of shape (C,).
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: p must be 1 or 2, got {p}")
        super().__init__(size_average, reduce, reduction, p=p, margin=margin, weight=weight)
        if weight is not None and weight.ndim != 1:
            raise ValueError(f"MultiMarginLoss: weight must be (C,), got shape {weight.shape}")


class TripletMarginLoss(Loss, function=F.triplet_margin_loss):
    """L = mean of max(0, |a - p| - |a - n| + margin): ``loss(anchor, positive, negative)``.

    Args:
        p, eps: of the distance; swap: take |p - n| for |a - n| where it is less.
    Raises:
        ValueError: margin is not above 0.
    Source: torch.nn.TripletMarginLoss; Balntas et al. 2016, BMVC.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        if not margin > 0:
            raise ValueError(f"TripletMarginLoss: margin must be above 0, got {margin}")
        super().__init__(size_average, reduce, reduction, margin=margin, p=p, eps=eps, swap=swap)


class TripletMarginWithDistanceLoss(Loss, function=F.triplet_margin_with_distance_loss):
    """TripletMarginLoss with any ``distance_function`` of two Tensors, default PairwiseDistance.

    Raises:
        ValueError: margin is not above 0.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Any, Any], Any] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ):
        if not margin > 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: margin must be above 0, got {margin}")
        distance = PairwiseDistance() if distance_function is None else distance_function
        super().__init__(reduction=reduction, distance_function=distance, margin=margin, swap=swap)
