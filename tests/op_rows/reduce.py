"""Rows of mytorch/ops/reduce.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError, EmptyError
from tests.op_rows.common import lse
from tests.op_table import UNARY, Bad, Kink, OpCase, distinct, with_axis

ROWS = [
    OpCase("sum", lambda m, a: m.sum(a), np.sum,
           bad=(Bad(lambda m: m.sum(m.zeros(3), 1), IndexError, r"\[-1, 0\], got 1"),)),
    OpCase("sum dim", lambda m, a: m.sum(a, -1), lambda x: x.sum(-1), with_axis()),
    OpCase("sum axes", lambda m, a: m.sum(a, (0, 2), keepdim=True),
           lambda x: x.sum((0, 2), keepdims=True), (((2, 3, 4),), ((2, 0, 4),), ((1, 3, 1),))),
    OpCase("mean", lambda m, a: m.mean(a), np.mean, UNARY[:-1],
           bad=(Bad(lambda m: m.mean(m.tensor([1, 2])), DtypeError, "mean: expects a floating"),)),
    OpCase("mean dim", lambda m, a: m.mean(a, dim=0, keepdim=True),
           lambda x: x.mean(0, keepdims=True), with_axis(UNARY[:-1])),
    OpCase("amax", lambda m, a: m.amax(a), np.max, UNARY[:-1], (distinct,),
           kinks=(Kink(([1.0, 3.0, 3.0, 3.0],), ([0, 1, 1, 1],), 3.0),),
           bad=(Bad(lambda m: m.amax(m.zeros(0, 3)), EmptyError, "nothing to choose from"),)),
    OpCase("amax dim", lambda m, a: m.amax(a, 1, True), lambda x: x.max(1, keepdims=True),
           (((2, 3),), ((4, 3, 2),)), (distinct,),
           kinks=(Kink(([[1.0, 1.0], [2.0, 0.0]],), ([[2, 2], [3, 0]],), [[4.0], [3.0]]),)),
    OpCase("max", lambda m, a: m.max(a), np.max, UNARY[:-1], (distinct,),
           kinks=(
               Kink(([1.0, 3.0, 3.0, 3.0],), ([0, 1, 1, 1],), 3.0),
               Kink(([1.0, np.nan, 2.0],), ([0, 1, 0],)),
           )),
    OpCase("max dim", lambda m, a: tuple(m.max(a, -1)), lambda x: (x.max(-1), x.argmax(-1)),
           (((3,),), ((2, 3),), ((2, 1),)), (distinct,),
           kinks=(Kink(([1.0, 3.0, 3.0],), ([0, 5, 0],), 5.0),)),
    OpCase("max two", lambda m, a, b: m.max(a, b), np.maximum, (((2, 3), (3,)),)),
    OpCase("argmax", lambda m, a: m.argmax(a, 0), lambda x: x.argmax(0), (((3,),), ((2, 3),)),
           (distinct,), smooth=False),
    OpCase("argmax all", lambda m, a: m.argmax(a), np.argmax, UNARY[:-1], (distinct,), smooth=False,
           bad=(Bad(lambda m: m.argmax(m.zeros(0)), EmptyError, "nothing to choose from"),)),
    OpCase("logsumexp", lambda m, a: m.logsumexp(a, -1), lambda x: lse(x, -1), with_axis(),
           kinks=(
               Kink(([1e4, -1e4],), ([1, 0],)),
               Kink(([-np.inf, 0.0],), ([0, 1],)),
           )),
    OpCase("logsumexp all", lambda m, a: m.logsumexp(a, tuple(range(a.ndim)), keepdim=True),
           lambda x: lse(x, keepdims=True), UNARY[:-1]),
]  # fmt: skip
