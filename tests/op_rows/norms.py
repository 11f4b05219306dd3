"""Rows of mytorch/ops/norms.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, EmptyError, ShapeError
from tests.op_table import UNARY, Bad, Kink, OpCase, nonzero, with_axis

SIZES = [0.0, 1.0, -1.0, 0.5]


def of_order(p: Any, gradient: Any, sizes: Any = SIZES) -> OpCase:
    """The row of one order, and its gradient at ``sizes``; where the norm is 0 it is 0."""
    order = 2 if p == "fro" else p
    return OpCase(
        f"norm {p}", lambda m, a: m.norm(a, p, dim=-1),
        lambda x: np.linalg.norm(x, order, -1), with_axis(), (nonzero,),
        kinks=(Kink((sizes,), (gradient,)), Kink(([0.0, 0.0],), ([0, 0],), 3.0)),
    )  # fmt: skip


ROWS = [
    OpCase("norm", lambda m, a: m.norm(a), lambda x: np.sqrt((x * x).sum()), domain=(nonzero,),
           kinks=(Kink(([[0.0], [0.0]],), (0,)),),
           bad=(
               Bad(lambda m: m.norm(m.tensor([1, 2])), DtypeError, "norm: expects a floating"),
               Bad(lambda m: m.norm(m.zeros(2), "bla"), ShapeError, "p must be a number"),
               Bad(lambda m: m.norm(m.zeros(2), 1, 1), IndexError, "got 1"),
               Bad(lambda m: m.norm(m.zeros(0, 3), math.inf, 0), EmptyError, "p=inf of nothing"),
           )),
    OpCase("norm over axes", lambda m, a: m.norm(a, 3, (0, 2), True),
           lambda x: (np.abs(x) ** 3).sum((0, 2), keepdims=True) ** (1 / 3),
           (((2, 3, 4),), ((1, 3, 1),)), (nonzero,)),
    of_order("fro", [0, 2 / 3, -2 / 3, 1 / 3]),
    of_order(1, [0, 1, -1, 1]),
    of_order(2, [0, 2 / 3, -2 / 3, 1 / 3]),
    of_order(math.inf, [0, 0.5, -0.5, 0]),
    OpCase("norm of nan", lambda m, a: m.norm(a, math.inf, 0), lambda x: np.abs(x).max(0),
           with_axis(UNARY[:-1]), (nonzero,), kinks=(Kink(([np.nan, 1.0],), (0,)),)),
    of_order(4, [0, 1], [0.0, 4.0]),
    of_order(0.5, [0, -1], [0.0, -4.0]),
    OpCase("norm -inf", lambda m, a: m.norm(a, -math.inf, 0), lambda x: np.abs(x).min(0),
           with_axis(UNARY[:-1]), (nonzero,),
           kinks=(Kink(([1.0, -1.0, 2.0],), ([2, -2, 0],), 4.0),)),
    OpCase("norm -2", lambda m, a: m.norm(a, -2), lambda x: (x**-2.0).sum() ** -0.5,
           UNARY[:-1], (nonzero,), kinks=(Kink((SIZES,), (0,)),)),
    OpCase("norm 0", lambda m, a: m.norm(a, 0, -1), lambda x: (x != 0).sum(-1) * 1.0, with_axis(),
           (nonzero,), torch=lambda t, a: t.norm(a, 0, -1) + 0 * a.sum(-1),
           kinks=(Kink(([0.0, 2.0],), (0,)),)),
    OpCase("norm nuc", lambda m, a: m.norm(a, "nuc"), lambda x: np.linalg.norm(x, "nuc"),
           (((2, 3),), ((3, 2),))),
]  # fmt: skip
