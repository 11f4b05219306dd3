"""Rows of mytorch/ops/scan.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.scan import Recurrence
from tests.op_rows.common import tensors, with_zeros
from tests.op_table import UNARY, Bad, Kink, OpCase, distinct, nonzero, with_axis

NAN = np.nan
WRAPS = {"uint8": "torch adds and subtracts uint8 as such, which wraps around"}
TIES = [1.0, 3.0, 2.0, 3.0, 1.0, 1.0]


def no_dim(name: str) -> tuple[Bad, ...]:
    """The wrong calls of a scan."""
    return (
        Bad(lambda m: getattr(m, name)(m.zeros(3)), TypeError, "dim"),
        Bad(lambda m: getattr(m, name)(m.zeros(3), None), TypeError, "one axis"),
        Bad(lambda m: getattr(m, name)(m.zeros(3), 1), IndexError, "got 1"),
    )


def recurred(m: Any, a: Any, b: Any) -> Any:
    """h_t = a_t h_(t-1) + b_t over the rows, one by one."""
    h = [b[0]]
    for t in range(1, len(b)):
        h.append(a[t] * h[-1] + b[t])
    return m.stack(h)


def running_lse(x: np.ndarray, axis: int) -> np.ndarray:
    """The textbook formula of logcumsumexp."""
    return np.log(np.cumsum(np.exp(x), axis))


def reached(ufunc: Any, x: np.ndarray) -> Any:
    """The running extreme over the rows and where it was last."""
    value = ufunc.accumulate(x, 0)
    places = [[np.flatnonzero(x[: i + 1, j] == value[i, j])[-1] for j in range(x.shape[1])]
              for i in range(len(x))]  # fmt: skip
    return value, np.array(places, np.int64).reshape(x.shape)


ROWS = [
    OpCase("cumsum", lambda m, a: m.cumsum(a, -1), lambda x: np.cumsum(x, -1).reshape(x.shape),
           (*UNARY, ((4, 3, 2),), ((2, 0),)), bad=no_dim("cumsum")),
    OpCase("cumsum dim", lambda m, a: m.cumsum(a, 0), lambda x: x.cumsum(0),
           (((2, 3),), ((4, 3, 2),), ((0, 3),))),
    OpCase("cumprod", lambda m, a: m.cumprod(a, 0), lambda x: np.cumprod(x, 0).reshape(x.shape),
           (*UNARY, ((4, 3, 2),)), (nonzero,), bad=no_dim("cumprod"),
           kinks=(
               Kink(([0.0, 2, 3],), ([9, 0, 0],), [1.0] * 3),
               Kink(([2.0, 0, 3, 0, 4],), ([1, 8, 0, 0, 0],), [1.0] * 5),
               Kink(([2.0, 3, 0],), ([4, 2, 6],), [1.0] * 3),
           )),
    OpCase("cumprod with zeros", lambda m, a: m.cumprod(a, -1),
           lambda x: np.cumprod(x, -1).reshape(x.shape), (*UNARY, ((4, 3, 2),), ((2, 9),)),
           (with_zeros,)),
    OpCase("recurrence", lambda m, a, b: Recurrence.apply(a, b, 0), None,
           (((2, 3), (2, 3)), ((5,), (5,)), ((8, 1), (8, 1))),
           torch=recurred),
    OpCase("logcumsumexp", lambda m, a: m.logcumsumexp(a, -1),
           lambda x: running_lse(x, -1).reshape(x.shape), (*UNARY, ((4, 3, 2),)),
           bad=(*no_dim("logcumsumexp"),
                Bad(lambda m: m.logcumsumexp(m.tensor([1]), 0), DtypeError, "floating")),
           differs={"nan": "torch drops a nan in the gradient"}),
    OpCase("logcumsumexp dim", lambda m, a: m.logcumsumexp(a, 0), lambda x: running_lse(x, 0),
           (((3, 2),), ((0, 3),), ((5, 1, 2),)),
           differs={"nan": "torch drops a nan in the gradient"}),
    OpCase("cummax", lambda m, a: tuple(m.cummax(a, 0)), lambda x: reached(np.maximum, x),
           (((2, 3),), ((5, 2),), ((0, 3),), ((3, 0),)), (distinct,), bad=no_dim("cummax"),
           kinks=(
               Kink((TIES,), ([1, 2, 0, 12, 0, 0],), [1.0, 2, 0, 3, 4, 5]),
               Kink(([1.0, NAN, 2.0, NAN],), ([1, 5, 0, 4],), [1.0, 2, 3, 4]),
           )),
    OpCase("cummin", lambda m, a: tuple(m.cummin(a, 0)), lambda x: reached(np.minimum, x),
           (((2, 3),), ((5, 2),), ((0, 3),), ((3, 0),)), (distinct,), bad=no_dim("cummin"),
           kinks=(Kink((TIES,), ([6, 0, 0, 0, 4, 5],), [1.0, 2, 0, 3, 4, 5]),)),
    OpCase("cummax of numbers", lambda m, a: tuple(m.cummax(a, -1)), None,
           (((),), ((3,),), ((1, 3),)), (distinct,)),
    OpCase("diff", lambda m, a: m.diff(a), np.diff, with_axis(),
           bad=(
               Bad(lambda m: m.diff(m.tensor(1.0)), ShapeError, "0-d"),
               Bad(lambda m: m.diff(m.zeros(3), n=-1), ShapeError, "negative, got -1"),
               Bad(lambda m: m.diff(m.zeros(3), n=1.5), TypeError, "not float"),
               Bad(lambda m: m.diff(m.zeros(3), prepend=[1.0]), TypeError, "not list"),
               Bad(lambda m: m.diff(*tensors(m, (2, 3)), prepend=m.zeros(3, 1)), ShapeError,
                   r"joined to \(2, 3\)"),
           )),
    OpCase("diff twice", lambda m, a: m.diff(a, 2, 0), lambda x: np.diff(x, 2, 0),
           (((4,),), ((3, 2),), ((1, 2),), ((5, 2, 2),))),
    OpCase("diff none", lambda m, a: m.diff(a, 0), np.copy, with_axis()),
    OpCase("diff extended", lambda m, a, b, c: m.diff(a, prepend=b, append=c),
           lambda x, y, z: np.diff(x, prepend=y, append=z),
           (((2, 3), (2, 1), (2, 2)), ((2, 1), (2, 2), (2, 0)))),
    OpCase("trapezoid", lambda m, a: m.trapezoid(a), lambda x: np.trapezoid(x), with_axis(),
           differs=WRAPS,
           bad=(
               Bad(lambda m: m.trapezoid(m.tensor(1.0)), IndexError, "0-d"),
               Bad(lambda m: m.trapezoid(m.tensor([True])), DtypeError, "not for booleans"),
               Bad(lambda m: m.trapezoid(*tensors(m, (2, 3), (2,))), ShapeError,
                   r"3 samples along axis 1, but x has shape \(1, 2\)"),
               Bad(lambda m: m.trapezoid(*tensors(m, (3,), (3,)), dx=2), TypeError, "both x and"),
           )),
    OpCase("trapezoid spaced", lambda m, a: m.trapezoid(a, dx=0.5, dim=0),
           lambda x: np.trapezoid(x, dx=0.5, axis=0), (((3, 2),), ((4,),), ((1, 2),)),
           differs=WRAPS),
    OpCase("trapezoid at places", lambda m, a, b: m.trapezoid(a, b), np.trapezoid,
           (((2, 3), (3,)), ((2, 3), (2, 3)), ((3,), (3,)), ((2, 3), (1, 3))), differs=WRAPS),
    OpCase("trapezoid at places of rows", lambda m, a, b: m.trapezoid(a, b, dim=0),
           lambda y, x: np.trapezoid(y, x, axis=0), (((3, 2), (3,)), ((3, 2), (3, 2))),
           differs=WRAPS),
    OpCase("cumulative_trapezoid", lambda m, a, b: m.cumulative_trapezoid(a, b),
           lambda y, x: np.cumsum(np.diff(x) * (y[..., 1:] + y[..., :-1]) / 2, -1),
           (((2, 3), (3,)), ((3,), (3,)), ((1,), (1,))), differs=WRAPS),
]  # fmt: skip
