"""Rows of mytorch/ops/shape.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import BoundsError, ShapeError
from mytorch.ops.shape import Alias
from tests.op_table import UNARY, Bad, OpCase, with_axis

CUBE = (((2, 3, 4),), ((0, 3, 2),), ((1, 1, 2),))


def bad(call: Any, error: type[Exception], message: str, torch: bool = True) -> tuple[Bad, ...]:
    return (Bad(call, error, message, torch),)


ROWS = [
    OpCase("alias", lambda m, a: Alias.apply(a), np.copy, torch=lambda t, a: a.view_as(a)),
    # new shapes
    OpCase("unsqueeze", lambda m, a: m.unsqueeze(a, -1), lambda x: x[..., None],
           bad=bad(lambda m: m.unsqueeze(m.zeros(3), 5), IndexError, "got 5")),
    OpCase("squeeze", lambda m, a: m.squeeze(a), np.squeeze),
    OpCase("squeeze dim", lambda m, a: m.squeeze(a, 0),
           lambda x: x.squeeze(0) if x.shape[0] == 1 else x, with_axis()),
    OpCase("squeeze dims", lambda m, a: m.squeeze(a, (0, -1)), lambda x: x.reshape(2, 3),
           (((1, 2, 3, 1),),),
           bad=(Bad(lambda m: m.squeeze(m.zeros(1, 2), (0, 0)), ShapeError, "appears twice"),
                Bad(lambda m: m.squeeze(m.zeros(1, 2), 2), IndexError, r"\[-2, 1\], got 2"))),
    OpCase("view", lambda m, a: a.view(-1, a.shape[0]), lambda x: x.reshape(-1, x.shape[0]),
           (((2, 3),), ((3,),), ((2, 2, 3),), ((1, 0),)),
           bad=(Bad(lambda m: m.zeros(2, 3).t().view(6), ShapeError,
                    r"shape \(3, 2\) and strides \(1, 3\).*use reshape"),
                Bad(lambda m: m.zeros(2, 3).view(5), ShapeError, "invalid for 6 elements"),
                Bad(lambda m: m.zeros(2, 3).view(-2, 3), ShapeError, r"\(-2, 3\) is invalid"),
                Bad(lambda m: m.zeros(2, 3).view(-1, -1), ShapeError, r"\(-1, -1\) is invalid"),
                Bad(lambda m: m.zeros(0, 3).view(0, -1), ShapeError, r"\(0, -1\) is invalid"))),
    OpCase("view_as", lambda m, a: a.view_as(m.zeros(3, 2)), lambda x: x.reshape(3, 2),
           (((2, 3),), ((6,),))),
    OpCase("reshape_as", lambda m, a: a.reshape_as(m.zeros(3, 2)), lambda x: x.reshape(3, 2),
           (((2, 3),), ((6,),))),
    OpCase("flatten", lambda m, a: m.flatten(a), np.ravel,
           bad=(Bad(lambda m: m.zeros(2, 3).flatten(1, 0), ShapeError, "start_dim 1 comes after"),
                Bad(lambda m: m.zeros(2, 3).flatten(0, 2), IndexError, "got 2"))),
    OpCase("flatten dims", lambda m, a: m.flatten(a, 1, -2), lambda x: x.reshape(2, 12, 5),
           (((2, 3, 4, 5),),)),
    OpCase("unflatten", lambda m, a: m.unflatten(a, -1, (2, -1)),
           lambda x: x.reshape(*x.shape[:-1], 2, -1) if x.size else np.zeros((0, 2, 2)),
           (((3, 4),), ((6,),), ((0, 4),)),
           bad=(Bad(lambda m: m.zeros(2, 4).unflatten(1, (3, -1)), ShapeError, "make up the size"),
                Bad(lambda m: m.zeros(2, 4).unflatten(1, (3, 1)), ShapeError, r"\(3, 1\)"),
                Bad(lambda m: m.zeros(2, 4).unflatten(1, ()), ShapeError, r"\(\)"))),
    OpCase("ravel", lambda m, a: m.ravel(a), np.ravel),
    OpCase("atleast_1d", lambda m, a: m.atleast_1d(a), np.atleast_1d),
    OpCase("atleast_2d", lambda m, a, b: m.atleast_2d(a, b), np.atleast_2d,
           (((), (3,)), ((2, 3), (0, 3)), ((2, 3, 1), ()))),
    OpCase("atleast_3d", lambda m, a: m.atleast_3d(a), np.atleast_3d,
           (*UNARY, ((2, 1, 3, 2),)),
           bad=bad(lambda m: m.atleast_3d(1.0), TypeError, "expects Tensors, got float")),
    OpCase("atleast_3d list", lambda m, a, b: m.atleast_3d([a, b]), np.atleast_3d,
           (((2, 3), ()),)),
    # axes exchanged
    OpCase("permute", lambda m, a: m.permute(a, (2, 0, -2)), lambda x: x.transpose(2, 0, 1), CUBE,
           bad=(Bad(lambda m: m.zeros(2, 3).permute(0), ShapeError, "1 dims for a tensor of 2"),
                Bad(lambda m: m.zeros(2, 3).permute(0, -2), ShapeError, "appears twice"),
                Bad(lambda m: m.zeros(2, 3).permute(0, 2), IndexError, "got 2"),
                Bad(lambda m: m.zeros(2, 3).permute(), TypeError, "misses its argument `dims`"))),
    OpCase("permute named", lambda m, a: a.permute(dims=[1, 2, 0]), lambda x: x.transpose(1, 2, 0),
           CUBE),
    OpCase("swapaxes", lambda m, a: m.swapaxes(a, 0, -1), lambda x: x.swapaxes(0, -1), CUBE),
    OpCase("movedim", lambda m, a: m.movedim(a, (0, 1), (-1, 0)),
           lambda x: np.moveaxis(x, (0, 1), (-1, 0)), CUBE,
           bad=(Bad(lambda m: m.zeros(2, 3).movedim((0, 0), (0, 1)), ShapeError, "appears twice"),
                Bad(lambda m: m.zeros(2, 3).movedim((0, 1), 1), RuntimeError,
                    "2 source axes but 1 destinations", torch=False),
                Bad(lambda m: m.zeros(2, 3).movedim(0, 2), IndexError, "got 2"))),
    OpCase("movedim one", lambda m, a: m.movedim(a, 0, -1), lambda x: np.moveaxis(x, 0, -1), CUBE),
    OpCase("movedim 0-d", lambda m, a: m.movedim(a, 0, 0) * 1, np.copy, (((),),)),
    OpCase("t", lambda m, a: m.t(a), np.transpose,
           bad=bad(lambda m: m.zeros(1, 2, 3).t(), ShapeError, r"at most 2.*\(1, 2, 3\)")),
    OpCase("adjoint", lambda m, a: m.adjoint(a), lambda x: x.swapaxes(-1, -2), CUBE,
           bad=bad(lambda m: m.adjoint(m.zeros(3)), ShapeError, r"expects matrices .*\(3,\)")),
    OpCase("mT", lambda m, a: a.mT, lambda x: x.swapaxes(-1, -2), CUBE,
           bad=bad(lambda m: m.zeros(3).mT, ShapeError, "mT: expects matrices")),
    OpCase("mH", lambda m, a: a.mH, lambda x: x.swapaxes(-1, -2), CUBE),
    OpCase("H", lambda m, a: a.H, np.transpose, (((2, 3),),),
           bad=bad(lambda m: m.zeros(1, 2, 3).H, ShapeError, "H: expects a matrix")),
    # repeated
    OpCase("expand", lambda m, a: a.expand(4, 2, 3), lambda x: np.broadcast_to(x, (4, 2, 3)),
           (((2, 3),), ((1, 3),), ((2, 1),), ((),)),
           bad=(Bad(lambda m: m.zeros(2).expand(4, 2, 3), ShapeError,
                    r"\(2,\) does not broadcast to \(4, 2, 3\)"),
                Bad(lambda m: m.zeros(2, 3).expand(3), ShapeError, "does not broadcast"),
                Bad(lambda m: m.zeros(2).expand(-1, 2), ShapeError, "does not broadcast"))),
    OpCase("expand kept", lambda m, a: a.expand(4, -1, 3), lambda x: np.broadcast_to(x, (4, 2, 3)),
           (((2, 3),), ((1, 2, 1),))),
    OpCase("expand_as", lambda m, a: a.expand_as(m.zeros(4, 2, 3)),
           lambda x: np.broadcast_to(x, (4, 2, 3)), (((2, 1),), ((),)),
           bad=bad(lambda m: m.zeros(2).expand_as(m.zeros(3)), ShapeError, "does not broadcast")),
    OpCase("broadcast_to", lambda m, a: m.broadcast_to(a, (4, 2, 3)),
           lambda x: np.broadcast_to(x, (4, 2, 3)), (((2, 1),), ((),)),
           bad=bad(lambda m: m.zeros(2).broadcast_to((3,)), ShapeError, "does not broadcast")),
    # parts
    OpCase("narrow", lambda m, a: m.narrow(a, 1, -2, 2), lambda x: x[:, -2:],
           (((2, 3),), ((0, 3, 2),)),
           bad=(Bad(lambda m: m.zeros(3).narrow(0, 2, 2), ShapeError, "2 elements from 2"),
                Bad(lambda m: m.zeros(3).narrow(0, 2, -1), ShapeError, "-1 elements"),
                Bad(lambda m: m.zeros(3).narrow(0, 4, 0), BoundsError, "start 4 is out of bounds",
                    torch=False),
                Bad(lambda m: m.tensor(1.0).narrow(0, 0, 1), ShapeError, "0-d tensor has no axes"),
                Bad(lambda m: m.zeros(3).narrow("x", 0, 1), TypeError, "dim must be one axis"))),
    OpCase("narrow tensor", lambda m, a: m.narrow(a, 0, m.tensor(1), 2), lambda x: x[1:],
           (((3,),),)),
    OpCase("select", lambda m, a: m.select(a, -1, -1), lambda x: x[..., -1], with_axis(),
           bad=(Bad(lambda m: m.zeros(2, 3).select(1, 3), IndexError,
                    "index 3 is out of bounds for dimension 1 with size 3"),
                Bad(lambda m: m.tensor(1.0).select(0, 0), IndexError, "0-d tensor"))),
]  # fmt: skip
