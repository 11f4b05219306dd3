"""Rows of mytorch/ops/places.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import BoundsError, DtypeError, ShapeError
from tests.op_rows.common import CONDITION
from tests.op_rows.index import assigned
from tests.op_table import Bad, OpCase

TWICE, ONCE = np.array([2, 0, 2]), np.array([2, 0])


def added(x: np.ndarray, part: Any, index: Any) -> np.ndarray:
    result = x.copy()
    np.add.at(result, index, part)
    return result


def bad_vectors(name: str, *more: Any) -> tuple[Bad, ...]:
    """Wrong indices of a tensor of shape (2, 3) along dim 1."""

    def call(index: Any) -> Any:
        return lambda m: getattr(m, name)(
            m.zeros(2, 3), 1, m.tensor(index), *[make(m) for make in more]
        )

    return (
        Bad(call([3]), BoundsError, "index 3 is out of bounds for dimension 1 with size 3"),
        Bad(call([[0]]), IndexError, r"index must be a vector, got shape \(1, 1\)",
            torch=name == "index_select"),
    )  # fmt: skip


ROWS = [
    OpCase("index_select", lambda m, a: m.index_select(a, 1, m.tensor(TWICE)),
           lambda x: x[:, TWICE], (((2, 3),), ((2, 4, 2),), ((0, 3),)),
           bad=(*bad_vectors("index_select"),
                Bad(lambda m: m.index_select(m.zeros(2), 0, m.tensor([-1])), BoundsError, "-1 is"),
                Bad(lambda m: m.index_select(m.zeros(2), 0, m.tensor([0.0])), DtypeError,
                    "int64 or int32, not float"),
                Bad(lambda m: m.index_select(m.zeros(2), 0, [0]), TypeError, "got list"))),
    OpCase("index_select one", lambda m, a: m.index_select(a, 0, m.tensor(1)), lambda x: x[1:2],
           (((2, 3),), ((2,),))),
    OpCase("index_select 0-d", lambda m, a: m.index_select(a, 0, m.tensor([0])), np.copy, (((),),)),
    OpCase("index_add", lambda m, a, s: m.index_add(a, 1, m.tensor(TWICE), s),
           lambda x, s: added(x, s, (slice(None), TWICE)), (((2, 3), (2, 3)), ((0, 4), (0, 3))),
           bad=(*bad_vectors("index_add", lambda m: m.zeros(2, 1)),
                Bad(lambda m: m.zeros(2, 3).index_add(1, m.tensor([0]), m.zeros(2, 2)), ShapeError,
                    r"source must have the shape \(2, 1\)"),
                Bad(lambda m: m.zeros(2).index_add(0, m.tensor([0]), m.tensor([1])), DtypeError,
                    "what is written int64"))),
    OpCase("index_add alpha", lambda m, a, s: m.index_add(a, 0, m.tensor(TWICE), s, alpha=2),
           lambda x, s: added(x, 2 * s, TWICE), (((3, 2), (3, 2)), ((4,), (3,)))),
    OpCase("index_copy", lambda m, a, s: m.index_copy(a, 1, m.tensor(ONCE), s),
           lambda x, s: assigned(x, s, (slice(None), ONCE)), (((2, 3), (2, 2)), ((0, 4), (0, 2))),
           bad=(*bad_vectors("index_copy", lambda m: m.zeros(2, 1)),
                Bad(lambda m: m.zeros(2, 3).index_copy(1, m.tensor([0]), m.zeros(3, 1)), ShapeError,
                    r"source must have the shape \(2, 1\)"))),
    OpCase("index_fill", lambda m, a: m.index_fill(a, 1, m.tensor([2, -1, 0]), 2),
           lambda x: assigned(x, 2, (slice(None), [2, -1, 0])), (((2, 3),), ((0, 3, 2),)),
           bad=(*bad_vectors("index_fill", lambda m: 1.0),
                Bad(lambda m: m.zeros(3).index_fill(0, m.tensor([0]), m.zeros(1)), ShapeError,
                    r"a number or 0-d, got shape \(1,\)"))),
    OpCase("index_fill tensor", lambda m, a, v: m.index_fill(a, 0, m.tensor(TWICE), v),
           lambda x, v: assigned(x, v, TWICE), (((3, 2), ()), ((3,), ()))),
    OpCase("index_fill 0-d", lambda m, a, v: m.index_fill(a, 0, m.tensor(0), v), lambda x, v: v,
           (((), ()),)),
    OpCase("index_put", lambda m, a, v: m.index_put(a, (m.tensor([0, 1]), m.tensor([2, 0])), v),
           lambda x, v: assigned(x, v, ([0, 1], [2, 0])),
           (((2, 3), (2,)), ((2, 3), ()), ((2, 3, 2), (2,))),
           bad=(Bad(lambda m: m.zeros(2).index_put(m.tensor([0]), m.zeros(1)), TypeError,
                    "must be a tuple of Tensors"),
                Bad(lambda m: m.zeros(2).index_put((m.tensor([0]),), m.tensor([1])), DtypeError,
                    "what is written int64"),
                Bad(lambda m: m.zeros(2).index_put((m.tensor([0]),), 1.0), TypeError, "got float"),
                Bad(lambda m: m.zeros(2).index_put((m.tensor([2]),), m.zeros(1)), IndexError,
                    "index 2 is out of bounds for dimension 0 with size 2"))),
    OpCase("index_put add", lambda m, a, v: m.index_put(a, (m.tensor(TWICE),), v, accumulate=True),
           lambda x, v: added(x, v, TWICE), (((3, 2), (3, 2)), ((3, 2), (2,)), ((3,), ())),
           bad=(Bad(lambda m: m.zeros(3).index_put((m.tensor([0, 1]),), m.zeros(3), True),
                    ShapeError, r"values of shape \(3,\) do not fit into \(2,\)"),)),
    OpCase("index_put mask", lambda m, a, v: m.index_put(a, [m.tensor(CONDITION)], v),
           lambda x, v: assigned(x, v, CONDITION), (((2, 3), (3,)),)),
    OpCase("take", lambda m, a: m.take(a, m.tensor([[0, -1], [2, 0]])),
           lambda x: x.reshape(-1)[[[0, -1], [2, 0]]], (((2, 3),), ((3,),)),
           bad=(Bad(lambda m: m.take(m.zeros(2, 3), m.tensor([6])), IndexError,
                    "index 6 is out of bounds for dimension 0 with size 6"),)),
    OpCase("put", lambda m, a, s: m.put(a, m.tensor([[4], [-6]]), s),
           lambda x, s: assigned(x.reshape(-1), s.reshape(-1), [4, 0]).reshape(x.shape),
           (((2, 3), (2,)), ((2, 3), (1, 2))),
           bad=(Bad(lambda m: m.zeros(2).put(m.tensor([0]), m.zeros(2)), IndexError,
                    "1 places for 2 elements"),
                Bad(lambda m: m.zeros(2).put(m.tensor([0]), m.tensor([1])), DtypeError, "int64"))),
    OpCase("put add", lambda m, a, s: m.put(a, m.tensor(TWICE), s, accumulate=True),
           lambda x, s: added(x.reshape(-1), s, TWICE).reshape(x.shape), (((2, 3), (3,)),)),
    OpCase("select_scatter", lambda m, a, s: m.select_scatter(a, s, 1, -1),
           lambda x, s: assigned(x, s, (slice(None), -1)), (((2, 3), (2,)), ((0, 3), (0,))),
           bad=(Bad(lambda m: m.zeros(2, 3).select_scatter(m.zeros(1), 0, 0), ShapeError,
                    r"src has shape \(1,\), the part to overwrite \(3,\)"),)),
    OpCase("slice_scatter", lambda m, a, s: m.slice_scatter(a, s, 0, 1, None, 2),
           lambda x, s: assigned(x, s, slice(1, None, 2)), (((4, 3), (2, 3)), ((3,), (1,))),
           bad=(Bad(lambda m: m.zeros(2, 3).slice_scatter(m.zeros(3), 0, 0, 1), ShapeError,
                    r"src has shape \(3,\), the part to overwrite \(1, 3\)"),)),
]  # fmt: skip
