"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mytorch.optim.optimizer import Optimizer
from mytorch.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """w = w - lr * g; with momentum v = momentum * v - lr * g; w = w + v.

    The handout's velocity holds the learning rate; torch's does not (v = momentum * v + g;
    w = w - lr * v). While lr is constant the two agree; after a change of lr torch's old velocity
    is rescaled at once, the handout's fades out.

    Args:
        params: the parameters; lr: learning rate; momentum: beta, 0 for none.
    Attributes:
        momentums (list[np.ndarray]): the velocity of each parameter, zeros at first.
    Source: handout problems 2.2 and 2.4.
    """

    _numbers = ("lr", "momentum")
    _buffers = ("momentums",)

    def __init__(self, params: Iterable[Tensor], lr: float = 0.001, momentum: float = 0.0):
        super().__init__(params, lr)
        if not momentum >= 0:
            raise ValueError(f"momentum must be at least 0, got {momentum}")
        self.momentum = momentum
        self.momentums = self._zeros()
        self._scratch = self._zeros()

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for parameter, velocity, scaled in zip(
            self.params, self.momentums, self._scratch, strict=True
        ):
            if parameter.grad is None:
                continue
            np.multiply(parameter.grad.data, self.lr, out=scaled)
            if self.momentum:
                velocity *= self.momentum
                velocity -= scaled
                parameter.data += velocity
            else:
                parameter.data -= scaled
            parameter.mark_changed()
