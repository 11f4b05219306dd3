"""What the rows of several families use."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_table import Bad

CONDITION = np.array([[True, False, True], [False, False, True]])
PLACES = np.array([[0, 2], [1, 1]])  # with a duplicate, whose gradients add up
TARGET = np.array([2, 0, 2])


def tensors(m: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Return tensors of ones of the shapes."""
    return [m.tensor(np.ones(shape)) for shape in shapes]


def broadcast(name: str) -> tuple[Bad, ...]:
    """The wrong call of an operation on two tensors whose shapes do not broadcast."""
    message = r"shapes \(2, 3\) and \(2, 2\)"
    return (Bad(lambda m: getattr(m, name)(*tensors(m, (2, 3), (2, 2))), ShapeError, message),)


def lse(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    """The textbook formula of logsumexp, fine for small inputs."""
    return np.log(np.exp(x).sum(axis=axis, keepdims=keepdims))


def with_zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """About two of five elements are 0."""
    return np.where(rng.random(shape) < 0.4, 0.0, rng.normal(size=shape))


def with_nans(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """About a quarter of the elements are nan."""
    return np.where(rng.random(shape) < 0.25, np.nan, rng.normal(size=shape))


def seeded(call: Any) -> Any:
    """Return ``call`` always drawing the same random numbers from NumPy's global generator."""

    def again(*args: Any) -> Any:
        np.random.seed(5)
        return call(*args)

    return again
