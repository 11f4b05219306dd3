"""Information theory: entropy, cross-entropy and divergence of distributions.

In nats, or in units of ``base``: bits for 2. A distribution is a tensor of probabilities that sum
to 1 along ``dim``; they may be 0, and 0 log 0 is 0, exactly. The names are those of torch
(``special.entr``, ``distributions.kl_divergence``, ``kl_div``). The cross-entropy of distributions
is ``cross_entropy_of``, since torch's ``cross_entropy`` is that of logits, with the truth second.

Source: Shannon 1948, A Mathematical Theory of Communication; Kullback and Leibler 1951.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError
from mytorch.ops.common import check_broadcast, float_data, values
from mytorch.ops.cross_entropy import check_reduction
from mytorch.ops.elementwise import Binary
from mytorch.ops.losses import reduced
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.special import Entr

__all__ = ["CrossEntr", "Divergence", "Entr", "LogDivergence", "RelEntr"]


class _Term(Binary):
    """A term with the weight x: z = 0 where x = 0, and the gradients are 0 where x = y = 0."""

    @classmethod
    def _partial(cls, ctx: Any, side: int, incoming: Any) -> Any:
        x, y = map(values, ctx.saved_tensors[:2])
        counts = (x != 0) if side else (x != 0) | (y != 0)
        return masked(super()._partial(ctx, side, incoming), counts)


class CrossEntr(_Term):
    """z = -x log y, 0 where x = 0;  dz/dx = -log y, dz/dy = -x / y, and both 0 at x = y = 0."""

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return masked(-x * np.log(y), x != 0)

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return -np.log(y)

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return -x / y


class RelEntr(_Term):
    """z = x log(x / y), 0 where x = 0;  dz/dx = log(x / y) + 1, dz/dy = -x / y; 0 at x = y = 0."""

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return masked(x * np.log(x / y), x != 0)

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return np.log(x / y) + 1

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return -x / y


# ------------------------------------------------------------------------------ the functions


def _total(name: str, term: Any, dim: Any, base: float | None, **distributions: Any) -> Any:
    """Return the sum of ``term`` of the distributions along ``dim``, in units of ``base``.

    Raises:
        ArgumentError: a base that is not above 1, or a negative probability; ShapeError: shapes
            that do not broadcast; DtypeError: integers.
    """
    if base is not None and not base > 1:
        raise ArgumentError(f"{name}: base must be more than 1 (2 for bits), got {base}")
    for argument, tensor in distributions.items():
        p = float_data(name, tensor)
        if (p < 0).any():
            raise ArgumentError(
                f"{name}: {argument} holds probabilities, and {p.min()} is none; of logits take "
                "softmax(logits) first"
            )
    tensors = list(distributions.values())
    check_broadcast(name, tensors[0].data.shape, tensors[-1].data.shape)
    total = term.apply(*tensors).sum(dim)
    return total if base is None else total / math.log(base)


@operation("special")
def entropy(p: Any, dim: Any = -1, *, base: float | None = None) -> Any:
    """Return H(p) = -sum_i p_i log p_i along ``dim``: the mean surprise of what p draws.

    Args:
        p (Tensor): probabilities; 0 log 0 is 0. The gradient, -log p_i - 1, is infinite at 0.
        dim: one or several axes; None for all.
        base: of the logarithm, 2 for bits; default e, nats.
    Raises:
        ArgumentError: a negative probability, or a base that is not above 1.

    >>> import mytorch
    >>> mytorch.special.entropy(mytorch.tensor([0.5, 0.5]), base=2)
    tensor(1.)
    """
    return _total("entropy", Entr, dim, base, p=p)


@operation("special")
def cross_entropy_of(p: Any, q: Any, dim: Any = -1, *, base: float | None = None) -> Any:
    """Return H(p, q) = -sum_i p_i log q_i along ``dim``: the mean surprise of p's draws under q.

    H(p, q) = H(p) + D(p || q). Infinite where q_i = 0 and p_i is not; where both are 0 the term
    and its gradients are 0. Args and errors as ``entropy``; p and q are broadcast. For logits take
    nn.functional.cross_entropy.
    """
    return _total("cross_entropy_of", CrossEntr, dim, base, p=p, q=q)


@operation("special")
def kl_divergence(p: Any, q: Any, dim: Any = -1, *, base: float | None = None) -> Any:
    """Return D(p || q) = sum_i p_i log(p_i / q_i) along ``dim``: what coding p as q costs.

    It is 0 if and only if p = q, and not symmetric. Infinite where q_i = 0 and p_i is not; where
    both are 0 the term and its gradients are 0. Args and errors as ``entropy``.
    """
    return _total("kl_divergence", RelEntr, dim, base, p=p, q=q)


# -------------------------------------------------------------------------------- torch's kl_div


class Divergence(Binary):
    """z = y (log y - x) for a log-probability x and a probability y; 0 where y = 0.

    dz/dx = -y;  dz/dy = log y + 1 - x, and 0 where also x is minus infinity.
    """

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return masked(y * (np.log(y) - x), y != 0)

    @staticmethod
    def slope_x(y: Any) -> Any:
        return -y

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        never = (values(y) == 0) & (values(x) == -np.inf)
        return masked(np.log(y) + 1 - x, ~never)


class LogDivergence(Binary):
    """z = e**y (y - x) for two log-probabilities; 0 where y is minus infinity.

    dz/dx = -e**y;  dz/dy = e**y (y - x + 1), and 0 where y is minus infinity.
    """

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return masked(np.exp(y) * (y - x), y != -np.inf)

    @staticmethod
    def slope_x(y: Any) -> Any:
        return -np.exp(y)

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return masked(np.exp(y) * (y - x + 1), values(y) != -np.inf)


@operation("functional")
def kl_div(input: Any, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Any:
    """Return the divergence of target from input: of t (log t - x) (torch.nn.functional.kl_div).

    Args:
        input (Tensor): log-probabilities x; target (Tensor): probabilities t, or their logarithms
            where ``log_target``. They broadcast.
        reduction: "batchmean" for the divergence: the sum over everything / the size of axis 0;
            "mean" is over all elements, as in torch.
    """
    check_reduction("kl_div", reduction, "batchmean")
    float_data("kl_div", input)
    float_data("kl_div", target)
    check_broadcast("kl_div", input.data.shape, target.data.shape)
    losses = (LogDivergence if log_target else Divergence).apply(input, target)
    if reduction != "batchmean":
        return reduced(losses, reduction)
    total = losses.sum()
    return total / input.data.shape[0] if input.data.ndim else total
