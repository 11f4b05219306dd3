"""Losses that compare each element with a target of its own (torch.nn.functional).

``reduction`` is "mean" over all elements, "sum", or "none": the loss of each. The losses against
classes are in ``cross_entropy.py``, those with a margin in ``margin_losses.py``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, ShapeError
from mytorch.ops.activations import Curve, LogSigmoid, of
from mytorch.ops.common import check_tensors, float_data, refuse_booleans
from mytorch.ops.cross_entropy import check_reduction
from mytorch.ops.elementary import Sigmoid
from mytorch.ops.elementwise import Binary
from mytorch.ops.pointwise import masked, where
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = [
    "BinaryCrossEntropy",
    "Huber",
    "LogitCrossEntropy",
    "SquaredError",
    "at_least",
    "check_same_shape",
    "reduced",
    "times",
]


def reduced(losses: Any, reduction: str) -> Any:
    """Return the mean of the losses, their sum, or themselves."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


def check_same_shape(name: str, input: Any, target: Any) -> None:
    """Raise ShapeError unless both shapes are one: broadcasting here is nearly always a mistake."""
    check_tensors(name, input, target)
    if input.data.shape != target.data.shape:
        raise ShapeError(
            f"{name}: input {input.data.shape} and target {target.data.shape} differ; "
            "reshape one, as with target.unsqueeze(1)"
        )


def _check(name: str, input: Any, target: Any, reduction: str) -> None:
    """Refuse a wrong reduction, two shapes, and tensors of which none is floating."""
    check_reduction(name, reduction)
    check_same_shape(name, input, target)
    if input.data.dtype.kind not in "fc":
        float_data(name, target)


# ------------------------------------------------------------------------ distances to the target


class SquaredError(Binary):
    """z = (x - y)**2;  dz/dx = 2 (x - y) = -dz/dy."""

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        difference = x - y
        return difference * difference

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return (x - y) * 2

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return (y - x) * 2


class Huber(Curve):
    """y = x**2 / 2 where |x| <= delta, else delta (|x| - delta / 2);  dy/dx = x within +-delta."""

    @staticmethod
    def value(x: np.ndarray, delta: float) -> np.ndarray:
        near = np.clip(x, -delta, delta)
        return near * (x - near / 2)

    @staticmethod
    def chain(grad: Any, x: Any, delta: float) -> Any:
        return grad * np.clip(x, -delta, delta)


@operation("functional")
def mse_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """Return the mean of (input - target)**2 over all elements (torch.nn.functional.mse_loss).

    Args:
        weight (Tensor): of each element; the mean is then sum(weight * loss) / sum(weight).
    Raises:
        ShapeError: if the shapes differ: broadcasting here is nearly always a mistake.
    """
    _check("mse_loss", input, target, reduction)
    return _weighted_mean("mse_loss", SquaredError.apply(input, target), weight, reduction)


@operation("functional")
def l1_loss(input: Any, target: Any, *, reduction: str = "mean", weight: Any = None) -> Any:
    """Return the mean of |input - target|; gradient 0 at 0 (torch.nn.functional.l1_loss).

    Args and errors as ``mse_loss``.
    """
    check_reduction("l1_loss", reduction)
    check_same_shape("l1_loss", input, target)
    return _weighted_mean("l1_loss", (input - target).abs(), weight, reduction)


def _weighted_mean(name: str, losses: Any, weight: Any, reduction: str) -> Any:
    if weight is None:
        return reduced(losses, reduction)
    if weight.data.shape != losses.data.shape:
        raise ShapeError(
            f"{name}: weight {weight.data.shape} must have the shape of input {losses.data.shape}"
        )
    total = losses * weight
    return total.sum() / weight.sum() if reduction == "mean" else reduced(total, reduction)


@operation("functional")
def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """Return the mean of d**2 / 2 where |d| <= delta, else of delta (|d| - delta / 2).

    Args:
        delta: where the parabola in d = input - target goes over into its tangents; above 0.
        weight (Tensor): what each loss is multiplied by; it broadcasts.
    Source: torch.nn.functional.huber_loss; Huber 1964, Annals of Mathematical Statistics 35.
    """
    _check("huber_loss", input, target, reduction)
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta must be positive, got {delta}")
    losses = Huber.apply(input - target, delta)
    return reduced(times("huber_loss", losses, weight), reduction)


@operation("functional")
def smooth_l1_loss(input: Any, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Return the mean of d**2 / (2 beta) where |d| < beta, else of |d| - beta / 2.

    With d = input - target: huber_loss / beta, of slope 1 outside; l1_loss where beta = 0.
    Source: torch.nn.functional.smooth_l1_loss; Girshick 2015, arXiv:1504.08083.
    """
    _check("smooth_l1_loss", input, target, reduction)
    if not beta >= 0:
        raise ArgumentError(f"smooth_l1_loss: beta must be at least 0, got {beta}")
    if beta == 0:
        return reduced((input - target).abs(), reduction)
    return reduced(Huber.apply(input - target, beta) / beta, reduction)


# ---------------------------------------------------------------------- probabilities of yes or no


class BinaryCrossEntropy(Binary):
    """z = -y log x - (1 - y) log(1 - x), no logarithm below -100, for a probability x.

    dz/dx = (x - y) / max(x (1 - x), 1e-12);  dz/dy = log(1 - x) - log x.
    """

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        no = np.clip(np.log1p(-x), -100, None)
        return y * (no - np.clip(np.log(x), -100, None)) - no

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return (x - y) / np.clip(x * (1 - x), 1e-12, None)

    @staticmethod
    def slope_y(x: Any) -> Any:
        return np.clip(np.log1p(-x), -100, None) - np.clip(np.log(x), -100, None)


class LogitCrossEntropy(Binary):
    """z = log(1 + e**x) - x y, exact in both tails;  dz/dx = sigmoid(x) - y, dz/dy = -x."""

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.clip(x, 0, None) - x * y + np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return of(Sigmoid, x) - y

    @staticmethod
    def slope_y(x: Any) -> Any:
        return -x


@operation("functional")
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, *, reduction: str = "mean"
) -> Any:
    """Return the mean of -t log x - (1 - t) log(1 - x) (torch's binary_cross_entropy).

    For logits, binary_cross_entropy_with_logits is exact where this one is cut off.

    Args:
        input, target (Tensor): probabilities in [0, 1], of one shape; a logarithm below -100 is
            taken as -100, as in torch.
        weight (Tensor): what each loss is multiplied by; it broadcasts.
    Raises:
        ShapeError: shapes that differ; ArgumentError: numbers outside [0, 1].
    """
    name = "binary_cross_entropy"
    _check(name, input, target, reduction)
    float_data(name, input)
    for what, x in (("input", input.data), ("target", target.data)):
        wrong = ~((x >= 0) & (x <= 1))
        if wrong.any():
            raise ArgumentError(
                f"{name}: {what} must be in [0, 1], got {x[wrong][0]}"
                + ("; for logits use binary_cross_entropy_with_logits" if what == "input" else "")
            )
    return reduced(times(name, BinaryCrossEntropy.apply(input, target), weight), reduction)


@operation("functional")
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """Return the mean of log(1 + e**x) - t x: binary_cross_entropy of sigmoid(x), without overflow.

    Args:
        input (Tensor): logits; target (Tensor): probabilities, of the same shape.
        weight (Tensor): what each loss is multiplied by; it broadcasts.
        pos_weight (Tensor): what -t log sigmoid(x) is multiplied by; it broadcasts.
    Source: torch.nn.functional.binary_cross_entropy_with_logits.
    """
    name = "binary_cross_entropy_with_logits"
    _check(name, input, target, reduction)
    float_data(name, input)
    if pos_weight is None:
        losses = LogitCrossEntropy.apply(input, target)
    else:
        yes = times(name, target, pos_weight - 1, "pos_weight") + 1
        losses = (1 - target) * input - yes * LogSigmoid.apply(input)
    return reduced(times(name, losses, weight), reduction)


def times(name: str, losses: Any, weight: Any, what: str = "weight") -> Any:
    """Return the losses times ``weight``, which must broadcast to them; None is 1."""
    if weight is None:
        return losses
    check_tensors(name, weight)
    shape = losses.data.shape
    try:
        fits = np.broadcast_shapes(shape, weight.data.shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"{name}: {what} {weight.data.shape} does not broadcast to input {shape}")
    return losses * weight


# ------------------------------------------------------------------- means of other distributions


@operation("functional")
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """Return the mean of (log v + (x - t)**2 / v) / 2, v = max(var, eps): a normal distribution's.

    Args:
        input (Tensor): means x; target (Tensor): of the same shape.
        var (Tensor | float): variances, of the shape of input, or with size 1 at one axis, or
            without the last. Below eps its gradient is that at eps, as in torch.
        full: add log(2 pi) / 2.
    Raises:
        ShapeError: shapes that do not fit; ArgumentError: a negative variance.
    Source: torch.nn.functional.gaussian_nll_loss; Nix and Weigend 1994.
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    check_same_shape(name, input, target)
    if not isinstance(var, Variable):
        var = input.new(np.full_like(input.data, var))
    if (var.data < 0).any():
        raise ArgumentError(f"{name}: var must not be negative, got {var.data.min()}")
    shape, own = input.data.shape, var.data.shape
    if own != shape:
        if own == shape[:-1]:
            var = var.reshape(*own, 1)
        elif len(own) != len(shape) or [n for m, n in zip(shape, own, strict=True) if m != n] != [
            1
        ]:
            raise ShapeError(f"{name}: var {own} does not fit input {shape}")
    var = at_least(var, eps)
    difference = input - target
    losses = (var.log() + difference * difference / var) * 0.5
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


def at_least(x: Any, low: float) -> Any:
    """Return max(x, low) with the gradient of x everywhere: torch's clamp under no_grad."""
    missing = np.clip(low - x.data, 0, None)
    return x + x.new(missing) if missing.any() else x


@operation("functional")
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """Return the mean of e**x - t x, or of x - t log(x + eps): the loss of counts t.

    Args:
        input (Tensor): the logarithm of the expected counts, or these where not ``log_input``.
        full: add Stirling's approximation of log t!, t log t - t + log(2 pi t) / 2, where t > 1.
    Source: torch.nn.functional.poisson_nll_loss.
    """
    check_reduction("poisson_nll_loss", reduction)
    check_same_shape("poisson_nll_loss", input, target)
    refuse_booleans("poisson_nll_loss", input)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        many = target.data > 1
        t = where(target.new(many), target, 1)
        losses = losses + masked(t * t.log() - t + (2 * math.pi * t).log() * 0.5, many)
    return reduced(losses, reduction)
