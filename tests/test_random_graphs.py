"""Graphs drawn at random: shared nodes, views and broadcasting, compared with torch and itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mytorch import autograd
from mytorch.tensor import Tensor

SHAPES = [(2, 3), (1, 3), (2, 1), (3,), ()]

# Each step takes two earlier values; all stay smooth and small. They read the same in torch.
STEPS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - 2 * b,
    "mul": lambda a, b: a.tanh() * b.tanh(),
    "div": lambda a, b: a / (1.5 + b * b),
    "pow": lambda a, b: (1.5 + a.tanh()) ** b.tanh(),
    "exp": lambda a, b: (a.tanh() - 1).exp(),
    "log": lambda a, b: (1 + a * a).log(),
    "sigmoid": lambda a, b: a.sigmoid(),
    "outer": lambda a, b: a.reshape(-1, 1).tanh() @ b.reshape(1, -1).tanh(),
    "mean": lambda a, b: a - a.mean(),
    "sum": lambda a, b: a.reshape(-1).sum(0) + b,
    "softmax": lambda a, b: a.reshape(-1).softmax(0),
    "logsumexp": lambda a, b: a.reshape(1, -1).logsumexp(1),
    "slice": lambda a, b: a.reshape(-1)[1:] if a.reshape(-1).shape[0] > 1 else a,
    "twice": lambda a, b: a.reshape(-1)[[0, 0, -1]],
}

programs = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 100), st.integers(0, 100)),
    min_size=1,
    max_size=10,
)
inputs = st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3)


def run(program: list[tuple[str, int, int]], values: list[Any]) -> Any:
    """Return the sum of everything that the program computed; a step that does not fit is left."""
    values = list(values)
    for name, first, second in program:
        a, b = values[first % len(values)], values[second % len(values)]
        fits = name in ("outer", "exp", "log") or _broadcast(tuple(a.shape), tuple(b.shape))
        small = np.prod(a.shape, dtype=int) * np.prod(b.shape, dtype=int) <= 40
        if fits and small:
            values.append(STEPS[name](a, b))
    total = values[0].sum()
    for value in values[1:]:
        total = total + value.sum()
    return total


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    try:
        np.broadcast_shapes(first, second)
    except ValueError:
        return False
    return True


def draw(shapes: list[tuple[int, ...]], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(programs, inputs)
def test_value_gradient_and_second_derivative_equal_torchs(program: Any, shapes: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    arrays, weights = draw(shapes, 1), draw(shapes, 2)
    found = []
    for make, grad in (
        (lambda x: Tensor(x, requires_grad=True), autograd.grad),
        (
            lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True),
            torch.autograd.grad,
        ),
    ):
        leaves = [make(x) for x in arrays]
        value = run(program, leaves)
        first = grad(value, leaves, create_graph=True)
        slope = sum((g * make(w).detach()).sum() for g, w in zip(first, weights, strict=True))
        second = [None] * len(leaves)
        if slope.requires_grad:
            second = grad(slope, leaves, allow_unused=True)
        found.append(
            [np.asarray(value.detach()), *[np.asarray(g.detach()) for g in first]]
            + [
                np.zeros(x.shape) if g is None else np.asarray(g.detach())
                for g, x in zip(second, arrays, strict=True)
            ]
        )
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(programs, inputs)
def test_forward_and_reverse_mode_agree(program: Any, shapes: Any) -> None:
    arrays, directions = draw(shapes, 3), draw(shapes, 4)

    def function(*values: Any) -> Any:
        return run(program, list(values))

    _, along = autograd.jvp(function, tuple(arrays), tuple(directions))
    numbers = tuple(range(len(arrays)))
    gradient = autograd.grad(function, numbers)(*arrays)
    dot = sum((g * d).sum() for g, d in zip(gradient, directions, strict=True))
    assert along == pytest.approx(dot, rel=1e-9, abs=1e-10)
    _, product = autograd.hvp(function, tuple(arrays), tuple(directions))
    _, transposed = autograd.vhp(function, tuple(arrays), tuple(directions))
    for one, two in zip(product, transposed, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-10)
