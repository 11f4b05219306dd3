"""Rows of the homework's operations: mytorch/nn/functional.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import broadcast
from tests.op_table import BINARY, UNARY, Bad, Kink, OpCase, nonzero, positive, real

ROWS = [
    OpCase("add", lambda m, a, b: m.add(a, b), np.add, BINARY, bad=broadcast("add"), promotes=True),
    OpCase("add operator", lambda m, a, b: a + b, np.add, BINARY, promotes=True),
    OpCase("add alpha", lambda m, a, b: m.add(a, b, alpha=2), lambda x, y: x + 2 * y, BINARY,
           differs={"bool": "torch refuses alpha for booleans; here they are numbers then"}),
    OpCase("sub", lambda m, a, b: m.sub(a, b), np.subtract, BINARY, bad=broadcast("sub"),
           promotes=True),
    OpCase("mul", lambda m, a, b: m.mul(a, b), np.multiply, BINARY, bad=broadcast("mul"),
           promotes=True),
    OpCase("mul reflected", lambda m, a: 2 * a, lambda x: 2 * x),
    OpCase("div", lambda m, a, b: m.div(a, b), np.divide, BINARY, (real, nonzero),
           bad=broadcast("div"), promotes=True,
           kinks=(Kink((1.0, 0.0), (np.inf, -np.inf)),)),
    OpCase("transpose handout", lambda m, a: a.T(), np.transpose,
           torch=lambda t, a: a.permute(tuple(range(a.ndim))[::-1])),
    OpCase("transpose", lambda m, a: m.transpose(a, 0, -1), lambda x: x.swapaxes(0, -1),
           (((2, 3),), ((2, 3, 4),), ((0, 3),))),
    OpCase("reshape", lambda m, a: m.reshape(a, (-1, 1)), lambda x: x.reshape(x.size, 1),
           UNARY[:-1],
           bad=(Bad(lambda m: m.reshape(m.zeros(2, 3), (4,)), ShapeError, "invalid for 6 elem"),)),
    OpCase("log", lambda m, a: m.log(a), np.log, domain=(positive,),
           kinks=(Kink((0.0,), (np.inf,)),)),
    OpCase("relu", lambda m, a: m.relu(a), lambda x: np.maximum(x, 0), domain=(nonzero,),
           kinks=(Kink(([-1.0, -0.0, 0.0, 2.0],), ([0, 0, 0, 3],), [3.0] * 4),)),
    OpCase("relu_", lambda m, a: m.nn.functional.relu_(a * 1), lambda x: np.maximum(x, 0),
           domain=(nonzero,)),
    OpCase("relu inplace", lambda m, a: m.nn.functional.relu(a * 1, inplace=True),
           lambda x: np.maximum(x, 0), domain=(nonzero,)),
]  # fmt: skip
