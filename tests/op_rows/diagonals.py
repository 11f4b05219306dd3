"""Rows of mytorch/ops/diagonals.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import NONE, UNARY, Bad, OpCase

MATRICES = (((2, 3),), ((3, 2),), ((2, 3, 3),), ((0, 3),))


def on_diagonal(x: np.ndarray, src: np.ndarray, *where: int) -> np.ndarray:
    """A copy of x with src on a diagonal."""
    result = x.copy()
    diagonal: Any = result.diagonal(*where)
    diagonal.flags.writeable = True
    diagonal[...] = src
    return result


ROWS = [
    OpCase("diagonal", lambda m, a: m.diagonal(a), np.diagonal, MATRICES,
           bad=(Bad(lambda m: m.zeros(2, 2).diagonal(0, 1, -1), ShapeError, "are the same axis"),
                Bad(lambda m: m.zeros(2).diagonal(), IndexError, "got 1"),
                Bad(lambda m: m.zeros(2, 2).diagonal(0, 0, 2), IndexError, "got 2"))),
    OpCase("diagonal offset", lambda m, a: m.diagonal(a, -1, 2, 0),
           lambda x: np.diagonal(x, -1, 2, 0), (((2, 3, 3),), ((3, 0, 2),))),
    OpCase("diagonal outside", lambda m, a: m.diagonal(a, 7) * 1, lambda x: np.zeros(0),
           (((2, 3),),)),
    OpCase("diag_embed", lambda m, a: m.diag_embed(a), lambda x: x[..., None] * np.eye(x.shape[-1]),
           (((3,),), ((2, 3),), ((0, 2),)),
           bad=(Bad(lambda m: m.tensor(1.0).diag_embed(), IndexError, "0-d tensor"),
                Bad(lambda m: m.zeros(2).diag_embed(0, 1, -1), ShapeError, "the same axis"))),
    OpCase("diag_embed offset", lambda m, a: m.diag_embed(a, 1, 0, -1),
           lambda x: np.moveaxis([np.diag(row, 1) for row in x], 0, 1), (((2, 3),),)),
    OpCase("diag_embed below", lambda m, a: m.diag_embed(a, -1, -1, 0),
           lambda x: np.moveaxis([np.diag(row, 1) for row in x], 0, 1), (((2, 3),),)),
    OpCase("diag", lambda m, a: m.diag(a), np.diag, (((3,),), ((2, 3),), ((0,),), ((0, 3),)),
           bad=(Bad(lambda m: m.diag(m.zeros(1, 2, 3)), ShapeError, "a vector or a matrix"),
                Bad(lambda m: m.diag(m.tensor(1.0)), ShapeError, r"got shape \(\)"))),
    OpCase("diag offset", lambda m, a: m.diag(a, -1), lambda x: np.diag(x, -1),
           (((3,),), ((2, 3),))),
    OpCase("diagflat", lambda m, a: m.diagflat(a, 1), lambda x: np.diagflat(x, 1), UNARY),
    OpCase("diagonal_scatter", lambda m, a, b: m.diagonal_scatter(a, b, 1),
           lambda x, y: on_diagonal(x, y, 1), (((2, 3), (2,)), ((3, 3, 2), (2, 2))),
           bad=(Bad(lambda m: m.diagonal_scatter(*tensors(m, (2, 3), (3,))), ShapeError,
                    r"src has shape \(3,\), the diagonal \(2,\)"),)),
    OpCase("diagonal_scatter axes", lambda m, a, b: m.diagonal_scatter(a, b, -1, 0, 2),
           lambda x, y: on_diagonal(x, y, -1, 0, 2), (((3, 4, 3), (4, 2)),)),
    OpCase("tril", lambda m, a: m.tril(a), np.tril, MATRICES,
           bad=(Bad(lambda m: m.zeros(3).tril(), ShapeError, r"tril: expects matrices.*\(3,\)"),)),
    OpCase("tril diagonal", lambda m, a: m.tril(a, -1), lambda x: np.tril(x, -1), MATRICES),
    OpCase("triu", lambda m, a: m.triu(a), np.triu, MATRICES,
           bad=(Bad(lambda m: m.zeros(3).triu(), ShapeError, "triu: expects matrices"),)),
    OpCase("triu diagonal", lambda m, a: m.triu(a, diagonal=1), lambda x: np.triu(x, 1), MATRICES),
    OpCase("tril_indices", lambda m: m.tril_indices(3, 2, 1),
           lambda: np.array(np.tril_indices(3, 1, 2)),
           NONE, smooth=False,
           bad=(Bad(lambda m: m.tril_indices(-1, 2), ShapeError, "must not be negative"),)),
    OpCase("triu_indices", lambda m: m.triu_indices(2, 3, -1),
           lambda: np.array(np.triu_indices(2, -1, 3)),
           NONE, smooth=False),
]  # fmt: skip
