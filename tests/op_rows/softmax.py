"""Rows of mytorch/ops/softmax.py, and of the homework's losses."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import TARGET, lse, tensors
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
    OpCase("nll_loss", lambda m, a: m.nn.functional.nll_loss(a, m.tensor(TARGET)),
           lambda x: -x[np.arange(3), TARGET].mean(), (((3, 4),), ((3, 3),))),
    OpCase("cross_entropy", lambda m, a: m.nn.functional.cross_entropy(a, m.tensor(TARGET)),
           lambda x: (lse(x, 1) - x[np.arange(3), TARGET]).mean(), (((3, 4),), ((3, 3),))),
    OpCase("mse_loss", lambda m, a, b: m.nn.functional.mse_loss(a, b),
           lambda x, y: np.mean((x - y) ** 2), (((3,), (3,)), ((2, 3), (2, 3))),
           bad=(Bad(lambda m: m.nn.functional.mse_loss(*tensors(m, (3, 1), (3,))), ShapeError,
                    "unsqueeze", torch=False),)),
]  # fmt: skip
