"""Rows of mytorch/ops/masks.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import CONDITION
from tests.op_table import UNARY, Bad, OpCase

COLUMNS = np.array([True, False, True])


def scattered(x: np.ndarray, source: np.ndarray) -> np.ndarray:
    result = np.broadcast_to(x, CONDITION.shape).copy()
    result[CONDITION] = source.reshape(-1)[:3]
    return result


def bad_masks(name: str, *more: Any) -> tuple[Bad, ...]:
    def call(mask: Any) -> Any:
        return lambda m: getattr(m, name)(m.zeros(2), m.tensor(mask), *[make(m) for make in more])

    return (
        Bad(call([1, 0]), DtypeError, "mask must be boolean, not int64"),
        Bad(call([True] * 3), ShapeError, r"shapes \(2,\) and \(3,\)"),
        Bad(lambda m: getattr(m, name)(m.zeros(2), [True, False], *[make(m) for make in more]),
            TypeError, "mask must be a Tensor, got list"),
    )  # fmt: skip


ROWS = [
    OpCase("masked_fill", lambda m, a: m.masked_fill(a, m.tensor(CONDITION), -1),
           lambda x: np.where(CONDITION, -1, x), (((2, 3),), ((3,),), ((2, 1),), ((),)),
           bad=(*bad_masks("masked_fill", lambda m: 1.0),
                Bad(lambda m: m.zeros(2).masked_fill(m.tensor([True, False]), m.zeros(1)),
                    ShapeError, "a number or 0-d"),
                Bad(lambda m: m.tensor([1]).masked_fill(m.tensor([True]), float("-inf")),
                    DtypeError, "-inf does not fit into int64"),
                Bad(lambda m: m.zeros(2).masked_fill(m.tensor([True, False]), "x"), TypeError,
                    "must be a number, got str"))),
    OpCase("masked_fill rows", lambda m, a: m.masked_fill(a, m.tensor(COLUMNS), 2.5),
           lambda x: np.where(COLUMNS, 2.5, x), (((2, 3),), ((4, 2, 3),), ((0, 3),))),
    OpCase("masked_fill tensor", lambda m, a, v: m.masked_fill(a, m.tensor(CONDITION), v),
           lambda x, v: np.where(CONDITION, v, x), (((2, 3), ()), ((3,), ()))),
    OpCase("masked_select", lambda m, a: m.masked_select(a, m.tensor(CONDITION)),
           lambda x: np.broadcast_to(x, (2, 3))[CONDITION], (((2, 3),), ((3,),), ((),)),
           bad=bad_masks("masked_select")),
    OpCase("masked_select rows", lambda m, a: m.masked_select(a, m.tensor(COLUMNS)),
           lambda x: x[..., COLUMNS].reshape(-1), (((2, 3),), ((0, 3),))),
    OpCase("masked_select 0-d", lambda m, a: m.masked_select(a, m.tensor(True)),
           lambda x: x.reshape(-1), UNARY),
    OpCase("masked_scatter", lambda m, a, s: m.masked_scatter(a, m.tensor(CONDITION), s), scattered,
           (((2, 3), (3,)), ((3,), (2, 2)), ((2, 3), (5,))),
           bad=(*bad_masks("masked_scatter", lambda m: m.zeros(9)),
                Bad(lambda m: m.zeros(2).masked_scatter(m.tensor([True] * 2), m.zeros(1)),
                    ShapeError, "1 elements for 2 places"),
                Bad(lambda m: m.zeros(2).masked_scatter(m.tensor([True] * 2), m.tensor([1, 2])),
                    DtypeError, "what is written int64"))),
    OpCase("nonzero", lambda m, a: m.nonzero(m.relu(a.detach())), lambda x: np.argwhere(x > 0),
           smooth=False),
    OpCase("nonzero tuple", lambda m, a: m.nonzero(a.detach() > 0, as_tuple=True),
           lambda x: np.nonzero(np.atleast_1d(x > 0)), smooth=False),
    OpCase("argwhere", lambda m, a: m.argwhere(a.detach()), np.argwhere, smooth=False),
    OpCase("where alone", lambda m, a: m.where(a.detach() > 0),
           lambda x: np.nonzero(np.atleast_1d(x > 0)), smooth=False),
    OpCase("where wrong", lambda m, a: m.where(m.tensor(COLUMNS)), lambda x: np.nonzero(COLUMNS),
           (((),),), smooth=False,
           bad=(Bad(lambda m: m.where(m.tensor([True]), m.zeros(1)), TypeError,
                    "with both input and other"),)),
    OpCase("where method", lambda m, a, b: a.where(m.tensor(CONDITION), b),
           lambda x, y: np.where(CONDITION, x, y), (((2, 3), (3,)), ((3,), (2, 1)))),
]  # fmt: skip
