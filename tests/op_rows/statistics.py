"""Rows of mytorch/ops/statistics.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_table import Bad, Kink, OpCase, positive, real

SHAPES = (((3,),), ((2, 3),), ((4, 1, 3),))
OFTEN, IMPORTANT = np.array([1, 2, 3]), np.array([1.0, 2.0, 0.5])


def weighted(m: Any, **weights: Any) -> Any:
    """A covariance with these weights."""
    return m.cov(m.tensor(np.ones((2, 3))), **{n: m.tensor(w) for n, w in weights.items()})


def correlation(x: np.ndarray) -> np.ndarray:
    """NumPy's, of one variable too."""
    return np.corrcoef(x)


ROWS = [
    OpCase("var", lambda m, a: m.var(a), lambda x: x.var(ddof=1), SHAPES,
           kinks=(Kink(([2.0, 2.0],), (0,)),),
           bad=(
               Bad(lambda m: m.var(m.tensor([1, 2])), DtypeError, "var: expects a floating"),
               Bad(lambda m: m.var(m.zeros(3), 0, unbiased=True, correction=1), TypeError,
                   "both unbiased and correction"),
           )),
    OpCase("var dim", lambda m, a: m.var(a, -1, correction=0, keepdim=True),
           lambda x: x.var(-1, keepdims=True), (((2, 3),), ((4, 1, 3),), ((2, 1),))),
    OpCase("var dims", lambda m, a: m.var(a, (0, 2)), lambda x: x.var((0, 2), ddof=1),
           (((2, 3, 4),),)),
    OpCase("var of long rows", lambda m, a: m.var(a, -1, correction=2.5),
           lambda x: x.var(-1, ddof=2.5), (((3, 1001),),)),
    OpCase("var biased", lambda m, a: m.var(a, False), lambda x: x.var(), SHAPES),
    OpCase("var old call", lambda m, a: m.var(a, 1, True, True),
           lambda x: x.var(1, ddof=1, keepdims=True), (((2, 3),), ((4, 3, 2),))),
    OpCase("std", lambda m, a: m.std(a), lambda x: x.std(ddof=1), SHAPES,
           kinks=(Kink(([2.0, 2.0],), (0,)),),
           bad=(Bad(lambda m: m.std(m.tensor([1, 2])), DtypeError, "std: expects a floating"),)),
    OpCase("std dim", lambda m, a: m.std(a, dim=-1, unbiased=False, keepdim=True),
           lambda x: x.std(-1, keepdims=True), SHAPES[1:],
           kinks=(Kink(([[2.0, 2.0], [1.0, 3.0]],), ([[0, 0], [-1.5, 1.5]],), [[7.0], [3.0]]),)),
    OpCase("std dims", lambda m, a: m.std(a, (0, 2)), lambda x: x.std((0, 2), ddof=1),
           (((2, 3, 4),),)),
    OpCase("var_mean", lambda m, a: tuple(m.var_mean(a, 1)),
           lambda x: (x.var(1, ddof=1), x.mean(1)), (((2, 3),), ((4, 3, 2),)),
           bad=(Bad(lambda m: m.var_mean(m.tensor([1])), DtypeError, "expects a floating"),)),
    OpCase("std_mean", lambda m, a: tuple(m.std_mean(a, correction=0)),
           lambda x: (x.std(), x.mean()), SHAPES,
           bad=(Bad(lambda m: m.std_mean(m.tensor([1])), DtypeError, "expects a floating"),)),
    OpCase("cov", lambda m, a: m.cov(a), np.cov, (((2, 3),), ((3,),), ((1, 4),), ((4, 2),)),
           bad=(
               Bad(lambda m: m.cov(m.zeros(2, 2, 2)), ShapeError, "at most two axes"),
               Bad(lambda m: m.cov(m.tensor([True])), DtypeError, "not for booleans"),
               Bad(lambda m: weighted(m, fweights=[1.0, 2.0, 3.0]), DtypeError, "be integers"),
               Bad(lambda m: weighted(m, aweights=[1, 2, 3]), DtypeError, "be floats"),
               Bad(lambda m: weighted(m, fweights=[1, 2]), ShapeError, "each of the 3 observ"),
               Bad(lambda m: weighted(m, fweights=[1, -2, 3]), ShapeError, "not be negative"),
               Bad(lambda m: weighted(m, aweights=[0.0] * 3), ShapeError, "sum to zero"),
           )),
    OpCase("cov of the whole", lambda m, a: m.cov(a, correction=0), lambda x: np.cov(x, ddof=0),
           (((2, 3),),)),
    OpCase("cov weighted", lambda m, a, w: m.cov(a, fweights=m.tensor(OFTEN), aweights=w),
           lambda x, w: np.cov(x, fweights=OFTEN, aweights=w), (((2, 3), (3,)),), (real, positive),
           differs={"float16": "torch's products of halves by integers are float32"}),
    OpCase("cov counted", lambda m, a: m.cov(a, fweights=m.tensor(OFTEN)),
           lambda x: np.cov(x, fweights=OFTEN), (((2, 3),), ((3,),))),
    OpCase("corrcoef", lambda m, a: m.corrcoef(a), correlation, (((2, 3),), ((3, 5),)),
           bad=(Bad(lambda m: m.corrcoef(m.zeros(2, 2, 2)), ShapeError, "at most two axes"),)),
]  # fmt: skip
