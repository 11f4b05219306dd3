"""Rows of mytorch/ops/rounding.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DivisionError, DtypeError, ShapeError
from tests.op_rows.common import broadcast
from tests.op_table import BINARY, Bad, Kink, OpCase, between, positive

HALVES = [-2.5, -1.5, -0.5, -0.0, 0.5, 1.0, 2.5, np.nan, np.inf]
FLAT = Kink((HALVES,), ([0] * 9,), [3.0] * 8 + [np.nan])


def booleans(name: str) -> Bad:
    """The wrong call of a rounding with booleans."""
    return Bad(lambda m: getattr(m, name)(m.tensor([True])), DtypeError, f"{name}: not for bool")


def by_zero(name: str) -> tuple[Bad, ...]:
    """The wrong calls of a whole division."""
    return (
        *broadcast(name),
        Bad(lambda m: getattr(m, name)(m.tensor([1, 2]), m.tensor([1, 0])), DivisionError,
            f"{name}: integers divided by zero"),
        Bad(lambda m: getattr(m, name)(m.tensor([True]), m.tensor([True])), DtypeError,
            f"{name}: not for booleans"),
    )  # fmt: skip


ROWS = [
    OpCase("floor", lambda m, a: m.floor(a), np.floor, domain=(between,), kinks=(FLAT,),
           bad=(booleans("floor"),)),
    OpCase("ceil", lambda m, a: m.ceil(a), np.ceil, domain=(between,), kinks=(FLAT,),
           bad=(booleans("ceil"),)),
    OpCase("trunc", lambda m, a: m.trunc(a), np.trunc, domain=(between,), kinks=(FLAT,),
           bad=(booleans("trunc"),)),
    OpCase("round", lambda m, a: m.round(a), np.round, domain=(between,), kinks=(FLAT,),
           bad=(
               booleans("round"),
               Bad(lambda m: m.round(m.tensor([15]), decimals=-1), DtypeError, "not for int64"),
           )),
    OpCase("round decimals", lambda m, a: m.round(a, decimals=1), lambda x: np.round(x, 1),
           domain=(lambda rng, shape: between(rng, shape) / 5,), kinks=(FLAT,)),
    OpCase("round tens", lambda m, a: m.round(a * 30, decimals=-1), lambda x: np.round(x * 30, -1),
           domain=(lambda rng, shape: between(rng, shape) / 3,), kinks=(FLAT,),
           differs={"float16": "torch computes 30 x in float16 before it rounds: a tie may fall"}),
    OpCase("frac", lambda m, a: m.frac(a), lambda x: np.fmod(x, 1), domain=(between,),
           kinks=(Kink(([-1.5, 0.0, 2.0, np.inf, np.nan],), ([3] * 5,), [3.0] * 5),),
           bad=(Bad(lambda m: m.frac(m.tensor([1])), DtypeError, "int64 has no fraction"),)),
    OpCase("div floor", lambda m, a, b: m.div(a, b, rounding_mode="floor"), np.floor_divide, BINARY,
           (between, positive), promotes=True,
           kinks=(Kink(([4.0, 1.0], [2.0, 0.0]), ([0, 0], [0, 0]), [3.0, np.inf]),),
           bad=(Bad(lambda m: m.div(m.ones(2), 2, rounding_mode="up"), ShapeError, "not 'up'"),)),
    OpCase("div trunc", lambda m, a, b: m.div(a, b, rounding_mode="trunc"),
           lambda x, y: np.trunc(x / y), BINARY, (between, positive), promotes=True,
           kinks=(Kink(([4.0, 1.0], [2.0, 0.0]), ([0, 0], [0, 0]), [3.0, np.inf]),),
           bad=(
               Bad(lambda m: m.div(m.tensor([1]), 0, rounding_mode="trunc"), DivisionError,
                   "div: integers divided by zero"),
           )),
    OpCase("floor_divide", lambda m, a, b: m.floor_divide(a, b), np.floor_divide, BINARY,
           (between, positive), promotes=True, bad=by_zero("floor_divide"),
           torch=lambda t, a, b: t.div(a, b, rounding_mode="floor")),  # it has no gradient
    OpCase("floor_divide operator", lambda m, a, b: a.detach() // b.detach(),
           lambda x, y: x // y, BINARY, (between, positive), promotes=True, smooth=False),
    OpCase("remainder", lambda m, a, b: m.remainder(a, b), np.remainder, BINARY,
           (between, positive), promotes=True, bad=by_zero("remainder"),
           kinks=(
               Kink(([7.5, -7.5, 7.5, -7.5, 4.0, 1.0, 1.0], [2.0, 2, -2, -2, 2, 0, np.inf]),
                    ([1] * 7, [-3, 4, 4, -3, -2, -np.inf, 0]), [1.0] * 7),
           )),
    OpCase("remainder operator", lambda m, a: a % 1.5, lambda x: x % 1.5, domain=(between,)),
    OpCase("remainder reflected", lambda m, a: 1.5 % a, lambda x: 1.5 % x, domain=(positive,),
           torch=lambda t, a: t.remainder(t.tensor(1.5), a)),  # of a number it has no gradient
    OpCase("fmod", lambda m, a, b: m.fmod(a, b), np.fmod, BINARY, (between, positive),
           promotes=True, bad=by_zero("fmod"),
           kinks=(
               Kink(([7.5, -7.5, 7.5, -7.5, 4.0, 1.0, 1.0], [2.0, 2, -2, -2, 2, 0, np.inf]),
                    ([1] * 7, [-3, 3, 3, -3, -2, -np.inf, 0]), [1.0] * 7),
           )),
]  # fmt: skip
