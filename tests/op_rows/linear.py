"""Rows of mytorch/ops/linear.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase

ROWS = [
    OpCase("linear", lambda m, x, w, b: m.nn.functional.linear(x, w, b),
           lambda x, w, b: x @ w.T + b,
           (((2, 3), (4, 3), (4,)), ((3,), (4, 3), (4,)), ((5, 2, 3), (4, 3), (4,)),
            ((0, 3), (4, 3), (4,)), ((2, 3), (1, 3), (1,))),
           bad=(
               Bad(lambda m: m.nn.functional.linear(*tensors(m, (2, 3), (4, 2), (4,))), ShapeError,
                   r"\(2, 3\).*\(4, 2\)"),
               Bad(lambda m: m.nn.functional.linear(*tensors(m, (2, 3), (4, 3), (3,))), ShapeError,
                   r"needs \(4,\)"),
               Bad(lambda m: m.nn.functional.linear(
                       m.tensor(np.ones((2, 3))), m.tensor(np.ones((4, 3), np.float32))),
                   DtypeError, "weight is float32"),
           )),
    OpCase("linear without bias", lambda m, x, w: m.nn.functional.linear(x, w),
           lambda x, w: x @ w.T, (((2, 3), (4, 3)), ((3,), (4, 3)))),
    OpCase("bilinear", lambda m, x, y, w, b: m.nn.functional.bilinear(x, y, w, b),
           lambda x, y, w, b: np.einsum("...i,oij,...j->...o", x, w, y) + b,
           (((2, 3), (2, 4), (5, 3, 4), (5,)), ((3,), (2,), (1, 3, 2), (1,)),
            ((2, 1, 3), (2, 1, 2), (4, 3, 2), (4,)), ((0, 3), (0, 2), (4, 3, 2), (4,))),
           bad=(
               Bad(lambda m: m.nn.functional.bilinear(*tensors(m, (2, 3), (2, 4), (5, 3, 3))),
                   ShapeError, r"inputs \(2, 3\) and \(2, 4\) and weight \(5, 3, 3\) do not fit"),
               Bad(lambda m: m.nn.functional.bilinear(*tensors(m, (2, 3), (1, 4), (5, 3, 4))),
                   ShapeError, r"inputs \(2, 3\) and \(1, 4\)"),
               Bad(lambda m: m.nn.functional.bilinear(*tensors(m, (2, 3), (2, 4), (5, 3, 4), (4,))),
                   ShapeError, r"bias has shape \(4,\), weight .* needs \(5,\)"),
               Bad(lambda m: m.nn.functional.bilinear(
                       m.tensor(np.ones(3)), m.tensor(np.ones(3, np.float32)),
                       m.tensor(np.ones((1, 3, 3)))), DtypeError, "float64 and float32"),
           )),
    OpCase("bilinear without bias", lambda m, x, y, w: m.nn.functional.bilinear(x, y, w),
           lambda x, y, w: np.einsum("...i,oij,...j->...o", x, w, y),
           (((2, 3), (2, 4), (5, 3, 4)), ((3,), (2,), (1, 3, 2)))),
]  # fmt: skip
