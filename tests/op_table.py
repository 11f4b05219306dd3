"""What a row of the table of operations is made of: shapes, domains of the inputs, ``OpCase``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Shapes = tuple[tuple[int, ...], ...]  # one shape for each operand

UNARY: tuple[Shapes, ...] = tuple((s,) for s in [(), (3,), (2, 3), (1, 3), (2, 1), (0, 3)])
BINARY: tuple[Shapes, ...] = (
    ((), ()),
    ((3,), (3,)),
    ((2, 3), (2, 3)),
    ((2, 3), (1, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 3)),
    ((2, 3), (3,)),
    ((4, 1, 3), (2, 1)),
    ((0, 3), (1, 3)),
    ((0, 3), ()),
)


def real(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Any real number."""
    return rng.normal(size=shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Positive, away from 0."""
    return rng.uniform(0.5, 2.0, shape)


def nonzero(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Away from 0 on either side."""
    return positive(rng, shape) * rng.choice([-1.0, 1.0], shape)


def unit(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Between -1 and 1, away from both."""
    return rng.uniform(-0.9, 0.9, shape)


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """No two elements closer than 0.5, so that the largest stays the largest."""
    return rng.permutation(int(np.prod(shape))).reshape(shape) * 0.5 - 1.0


@dataclass(frozen=True)
class Kink:
    """At ``inputs``, with ``cotangent``, the gradients are exactly ``gradients`` (torch's)."""

    inputs: tuple[Any, ...]
    gradients: tuple[Any, ...]
    cotangent: Any = 1.0


@dataclass(frozen=True)
class OpCase:
    """One row; see the module."""

    name: str
    op: type
    call: Callable[..., Any]
    reference: Callable[..., Any]
    torch: Callable[..., Any] | None  # called as torch(torch_module, *tensors)
    shapes: tuple[Shapes, ...] = UNARY
    domain: tuple[Draw, ...] = (real,)
    kinks: tuple[Kink, ...] = ()
    errors: tuple[tuple[tuple[Any, ...], type[Exception], str], ...] = ()
    dtypes: tuple[Any, ...] = field(default=(np.float32, np.float64))

    def draw(self, rng: np.random.Generator, shapes: Shapes) -> list[np.ndarray]:
        """Return one array for each shape, from the row's domain."""
        domains = self.domain if len(self.domain) == len(shapes) else self.domain * len(shapes)
        return [domain(rng, shape) for domain, shape in zip(domains, shapes, strict=True)]


def with_axis(shapes: tuple[Shapes, ...] = UNARY) -> tuple[Shapes, ...]:
    """The shapes that have at least one axis."""
    return tuple(s for s in shapes if s[0])


MATRICES: tuple[Shapes, ...] = (
    ((2, 3), (3, 4)),
    ((3,), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
)
