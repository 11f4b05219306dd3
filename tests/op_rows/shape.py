"""Rows of mytorch/ops/shape.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.shape import Alias
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase, with_axis

ROWS = [
    OpCase("alias", lambda m, a: Alias.apply(a), np.copy, torch=lambda t, a: a.view_as(a)),
    OpCase("unsqueeze", lambda m, a: m.unsqueeze(a, -1), lambda x: x[..., None],
           bad=(Bad(lambda m: m.unsqueeze(m.zeros(3), 5), IndexError, "got 5"),)),
    OpCase("squeeze", lambda m, a: m.squeeze(a), np.squeeze),
    OpCase("squeeze dim", lambda m, a: m.squeeze(a, 0),
           lambda x: x.squeeze(0) if x.shape[0] == 1 else x, with_axis()),
    OpCase("expand", lambda m, a: a.expand(4, 2, 3), lambda x: np.broadcast_to(x, (4, 2, 3)),
           (((2, 3),), ((1, 3),), ((2, 1),), ((),)),
           bad=(Bad(lambda m: m.zeros(2).expand(4, 2, 3), ShapeError,
                    r"\(2,\) does not broadcast to \(4, 2, 3\)"),)),
    OpCase("cat", lambda m, a, b: m.cat([a, b, a], 1), lambda x, y: np.concatenate([x, y, x], 1),
           (((2, 3), (2, 1)), ((2, 0), (2, 3)), ((2, 3, 4), (2, 5, 4))),
           bad=(
               Bad(lambda m: m.cat(tensors(m, (2, 3), (3, 3)), 1), ShapeError,
                   r"tensor 1 \(3, 3\)"),
               Bad(lambda m: m.cat(tensors(m, (), ())), ShapeError, "0-d"),
               Bad(lambda m: m.cat([m.zeros(2), [1.0]]), TypeError, "expects Tensors, got list"),
           )),
]  # fmt: skip
