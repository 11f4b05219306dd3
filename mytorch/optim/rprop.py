"""Resilient backpropagation: steps by the sign of the gradient alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mytorch.optim.optimizer import Optimizer

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Each weight has a step of its own, that grows while the sign of its gradient holds.

    Math::

        step = step * etas[1] where g * (g before) > 0, * etas[0] where < 0, within step_sizes
        g = 0 where the sign changed
        w = w - sign(g) * step

    Args:
        params: the parameters; lr: the first step; etas, step_sizes: as above.
        maximize: climb instead of descend.
    Source: Riedmiller and Braun 1993; torch.optim.Rprop. For whole data sets, not for batches.
    """

    _not_torchs = frozenset({"weight_decay"})

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
    ):
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"etas must be one number in (0, 1) and one above 1, got {etas}")
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "weight_decay": 0.0,
                "maximize": maximize,
            },
        )

    def _kept(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def _initial(self, group: dict[str, Any], name: str, w: np.ndarray) -> np.ndarray:
        return np.full(w.shape, float(group["lr"]) if name == "step_size" else 0.0, w.dtype)

    def _update(
        self, group: Any, numbers: Any, w: np.ndarray, g: np.ndarray, *kept: np.ndarray
    ) -> None:
        before, size = kept
        s, d = self._spare(w, 2)
        g = self._descent(group, w, g, d)
        np.multiply(before, g, out=s)
        np.copyto(before, g)
        (mask,) = self._spare(w, 1, bool)
        np.multiply(size, float(group["etas"][1]), out=size, where=np.greater(s, 0, out=mask))
        np.multiply(size, float(group["etas"][0]), out=size, where=np.less(s, 0, out=mask))
        np.clip(size, *map(float, group["step_sizes"]), out=size)
        np.copyto(before, 0, where=mask)
        np.sign(before, out=s)
        s *= size
        w -= s
