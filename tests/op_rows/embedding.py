"""Rows of mytorch/ops/embedding.py; padding and norms are in tests/test_embedding.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from mytorch.ops.embedding import AddRows
from tests.op_table import DTYPES, Bad, OpCase, distinct

INDICES = np.array([[1, 3, 1], [0, 1, 1]])  # with duplicates, whose gradients add up
OFFSETS = np.array([0, 2, 2, 5])  # the second bag has nothing
LABELS = np.array([2, 0, 2])


def bags(w: Any, reduce: Any) -> Any:
    """The bags of OFFSETS, each reduced, or 0."""
    flat = np.split(w[INDICES.reshape(-1)], OFFSETS[1:])
    return np.stack([reduce(rows, 0) if len(rows) else np.zeros(w.shape[1]) for rows in flat])


def call(name: str, indices: Any, *args: Any, **names: Any) -> Any:
    """The call of an operation on indices and a weight; arrays among the options are wrapped."""

    def wrapped(m: Any, value: Any) -> Any:
        return m.tensor(value) if isinstance(value, np.ndarray) else value

    return lambda m, w: getattr(m.nn.functional, name)(
        m.tensor(np.array(indices)), w, *[wrapped(m, x) for x in args],
        **{key: wrapped(m, value) for key, value in names.items()})  # fmt: skip


def wrong(name: str, error: type, message: str, indices: Any, *args: Any, torch: bool = True,
          shape: tuple[int, ...] = (4, 3), **names: Any) -> Bad:  # fmt: skip
    """A wrong call."""
    return Bad(lambda m: call(name, indices, *args, **names)(m, m.tensor(np.ones(shape))), error,
               message, torch)  # fmt: skip


def labels(m: Any, values: Any, *args: Any) -> Any:
    """The one-hot vectors of labels."""
    return m.nn.functional.one_hot(m.tensor(np.array(values)), *args)


TABLE = (((4, 3),), ((5, 1),), ((4, 0),))
INTEGERS = dict.fromkeys(DTYPES[:5], "torch has no integer tables here")

ROWS = [
    OpCase("embedding", call("embedding", INDICES), lambda w: w[INDICES], TABLE,
           bad=(
               wrong("embedding", BoundsError, r"input\[1, 0\] is 4, but weight has rows 0 to 3",
                     [[0, 1], [4, 0]]),
               wrong("embedding", IndexError, r"input\[0\] is -1", [-1, 0]),
               wrong("embedding", ShapeError, r"expects weight of shape \(V, D\), got \(4,\)",
                     [0], shape=(4,)),
               wrong("embedding", DtypeError, "expects integer indices, got float64", [0.0]),
               wrong("embedding", BoundsError, "padding_idx 9 is no row", [0], 9, torch=False),
           )),
    OpCase("embedding padding_idx", call("embedding", INDICES, padding_idx=2), lambda w: w[INDICES],
           (((4, 3),),)),
    OpCase("embedding of one", call("embedding", 2), lambda w: w[2], (((4, 3),),)),
    OpCase("embedding of none", call("embedding", np.zeros((0, 2), int)),
           lambda w: w[np.zeros((0, 2), int)], (((4, 3),),)),
    OpCase("add rows", lambda m, a: AddRows.apply(a, INDICES, 5),
           lambda x: np.stack([(i == INDICES).reshape(-1) @ x.reshape(6, 2) for i in range(5)]),
           (((2, 3, 2),),), torch=None),
    OpCase("embedding_bag", call("embedding_bag", INDICES), lambda w: w[INDICES].mean(1),
           (((4, 3),),), differs=INTEGERS,
           bad=(
               wrong("embedding_bag", ArgumentError, "mode must be .* got 'x'", INDICES, mode="x"),
               wrong("embedding_bag", ArgumentError, r"offsets go with input \(N,\), not \(2, 3\)",
                     INDICES, OFFSETS),
               wrong("embedding_bag", ArgumentError, r"expects input \(B, N\).*got \(3,\)", LABELS),
               wrong("embedding_bag", ArgumentError, r"got \(1, 2, 3\)", INDICES[None]),
               wrong("embedding_bag", ArgumentError, r"offsets must rise from 0 .* got \[1, 2\]",
                     LABELS, np.array([1, 2]), torch=True),
               wrong("embedding_bag", ArgumentError, r"got \[0, 9\]", LABELS, np.array([0, 9])),
               wrong("embedding_bag", ArgumentError, "go with mode='sum', not 'mean'", INDICES,
                     per_sample_weights=np.ones((2, 3)), torch=False),  # NotImplementedError
               wrong("embedding_bag", ShapeError, r"per_sample_weights \(6,\) must have the shape",
                     INDICES, mode="sum", per_sample_weights=np.ones(6)),
               wrong("embedding_bag", BoundsError, r"input\[1\] is 4", [0, 4, 1], np.array([0])),
           )),
    OpCase("embedding_bag sum", call("embedding_bag", INDICES.reshape(-1), OFFSETS, mode="sum"),
           lambda w: bags(w, np.sum), (((4, 3),),), differs=INTEGERS),
    OpCase("embedding_bag mean", call("embedding_bag", INDICES.reshape(-1), OFFSETS),
           lambda w: bags(w, np.mean), (((4, 3),),), differs=INTEGERS),
    OpCase("embedding_bag max", call("embedding_bag", INDICES.reshape(-1), OFFSETS, mode="max"),
           lambda w: bags(w, np.max), (((4, 3),),), (distinct,),
           differs={**INTEGERS, "second": "torch has none"}),
    OpCase("embedding_bag last", call("embedding_bag", INDICES.reshape(-1), np.array([0, 2, 6]),
                                      mode="sum", include_last_offset=True),
           lambda w: np.stack([w[[1, 3]].sum(0), w[[1, 0, 1, 1]].sum(0)]), (((4, 3),),),
           differs=INTEGERS),
    OpCase("embedding_bag padding", call("embedding_bag", INDICES, padding_idx=1),
           lambda w: np.stack([w[3], w[0]]), (((4, 3),),), differs=INTEGERS),
    OpCase("embedding_bag weights",
           lambda m, w, s: m.nn.functional.embedding_bag(
               m.tensor(INDICES), w, mode="sum", per_sample_weights=s),
           lambda w, s: (w[INDICES] * s[..., None]).sum(1), (((4, 3), (2, 3)),),
           differs={**INTEGERS, "second": "torch has none"}),
    OpCase("one_hot", lambda m: labels(m, LABELS), lambda: np.eye(3, dtype=int)[LABELS], ((),),
           smooth=False,
           bad=(
               Bad(lambda m: labels(m, LABELS, 2), BoundsError, r"input\[0\] is 2.* 0 to 1"),
               Bad(lambda m: labels(m, [0, -1]), BoundsError, r"input\[1\] is -1"),
               Bad(lambda m: labels(m, LABELS[:0]), BoundsError, "no labels to take num_classes"),
               Bad(lambda m: labels(m, [0.0]), DtypeError, "got float64", False),
           )),
    OpCase("one_hot classes", lambda m: labels(m, [[1, 0]], 3),
           lambda: np.eye(3, dtype=int)[np.array([[1, 0]])], ((),), smooth=False),
    OpCase("one_hot of one", lambda m: labels(m, 1), lambda: np.array([0, 1]), ((),), smooth=False),
    OpCase("one_hot of none", lambda m: labels(m, LABELS[:0], 2), lambda: np.zeros((0, 2), int),
           ((),), smooth=False),
]  # fmt: skip
