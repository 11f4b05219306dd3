"""Rows of mytorch/ops/flips.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from tests.op_table import UNARY, Bad, OpCase, with_axis

CUBE = (((2, 3),), ((2, 3, 4),), ((0, 3),))

ROWS = [
    OpCase("flip", lambda m, a: m.flip(a, (0, -1)), lambda x: np.flip(x, (0, -1)), CUBE,
           bad=(Bad(lambda m: m.zeros(2).flip(), TypeError, "misses its argument `dims`"),
                Bad(lambda m: m.zeros(2).flip(0, 0), ShapeError, "appears twice"),
                Bad(lambda m: m.zeros(2).flip(1), IndexError, "got 1"))),
    OpCase("flip one", lambda m, a: a.flip(0), lambda x: x[::-1], with_axis()),
    OpCase("flip named", lambda m, a: m.flip(a, dims=[1]), lambda x: x[:, ::-1], CUBE),
    OpCase("flip none", lambda m, a: m.flip(a, ()), np.copy),
    OpCase("fliplr", lambda m, a: m.fliplr(a), np.fliplr, CUBE,
           bad=(Bad(lambda m: m.fliplr(m.zeros(2)), ShapeError, "at least 2 axes"),)),
    OpCase("flipud", lambda m, a: m.flipud(a), np.flipud, with_axis(),
           bad=(Bad(lambda m: m.flipud(m.tensor(1.0)), ShapeError, "at least one axis"),)),
    OpCase("roll", lambda m, a: m.roll(a, 2), lambda x: np.roll(x, 2), UNARY,
           bad=(Bad(lambda m: m.zeros(2).roll((1, 2)), ShapeError, "2 shifts need as many dims"),
                Bad(lambda m: m.zeros(2).roll((1, 2), 0), ShapeError, "2 shifts for 1 dims"),
                Bad(lambda m: m.zeros(2).roll((), ()), ShapeError, "0 shifts for 0 dims"),
                Bad(lambda m: m.zeros(2).roll(1, 1), IndexError, "got 1"),
                Bad(lambda m: m.tensor(1.0).roll(1, 0), IndexError, "0-d tensor"))),
    OpCase("roll dims", lambda m, a: m.roll(a, (1, -2), (0, -1)),
           lambda x: np.roll(x, (1, -2), (0, -1)), CUBE),
    OpCase("roll twice", lambda m, a: m.roll(a, shifts=(1, 3), dims=(0, 0)),
           lambda x: np.roll(x, 4, 0), CUBE),
    *[OpCase(f"rot90 {k}", lambda m, a, k=k: m.rot90(a, k), lambda x, k=k: np.rot90(x, k), CUBE)
      for k in (1, 2, -1, 4)],
    OpCase("rot90 dims", lambda m, a: m.rot90(a, 1, (2, 0)), lambda x: np.rot90(x, 1, (2, 0)),
           (((2, 3, 4),),),
           bad=(Bad(lambda m: m.zeros(2, 2).rot90(1, (0,)), ShapeError, "needs two dims"),
                Bad(lambda m: m.zeros(2, 2).rot90(1, (0, 0)), ShapeError, "the same axis"),
                Bad(lambda m: m.zeros(2).rot90(), ShapeError, r"shape \(2,\)"),
                Bad(lambda m: m.zeros(2, 2).rot90(1, (0, 2)), IndexError, "got 2"))),
]  # fmt: skip
