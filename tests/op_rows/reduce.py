"""Rows of mytorch/ops/reduce.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError
from tests.op_rows.common import lse, with_nans, with_zeros
from tests.op_table import UNARY, Bad, Kink, OpCase, nonzero, with_axis

CUBES = (((2, 3, 4),), ((2, 0, 4),), ((1, 3, 1),))

ROWS = [
    OpCase("sum", lambda m, a: m.sum(a), np.sum,
           bad=(Bad(lambda m: m.sum(m.zeros(3), 1), IndexError, r"\[-1, 0\], got 1"),)),
    OpCase("sum dim", lambda m, a: m.sum(a, -1), lambda x: x.sum(-1), with_axis()),
    OpCase("sum axes", lambda m, a: m.sum(a, (0, 2), keepdim=True),
           lambda x: x.sum((0, 2), keepdims=True), CUBES),
    OpCase("sum of no axes", lambda m, a: m.sum(a, ()), lambda x: x.sum()),
    OpCase("sum of long rows", lambda m, a: m.sum(a, -1), lambda x: x.sum(-1), (((3, 1001),),)),
    OpCase("sum of long columns", lambda m, a: m.sum(a, 0), lambda x: x.sum(0), (((1001, 3),),)),
    OpCase("mean", lambda m, a: m.mean(a), np.mean, UNARY[:-1],
           bad=(Bad(lambda m: m.mean(m.tensor([1, 2])), DtypeError, "mean: expects a floating"),)),
    OpCase("mean dim", lambda m, a: m.mean(a, dim=0, keepdim=True),
           lambda x: x.mean(0, keepdims=True), with_axis(UNARY[:-1])),
    OpCase("mean of long rows", lambda m, a: m.mean(a, (1, 2)), lambda x: x.mean((1, 2)),
           (((3, 7, 401),),)),
    OpCase("prod", lambda m, a: m.prod(a), np.prod, domain=(nonzero,),
           kinks=(
               Kink(([0.0, 2, 3],), ([6, 0, 0],)),
               Kink(([0.0, 0, 3],), ([0, 0, 0],)),
               Kink(([0.0],), ([1],)),
           ),
           bad=(Bad(lambda m: m.prod(m.zeros(3), 1), IndexError, "got 1"),)),
    OpCase("prod dim", lambda m, a: m.prod(a, -1, True), lambda x: x.prod(-1, keepdims=True),
           with_axis(), (nonzero,),
           kinks=(Kink(([[0.0, 2, 3], [1, 2, 3]],), ([[6, 0, 0], [12, 6, 4]],), [[1.0], [2.0]]),)),
    OpCase("prod with zeros", lambda m, a: m.prod(a), np.prod, domain=(with_zeros,)),
    OpCase("prod dim with zeros", lambda m, a: m.prod(a, 1), lambda x: x.prod(1),
           (((2, 3),), ((4, 3, 2),), ((2, 5),)), (with_zeros,)),
    OpCase("prod axes with zeros", lambda m, a: m.prod(a, (0, 2)), lambda x: x.prod((0, 2)),
           (((2, 3, 2),), ((2, 0, 4),)), (with_zeros,), torch=lambda t, a: a.prod(2).prod(0)),
    OpCase("nansum", lambda m, a: m.nansum(a), np.nansum,
           kinks=(Kink(([1.0, np.nan, 2.0],), ([3, 0, 3],), 3.0),)),
    OpCase("nansum dim", lambda m, a: m.nansum(a, (0, -1), True),
           lambda x: np.nansum(x, (0, -1), keepdims=True), CUBES, (with_nans,)),
    OpCase("nanmean", lambda m, a: m.nanmean(a), np.nanmean, UNARY[:-1],
           kinks=(Kink(([1.0, np.nan, 3.0],), ([2, 0, 2],), 4.0),),
           bad=(Bad(lambda m: m.nanmean(m.tensor([1, 2])), DtypeError, "expects a floating"),)),
    OpCase("nanmean dim", lambda m, a: m.nanmean(a, 1, True),
           lambda x: np.nansum(x, 1, keepdims=True) / (~np.isnan(x)).sum(1, keepdims=True),
           (((2, 5),), ((2, 9, 3),)), (with_nans,)),
    OpCase("logsumexp", lambda m, a: m.logsumexp(a, -1), lambda x: lse(x, -1), with_axis(),
           kinks=(
               Kink(([1e4, -1e4],), ([1, 0],)),
               Kink(([-np.inf, 0.0],), ([0, 1],)),
           )),
    OpCase("logsumexp all", lambda m, a: m.logsumexp(a, tuple(range(a.ndim)), keepdim=True),
           lambda x: lse(x, keepdims=True), UNARY[:-1]),
    OpCase("logsumexp of narrow rows", lambda m, a: m.logsumexp(a, -1), lambda x: lse(x, -1),
           (((700, 2),),)),
    OpCase("all", lambda m, a: m.all(a), np.all, smooth=False),
    OpCase("all dim", lambda m, a: m.all(a, -1, True), lambda x: x.all(-1, keepdims=True),
           with_axis(), (with_zeros,), smooth=False),
    OpCase("any", lambda m, a: m.any(a), np.any, smooth=False),
    OpCase("any dims", lambda m, a: m.any(a, (0, 2)), lambda x: x.any((0, 2)), CUBES, (with_zeros,),
           smooth=False,
           bad=(Bad(lambda m: m.any(m.zeros(3), 1), IndexError, "got 1"),)),
    OpCase("any of no axes", lambda m, a: m.any(a, ()), lambda x: x != 0, domain=(with_zeros,),
           smooth=False),
    OpCase("count_nonzero", lambda m, a: m.count_nonzero(a), np.count_nonzero,
           domain=(with_zeros,), smooth=False),
    OpCase("count_nonzero dim", lambda m, a: m.count_nonzero(a, dim=(0, 1)),
           lambda x: np.count_nonzero(x, (0, 1)), (((2, 3),), ((4, 3, 2),), ((0, 3, 2),)),
           (with_zeros,), smooth=False),
]  # fmt: skip
