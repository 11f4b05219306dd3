"""What the engine itself costs: one addition of four numbers, and long chains of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.work import Step, Work

BLOCK = 1000


def _tensors(system: str, grad: bool) -> tuple[Any, Any, Any]:
    """Return two tensors of four ones, and a gradient for their sum."""
    ones = np.ones(4, np.float32)
    if system == "torch":
        import torch

        x = torch.tensor(ones, requires_grad=grad)
        return x, torch.tensor(ones), torch.tensor(ones)
    import mytorch

    x = mytorch.tensor(ones, requires_grad=grad)
    return x, mytorch.tensor(ones), mytorch.tensor(ones)


def _add(system: str, grad: bool) -> Callable[[], Step]:
    def make() -> Step:
        x, y, _ = _tensors(system, grad)

        def step() -> float:
            for _ in range(BLOCK):
                z = x + y
            return float(z.sum().item())

        return step

    return make


def _numpy_add() -> Step:
    x = np.ones(4, np.float32)
    y = np.ones(4, np.float32)

    def step() -> float:
        for _ in range(BLOCK):
            z = x + y
        return float(z.sum())

    return step


def _backward(system: str) -> Callable[[], Step]:
    """The walk alone: the step returns the seconds it took."""

    def make() -> Step:
        x, y, seed = _tensors(system, True)

        def step() -> float:
            z = x
            for _ in range(BLOCK):
                z = z + y
            start = time.perf_counter()
            z.backward(seed)
            return time.perf_counter() - start

        return step

    return make


def _chain(system: str, depth: int) -> Callable[[], Step]:
    """Forward, backward and freeing of a chain of ``depth`` additions."""

    def make() -> Step:
        x, y, seed = _tensors(system, True)

        def step() -> float:
            x.grad = None
            z = x
            for _ in range(depth):
                z = z + y
            z.backward(seed)
            del z
            return float(x.grad.sum().item())

        return step

    return make


def _both(make: Callable[[str], Callable[[], Step]]) -> dict[str, Callable[[], Step]]:
    return {system: make(system) for system in ("mytorch", "torch")}


WORKS = [
    Work("add-off", "add of two (4,) tensors, nothing recorded",
         {**_both(lambda s: _add(s, False)), "numpy": _numpy_add}, "addition", BLOCK,
         {"torch": 1.0}),
    Work("add-on", "add of two (4,) tensors, recorded", _both(lambda s: _add(s, True)),
         "addition", BLOCK, {"torch": 1.3}),
    Work("add-backward", "backward through one addition", _both(_backward), "node", BLOCK,
         {"torch": 1.3}, measures="seconds"),
    *[
        Work(f"chain-{exponent}", f"chain of 1e{exponent} additions, forward, backward and freed",
             _both(lambda s, depth=10**exponent: _chain(s, depth)), "node", 10**exponent,
             {"torch": 1.3})
        for exponent in (3, 4, 5, 6)
    ],
]  # fmt: skip
