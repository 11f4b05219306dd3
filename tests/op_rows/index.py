"""Rows of mytorch/ops/index.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.index import Assign, Gather, Scatter, Unslice
from tests.op_rows.common import CONDITION, PLACES, tensors
from tests.op_table import Bad, OpCase


def assigned(x: Any, value: Any) -> Any:
    """A copy of an array or of torch's tensor with its rows after the first overwritten."""
    result = x.copy() if isinstance(x, np.ndarray) else x.clone()
    result[1:] = value
    return result


ROWS = [
    OpCase("slice", lambda m, a: a[1:, ::2], lambda x: x[1:, ::2],
           (((2, 3),), ((4, 5, 2),), ((0, 3),))),
    OpCase("slice int", lambda m, a: a[0, ..., None], lambda x: x[0, ..., None],
           (((2, 3),), ((4, 5, 2),), ((1, 1),)),
           bad=(Bad(lambda m: m.zeros(0, 3)[0], IndexError, "out of bounds"),)),
    OpCase("slice duplicates", lambda m, a: a[m.tensor([0, 1, 0])], lambda x: x[[0, 1, 0]],
           (((2, 3),), ((2,),))),
    OpCase("slice mask", lambda m, a: a[m.tensor(CONDITION)], lambda x: x[CONDITION],
           (((2, 3),), ((2, 3, 2),))),
    OpCase("assign", lambda m, a, v: Assign.apply(a, v, (slice(1, None),)), assigned,
           (((2, 3), (3,)), ((3, 2), (1, 2)), ((3, 2), ()), ((0, 3), (1, 3))),
           torch=lambda t, a, v: assigned(a, v),
           bad=(Bad(lambda m: assigned(*tensors(m, (2, 3), (2,))), ShapeError,
                    r"\(2,\) does not fit"),)),
    OpCase("unslice", lambda m, a: Unslice.apply(a, (slice(1, 3),), (4, 3)),
           lambda x: np.concatenate([np.zeros((1, 3)), x, np.zeros((1, 3))]), (((2, 3),),),
           torch=None),
    OpCase("gather", lambda m, a: Gather.apply(a, PLACES, 1),
           lambda x: np.take_along_axis(x, PLACES, 1), (((2, 3),),),
           torch=lambda t, a: a.take_along_dim(t.tensor(PLACES), 1)),
    OpCase("scatter", lambda m, a: Scatter.apply(a, PLACES, 1, (2, 3)),
           lambda x: np.stack([[x[0, 0], 0, x[0, 1]], [0, x[1].sum(), 0]]), (((2, 2),),),
           torch=lambda t, a: t.zeros(2, 3, dtype=a.dtype).scatter_add(1, t.tensor(PLACES), a)),
]  # fmt: skip
