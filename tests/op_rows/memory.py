"""Rows of mytorch/ops/memory.py."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from mytorch.errors import ShapeError
from mytorch.ops.memory import OverlapAdd
from tests.op_table import Bad, OpCase


def _scattered(x: np.ndarray, y: np.ndarray, start: int = 1) -> np.ndarray:
    """Return x with y in a view of shape (2, 2) and strides (1, 3)."""
    result = np.array(x)
    result.reshape(-1)[np.add.outer([0, 1], [0, 3]) + start] = y
    return result


ROWS = [
    OpCase("contiguous", lambda m, a: a.swapaxes(0, -1).contiguous(), lambda x: x.swapaxes(0, -1),
           (((2, 3),), ((2, 1, 3),), ((0, 3),))),
    OpCase("unfold", lambda m, a: a.unfold(0, 3, 2), lambda x: sliding_window_view(x, 3, 0)[::2],
           (((7,),), ((6, 2),), ((3, 0),)),
           bad=(Bad(lambda m: m.zeros(3).unfold(0, 4, 1), ShapeError, "window of 4 on axis 0"),
                Bad(lambda m: m.zeros(3).unfold(0, -1, 1), ShapeError, "window of -1"),
                Bad(lambda m: m.zeros(3).unfold(0, 2, 0), ShapeError, "step must be at least 1"),
                Bad(lambda m: m.zeros(3).unfold(1, 2, 1), IndexError, "got 1"))),
    OpCase("unfold gaps", lambda m, a: a.unfold(-1, 2, 3),
           lambda x: sliding_window_view(x, 2, -1)[..., ::3, :], (((2, 8),), ((2, 3, 5),))),
    OpCase("unfold few", lambda m, a: a.unfold(1, 4, 1), lambda x: sliding_window_view(x, 4, 1),
           (((2, 5),), ((2, 4, 2),))),
    OpCase("unfold nothing", lambda m, a: a.unfold(0, 0, 1) * 1, lambda x: np.zeros((4, 0)),
           (((3,),),)),
    OpCase("unfold 0-d", lambda m, a: a.unfold(0, 1, 1), lambda x: x.reshape(1), (((),),)),
    OpCase("overlap add", lambda m, a: OverlapAdd.apply(a, (7,), 0, 2),
           lambda x: sum(np.pad(row, (2 * i, 4 - 2 * i)) for i, row in enumerate(x)), (((3, 3),),),
           torch=None),
    OpCase("as_strided", lambda m, a: m.as_strided(a.clone(), (3, 2), (1, 2), 1),
           lambda x: as_strided(x.reshape(-1)[1:], (3, 2), (x.itemsize, 2 * x.itemsize)),
           (((2, 3),), ((6,),)),
           bad=(Bad(lambda m: m.as_strided(m.zeros(6), (4, 2), (1, 3)), ShapeError,
                    "reaches element 6 of a memory of 6"),
                Bad(lambda m: m.as_strided(m.zeros(6), (2, 2), (1,)), ShapeError, "2 sizes but 1"),
                Bad(lambda m: m.as_strided(m.zeros(6), (2,), (-1,), 3), ShapeError, "negative"),
                Bad(lambda m: m.as_strided(m.zeros(1).expand(3), (1,), (1,)), ShapeError,
                    "elements of this tensor share memory", torch=False))),
    OpCase("as_strided of a view", lambda m, a: m.as_strided(a.clone()[1:].t(), (2, 2), (2, 1)),
           lambda x: as_strided(x.reshape(-1)[3:], (2, 2), (2 * x.itemsize, x.itemsize)),
           (((3, 3),),)),
    OpCase("as_strided_scatter",
           lambda m, a, b: m.as_strided_scatter(a.clone(), b, (2, 2), (1, 3), 1), _scattered,
           (((2, 4), (2, 2)), ((6,), (2, 2))), torch=None),  # torch's dL/dx is that of what is gone
    OpCase("as_strided_scatter of a view",
           lambda m, a, b: m.as_strided_scatter(a.clone()[1:].t(), b, (2, 2), (1, 3), 3),
           lambda x, y: _scattered(x, y, 3)[1:].T, (((3, 3), (2, 2)),), torch=None),
]  # fmt: skip
