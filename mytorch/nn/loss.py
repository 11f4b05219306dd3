"""Losses as modules; those with a margin are in ``margin_losses.py``. Formulas: nn.functional.

Each takes ``reduction``: "mean", "sum", or "none" for the loss of each element or example;
``size_average`` and ``reduce`` are what torch had before. Source: torch.nn; handout appendix B.
"""

from __future__ import annotations

import warnings
from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


def _old_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """Return the reduction that torch's old arguments meant, with torch's warning."""
    reduction = "sum" if size_average is False else "mean"
    reduction = "none" if reduce is False else reduction
    warnings.warn(
        f"size_average and reduce are torch's old arguments; use reduction={reduction!r} instead",
        UserWarning,
        stacklevel=4,
    )
    return reduction


class Loss(FunctionModule):
    """Base class of losses: ``loss(input, target)`` gives a Tensor, of shape () if reduced.

    ``weight`` and ``pos_weight`` of a subclass are buffers; a class of one's own may also define
    ``forward`` itself.
    """

    tensors = ("weight", "pos_weight")

    def __init__(
        self, size_average: Any = None, reduce: Any = None, reduction: str = "mean", **fixed: Any
    ):
        if size_average is not None or reduce is not None:
            reduction = _old_reduction(size_average, reduce)
        super().__init__(**fixed, reduction=reduction)

    def extra_repr(self) -> str:
        """Return nothing, as torch's."""
        return ""


# ------------------------------------------------------------------------------ against classes


class CrossEntropyLoss(Loss, function=F.cross_entropy):
    """L = -(1/N) sum_i log softmax(z_i)[t_i] (torch.nn.CrossEntropyLoss; handout appendix B).

    ``loss(logits, target)``: logits (N, C) and integer labels (N,), or (N, C, d…) and (N, d…), or
    probabilities of the shape of the logits.

    Args:
        weight (Tensor): (C,), of the classes; ignore_index: the label of rows that do not count;
        label_smoothing: how much of each label is spread over all classes.
    """

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(
            size_average,
            reduce,
            reduction,
            weight=weight,
            ignore_index=ignore_index,
            label_smoothing=label_smoothing,
        )


class NLLLoss(Loss, function=F.nll_loss):
    """L = -(1/N) sum_i x_i[t_i], of log-probabilities x (N, C): CrossEntropyLoss of log_softmax."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, weight=weight, ignore_index=ignore_index)


class CTCLoss(Loss, function=F.ctc_loss):
    """-log of the probability of a sequence of labels, over all its alignments with the input.

    ``loss(log_probs, targets, input_lengths, target_lengths)``: log_probs (T, N, C).

    Args:
        blank: the label that stands for none; zero_infinity: 0 for targets that are too long.
    Source: Graves et al. 2006, ICML.
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(reduction=reduction, blank=blank, zero_infinity=zero_infinity)


# ------------------------------------------------------------------------------ element by element


class MSELoss(Loss, function=F.mse_loss):
    """L = mean of (x - target)**2, of one shape."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class L1Loss(Loss, function=F.l1_loss):
    """L = mean of |x - target|."""

    def __init__(self, size_average: Any = None, reduce: Any = None, reduction: str = "mean"):
        super().__init__(size_average, reduce, reduction)


class SmoothL1Loss(Loss, function=F.smooth_l1_loss):
    """L = mean of d**2 / (2 beta) where d = |x - target| < beta, else d - beta / 2."""

    def __init__(
        self,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ):
        super().__init__(size_average, reduce, reduction, beta=beta)


class HuberLoss(Loss, function=F.huber_loss):
    """L = mean of d**2 / 2 where d = |x - target| <= delta, else delta (d - delta / 2).

    Raises:
        TypeError: delta is no number.
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0):
        if not isinstance(delta, (int, float)):
            raise TypeError(f"HuberLoss: delta must be a number, not {delta!r}")
        super().__init__(reduction=reduction, delta=delta)


class BCELoss(Loss, function=F.binary_cross_entropy):
    """L = -mean of t log x + (1 - t) log(1 - x), of probabilities x; weight of each element."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, weight=weight)


class BCEWithLogitsLoss(Loss, function=F.binary_cross_entropy_with_logits):
    """BCELoss of sigmoid(x), without over- or underflow; pos_weight is that of the t log term."""

    def __init__(
        self,
        weight: Any = None,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        pos_weight: Any = None,
    ):
        super().__init__(size_average, reduce, reduction, weight=weight, pos_weight=pos_weight)


class KLDivLoss(Loss, function=F.kl_div):
    """L = mean of t (log t - x), x being logarithms; ``log_target``: t is given as log t too.

    ``reduction="batchmean"`` is the divergence: the sum over N.
    """

    def __init__(
        self,
        size_average: Any = None,
        reduce: Any = None,
        reduction: str = "mean",
        log_target: bool = False,
    ):
        super().__init__(size_average, reduce, reduction, log_target=log_target)


class GaussianNLLLoss(Loss, function=F.gaussian_nll_loss):
    """L = mean of (log v + (x - target)**2 / v) / 2: ``loss(input, target, var)``.

    Args:
        full: add log(2 pi) / 2; eps: the least that v counts for.
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean"):
        super().__init__(reduction=reduction, full=full, eps=eps)


class PoissonNLLLoss(Loss, function=F.poisson_nll_loss):
    """L = mean of e**x - t x, x being the logarithm of the rate; else x - t log(x + eps).

    Args:
        log_input: whether x is the logarithm; full: add Stirling's term for log t!.
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: Any = None,
        eps: float = 1e-8,
        reduce: Any = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction, log_input=log_input, full=full, eps=eps)
