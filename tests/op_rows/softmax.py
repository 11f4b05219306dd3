"""Rows of mytorch/ops/softmax.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ArgumentError, DtypeError
from tests.op_rows.common import lse
from tests.op_table import Bad, Kink, OpCase, with_axis

ROWS = [
    OpCase("softmax", lambda m, a: m.softmax(a, -1), lambda x: np.exp(x - lse(x, -1, True)),
           with_axis(), kinks=(Kink(([1e4, 1e4],), ([0.25, -0.25],), [1.0, 0.0]),),
           bad=(
               Bad(lambda m: m.softmax(m.zeros(3), 1), IndexError, "got 1"),
               Bad(lambda m: m.softmax(m.zeros(3), (0,)), TypeError, "softmax: dim must be one"),
               Bad(lambda m: m.softmax(m.tensor([1]), 0), DtypeError, "expects a floating"),
           )),
    OpCase("softmax of a number", lambda m, a: m.softmax(a, 0), np.ones_like, (((),),)),
    OpCase("softmax of narrow rows", lambda m, a: m.softmax(a, -1),
           lambda x: np.exp(x - lse(x, -1, True)), (((600, 2),),)),
    OpCase("softmax dim 0", lambda m, a: m.softmax(a, 0), lambda x: np.exp(x - lse(x, 0, True)),
           (((2, 3),), ((4, 3, 2),))),
    OpCase("log_softmax", lambda m, a: m.log_softmax(a, -1), lambda x: x - lse(x, -1, True),
           with_axis(), kinks=(Kink(([-np.inf, 0.0],), ([1, -1],), [1.0, 0.0]),),
           bad=(
               Bad(lambda m: m.log_softmax(m.zeros(3), 1), IndexError, "got 1"),
               Bad(lambda m: m.log_softmax(m.tensor([1]), 0), DtypeError, "expects a floating"),
           )),
    OpCase("log_softmax dim 0", lambda m, a: m.log_softmax(a, 0), lambda x: x - lse(x, 0, True),
           (((2, 3),), ((4, 3, 2),), ((1, 3),))),
    OpCase("softmax temperature", lambda m, a: m.softmax(a, -1, temperature=0.5),
           lambda x: np.exp(2 * x - lse(2 * x, -1, True)), with_axis(),
           torch=lambda t, a: t.softmax(a / 0.5, -1),
           bad=(Bad(lambda m: m.softmax(m.zeros(3), -1, temperature=0.0), ArgumentError,
                    "must be positive, got 0.0", torch=False),)),
    OpCase("log_softmax temperature", lambda m, a: m.log_softmax(a, 0, temperature=2.0),
           lambda x: x / 2 - lse(x / 2, 0, True), (((3,),), ((2, 3),)),
           torch=lambda t, a: t.log_softmax(a / 2.0, 0)),
]  # fmt: skip
