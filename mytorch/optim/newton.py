"""Newton's method, for problems of a few hundred unknowns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mytorch.errors import GraphError
from mytorch.grad_mode import enable_grad
from mytorch.optim.optimizer import Optimizer
from mytorch.tensor import Tensor

__all__ = ["Newton"]


class Newton(Optimizer):
    """Steps to where the quadratic model of the loss is flat.

    Math::

        w = w - lr * (H + damping * I)**-1 g,   H = d2L/dw2 over all parameters together

    Quadratic convergence near a minimum with a positive definite Hessian; O(n**3) a step.
    ``step(closure)`` needs a closure that returns the loss and does *not* call ``backward``.

    Args:
        params: the parameters, n numbers in all; lr: 1 is Newton's own step.
        damping: added to the diagonal of H, where it is singular or indefinite.
    Raises:
        GraphError: the loss does not depend on the parameters; np.linalg.LinAlgError: H is
            singular (raise ``damping``).
    Source: Nocedal and Wright, Numerical Optimization, chapter 3.
    """

    _at_least_0 = ("lr", "damping")

    def __init__(self, params: Iterable[Any], lr: float = 1.0, damping: float = 0.0):
        super().__init__(params, {"lr": lr, "damping": damping})
        if len(self.param_groups) > 1:
            raise ValueError("Newton has one group of parameters: H is of all of them together")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; return the loss before it."""
        if closure is None:
            raise TypeError("Newton.step needs a closure that returns the loss")
        group = self.param_groups[0]
        members = [parameter for parameter in group["params"] if parameter.requires_grad]
        with enable_grad():
            loss = closure()
            g, hessian = _derivatives(loss, members)
        hessian[np.diag_indices(len(g))] += float(group["damping"])
        move = np.linalg.solve(hessian, g) * float(group["lr"])
        self.steps += 1
        start = 0
        for parameter in members:
            end = start + parameter.data.size
            parameter.data -= move[start:end].reshape(parameter.shape).astype(parameter.dtype)
            parameter.mark_changed()
            start = end
        return loss


def _derivatives(loss: Tensor, members: list[Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient (n,) and the Hessian (n, n) of ``loss`` in float64."""
    from mytorch.autograd import gradients

    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise GraphError("Newton: the closure must return a loss that depends on the parameters")
    slopes: Any = gradients(loss, members, create_graph=True, materialize_grads=True)
    flat = [slope.reshape(-1) for slope in slopes]
    rows = []
    for slope in flat:
        for index in range(slope.data.size):
            if not slope.requires_grad:
                rows.append(np.zeros(sum(each.data.size for each in flat)))
                continue
            row: Any = gradients(slope[index], members, retain_graph=True, materialize_grads=True)
            rows.append(np.concatenate([part.data.ravel() for part in row]))
    g = np.concatenate([slope.data for slope in flat])
    return g.astype(np.float64), np.array(rows, np.float64).reshape(len(g), len(g))
