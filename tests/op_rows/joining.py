"""Rows of mytorch/ops/joining.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase

PAIRS = (((2, 3), (2, 3)), ((3,), (3,)), ((0, 3), (0, 3)))
SAME = (*PAIRS, ((), ()))

ROWS = [
    OpCase("cat", lambda m, a, b: m.cat([a, b, a], 1), lambda x, y: np.concatenate([x, y, x], 1),
           (((2, 3), (2, 1)), ((2, 0), (2, 3)), ((2, 3, 4), (2, 5, 4))),
           bad=(
               Bad(lambda m: m.cat(tensors(m, (2, 3), (3, 3)), 1), ShapeError,
                   r"tensor 1 \(3, 3\)"),
               Bad(lambda m: m.cat(tensors(m, (), ())), ShapeError, "0-d"),
               Bad(lambda m: m.cat([m.zeros(2), [1.0]]), TypeError, "expects Tensors, got list"),
               Bad(lambda m: m.cat([]), ValueError, "at least one"),
               Bad(lambda m: m.cat(m.zeros(2, 2)), TypeError, "a sequence of Tensors"),
               Bad(lambda m: m.cat(tensors(m, (2, 3), (2, 3)), 2), IndexError, "got 2"),
               Bad(lambda m: m.cat(tensors(m, (2, 3), (3,))), ShapeError, r"tensor 1 \(3,\)"),
           )),
    OpCase("cat mixed", lambda m, a, b: m.cat((a, b, m.tensor([1, 2]))),
           lambda x, y: np.concatenate([x, y, [1, 2]]), (((2,), (3,)), ((0,), (3,)))),
    OpCase("cat legacy", lambda m, a: m.cat([m.tensor(np.zeros(0, np.float32)), a], -1), np.copy,
           (((2, 3),), ((0, 3),))),
    OpCase("stack", lambda m, a, b: m.stack([a, b, a], -1), lambda x, y: np.stack([x, y, x], -1),
           SAME,
           bad=(
               Bad(lambda m: m.stack(tensors(m, (2,), (3,))), ShapeError,
                   r"tensor 0 has \(2,\) and tensor 1 \(3,\)"),
               Bad(lambda m: m.stack([]), ShapeError, "at least one"),
               Bad(lambda m: m.stack([m.zeros(2), 1.0]), TypeError, "got float"),
               Bad(lambda m: m.stack(tensors(m, (2,), (2,)), 2), IndexError, r"\[-2, 1\], got 2"),
           )),
    OpCase("stack mixed", lambda m, a: m.stack([a, m.tensor([1, 2])]),
           lambda x: np.stack([x, [1, 2]]), (((2,),),)),
    OpCase("hstack", lambda m, a, b: m.hstack([a, b]), lambda x, y: np.hstack([x, y]),
           (*SAME, ((2, 3), (2, 1)), ((), (2,))),
           bad=(Bad(lambda m: m.hstack([]), ShapeError, "hstack: expects at least one"),
                Bad(lambda m: m.hstack(tensors(m, (2,), (2, 2))), ShapeError, "must agree"))),
    OpCase("vstack", lambda m, a, b: m.vstack((a, b)), lambda x, y: np.vstack([x, y]),
           (*SAME, ((2, 3), (3,)))),
    OpCase("dstack", lambda m, a, b: m.dstack((a, b)), lambda x, y: np.dstack([x, y]),
           (*SAME, ((2, 3, 1), (2, 3)))),
    OpCase("column_stack", lambda m, a, b: m.column_stack((a, b)),
           lambda x, y: np.column_stack([x, y]), (*PAIRS, ((3,), (3, 2)), ((), ()))),
]  # fmt: skip
