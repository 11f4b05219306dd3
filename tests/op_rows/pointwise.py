"""Rows of mytorch/ops/pointwise.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.pointwise import Masked
from tests.op_rows.common import CONDITION, broadcast, tensors
from tests.op_table import BINARY, Bad, Kink, OpCase, nonzero, positive, real

ROWS = [
    OpCase("neg", lambda m, a: m.neg(a), np.negative),
    OpCase("pow", lambda m, a, b: m.pow(a, b), np.power, BINARY, (positive, real), promotes=True,
           bad=broadcast("pow"),
           kinks=(
               Kink((0.0, 2.0), (0, 0)),
               Kink((0.0, 0.0), (0, 0)),
               Kink(([2.0, -2.0], 2.0), ([4, -4], np.nan), [1.0, 1.0]),
           )),
    OpCase("pow 2", lambda m, a: a**2, np.square, kinks=(Kink((0.0,), (0,)), Kink((-3.0,), (-6,)))),
    OpCase("pow 0", lambda m, a: a**0, np.ones_like, kinks=(Kink((0.0,), (0,)),)),
    OpCase("pow 1", lambda m, a: a**1, np.copy, kinks=(Kink((0.0,), (1,)),)),
    OpCase("pow of 2", lambda m, a: 2**a, np.exp2,
           bad=(Bad(lambda m: m.tensor([2]) ** -1, ShapeError, "negative integer powers"),)),
    OpCase("where", lambda m, a, b: m.where(m.tensor(CONDITION), a, b),
           lambda x, y: np.where(CONDITION, x, y), (((2, 3), (2, 3)), ((), (2, 3)), ((3,), (2, 1))),
           promotes=True),
    OpCase("where number", lambda m, a: m.where(m.tensor(CONDITION), a, 2.0),
           lambda x: np.where(CONDITION, x, 2.0), (((2, 3),), ((3,),))),
    OpCase("clone", lambda m, a: m.clone(a), np.copy),
    OpCase("masked", lambda m, a: Masked.apply(a, CONDITION), lambda x: np.where(CONDITION, x, 0),
           (((2, 3),), ((3,),), ((2, 1),), ((),)),
           torch=lambda t, a: t.where(t.tensor(CONDITION), a, t.zeros_like(a))),
    OpCase("abs", lambda m, a: m.abs(a), np.abs, domain=(nonzero,),
           kinks=(Kink(([-2.0, -0.0, 0.0, np.nan],), ([-3, 0, 0, 0],), [3.0] * 4),)),
    OpCase("maximum", lambda m, a, b: m.maximum(a, b), np.maximum, BINARY, promotes=True,
           bad=broadcast("maximum"),
           kinks=(
               Kink(([2.0, 1, 0], [2.0, 0, 1]), ([2, 4, 0], [2, 0, 4]), [4.0] * 3),
               Kink(([np.nan, 1, np.nan], [1, np.nan, np.nan]), (3, 3), [3.0] * 3),
               Kink(([2.0, 0.0], 2.0), ([2, 0], 6), [4.0, 4.0]),
           )),
    OpCase("minimum", lambda m, a, b: m.minimum(a, b), np.minimum, BINARY, promotes=True,
           bad=broadcast("minimum"),
           kinks=(
               Kink(([2.0, 1, 0], [2.0, 0, 1]), ([2, 0, 4], [2, 4, 0]), [4.0] * 3),
               Kink(([np.nan, 1, np.nan], [1, np.nan, np.nan]), (3, 3), [3.0] * 3),
           )),
    OpCase("clamp", lambda m, a: m.clamp(a, -0.5, 0.5), lambda x: x.clip(-0.5, 0.5),
           kinks=(Kink(([-1.0, -0.5, 0.5, 2, np.nan],), ([0, 3, 3, 0, 0],), [3.0] * 5),),
           bad=(Bad(lambda m: m.clamp(m.zeros(3)), ShapeError, "expects min or max"),)),
    OpCase("clamp min", lambda m, a: m.clamp(a, 0), lambda x: x.clip(0),
           kinks=(Kink(([0.0, np.nan],), ([1, 0],), [1.0, 1.0]),),
           bad=(Bad(lambda m: m.clamp(m.zeros(3), [0]), TypeError, "not list"),)),
    OpCase("clamp max", lambda m, a, b: m.clamp(a, max=b), np.minimum,
           (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3))),
           bad=(Bad(lambda m: m.clamp(*tensors(m, (2, 3), (2, 2))), RuntimeError,
                    r"\(2, 3\) and \(2, 2\)"),)),
    OpCase("clamp tensors", lambda m, a, low, high: m.clamp(a, low, high), np.clip,
           (((2, 3), (2, 3), (2, 3)), ((2, 3), (3,), ()), ((0, 3), (1, 3), ())),
           (real, real, positive),
           kinks=(
               Kink(([-1.0, 1, -2, 0, 5], [-1.0, -1, -1, 1, 3], [1.0, 1, -1, -1, 3]),
                    ([1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 1]), [1.0] * 5),
               Kink((0.0, np.nan, 1.0), (0, 0, 0)),
           )),
    OpCase("clamp_min", lambda m, a: m.clamp_min(a, 0.1), lambda x: np.maximum(x, 0.1)),
    OpCase("clamp_max", lambda m, a: m.clamp_max(a, 0.1), lambda x: np.minimum(x, 0.1)),
    OpCase("cast", lambda m, a: a.double() * 1.0, lambda x: x.astype(np.float64)),
]  # fmt: skip
