"""What a row of the table of operations is made of: shapes, domains of the inputs, ``OpCase``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import mytorch

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
Shapes = tuple[tuple[int, ...], ...]  # one shape for each operand

DTYPES = ("bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64")
NONE: tuple[Shapes, ...] = ((),)  # no operand at all: a factory
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


def between(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Away from every multiple of 1/2, where rounding jumps."""
    return rng.integers(-4, 4, shape) / 2 + rng.uniform(0.1, 0.4, shape)


@dataclass(frozen=True)
class Kink:
    """At ``inputs``, with ``cotangent``, the gradients are exactly ``gradients`` (torch's)."""

    inputs: tuple[Any, ...]
    gradients: tuple[Any, ...]
    cotangent: Any = 1.0


@dataclass(frozen=True)
class Bad:
    """A wrong call: ``call(m)``, m being mytorch or torch, raises ``error`` with ``message``.

    ``error`` is also what torch raises, or a subclass; ``torch`` is False where torch allows it.
    """

    call: Callable[[Any], Any]
    error: type[Exception]
    message: str
    torch: bool = True


@dataclass(frozen=True)
class OpCase:
    """One row: how a user calls an operation, and what is right.

    Attributes:
        name: the operation's, and after a space what this row is about.
        call: ``call(m, *tensors)`` where m is mytorch, or torch: one expression serves both. Where
            it calls ``m.name(tensor, …)``, the method and the in-place method are tried too.
        reference: the same on arrays by NumPy; None where NumPy has nothing of the kind.
        shapes: the shapes of the operands, each combination by itself.
        domain: what the operands are drawn from, one for all or one for each.
        kinks: exact gradients where the derivative jumps.
        bad: calls that must fail.
        torch: what to call with torch instead, where it differs; None where torch has no such
            operation.
        smooth: whether gradients flow: to at least one output, for every operand.
        promotes: the operands may have different dtypes, and are promoted as torch does.
        differs: where this differs from torch on purpose, or cannot be compared: the name of a
            dtype, "second" (derivatives) or "nan" (in the gradient), and why.
    """

    name: str
    call: Callable[..., Any]
    reference: Callable[..., Any] | None
    shapes: tuple[Shapes, ...] = UNARY
    domain: tuple[Draw, ...] = (real,)
    kinks: tuple[Kink, ...] = ()
    bad: tuple[Bad, ...] = ()
    torch: Callable[..., Any] | None | bool = True
    smooth: bool = True
    promotes: bool = False
    differs: dict[str, str] = field(default_factory=dict)

    def draw(self, rng: np.random.Generator, shapes: Shapes) -> list[np.ndarray]:
        """Return one array for each shape, from the row's domain."""
        domains = self.domain if len(self.domain) == len(shapes) else self.domain * len(shapes)
        return [domain(rng, shape) for domain, shape in zip(domains, shapes, strict=True)]

    def output(self, *tensors: Any) -> Any:
        """Return what mytorch computes: of several results the floating ones, end to end."""
        result = self.call(mytorch, *tensors)
        if not isinstance(result, (tuple, list)):
            return result
        return mytorch.cat([each.reshape(-1) for each in result if each.dtype.kind == "f"])

    @property
    def torchs(self) -> Callable[..., Any] | None:
        """What to call with torch."""
        if self.torch is True:
            return self.call
        return self.torch or None  # type: ignore[return-value]


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
