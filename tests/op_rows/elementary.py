"""Rows of mytorch/ops/elementary.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError
from tests.op_rows.common import broadcast
from tests.op_table import BINARY, Bad, Kink, OpCase, nonzero, positive, unit

ROWS = [
    OpCase("exp", lambda m, a: m.exp(a), np.exp,
           bad=(Bad(lambda m: m.exp([1.0]), TypeError, "exp: expects a Tensor as `input`"),)),
    OpCase("exp2", lambda m, a: m.exp2(a), np.exp2),
    OpCase("expm1", lambda m, a: m.expm1(a), np.expm1,
           kinks=(Kink(([1e-20, 1e4],), ([1, np.inf],), [1.0, 1.0]),)),
    OpCase("log1p", lambda m, a: m.log1p(a), np.log1p, domain=(positive,),
           kinks=(Kink(([-1.0, 1e-20],), ([np.inf, 1],), [1.0, 1.0]),)),
    OpCase("log2", lambda m, a: m.log2(a), np.log2, domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("log10", lambda m, a: m.log10(a), np.log10, domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("logaddexp", lambda m, a, b: m.logaddexp(a, b), np.logaddexp, BINARY,
           bad=(
               *broadcast("logaddexp"),
               Bad(lambda m: m.logaddexp(m.tensor([1]), m.tensor([1])), DtypeError, "got int64"),
           ),
           promotes=True,
           kinks=(Kink(([1e4, -np.inf, np.inf], [0.0] * 3), ([1, 0, 1], [0, 1, 0]), [1.0] * 3),)),
    OpCase("logaddexp2", lambda m, a, b: m.logaddexp2(a, b), np.logaddexp2, BINARY,
           bad=broadcast("logaddexp2"), promotes=True,
           kinks=(Kink(([1e4, -np.inf, np.inf], [0.0] * 3), ([1, 0, 1], [0, 1, 0]), [1.0] * 3),)),
    OpCase("sqrt", lambda m, a: m.sqrt(a), np.sqrt, domain=(positive,),
           kinks=(Kink(([0.0, -1.0],), ([np.inf, np.nan],), [1.0, 1.0]),)),
    OpCase("rsqrt", lambda m, a: m.rsqrt(a), lambda x: x**-0.5, domain=(positive,),
           kinks=(Kink(([0.0, -1.0, np.inf],), ([-np.inf, np.nan, 0],), [1.0] * 3),)),
    OpCase("square", lambda m, a: m.square(a), np.square, kinks=(Kink((-3.0,), (-6,)),)),
    OpCase("reciprocal", lambda m, a: m.reciprocal(a), np.reciprocal, domain=(nonzero,),
           kinks=(Kink(([0.0, -0.0, np.inf],), ([-np.inf, -np.inf, 0],), [1.0] * 3),)),
    OpCase("hypot", lambda m, a, b: m.hypot(a, b), np.hypot, BINARY, promotes=True,
           bad=(
               *broadcast("hypot"),
               Bad(lambda m: m.hypot(m.tensor([3]), m.tensor([4])), DtypeError, "got int64"),
           ),
           kinks=(Kink(([0.0, 1e200], [0.0, 0.0]), ([np.nan, 1], [np.nan, 0]), [1.0] * 2),)),
    OpCase("deg2rad", lambda m, a: m.deg2rad(a), np.deg2rad),
    OpCase("rad2deg", lambda m, a: m.rad2deg(a), np.rad2deg),
    OpCase("sin", lambda m, a: m.sin(a), np.sin, kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("cos", lambda m, a: m.cos(a), np.cos, kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("tan", lambda m, a: m.tan(a), np.tan, domain=(unit,)),
    OpCase("asin", lambda m, a: m.asin(a), np.arcsin, domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([np.inf, np.inf, np.nan],), [1.0] * 3),)),
    OpCase("acos", lambda m, a: m.acos(a), np.arccos, domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([-np.inf, -np.inf, np.nan],), [1.0] * 3),)),
    OpCase("atan", lambda m, a: m.atan(a), np.arctan, kinks=(Kink((np.inf,), (0,)),)),
    OpCase("atan2", lambda m, a, b: m.atan2(a, b), np.arctan2, BINARY, (nonzero,), promotes=True,
           bad=broadcast("atan2"),
           kinks=(
               Kink(([0.0, 0.0, 1.0, 0.0], [0.0, -0.0, 0.0, -2.0]),
                    ([0, 0, 0, -0.5], [0, 0, -1, 0]), [1.0] * 4),
           )),
    OpCase("asinh", lambda m, a: m.asinh(a), np.arcsinh, kinks=(Kink((np.inf,), (0,)),)),
    OpCase("acosh", lambda m, a: m.acosh(a + 1), lambda x: np.arccosh(x + 1), domain=(positive,),
           kinks=(Kink(([0.0, -1.0],), ([np.inf, np.nan],), [1.0] * 2),)),
    OpCase("atanh", lambda m, a: m.atanh(a), np.arctanh, domain=(unit,),
           kinks=(Kink(([1.0, -1.0, np.inf],), ([np.inf, np.inf, 0],), [1.0] * 3),)),
    OpCase("sinh", lambda m, a: m.sinh(a), np.sinh),
    OpCase("cosh", lambda m, a: m.cosh(a), np.cosh),
    OpCase("tanh", lambda m, a: m.tanh(a), np.tanh),
    OpCase("sigmoid", lambda m, a: m.sigmoid(a), lambda x: 1 / (1 + np.exp(-x)),
           kinks=(Kink(([-800.0, 0.0, 800.0],), ([0, 0.25, 0],), [1.0] * 3),)),
]  # fmt: skip
