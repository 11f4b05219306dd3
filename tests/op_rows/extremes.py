"""Rows of mytorch/ops/extremes.py."""

from __future__ import annotations

import numpy as np

from mytorch.errors import DtypeError, EmptyError
from tests.op_rows.common import tensors
from tests.op_table import UNARY, Bad, Kink, OpCase, distinct, with_axis

SOME = UNARY[:-1]
NAN = np.nan

ROWS = [
    OpCase("amax", lambda m, a: m.amax(a), np.max, SOME, (distinct,),
           kinks=(Kink(([1.0, 3.0, 3.0, 3.0],), ([0, 1, 1, 1],), 3.0),),
           bad=(Bad(lambda m: m.amax(m.zeros(0, 3), 0), EmptyError, "nothing to choose from"),)),
    OpCase("amax dim", lambda m, a: m.amax(a, 1, True), lambda x: x.max(1, keepdims=True),
           (((2, 3),), ((4, 3, 2),), ((0, 3),)), (distinct,),
           kinks=(Kink(([[1.0, 1.0], [2.0, 0.0]],), ([[2, 2], [3, 0]],), [[4.0], [3.0]]),)),
    OpCase("amax of no axes", lambda m, a: m.amax(a, ()), np.max, SOME, (distinct,)),
    OpCase("amax of narrow rows", lambda m, a: m.amax(a, -1), lambda x: x.max(-1),
           (((600, 3),), ((3, 200, 1),)), (distinct,)),
    OpCase("amin", lambda m, a: m.amin(a), np.min, SOME, (distinct,),
           kinks=(Kink(([1.0, 1.0, 2.0, 1.0],), ([1, 1, 0, 1],), 3.0),),
           bad=(Bad(lambda m: m.amin(m.zeros(0, 3), 0), EmptyError, "nothing to choose from"),)),
    OpCase("amin dims", lambda m, a: m.amin(a, (0, -1)), lambda x: x.min((0, -1)),
           (((2, 3),), ((4, 3, 2),)), (distinct,)),
    OpCase("amin of narrow rows", lambda m, a: m.amin(a, -1, keepdim=True),
           lambda x: x.min(-1, keepdims=True), (((600, 2),),), (distinct,)),
    OpCase("aminmax", lambda m, a: tuple(m.aminmax(a)), lambda x: (x.min(), x.max()), SOME,
           (distinct,),
           bad=(
               Bad(lambda m: m.aminmax(m.zeros(0)), EmptyError, "nothing to choose from"),
               Bad(lambda m: m.aminmax(m.zeros(2), dim=(0,)), TypeError, "one axis"),
           )),
    OpCase("aminmax dim", lambda m, a: tuple(m.aminmax(a, dim=-1, keepdim=True)),
           lambda x: (x.min(-1, keepdims=True), x.max(-1, keepdims=True)),
           (((3,),), ((2, 3),), ((0, 3),), ((2, 1),)), (distinct,)),
    OpCase("aminmax keepdim", lambda m, a: tuple(m.aminmax(a, keepdim=True)),
           lambda x: (x.min(keepdims=True), x.max(keepdims=True)), SOME, (distinct,)),
    OpCase("max", lambda m, a: m.max(a), np.max, SOME, (distinct,),
           kinks=(
               Kink(([1.0, 3.0, 3.0, 3.0],), ([0, 1, 1, 1],), 3.0),
               Kink(([1.0, NAN, 2.0],), ([0, 1, 0],)),
               Kink(([NAN, NAN, 2.0],), ([2, 2, 0],), 4.0),
           ),
           bad=(Bad(lambda m: m.max(m.zeros(0, 3)), EmptyError, "nothing to choose from"),)),
    OpCase("max dim", lambda m, a: tuple(m.max(a, -1)), lambda x: (x.max(-1), x.argmax(-1)),
           (((3,),), ((2, 3),), ((2, 1),), ((0, 3),)), (distinct,),
           kinks=(
               Kink(([1.0, 3.0, 3.0],), ([0, 5, 0],), 5.0),
               Kink(([1.0, NAN, NAN],), ([0, 5, 0],), 5.0),
           ),
           bad=(
               Bad(lambda m: m.max(m.zeros(0, 3), 0), EmptyError, r"axis 0 of shape \(0, 3\)"),
               Bad(lambda m: m.max(m.zeros(3), 1), IndexError, "got 1"),
               Bad(lambda m: m.max(m.zeros(3), (0,)), TypeError, "max: dim must be one axis"),
           )),
    OpCase("max dim of a number", lambda m, a: tuple(m.max(a, 0, True)), lambda x: (x, 0),
           SOME[:1]),
    OpCase("max two", lambda m, a, b: m.max(a, b), np.maximum, (((2, 3), (3,)),),
           kinks=(Kink((1.0, 1.0), (0.5, 0.5)),)),
    OpCase("min", lambda m, a: m.min(a), np.min, SOME, (distinct,),
           kinks=(
               Kink(([1.0, 3.0, 1.0, 3.0],), ([2, 0, 2, 0],), 4.0),
               Kink(([1.0, NAN, 2.0],), ([0, 1, 0],)),
           )),
    OpCase("min dim", lambda m, a: tuple(m.min(a, 0, keepdim=True)),
           lambda x: (x.min(0, keepdims=True), x.argmin(0, keepdims=True)),
           (((3,),), ((2, 3),), ((2, 1),), ((2, 0),)), (distinct,),
           kinks=(Kink(([3.0, 1.0, 1.0],), ([0, 5, 0],), [5.0]),),
           bad=(Bad(lambda m: m.min(m.zeros(0, 3), 0), EmptyError, "min: nothing to choose"),)),
    OpCase("min two", lambda m, a, b: m.min(a, b), np.minimum, (((2, 3), (3,)),),
           bad=(Bad(lambda m: m.min(*tensors(m, (2, 3), (2, 2))), RuntimeError, "broadcast"),)),
    OpCase("argmax", lambda m, a: m.argmax(a, 0), lambda x: x.argmax(0),
           (((3,),), ((2, 3),), ((2, 0),)), (distinct,), smooth=False,
           bad=(Bad(lambda m: m.argmax(m.zeros(0, 3), 0), EmptyError, "nothing to choose from"),)),
    OpCase("argmax all", lambda m, a: m.argmax(a), np.argmax, SOME, (distinct,), smooth=False,
           bad=(
               Bad(lambda m: m.argmax(m.zeros(0)), EmptyError, "nothing to choose from"),
               Bad(lambda m: m.argmax(m.tensor([True])), DtypeError, "not for booleans"),
           )),
    OpCase("argmax of the first", lambda m, a: m.argmax(m.abs(a) - m.abs(a), -1),
           lambda x: np.zeros(x.shape[:-1]), with_axis(), smooth=False),
    OpCase("argmin", lambda m, a: m.argmin(a, -1, True), lambda x: x.argmin(-1, keepdims=True),
           (((3,),), ((2, 3),), ((0, 3),)), (distinct,), smooth=False,
           bad=(Bad(lambda m: m.argmin(m.zeros(0)), EmptyError, "nothing to choose from"),)),
    OpCase("argmin all", lambda m, a: m.argmin(a), np.argmin, SOME, (distinct,), smooth=False),
]  # fmt: skip
