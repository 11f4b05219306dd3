"""Rows of mytorch/ops/gamma.py and bessel.py; tests/test_special.py has their accuracy."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.special import lgamma
from tests.op_table import Bad, Kink, OpCase, between, nonzero, positive

ROWS = [
    OpCase("lgamma", lambda m, a: m.lgamma(a), lgamma, domain=(positive,),
           kinks=(Kink((np.inf,), (np.inf,)),)),
    OpCase("lgamma negative", lambda m, a: m.lgamma(a), lgamma, domain=(between,)),
    OpCase("gammaln", lambda m, a: m.special.gammaln(a), lgamma, domain=(positive,)),
    # torch's polygamma(1, x), the slope of digamma, has errors of 4e-10: compared by value alone
    OpCase("digamma", lambda m, a: m.digamma(a.detach()), None, domain=(nonzero,), smooth=False),
    OpCase("digamma gradient", lambda m, a: m.digamma(a), None, domain=(positive,), torch=None),
    OpCase("digamma negative", lambda m, a: m.digamma(a), None, domain=(between,), torch=None),
    OpCase("psi", lambda m, a: m.special.psi(a.detach()), None, domain=(positive,), smooth=False),
    OpCase("polygamma", lambda m, a: m.polygamma(1, a), None, domain=(positive,), torch=None,
           bad=(Bad(lambda m: m.polygamma(-1, m.ones(1)), ShapeError, "n must be at least 0"),)),
    OpCase("polygamma 0", lambda m, a: m.polygamma(0, a), None, domain=(positive,), torch=None),
    OpCase("polygamma 3", lambda m, a: m.special.polygamma(3, a), None, domain=(positive,)),
    OpCase("polygamma method", lambda m, a: a.polygamma(2), None, domain=(positive,)),
    OpCase("i0", lambda m, a: m.i0(a), np.i0, kinks=(Kink((0.0,), (0,)),)),
    OpCase("i0e", lambda m, a: m.special.i0e(a), lambda x: np.i0(x) * np.exp(-np.abs(x))),
    OpCase("i1", lambda m, a: m.special.i1(a), None, kinks=(Kink((0.0,), (0.5,)),)),
    OpCase("i1e", lambda m, a: m.special.i1e(a), None, kinks=(Kink((0.0,), (0.5,)),)),
]  # fmt: skip
