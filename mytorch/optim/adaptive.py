"""Methods that give every weight a rate of its own, by the squares of its gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mytorch.optim.optimizer import Optimizer

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class Adagrad(Optimizer):
    """A rate for each weight, falling with the squares of all its gradients so far.

    Math::

        g = gradient + weight_decay * w                          (SGD)
        s = s + g**2                                             new: the sum of squares
        w = w - lr / (1 + (t-1) * lr_decay) * g / (sqrt(s) + eps)

    Args:
        params: the parameters; lr: learning rate; lr_decay, weight_decay, eps: as above.
        initial_accumulator_value: s before the first step.
        maximize: climb instead of descend.
    Source: Duchi, Hazan and Singer 2011, JMLR 12; torch.optim.Adagrad.
    """

    _at_least_0 = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "maximize": maximize,
            },
        )

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _initial(self, group: dict[str, Any], name: str, w: np.ndarray) -> np.ndarray:
        return np.full(w.shape, group["initial_accumulator_value"], w.dtype)

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> float:
        return float(group["lr"]) / (1 + (state["step"] - 1) * float(group["lr_decay"]))

    def _update(
        self, group: Any, numbers: float, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        (total,) = kept
        s, d = self._spare(w, 2)
        g = self._descent(group, w, g, d)
        np.multiply(g, g, out=s)
        total += s
        np.sqrt(total, out=s)
        s += float(group["eps"])
        np.divide(g, s, out=s)
        s *= numbers
        w -= s


class RMSprop(Optimizer):
    """As Adagrad, with a running average of the squares, so that the rate can rise again.

    Math::

        g = gradient + weight_decay * w                          (SGD)
        s = alpha * s + (1 - alpha) * g**2                       new: an average, not a sum
        m = alpha * m + (1 - alpha) * g                          centered only: the mean
        d = g / (sqrt(s - m**2) + eps)                           centered; else m = 0
        v = momentum * v + d                                     without momentum: v = d
        w = w - lr * v

    Args:
        params: the parameters; lr, alpha, eps, weight_decay, momentum: as above.
        centered: divide by the deviation instead of the root of the mean square.
        maximize: climb instead of descend.
    Source: Hinton, lecture 6e (2012); Graves 2013, arXiv:1308.0850; torch.optim.RMSprop.
    """

    _at_least_0 = ("lr", "alpha", "eps", "weight_decay", "momentum")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))

    def _update(
        self, group: Any, numbers: Any, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        alpha, momentum = float(group["alpha"]), float(group["momentum"])
        square, rest = kept[0], list(kept[1:])
        s, d = self._spare(w, 2)
        g = self._descent(group, w, g, d)
        np.multiply(g, g, out=s)
        s *= 1 - alpha
        square *= alpha
        square += s
        if group["centered"]:
            mean = rest.pop()
            np.multiply(g, 1 - alpha, out=s)
            mean *= alpha
            mean += s
            np.multiply(mean, mean, out=s)
            np.subtract(square, s, out=s)
            np.sqrt(s, out=s)
        else:
            np.sqrt(square, out=s)
        s += float(group["eps"])
        np.divide(g, s, out=s)
        if momentum:
            (v,) = rest
            v *= momentum
            v += s
            np.multiply(v, float(group["lr"]), out=s)
        else:
            s *= float(group["lr"])
        w -= s


class Adadelta(Optimizer):
    """As RMSprop, with the rate made of the steps taken so far: no rate to choose.

    Math::

        g = gradient + weight_decay * w                          (SGD)
        s = rho * s + (1 - rho) * g**2                           (RMSprop)
        d = g * sqrt(u + eps) / sqrt(s + eps)                    new: in the units of w
        u = rho * u + (1 - rho) * d**2                           new: the average square of steps
        w = w - lr * d

    Args:
        params: the parameters; lr, rho, eps, weight_decay: as above.
        maximize: climb instead of descend.
    Source: Zeiler 2012, arXiv:1212.5701; torch.optim.Adadelta.
    """

    _at_least_0 = ("lr", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ):
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if not 0 <= group["rho"] <= 1:
            raise ValueError(f"rho must be in [0, 1], got {group['rho']}")

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def _update(
        self, group: Any, numbers: Any, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        rho, eps = float(group["rho"]), float(group["eps"])
        square, steps = kept
        s, d, r = self._spare(w, 3)
        g = self._descent(group, w, g, d)
        np.multiply(g, g, out=s)
        s *= 1 - rho
        square *= rho
        square += s
        np.add(square, eps, out=s)
        np.sqrt(s, out=s)
        np.add(steps, eps, out=r)
        np.sqrt(r, out=r)
        r /= s
        r *= g
        np.multiply(r, r, out=s)
        s *= 1 - rho
        steps *= rho
        steps += s
        r *= float(group["lr"])
        w -= r
