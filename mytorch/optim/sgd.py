"""Gradient descent: plain, stochastic, with momentum, with Nesterov's look-ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mytorch.optim.optimizer import Optimizer, hyperparameter

__all__ = ["GD", "SGD"]


class GD(Optimizer):
    """Gradient descent on the whole data set.

    Math: w = w - lr * g
    Args:
        params: the parameters; lr: learning rate.
    Source: Cauchy 1847. ``SGD`` is the same with g from a batch, and more.
    """

    def __init__(self, params: Iterable[Any], lr: float = 0.1):
        super().__init__(params, {"lr": lr})

    def _update(self, group: Any, numbers: Any, w: np.ndarray, g: np.ndarray, *_: Any) -> None:
        (s,) = self._spare(w, 1)
        np.multiply(g, float(group["lr"]), out=s)
        w -= s


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    Math::

        g = gradient of a batch                (GD: of the whole data set)
        g = g + weight_decay * w
        v = momentum * v - lr * g              new: the velocity
        w = w + v                              nesterov: w = w + momentum * v - lr * g

    The handout's velocity holds the learning rate; torch's does not (v = momentum * v + g;
    w = w - lr * v). While lr is constant the two agree; after a change of lr torch's old velocity
    is rescaled at once, the handout's fades out. ``velocity="torch"`` chooses torch's.

    Args:
        params: the parameters; lr: learning rate; momentum: beta, 0 for none.
        dampening: the gradient enters the velocity times 1 - dampening, after the first step.
        weight_decay: adds weight_decay * w to the gradient (L2 regularisation).
        nesterov: step with the velocity that the next step would have.
        maximize: climb instead of descend.
        velocity: "handout" or "torch".
    Attributes:
        momentums (list[np.ndarray]): the velocity of each parameter, zeros at first.
    Source: handout problems 2.2 and 2.4; torch.optim.SGD; Sutskever et al. 2013.
    """

    _at_least_0 = ("lr", "momentum", "weight_decay")
    _not_torchs = frozenset({"velocity"})
    momentum = hyperparameter("momentum", "The share of the velocity that is kept.")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        velocity: str = "handout",
    ):
        if velocity not in ("handout", "torch"):
            raise ValueError(f'velocity must be "handout" or "torch", got {velocity!r}')
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "velocity": velocity,
            },
        )

    def _check(self, group: dict[str, Any]) -> None:
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"]):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] else ()

    @property
    def momentums(self) -> list[np.ndarray]:
        """The velocity of each parameter."""
        return [
            self.state[p]["momentum_buffer"].data
            if "momentum_buffer" in self.state.get(p, ())
            else np.zeros_like(p.data)
            for p in self.params
        ]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As of ``Optimizer``; torch's velocity becomes the handout's where the group has that."""
        super().load_state_dict(state_dict)
        for group, given in zip(self.param_groups, state_dict["param_groups"], strict=True):
            if "velocity" in given or group["velocity"] == "torch":
                continue
            for parameter in group["params"]:
                velocity = self.state.get(parameter, {}).get("momentum_buffer")
                if velocity is not None:
                    velocity.data *= -float(group["lr"])

    def _numbers(self, group: dict[str, Any], state: dict[str, Any]) -> tuple[float, ...]:
        lr, momentum = float(group["lr"]), float(group["momentum"])
        rate = lr if group["velocity"] == "handout" else -1.0  # torch's velocity is without it
        share = 1.0 if state["step"] == 1 else 1.0 - float(group["dampening"])
        return lr, momentum, rate, share * rate

    def _update(
        self, group: Any, numbers: Any, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        lr, momentum, rate, into_velocity = numbers
        s, d = self._spare(w, 2)
        g = self._descent(group, w, g, d)
        if not momentum:
            np.multiply(g, lr, out=s)
            w -= s
            return
        (v,) = kept
        v *= momentum
        np.multiply(g, into_velocity, out=s)
        v -= s
        if group["nesterov"]:
            np.multiply(g, rate, out=s)
            np.multiply(v, momentum, out=d)
            d -= s
        else:
            d = v
        if rate == lr:
            w += d
        else:
            np.multiply(d, lr, out=s)
            w -= s
