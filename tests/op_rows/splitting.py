"""Rows of mytorch/ops/splitting.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import ShapeError
from tests.op_table import Bad, OpCase, with_axis

ROWS = [
    OpCase("split", lambda m, a: m.split(a, 2, -1), lambda x: np.split(x, [2, 4], -1),
           (((3, 5),), ((6,),)),
           bad=(Bad(lambda m: m.zeros(3).split(0), ShapeError, "a size of 0 makes no parts"),
                Bad(lambda m: m.zeros(3).split(-1), ShapeError, "a size of -1"),
                Bad(lambda m: m.zeros(3).split([1, 1]), ShapeError, "add up to 3"),
                Bad(lambda m: m.zeros(3).split([4, -1]), ShapeError, "not be negative"),
                Bad(lambda m: m.tensor(1.0).split(1), ShapeError, "0-d tensor has no axes"))),
    OpCase("split one", lambda m, a: m.split(a, 2, -1)[1], lambda x: x[..., 2:4], (((3, 5),),)),
    OpCase("split of nothing", lambda m, a: m.split(a, 0), lambda x: [x], (((0, 2),),)),
    OpCase("split sizes", lambda m, a: m.split(a, [1, 0, 2]), lambda x: [x[:1], x[1:1], x[1:]],
           (((3,),), ((3, 2),))),
    OpCase("chunk", lambda m, a: m.chunk(a, 4), lambda x: [x[:2], x[2:4], x[4:]],
           (((5,),), ((5, 2),)),
           bad=(Bad(lambda m: m.zeros(3).chunk(0), ShapeError, "at least 1 chunk, got 0"),)),
    OpCase("chunk of nothing", lambda m, a: m.chunk(a, 3), lambda x: [x, x, x], (((0, 2),),)),
    OpCase("tensor_split", lambda m, a: m.tensor_split(a, 3, 1),
           lambda x: np.array_split(x, 3, 1), (((2, 5),), ((2, 2),), ((0, 3),)),
           bad=(Bad(lambda m: m.zeros(3).tensor_split(0), ShapeError, "at least 1 section"),)),
    OpCase("tensor_split places", lambda m, a: m.tensor_split(a, (1, 7, 3, -1)),
           lambda x: [x[:1], x[1:7], x[7:3], x[3:-1], x[-1:]], (((5,),), ((8, 2),))),
    OpCase("tensor_split rising", lambda m, a: m.tensor_split(a, m.tensor([1, 3])),
           lambda x: [x[:1], x[1:3], x[3:]], (((5,),), ((3, 2),))),
    OpCase("hsplit", lambda m, a: m.hsplit(a, 3), lambda x: np.hsplit(x, 3), (((2, 6),), ((3,),)),
           bad=(Bad(lambda m: m.zeros(2, 5).hsplit(3), ShapeError, "size 5 has no 3 equal parts"),
                Bad(lambda m: m.tensor(1.0).hsplit(1), ShapeError, "at least 1 axes"))),
    OpCase("vsplit", lambda m, a: m.vsplit(a, [1]), lambda x: np.vsplit(x, [1]), (((2, 3),),),
           bad=(Bad(lambda m: m.zeros(4).vsplit(2), ShapeError, "at least 2 axes"),)),
    OpCase("dsplit", lambda m, a: m.dsplit(a, 2), lambda x: np.dsplit(x, 2), (((2, 3, 4),),),
           bad=(Bad(lambda m: m.zeros(4, 2).dsplit(2), ShapeError, "at least 3 axes"),)),
    OpCase("unbind", lambda m, a: m.unbind(a), list, with_axis()[:-1],
           bad=(Bad(lambda m: m.tensor(1.0).unbind(), IndexError, "0-d tensor"),)),
    OpCase("unbind dim", lambda m, a: m.unbind(a, -1)[1], lambda x: x[..., 1],
           (((2, 3),), ((0, 3),))),
    OpCase("iteration", lambda m, a: [row * row for row in a], lambda x: list(x * x),
           (((3,),), ((2, 3),))),
]  # fmt: skip
