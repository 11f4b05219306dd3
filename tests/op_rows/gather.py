"""Rows of mytorch/ops/gather.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import BoundsError, DtypeError, ShapeError
from tests.op_table import Bad, Kink, OpCase, distinct, nonzero, real

INDEX = np.array([[0, 1, 1], [2, 2, 2]])  # into (4, 3): along dim 0 with duplicates
SMALL = np.array([[3, 0]])
ONE = np.array([[2], [0]])
REDUCTIONS = {
    "sum": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
    "mean": np.add,
}


def places(index: np.ndarray, dim: int = 0) -> tuple[Any, ...]:
    """The index of the elements that an index along ``dim`` names."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def written(x: np.ndarray, src: Any, index: np.ndarray, dim: int = 0) -> np.ndarray:
    result = x.copy()
    part = src if np.ndim(src) == 0 else src[tuple(slice(n) for n in index.shape)]
    result[places(index, dim)] = part
    return result


def reduced(x: np.ndarray, src: np.ndarray, how: str, own: bool) -> np.ndarray:
    """x reduced with each element of src in turn."""
    result, count = x.copy(), np.full(x.shape, float(own))
    for place in np.ndindex(INDEX.shape):
        target = (INDEX[place], *place[1:])
        first = not own and count[target] == 0
        result[target] = src[place] if first else REDUCTIONS[how](result[target], src[place])
        count[target] += 1
    return result / np.maximum(count, 1) if how == "mean" else result


def bad_places(name: str, *more: Any) -> tuple[Bad, ...]:
    """Wrong indices of a tensor of shape (2, 3) along dim 1, with what is said about them."""

    def call(index: Any, dim: int = 1) -> Any:
        return lambda m: getattr(m, name)(
            m.zeros(2, 3), dim, m.tensor(index), *[make(m) for make in more]
        )

    return (
        Bad(call([[0, 3]]), BoundsError, "index 3 is out of bounds for dimension 1 with size 3"),
        Bad(call([[0, -1]]), BoundsError, "index -1 is out of bounds for dimension 1 with size 3"),
        Bad(call([0, 1]), ShapeError, r"index \(2,\) must have as many axes as the .*\(2, 3\)"),
        Bad(call([[0], [0], [0]]), ShapeError, r"index \(3, 1\) must not be larger than the"),
        Bad(call([[0.0]]), DtypeError, "index must hold int64 or int32, not float"),
        Bad(call([[0]], 2), IndexError, "got 2"),
    )  # fmt: skip


ROWS = [
    OpCase("gather", lambda m, a: m.gather(a, 0, m.tensor(INDEX)),
           lambda x: np.take_along_axis(x, INDEX, 0), (((4, 3),), ((3, 3),)),
           bad=(*bad_places("gather"),
                Bad(lambda m: m.gather(m.zeros(2), 0, [0]), TypeError, "must be a Tensor"))),
    OpCase("gather one", lambda m, a: m.gather(a, -1, m.tensor(ONE)),
           lambda x: np.take_along_axis(x, ONE, -1), (((2, 3),), ((2, 5),))),
    OpCase("gather small", lambda m, a: m.gather(a, 1, m.tensor(SMALL)),
           lambda x: np.take_along_axis(x[:1], SMALL, 1), (((2, 4),), ((1, 5),))),
    OpCase("gather 3-d", lambda m, a: m.gather(a, 1, m.tensor(INDEX[:, None])),
           lambda x: x[places(INDEX[:, None], 1)], (((2, 3, 4),),)),
    OpCase("gather 0-d", lambda m, a: m.gather(a, 0, m.tensor(0)), lambda x: x.reshape(-1)[0],
           (((),), ((2,),))),
    OpCase("gather nothing", lambda m, a: m.gather(a, 0, m.tensor(INDEX[:0, 0])) * 1,
           lambda x: np.zeros(0), (((2, 3),), ((2,),))),
    OpCase("take_along_dim", lambda m, a: m.take_along_dim(a, m.tensor(ONE), 1),
           lambda x: np.take_along_axis(x, ONE, 1), (((2, 3),), ((1, 3),)),
           bad=(Bad(lambda m: m.zeros(2, 3).take_along_dim(m.tensor([0]), 1), ShapeError,
                    "must have as many axes"),
                Bad(lambda m: m.zeros(2, 3).take_along_dim(m.tensor([[0]] * 3), 1), ShapeError,
                    "do not broadcast"),
                Bad(lambda m: m.zeros(2, 3).take_along_dim(m.tensor([[3]]), 1), IndexError,
                    "index 3 is out of bounds", torch=False))),
    OpCase("take_along_dim negative", lambda m, a: m.take_along_dim(a, m.tensor(-1 - ONE), -1),
           lambda x: np.take_along_axis(x, -1 - ONE, -1), (((2, 3),),)),
    OpCase("take_along_dim flat", lambda m, a: m.take_along_dim(a, m.tensor([[0, 4]])),
           lambda x: x.reshape(-1)[[0, 4]], (((2, 3),),)),
    OpCase("scatter", lambda m, a, s: m.scatter(a, 1, m.tensor(ONE), s),
           lambda x, s: written(x, s, ONE, 1), (((2, 3), (2, 1)), ((3, 4), (2, 1))),
           bad=(*bad_places("scatter", lambda m: m.zeros(3, 3)),
                Bad(lambda m: m.scatter(m.zeros(2), 0, m.tensor([0, 1]), m.zeros(1)), ShapeError,
                    r"must not be larger than src \(1,\)"),
                Bad(lambda m: m.scatter(m.zeros(2), 0, m.tensor([0]), m.tensor([1])), DtypeError,
                    "what is written int64"),
                Bad(lambda m: m.scatter(m.zeros(2), 0, m.tensor([0]), 1.0, reduce="mean"),
                    ShapeError, "'add' or 'multiply'"),
                Bad(lambda m: m.scatter(m.zeros(2), 0, m.tensor([0])), TypeError, "src or value"))),
    OpCase("scatter larger", lambda m, a, s: m.scatter(a, 1, m.tensor(ONE), s),
           lambda x, s: written(x, s, ONE, 1), (((2, 3), (3, 2)),), torch=None),
    OpCase("scatter number", lambda m, a: m.scatter(a, 1, m.tensor(SMALL), 2.5),
           lambda x: written(x, 2.5, SMALL, 1), (((2, 4),), ((1, 5),))),
    OpCase("scatter value", lambda m, a: m.scatter(a, 0, m.tensor(INDEX), value=3),
           lambda x: written(x, 3, INDEX), (((3, 3),),)),
    OpCase("scatter add", lambda m, a, s: m.scatter(a, 0, m.tensor(INDEX), s, reduce="add"),
           lambda x, s: reduced(x, s, "sum", True), (((4, 3), (2, 3)),), torch=None),
    OpCase("scatter multiply", lambda m, a: m.scatter(a, 0, m.tensor(INDEX), 2, reduce="multiply"),
           lambda x: reduced(x, np.full((2, 3), 2), "prod", True), (((4, 3),),), torch=None),
    OpCase("scatter nothing", lambda m, a: m.scatter(a, 0, m.tensor(INDEX[:0]), 2) * 1, np.copy,
           (((2, 3),), ((2,),))),
    OpCase("scatter 0-d", lambda m, a, s: m.scatter(a, 0, m.tensor(0), s), lambda x, s: s,
           (((), ()),)),
    OpCase("scatter_add", lambda m, a, s: m.scatter_add(a, 0, m.tensor(INDEX), s),
           lambda x, s: reduced(x, s, "sum", True), (((4, 3), (2, 3)), ((3, 4), (2, 3))),
           bad=(*bad_places("scatter_add", lambda m: m.zeros(3, 3)),
                Bad(lambda m: m.zeros(2).scatter_add(0, m.tensor([0]), 1.0), TypeError,
                    "expects a Tensor to write, got float"))),
    *[OpCase(f"scatter_reduce {how}{'' if own else ' excluded'}",
             lambda m, a, s, how=how, own=own: m.scatter_reduce(
                 a, 0, m.tensor(INDEX), s, how, include_self=own),
             lambda x, s, how=how, own=own: reduced(x, s, how, own),
             (((4, 3), (2, 3)), ((3, 3), (2, 3))),
             (nonzero, nonzero) if how == "prod" else (distinct, real))
      for how in REDUCTIONS for own in (True, False)],
    OpCase("scatter_reduce 0-d", lambda m, a, s: m.scatter_reduce(a, 0, m.tensor(0), s, "amax"),
           np.maximum, (((), ()),)),
    OpCase("scatter_reduce kinks", lambda m, a, s: m.scatter_reduce(
               a, 0, m.tensor([0, 0, 1]), s, "amax"),
           None, (((2,), (3,)),),
           kinks=(Kink(([2.0, 1.0], [2.0, 2.0, 0.0]), ([1, 3], [1, 1, 0]), [3.0, 3.0]),),
           bad=(Bad(lambda m: m.zeros(2).scatter_reduce(0, m.tensor([0]), m.zeros(1), "max"),
                    ShapeError, "got 'max'", torch=False),)),
    OpCase("scatter_reduce zeros", lambda m, a, s: m.scatter_reduce(
               a, 0, m.tensor([0, 0, 1]), s, "prod"),
           None, (((2,), (3,)),), (nonzero,),
           kinks=(
               Kink(([2.0, 5.0], [0.0, 3.0, 4.0]), ([0, 4], [6, 0, 5]), [1.0, 1.0]),
               Kink(([0.0, 0.0], [3.0, 2.0, 0.0]), ([6, 0], [0, 0, 0]), [1.0, 1.0]),
               Kink(([2.0, 1.0], [0.0, 0.0, 1.0]), ([0, 1], [0, 0, 1]), [1.0, 1.0]),
           )),
]  # fmt: skip
