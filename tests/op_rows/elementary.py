"""Rows of mytorch/ops/elementary.py."""

from __future__ import annotations

import numpy as np

from tests.op_rows.common import broadcast
from tests.op_table import BINARY, Bad, Kink, OpCase, positive, unit

ROWS = [
    OpCase("exp", lambda m, a: m.exp(a), np.exp,
           bad=(Bad(lambda m: m.exp([1.0]), TypeError, "exp: expects a Tensor as `input`"),)),
    OpCase("expm1", lambda m, a: m.expm1(a), np.expm1,
           kinks=(Kink(([1e-20, 1e4],), ([1, np.inf],), [1.0, 1.0]),)),
    OpCase("log1p", lambda m, a: m.log1p(a), np.log1p, domain=(positive,),
           kinks=(Kink(([-1.0, 1e-20],), ([np.inf, 1],), [1.0, 1.0]),)),
    OpCase("log2", lambda m, a: m.log2(a), np.log2, domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("log10", lambda m, a: m.log10(a), np.log10, domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("logaddexp", lambda m, a, b: m.logaddexp(a, b), np.logaddexp, BINARY,
           bad=broadcast("logaddexp"),
           kinks=(Kink(([1e4, -np.inf], [0.0, 0.0]), ([1, 0], [0, 1]), [1.0, 1.0]),)),
    OpCase("sqrt", lambda m, a: m.sqrt(a), np.sqrt, domain=(positive,),
           kinks=(Kink(([0.0, -1.0],), ([np.inf, np.nan],), [1.0, 1.0]),)),
    OpCase("sin", lambda m, a: m.sin(a), np.sin, kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("cos", lambda m, a: m.cos(a), np.cos, kinks=(Kink((np.inf,), (np.nan,)),)),
    OpCase("tan", lambda m, a: m.tan(a), np.tan, domain=(unit,)),
    OpCase("asin", lambda m, a: m.asin(a), np.arcsin, domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([np.inf, np.inf, np.nan],), [1.0] * 3),)),
    OpCase("acos", lambda m, a: m.acos(a), np.arccos, domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([-np.inf, -np.inf, np.nan],), [1.0] * 3),)),
    OpCase("atan", lambda m, a: m.atan(a), np.arctan, kinks=(Kink((np.inf,), (0,)),)),
    OpCase("sinh", lambda m, a: m.sinh(a), np.sinh),
    OpCase("cosh", lambda m, a: m.cosh(a), np.cosh),
    OpCase("tanh", lambda m, a: m.tanh(a), np.tanh),
    OpCase("sigmoid", lambda m, a: m.sigmoid(a), lambda x: 1 / (1 + np.exp(-x)),
           kinks=(Kink(([-800.0, 0.0, 800.0],), ([0, 0.25, 0],), [1.0] * 3),)),
]  # fmt: skip
