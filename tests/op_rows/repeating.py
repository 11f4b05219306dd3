"""Rows of mytorch/ops/repeating.py."""

from __future__ import annotations

import itertools

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import UNARY, Bad, OpCase

ROWS = [
    OpCase("repeat", lambda m, a: a.repeat(2, 1, 3), lambda x: np.tile(x, (2, 1, 3)), UNARY,
           bad=(Bad(lambda m: m.zeros(2, 3).repeat(2), ShapeError, "1 repeats for the 2 axes"),
                Bad(lambda m: m.zeros(2).repeat(-1), ShapeError, "must not be negative"),
                Bad(lambda m: m.zeros(2).repeat(), TypeError, "misses its argument"))),
    OpCase("repeat none", lambda m, a: a.repeat(0, 1), lambda x: np.tile(x, (0, 1)), (((2, 3),),)),
    OpCase("repeat once", lambda m, a: a.repeat(1, 1, 1), lambda x: np.tile(x, (1, 1, 1)), UNARY),
    OpCase("tile", lambda m, a: m.tile(a, (2,)), lambda x: np.tile(x, 2), UNARY,
           bad=(Bad(lambda m: m.zeros(2).tile((-1,)), ShapeError, "must not be negative"),)),
    OpCase("tile named", lambda m, a: m.tile(a, dims=(2, 1, 2)), lambda x: np.tile(x, (2, 1, 2))),
    OpCase("repeat_interleave", lambda m, a: m.repeat_interleave(a, 2), lambda x: np.repeat(x, 2),
           UNARY,
           bad=(Bad(lambda m: m.zeros(3).repeat_interleave(-1), ShapeError, "not be negative"),
                Bad(lambda m: m.zeros(3).repeat_interleave(m.tensor([1, 2]), 0), ShapeError,
                    "one for each of 3 parts"),
                Bad(lambda m: m.zeros(2).repeat_interleave(m.tensor([1.0, 2.0]), 0), RuntimeError,
                    "must be integers", torch=False),
                Bad(lambda m: m.zeros(2).repeat_interleave(m.tensor([1, 2]), 0, output_size=4),
                    ShapeError, "add up to 3, not 4"))),
    OpCase("repeat_interleave each", lambda m, a: m.repeat_interleave(a, m.tensor([1, 0, 2]), -1),
           lambda x: np.repeat(x, [1, 0, 2], -1), (((3,),), ((2, 3),), ((0, 3),))),
    OpCase("repeat_interleave places", lambda m: m.repeat_interleave(m.tensor([1, 0, 2])),
           lambda: np.array([0, 2, 2]), ((),), smooth=False),
    OpCase("broadcast_tensors", lambda m, a, b: m.broadcast_tensors(a, b), np.broadcast_arrays,
           (((2, 1), (3,)), ((), (2, 3)), ((0, 3), (1, 3))),
           bad=(Bad(lambda m: m.broadcast_tensors(*tensors(m, (2,), (3,))), ShapeError,
                    r"\(2,\) and \(3,\) do not broadcast"),)),
    OpCase("meshgrid", lambda m, a, b: m.meshgrid(a, b, indexing="ij"),
           lambda x, y: np.meshgrid(x, y, indexing="ij"), (((2,), (3,)), ((), (3,)), ((0,), (2,))),
           bad=(Bad(lambda m: m.meshgrid(m.zeros(2), indexing="yx"), ShapeError, "'yx'"),
                Bad(lambda m: m.meshgrid(m.zeros(2, 2), indexing="ij"), ShapeError, "vectors"),
                Bad(lambda m: m.meshgrid(m.zeros(2), m.tensor([1]), indexing="ij"), ShapeError,
                    "one dtype"))),
    OpCase("meshgrid xy", lambda m, a, b, c: m.meshgrid([a, b, c], indexing="xy"),
           lambda x, y, z: np.meshgrid(x, y, z), (((2,), (3,), (4,)),)),
    OpCase("cartesian_prod", lambda m, a, b: m.cartesian_prod(a, b),
           lambda x, y: np.array(list(itertools.product(x, y))).reshape(-1, 2),
           (((2,), (3,)), ((0,), (2,))),
           bad=(Bad(lambda m: m.cartesian_prod(m.zeros(2, 2), m.zeros(1)), ShapeError,
                    "vectors"),)),
    OpCase("cartesian_prod one", lambda m, a: m.cartesian_prod(a) * 1, np.copy, (((2,),),)),
    OpCase("combinations", lambda m, a: m.combinations(a),
           lambda x: np.array(list(itertools.combinations(x, 2))).reshape(-1, 2),
           (((4,),), ((1,),)),
           bad=(Bad(lambda m: m.combinations(m.zeros(3), -1), ShapeError, "not be negative"),
                Bad(lambda m: m.combinations(m.zeros(3, 3)), ShapeError, "vectors"))),
    OpCase("combinations replaced", lambda m, a: m.combinations(a, 3, with_replacement=True),
           lambda x: np.array(list(itertools.combinations_with_replacement(x, 3))), (((3,),),)),
    OpCase("combinations of none", lambda m: m.combinations(m.tensor([1, 2]), 0),
           lambda: np.zeros(0, int), ((),), smooth=False),
]  # fmt: skip
