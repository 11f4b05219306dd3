"""Adam."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mytorch.optim.optimizer import Optimizer
from mytorch.tensor import Tensor

__all__ = ["Adam"]


class Adam(Optimizer):
    """Momentum on the gradient, RMSProp on its square, and bias correction.

    Math: m = b1*m + (1-b1)*g;  v = b2*v + (1-b2)*g**2;
          w = w - lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps).
    Args:
        params: the parameters; lr: learning rate; betas: (b1, b2), each in [0, 1); eps: keeps the
            division finite.
    Attributes:
        state (dict): lists ``m`` and ``v``, one array for each parameter; t (int): steps taken,
            counted for all parameters together.
    Source: Kingma and Ba 2014, arXiv:1412.6980, algorithm 1; torch.optim.Adam.
    """

    _numbers = ("lr", "betas", "eps", "t")
    _buffers = ("_m", "_v")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        super().__init__(params, lr)
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas must be two numbers in [0, 1), got {betas}")
        if not eps >= 0:
            raise ValueError(f"eps must be at least 0, got {eps}")
        self.betas = betas
        self.eps = eps
        self.t = 0
        self._m, self._v = self._zeros(), self._zeros()
        self._scratch = [(np.empty_like(m), np.empty_like(m)) for m in self._m]
        self.state = {"m": self._m, "v": self._v}

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        self.t += 1
        beta1, beta2 = self.betas
        rate = self.lr / (1 - beta1**self.t)
        correction = 1 / np.sqrt(1 - beta2**self.t)
        for parameter, m, v, (update, root) in zip(
            self.params, self._m, self._v, self._scratch, strict=True
        ):
            if parameter.grad is None:
                continue
            grad = parameter.grad.data
            m *= beta1
            np.multiply(grad, 1 - beta1, out=update)
            m += update
            v *= beta2
            np.multiply(grad, grad, out=update)
            update *= 1 - beta2
            v += update
            np.sqrt(v, out=root)
            root *= float(correction)
            root += self.eps
            np.divide(m, root, out=update)
            update *= rate
            parameter.data -= update
            parameter.mark_changed()
