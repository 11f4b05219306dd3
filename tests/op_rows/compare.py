"""Rows of mytorch/ops/compare.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import broadcast
from tests.op_table import BINARY, Bad, Draw, OpCase

SPECIAL = np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan])
SOME = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((0, 3), ()))


def few(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Few different numbers, so that many are equal."""
    return rng.integers(-1, 2, shape) / 2


def special(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros of both signs, infinities, nan."""
    return rng.choice(SPECIAL, shape)


def one(name: str, reference: Any) -> OpCase:
    """The row of a question about each element."""
    return OpCase(name, lambda m, a: getattr(m, name)(a), reference, domain=(special,),
                  smooth=False)  # fmt: skip


def two(name: str, reference: Any, domain: Draw = few) -> OpCase:
    """The row of a question about each two elements."""
    return OpCase(name, lambda m, a, b: getattr(m, name)(a, b), reference, BINARY, (domain,),
                  smooth=False, promotes=True, bad=broadcast(name))  # fmt: skip


ROWS = [
    two("eq", np.equal),
    two("ne", np.not_equal),
    two("lt", np.less),
    two("le", np.less_equal),
    two("gt", np.greater),
    two("ge", np.greater_equal),
    OpCase("eq operator", lambda m, a, b: a == b, np.equal, BINARY, (special,), smooth=False,
           promotes=True),
    OpCase("lt operator", lambda m, a, b: a < b, np.less, BINARY, (special,), smooth=False,
           promotes=True),
    OpCase("gt number", lambda m, a: m.gt(a, 0.1), lambda x: x > 0.1, smooth=False),
    OpCase("le reflected", lambda m, a: a <= 0.1, lambda x: x <= 0.1, smooth=False),
    one("isnan", np.isnan),
    one("isinf", np.isinf),
    one("isfinite", np.isfinite),
    one("isposinf", np.isposinf),
    one("isneginf", np.isneginf),
    one("isreal", np.isreal),
    one("signbit", np.signbit),
    one("logical_not", np.logical_not),
    two("logical_and", np.logical_and, special),
    two("logical_or", np.logical_or, special),
    two("logical_xor", np.logical_xor, special),
    OpCase("isclose", lambda m, a, b: m.isclose(a, b, rtol=0.1, atol=0.5),
           lambda x, y: np.isclose(x, y, 0.1, 0.5), BINARY, smooth=False, promotes=True,
           bad=(
               *broadcast("isclose"),
               Bad(lambda m: m.isclose(m.ones(2), m.ones(2), rtol=-1), ShapeError, "at least 0"),
               Bad(lambda m: m.isclose(m.tensor([1.0]), m.tensor([1])), DtypeError, "differ"),
           )),
    OpCase("isclose nan", lambda m, a, b: m.isclose(a, b, equal_nan=True),
           lambda x, y: np.isclose(x, y, equal_nan=True), SOME, (special,), smooth=False),
    OpCase("allclose", lambda m, a, b: m.tensor(m.allclose(a, b, 0.5, 1.0)),
           lambda x, y: np.asarray(np.allclose(x, y, 0.5, 1.0)), BINARY, smooth=False),
    OpCase("equal", lambda m, a, b: m.tensor([m.equal(a, b), m.equal(a, a), m.equal(b, b * 1)]),
           lambda x, y: np.array([np.array_equal(x, y), True, True]), BINARY, (few,), smooth=False,
           bad=(Bad(lambda m: m.equal(m.ones(1), 1.0), TypeError, "expects a Tensor"),)),
]  # fmt: skip
