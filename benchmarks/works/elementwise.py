"""Functions of a million elements, forward and backward, float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.work import Step, Work

SIZE = (1000, 1000)


def _arrays(count: int, shape: tuple[int, ...]) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the inputs, and a gradient of ``shape`` to start from."""
    rng = np.random.default_rng(2)
    inputs = [rng.normal(size=SIZE).astype(np.float32) for _ in range(count)]
    return inputs, np.asarray(rng.normal(size=shape), np.float32)


def _recorded(system: str, forward: Any, count: int, shape: Any) -> Callable[[], Step]:
    """Return a maker of the step in a system that records, mytorch or torch."""

    def make() -> Step:
        if system == "torch":
            import torch as library
        else:
            import mytorch as library
        inputs, cotangent = _arrays(count, shape)
        xs, seed = [library.tensor(x) for x in inputs], library.tensor(cotangent)
        for x in xs:
            x.requires_grad_()

        def step() -> float:
            for x in xs:
                x.grad = None
            y = forward(library, *xs)
            y.backward(seed)
            return float(y.data.reshape(-1)[-1]) + float(xs[0].grad.data[-1, -1])  # unrecorded

        return step

    return make


def _jax(forward: Any, count: int, shape: Any) -> Callable[[], Step]:
    def make() -> Step:
        import jax
        import jax.numpy as jnp

        inputs, cotangent = _arrays(count, shape)
        xs, seed = [jnp.array(x) for x in inputs], jnp.array(cotangent)

        @jax.jit
        def both(seed: Any, *xs: Any) -> Any:
            y, pullback = jax.vjp(lambda *xs: forward(jnp, *xs), *xs)
            return y, pullback(seed)

        def step() -> float:
            y, grads = both(seed, *xs)
            grads[0].block_until_ready()
            return float(y.reshape(-1)[-1]) + float(grads[0][-1, -1])

        return step

    return make


def _autograd(forward: Any, count: int, shape: Any) -> Callable[[], Step]:
    def make() -> Step:
        import autograd.numpy as anp
        from autograd import make_vjp

        inputs, cotangent = _arrays(count, shape)

        def step() -> float:
            numbers = tuple(range(count)) if count > 1 else 0
            pullback, y = make_vjp(lambda *xs: forward(anp, *xs), numbers)(*inputs)
            grads = pullback(cotangent)
            first = grads[0] if count > 1 else grads
            return float(np.reshape(y, -1)[-1]) + float(first[-1, -1])

        return step

    return make


def _by_hand(forward: Any, count: int, shape: Any) -> Callable[[], Step]:
    """``forward(seed, *xs)`` returns the value and the gradients, in plain NumPy."""

    def make() -> Step:
        inputs, cotangent = _arrays(count, shape)

        def step() -> float:
            y, *grads = forward(cotangent, *inputs)
            return float(np.reshape(y, -1)[-1]) + float(grads[0][-1, -1])

        return step

    return make


def _softmax_by_hand(seed: Any, x: Any) -> Any:
    y = np.exp(x - x.max(axis=1, keepdims=True))
    y /= y.sum(axis=1, keepdims=True)
    grad = seed * y
    grad -= y * grad.sum(axis=1, keepdims=True)
    return y, grad


def _tanh_by_hand(seed: Any, x: Any) -> Any:
    y = np.tanh(x)
    grad = y * y
    np.subtract(1, grad, out=grad)
    grad *= seed
    return y, grad


def _exp_by_hand(seed: Any, x: Any) -> Any:
    y = np.exp(x)
    return y, seed * y


def _fma_by_hand(seed: Any, x: Any, y: Any, z: Any) -> Any:
    result = x * y
    result += z
    return result, seed * y, seed * x, seed.copy()


def _sum_by_hand(seed: Any, x: Any) -> Any:
    return x.sum(), np.full(x.shape, seed)


def _row_sum_by_hand(seed: Any, x: Any) -> Any:
    return x.sum(axis=1), np.broadcast_to(seed[:, None], x.shape).copy()


def _softmax_in_numpy(np: Any, x: Any) -> Any:
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def _work(
    name: str,
    title: str,
    goals: dict[str, float],
    library: Any,
    numpy_like: Any,
    by_hand: Any,
    count: int = 1,
    shape: Any = SIZE,
) -> Work:
    return Work(
        name,
        f"{title} of 1e6 elements, forward and backward",
        {
            "mytorch": _recorded("mytorch", library, count, shape),
            "torch": _recorded("torch", library, count, shape),
            "jax": _jax(numpy_like, count, shape),
            "autograd": _autograd(numpy_like, count, shape),
            "numpy": _by_hand(by_hand, count, shape),
        },
        goals=goals,
        tolerance=1e-3,
    )


WORKS = [
    _work("softmax", "softmax", {"torch": 2.0, "numpy": 0.5}, lambda m, x: m.softmax(x, 1),
          _softmax_in_numpy, _softmax_by_hand),
    _work("tanh", "tanh", {"torch": 0.3, "numpy": 1.05}, lambda m, x: m.tanh(x),
          lambda np, x: np.tanh(x), _tanh_by_hand),
    _work("exp", "exp", {"torch": 2.0, "numpy": 1.05}, lambda m, x: m.exp(x),
          lambda np, x: np.exp(x), _exp_by_hand),
    _work("multiply-add", "x * y + z", {"torch": 2.0, "numpy": 1.05},
          lambda m, x, y, z: x * y + z, lambda np, x, y, z: x * y + z, _fma_by_hand, 3),
    _work("sum", "sum", {"torch": 2.0, "numpy": 1.05}, lambda m, x: m.sum(x),
          lambda np, x: np.sum(x), _sum_by_hand, shape=()),
    _work("row-sum", "row sums", {"torch": 2.0, "numpy": 0.5}, lambda m, x: m.sum(x, 1),
          lambda np, x: np.sum(x, axis=1), _row_sum_by_hand, shape=SIZE[:1]),
]  # fmt: skip
