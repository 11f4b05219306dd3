"""Rows of mytorch/ops/special.py; tests/test_special.py has their accuracy."""

from __future__ import annotations

import math

import numpy as np

from tests.op_rows.common import broadcast
from tests.op_table import BINARY, Kink, OpCase, nonzero, positive, real, unit

erf, erfc, lgamma = (np.vectorize(f, [float]) for f in (math.erf, math.erfc, math.lgamma))
SLOPE = 2 / math.sqrt(math.pi)


def probability(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Between 0 and 1, away from both."""
    return rng.uniform(0.05, 0.95, shape)


ROWS = [
    OpCase("erf", lambda m, a: m.erf(a), erf,
           kinks=(Kink(([0.0, np.inf, -30],), ([SLOPE, 0, 0],), [1.0] * 3),)),
    OpCase("erfc", lambda m, a: m.erfc(a), erfc,
           kinks=(Kink(([0.0, np.inf, -30],), ([-SLOPE, 0, 0],), [1.0] * 3),)),
    OpCase("erfcx", lambda m, a: m.special.erfcx(a), lambda x: np.exp(x * x) * erfc(x),
           differs={"float16": "torch has none"}),
    OpCase("erfinv", lambda m, a: m.erfinv(a), None, domain=(unit,),
           kinks=(Kink(([1.0, -1, 2],), ([np.inf, np.inf, np.nan],), [1.0] * 3),)),
    OpCase("erfinv of erf", lambda m, a: m.erfinv(m.erf(a)), lambda x: x),
    OpCase("ndtr", lambda m, a: m.special.ndtr(a), lambda x: erfc(-x / math.sqrt(2)) / 2),
    OpCase("log_ndtr", lambda m, a: m.special.log_ndtr(a),
           lambda x: np.log(erfc(-x / math.sqrt(2)) / 2), differs={"float16": "torch has none"}),
    OpCase("ndtri", lambda m, a: m.special.ndtri(a), None, domain=(probability,),
           kinks=(Kink(([0.0, 1, 2],), ([np.inf, np.inf, np.nan],), [1.0] * 3),),
           differs={"float16": "torch has none"}),
    OpCase("expit", lambda m, a: m.special.expit(a), lambda x: 1 / (1 + np.exp(-x))),
    OpCase("logit", lambda m, a: m.logit(a), lambda x: np.log(x / (1 - x)), domain=(probability,),
           kinks=(
               Kink(([0.0, 0.5, 1, -1, 2],), ([np.inf, 4, np.inf, np.nan, np.nan],), [1.0] * 5),
           )),
    OpCase("logit eps", lambda m, a: m.logit(a, eps=0.25),
           lambda x: np.log(x.clip(0.25, 0.75) / (1 - x.clip(0.25, 0.75))), domain=(real,),
           kinks=(Kink(([-1.0, 0.2, 0.5, 0.75, 2],), ([0, 0, 4, 16 / 3, 0],), [1.0] * 5),)),
    OpCase("xlogy", lambda m, a, b: m.xlogy(a, b), lambda x, y: x * np.log(y), BINARY,
           (real, positive), promotes=True, bad=broadcast("xlogy"),
           kinks=(
               Kink(([0.0, 0, 1, 0], [1.0, 2, 0, -1]),
                    ([0, math.log(2), -np.inf, 0], [0, 0, np.inf, 0]), [1.0] * 4),
               Kink((0.0, 0.0), (0, np.nan)),
           )),
    OpCase("xlogy number", lambda m, a: m.xlogy(2, a), lambda x: 2 * np.log(x),
           domain=(positive,)),
    OpCase("xlog1py", lambda m, a, b: m.special.xlog1py(a, b), lambda x, y: x * np.log1p(y),
           BINARY, (real, positive), promotes=True,
           kinks=(
               Kink(([0.0, 0, 1, 0], [0.0, 1, -1, -2]),
                    ([0, math.log(2), -np.inf, 0], [0, 0, np.inf, 0]), [1.0] * 4),
               Kink((0.0, -1.0), (0, np.nan)),
           )),
    OpCase("entr", lambda m, a: m.special.entr(a), lambda x: -x * np.log(x), domain=(positive,),
           kinks=(Kink(([0.0, -1, 1],), ([np.inf, np.nan, -1],), [1.0] * 3),)),
    OpCase("sinc", lambda m, a: m.sinc(a), np.sinc, domain=(nonzero,),
           kinks=(Kink(([0.0, 1.0, 2.0],), ([0, -1, 0.5],), [1.0] * 3),)),
]  # fmt: skip
