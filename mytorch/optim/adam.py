"""Adam and its family: momentum on the gradient, an average of its squares, bias correction."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

from mytorch.optim.optimizer import Optimizer, hyperparameter

__all__ = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"]

Betas = tuple[float, float]


class _AdamFamily(Optimizer):
    """What the family shares: the two averages m and v of the gradient and of its square."""

    betas = hyperparameter("betas", "(b1, b2): the shares of m and of v that are kept.")
    eps = hyperparameter("eps", "Keeps the division finite.")

    @property
    def t(self) -> int:
        """The number of steps taken, of the parameter that took the most."""
        return max((each["step"] for each in self.state.values()), default=0)

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    @staticmethod
    def _average(
        group: dict[str, Any], g: np.ndarray, m: np.ndarray, v: np.ndarray, s: np.ndarray
    ) -> None:
        """m = b1 * m + (1 - b1) * g;  v = b2 * v + (1 - b2) * g**2, computed in ``s``."""
        beta1, beta2 = group["betas"]
        m *= float(beta1)
        np.multiply(g, 1 - float(beta1), out=s)
        m += s
        v *= float(beta2)
        np.multiply(g, g, out=s)
        s *= 1 - float(beta2)
        v += s


def _corrections(group: dict[str, Any], state: dict[str, Any]) -> Betas:
    """Return 1 - b1**t and 1 - b2**t."""
    beta1, beta2 = map(float, group["betas"])
    return 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]


class Adam(_AdamFamily):
    """Momentum on the gradient, RMSProp on its square, and bias correction.

    Math::

        g = gradient + weight_decay * w                          (SGD)
        m = b1 * m + (1 - b1) * g                                (momentum)
        v = b2 * v + (1 - b2) * g**2                             (RMSprop)
        w = w - lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps)     new: bias correction

    Args:
        params: the parameters; lr: learning rate; betas: (b1, b2), each in [0, 1); eps: keeps the
            division finite; weight_decay: as above.
        amsgrad: divide by the largest v so far (Reddi et al. 2018).
        maximize: climb instead of descend.
    Attributes:
        t (int): steps taken; state: m and v as ``exp_avg`` and ``exp_avg_sq``.
    Source: Kingma and Ba 2014, arXiv:1412.6980, algorithm 1; torch.optim.Adam.
    """

    _decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return (*super()._kept(group), *(("max_exp_avg_sq",) if group["amsgrad"] else ()))

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> Betas:
        first, second = _corrections(group, state)
        root = sqrt(second)  # lr m / (sqrt(v) / root + eps) is lr root m / (sqrt(v) + root eps)
        return float(group["lr"]) / first * root, float(group["eps"]) * root

    def _update(
        self, group: Any, numbers: Betas, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        rate, eps = numbers
        m, v = kept[:2]
        s, d = self._spare(w, 2)
        if self._decoupled:
            w *= 1 - float(group["lr"]) * float(group["weight_decay"])
            g = np.negative(g, out=d) if group["maximize"] else g
        else:
            g = self._descent(group, w, g, d)
        self._average(group, g, m, v, s)
        if group["amsgrad"]:
            v = np.maximum(kept[2], v, out=kept[2])
        np.sqrt(v, out=s)
        s += eps
        np.divide(m, s, out=s)
        s *= rate
        w -= s


class AdamW(Adam):
    """As Adam, with the weight decay outside of the averages.

    Math::

        w = w - lr * weight_decay * w                            new: decoupled from g
        then Adam's lines with g = gradient

    Args: Adam's; weight_decay is 0.01 by default.
    Source: Loshchilov and Hutter 2017, arXiv:1711.05101; torch.optim.AdamW.
    """

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class Adamax(_AdamFamily):
    """As Adam, with the largest gradient in place of the root of the average square.

    Math::

        m = b1 * m + (1 - b1) * g                                (Adam)
        u = max(b2 * u, |g| + eps)                               new: the infinity norm
        w = w - lr / (1 - b1**t) * m / u

    Args: Adam's, without amsgrad.
    Source: Kingma and Ba 2014, arXiv:1412.6980, algorithm 2; torch.optim.Adamax.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> float:
        return float(group["lr"]) / _corrections(group, state)[0]

    def _update(
        self, group: Any, numbers: float, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        (m, u), (beta1, beta2) = kept, map(float, group["betas"])
        s, d = self._spare(w, 2)
        g = self._descent(group, w, g, d)
        m *= beta1
        np.multiply(g, 1 - beta1, out=s)
        m += s
        u *= beta2
        np.abs(g, out=s)
        s += float(group["eps"])
        np.maximum(u, s, out=u)
        np.divide(m, u, out=s)
        s *= numbers
        w -= s


class NAdam(_AdamFamily):
    """As Adam, with Nesterov's look-ahead in place of momentum.

    Math::

        mu_t = b1 * (1 - 0.96**(t * momentum_decay) / 2)         new: momentum that warms up
        m, v as in Adam
        w = w - lr * (1 - mu_t) / (1 - mu_1 … mu_t) * g / d
              - lr * mu_(t+1) / (1 - mu_1 … mu_(t+1)) * m / d,   d = sqrt(v / (1 - b2**t)) + eps

    Args: Adam's; momentum_decay: as above; decoupled_weight_decay: as AdamW.
    Source: Dozat 2016; torch.optim.NAdam.
    """

    _at_least_0 = ("lr", "eps", "weight_decay", "momentum_decay")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        (beta1, _), decay, t = group["betas"], float(group["momentum_decay"]), state["step"]
        now, ahead = (float(beta1) * (1 - 0.5 * 0.96 ** (k * decay)) for k in (t, t + 1))
        product = state["mu_product"] = state.get("mu_product", 1.0) * now
        lr = float(group["lr"])
        second = _corrections(group, state)[1]
        return lr * (1 - now) / (1 - product), lr * ahead / (1 - product * ahead), sqrt(second)

    def _update(
        self,
        group: Any,
        numbers: tuple[float, ...],
        w: np.ndarray,
        g: np.ndarray,
        *kept: np.ndarray,
    ) -> None:
        of_gradient, of_momentum, root = numbers
        m, v = kept
        s, d, r = self._spare(w, 3)
        if group["decoupled_weight_decay"]:
            w *= 1 - float(group["lr"]) * float(group["weight_decay"])
            g = np.negative(g, out=d) if group["maximize"] else g
        else:
            g = self._descent(group, w, g, d)
        self._average(group, g, m, v, s)
        np.sqrt(v, out=r)
        r /= root
        r += float(group["eps"])
        np.multiply(g, of_gradient, out=s)
        s /= r
        w -= s
        np.multiply(m, of_momentum, out=s)
        s /= r
        w -= s


class RAdam(_AdamFamily):
    """As Adam, which waits with the division until the variance of v is known well enough.

    Math::

        r_inf = 2 / (1 - b2) - 1;  r_t = r_inf - 2 t b2**t / (1 - b2**t)
        m, v as in Adam
        w = w - lr * m / (1 - b1**t) * c,   c = 1 while r_t <= 5, else
        c = sqrt((r_t-4)(r_t-2) r_inf / ((r_inf-4)(r_inf-2) r_t)) * sqrt(1 - b2**t) / (sqrt(v)+eps)

    Args: Adam's, without amsgrad; decoupled_weight_decay: as AdamW.
    Source: Liu et al. 2019, arXiv:1908.03265; torch.optim.RAdam.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, float]:
        t, beta2 = state["step"], float(group["betas"][1])
        first, second = _corrections(group, state)
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * t * beta2**t / second
        if length <= 5:
            return float(group["lr"]) / first, 0.0
        rest = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
        return float(group["lr"]) / first, sqrt(rest * second)

    def _update(
        self,
        group: Any,
        numbers: tuple[float, float],
        w: np.ndarray,
        g: np.ndarray,
        *kept: np.ndarray,
    ) -> None:
        rate, rectified = numbers
        m, v = kept
        s, d = self._spare(w, 2)
        if group["decoupled_weight_decay"]:
            w *= 1 - float(group["lr"]) * float(group["weight_decay"])
            g = np.negative(g, out=d) if group["maximize"] else g
        else:
            g = self._descent(group, w, g, d)
        self._average(group, g, m, v, s)
        if rectified:
            np.sqrt(v, out=s)
            s += float(group["eps"])
            np.divide(m, s, out=s)
            s *= rate * rectified
        else:
            np.multiply(m, rate, out=s)
        w -= s
