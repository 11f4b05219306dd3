"""L-BFGS: Newton's direction without the Hessian, from the last few steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from mytorch.grad_mode import enable_grad
from mytorch.optim.line_search import Point, strong_wolfe
from mytorch.optim.optimizer import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno.

    Math::

        d = -H g,   H built from the last ``history_size`` pairs (change of w, change of g)
        w = w + t d,   t = lr, or by a line search that meets the strong Wolfe conditions

    ``step(closure)`` evaluates the closure several times: it computes the loss anew, calls
    ``backward`` and returns the loss. One group of parameters.

    Args:
        params: the parameters; lr: the first t that is tried.
        max_iter: iterations a step; max_eval: evaluations a step, default 1.25 * max_iter.
        tolerance_grad, tolerance_change: when to stop.
        history_size: how many pairs are remembered.
        line_search_fn: None or "strong_wolfe".
    Source: Nocedal and Wright, Numerical Optimization, algorithms 3.5, 3.6, 7.4; torch.optim.LBFGS.
    """

    _at_least_0 = ("lr", "tolerance_grad", "tolerance_change")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError('line_search_fn must be None or "strong_wolfe"')
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) > 1:
            raise ValueError("LBFGS has one group of parameters: H is of all of them together")

    # ------------------------------------------------------------------------ flat vectors

    def _gather(self) -> np.ndarray:
        """Return the gradient of all parameters as one vector."""
        parts = [
            np.zeros(p.data.size, p.dtype) if p.grad is None else p.grad.data.ravel()
            for p in self.params
        ]
        return np.concatenate(parts)

    def _move(self, t: float, direction: np.ndarray) -> None:
        """Add t * direction to the parameters."""
        start = 0
        for parameter in self.params:
            end = start + parameter.data.size
            parameter.data += (t * direction[start:end]).reshape(parameter.shape)
            parameter.mark_changed()
            start = end

    def _put(self, values: list[np.ndarray]) -> None:
        for parameter, value in zip(self.params, values, strict=True):
            parameter.data[...] = value
            parameter.mark_changed()

    # ------------------------------------------------------------------------ the step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until a limit or a tolerance is met; return the loss at the start."""
        if closure is None:
            raise TypeError("LBFGS.step needs a closure that computes the loss and calls backward")
        group = self.param_groups[0]
        state = self.state.setdefault(self.params[0], {"step": 0, "func_evals": 0, "pairs": []})
        self.steps += 1

        def evaluate() -> float:
            with enable_grad():
                return float(closure())

        with enable_grad():
            first = closure()
        loss, g = float(first), self._gather()
        evaluations = 1
        state["func_evals"] += 1
        if _largest(g) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["step"] += 1
            d = self._direction(state, group, g)
            slope, lr = float(g @ d), float(group["lr"])
            state["before"], before = g, loss
            t = lr if state["step"] > 1 else min(1.0, 1 / float(np.abs(g).sum())) * lr
            state["move"] = t * d
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if group["line_search_fn"] == "strong_wolfe":
                start = Point(0.0, loss, g, slope)
                found, used = self._search(evaluate, start, t, d, group["tolerance_change"])
                t, loss, g = found.t, found.loss, found.gradient
            else:
                self._move(t, d)
                if iteration < group["max_iter"]:  # the next step begins with an evaluation
                    loss, g, used = evaluate(), self._gather(), 1
            state["move"] = t * d
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(g) <= group["tolerance_grad"]
                or _largest(state["move"]) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first

    def _search(
        self, evaluate: Callable[[], float], start: Point, t: float, d: np.ndarray, tolerance: float
    ) -> tuple[Point, int]:
        """Move along d as far as the strong Wolfe conditions say; return where that is."""
        values = [parameter.data.copy() for parameter in self.params]

        def at(t: float) -> Point:
            self._put(values)
            self._move(t, d)
            loss = evaluate()
            g = self._gather()
            return Point(t, loss, g, float(g @ d))

        found, used = strong_wolfe(at, start, t, _largest(d), tolerance)
        self._put(values)
        self._move(found.t, d)
        return found, used

    def _direction(self, state: dict[str, Any], group: dict[str, Any], g: np.ndarray) -> np.ndarray:
        """Return -H g by the two-loop recursion, after taking note of the last step."""
        if state["step"] == 1:
            state["scale"] = 1.0
            return -g
        pairs = state["pairs"]
        change, move = g - state["before"], state["move"]
        curvature = float(change @ move)
        if curvature > 1e-10:
            if len(pairs) == group["history_size"]:
                pairs.pop(0)
            pairs.append((move, change, 1 / curvature))
            state["scale"] = curvature / float(change @ change)
        q = -g
        weights = []
        for move, change, weight in reversed(pairs):
            weights.append(float(move @ q) * weight)
            q = q - weights[-1] * change
        q = q * state["scale"]
        for (move, change, weight), alpha in zip(pairs, reversed(weights), strict=True):
            q = q + move * (alpha - float(change @ q) * weight)
        return q


def _largest(x: np.ndarray) -> float:
    return float(np.abs(x).max(initial=0.0))
