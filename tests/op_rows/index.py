"""Rows of mytorch/ops/index.py; ``tests/test_indexing.py`` draws indices at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import BoundsError, DtypeError, ShapeError
from mytorch.ops.index import Assign, Gather, Scatter, Unslice
from tests.op_rows.common import CONDITION, PLACES, tensors
from tests.op_table import Bad, OpCase

RISING = np.array([0, 2])


def assigned(x: Any, value: Any, index: Any = slice(1, None)) -> Any:
    """A copy of an array or of torch's tensor with a part of it overwritten."""
    result = x.copy() if isinstance(x, np.ndarray) else x.clone()
    result[index] = value
    return result


def bad_indices() -> tuple[Bad, ...]:
    """Wrong indices of a tensor of shape (2, 3), with what is said about them."""
    return tuple([
        Bad(lambda m, make=make: m.zeros(2, 3)[make(m)], error, message)
        for make, error, message in (
            (lambda m: (0, 5), BoundsError, "index 5 is out of bounds for dimension 1 with size 3"),
            (lambda m: -3, BoundsError, "index -3 is out of bounds for dimension 0 with size 2"),
            (lambda m: (0, m.tensor([0, 3])), IndexError, "index 3 is out of .* size 3"),
            (lambda m: m.tensor([-3]), IndexError, "index -3 is out of bounds for dim.* size 2"),
            (lambda m: (0, 0, 0), IndexError, "3 indices for 2 dimension"),
            (lambda m: m.tensor(np.ones((2, 3, 1)) > 0), IndexError, "3 indices for 2 dimension"),
            (lambda m: slice(None, None, -1), ValueError, "greater than zero, got -1"),
            (lambda m: slice(None, None, 0), ValueError, "greater than zero, got 0"),
            (lambda m: slice(0.5, None), TypeError, "float"),
            (lambda m: m.tensor([True]), IndexError, r"shape \(1,\).*has \(2,\) from its front"),
            (lambda m: (slice(None), m.tensor([True, False])), IndexError, r"\(3,\) from dim.* 1"),
            (lambda m: m.tensor([0.0]), IndexError, "integers or booleans, not of float"),
            (lambda m: 1.0, IndexError, "got float"),
            (lambda m: {}, IndexError, "got dict"),
            (lambda m: ([0, 1], [0, 1, 2]), IndexError, r"\(2,\) and \(3,\)"),
        )
    ])  # fmt: skip


ROWS = [
    OpCase("slice", lambda m, a: a[1:, ::2], lambda x: x[1:, ::2],
           (((2, 3),), ((4, 5, 2),), ((0, 3),)), bad=bad_indices()),
    OpCase("slice int", lambda m, a: a[0, ..., None], lambda x: x[0, ..., None],
           (((2, 3),), ((4, 5, 2),), ((1, 1),)),
           bad=(Bad(lambda m: m.zeros(0, 3)[0], IndexError, "out of bounds"),
                Bad(lambda m: m.tensor(1.0)[0], IndexError, r"0-d tensor .* tensor.item\(\)"),
                Bad(lambda m: m.zeros(3)[..., 0, ...], IndexError, "only one Ellipsis",
                    torch=False))),
    OpCase("slice none", lambda m, a: (a[()], a[...], a[None]), lambda x: [x, x, x[None]]),
    OpCase("slice duplicates", lambda m, a: a[m.tensor([0, 1, 0])], lambda x: x[[0, 1, 0]],
           (((2, 3),), ((2,),))),
    OpCase("slice rising", lambda m, a: a[m.tensor(RISING)], lambda x: x[RISING],
           (((4, 3),), ((3,),))),
    OpCase("slice negative", lambda m, a: a[:, [-1, 0, -1]], lambda x: x[:, [-1, 0, -1]],
           (((2, 3),), ((2, 4, 2),))),
    OpCase("slice pairs", lambda m, a: a[m.tensor(PLACES), [1, 0]], lambda x: x[PLACES, [1, 0]],
           (((3, 2),), ((3, 2, 2),))),
    OpCase("slice apart", lambda m, a: a[[1, 0], :, m.tensor(PLACES)],
           lambda x: x[[1, 0], :, PLACES], (((2, 2, 3),), ((2, 0, 3),))),
    # torch takes the int first, so that the axes of the places stay where they are
    OpCase("slice int and places", lambda m, a: a[0, :, [1, 1]], lambda x: x[0][:, [1, 1]],
           (((2, 3, 2),),)),
    OpCase("slice step and places", lambda m, a: a[1:, None, ::2, [1, 1, 0]],
           lambda x: x[1:, None, ::2][..., [1, 1, 0]], (((3, 3, 2),),)),
    OpCase("slice mask", lambda m, a: a[m.tensor(CONDITION)], lambda x: x[CONDITION],
           (((2, 3),), ((2, 3, 2),))),
    OpCase("slice mask rows", lambda m, a: a[:, [True, False, True]], lambda x: x[:, [0, 2]],
           (((2, 3),), ((1, 3, 2),))),
    OpCase("slice mask and places", lambda m, a: a[m.tensor(CONDITION), [1, 0, 0]],
           lambda x: x[CONDITION, [1, 0, 0]], (((2, 3, 2),),)),
    OpCase("slice truth", lambda m, a: (a[True], a[False], a[m.tensor(True), ..., None]),
           lambda x: [x[None], x[None][:0], x[None, ..., None]]),
    OpCase("slice 0-d", lambda m, a: a[m.tensor(1), m.tensor([1, 1])], lambda x: x[1, [1, 1]],
           (((2, 3),),)),
    OpCase("assign", lambda m, a, v: Assign.apply(a, v, (slice(1, None),)), assigned,
           (((2, 3), (3,)), ((3, 2), (1, 2)), ((3, 2), ()), ((0, 3), (1, 3))),
           torch=lambda t, a, v: assigned(a, v),
           bad=(Bad(lambda m: assigned(*tensors(m, (2, 3), (2,))), ShapeError,
                    r"\(2,\) does not fit"),
                Bad(lambda m: assigned(m.zeros(2), m.tensor([1]), [0]), DtypeError,
                    r"dtype float\d\d, got int64; convert it: value.astype"),
                Bad(lambda m: assigned(m.tensor([1, 2]), float("inf"), [0]), DtypeError,
                    "inf does not fit into int64"),
                Bad(lambda m: assigned(m.zeros(2), 1.0, 2), IndexError, "index 2 is out of bounds"),
                Bad(lambda m: assigned(m.zeros(2), [1.0, 2.0]), TypeError, "got list"),
                Bad(lambda m: assigned(m.zeros(2, 2), m.zeros(3), m.tensor(CONDITION[:, :2])),
                    ShapeError, r"\(3,\) does not fit into \(1,\)"))),
    OpCase("assign places", lambda m, a, v: Assign.apply(a, v, (0, slice(None), [1, 0])),
           lambda x, v: assigned(x, np.broadcast_to(v, (3, 2)).T, (0, slice(None), [1, 0])),
           (((2, 3, 2), (3, 2)), ((2, 3, 2), (2,)), ((2, 3, 2), ())),
           torch=lambda t, a, v: assigned(a, v, (0, slice(None), [1, 0]))),
    OpCase("assign mask", lambda m, a, v: Assign.apply(a, v, CONDITION),
           lambda x, v: assigned(x, v, CONDITION),
           (((2, 3), (3,)), ((2, 3), ()), ((2, 3, 2), (2,))),
           torch=lambda t, a, v: assigned(a, v, t.tensor(CONDITION))),
    OpCase("unslice", lambda m, a: Unslice.apply(a, (slice(1, 3),), (4, 3)),
           lambda x: np.concatenate([np.zeros((1, 3)), x, np.zeros((1, 3))]), (((2, 3),),),
           torch=None),
    OpCase("gather class", lambda m, a: Gather.apply(a, PLACES, 1),
           lambda x: np.take_along_axis(x, PLACES, 1), (((2, 3),),),
           torch=lambda t, a: a.take_along_dim(t.tensor(PLACES), 1)),
    OpCase("scatter class", lambda m, a: Scatter.apply(a, PLACES, 1, (2, 3)),
           lambda x: np.stack([[x[0, 0], 0, x[0, 1]], [0, x[1].sum(), 0]]), (((2, 2),),),
           torch=lambda t, a: t.zeros(2, 3, dtype=a.dtype).scatter_add(1, t.tensor(PLACES), a)),
]  # fmt: skip
