"""Rows of mytorch/ops/similarity.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, Kink, OpCase, distinct, nonzero, with_axis


def length(x: Any, p: float = 2.0, axis: int = -1) -> Any:
    """The definition, keeping the axis."""
    return (np.abs(x) ** p).sum(axis, keepdims=True) ** (1 / p)


def cosine(x: Any, y: Any, axis: int = -1) -> Any:
    """The definition."""
    return (x * y).sum(axis) / (length(x, axis=axis) * length(y, axis=axis)).sum(axis)


VECTORS = (((3,), (3,)), ((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 3), (3,)))

ROWS = [
    OpCase("normalize", lambda m, a: m.nn.functional.normalize(a, dim=-1),
           lambda x: x / length(x), with_axis(), (nonzero,),
           kinks=(Kink(([0.0, 0.0],), ([1e12, 0],), [1.0, 0.0]),),
           bad=(
               Bad(lambda m: m.nn.functional.normalize(m.zeros(3)), IndexError, "got 1"),
               Bad(lambda m: m.nn.functional.normalize(m.tensor([[1, 2]])), DtypeError, "int64"),
           )),
    OpCase("normalize number", lambda m, a: m.nn.functional.normalize(a, dim=0), np.sign, (((),),),
           (nonzero,)),
    OpCase("normalize p 1", lambda m, a: m.nn.functional.normalize(a, 1, 0),
           lambda x: x / np.abs(x).sum(0), (((3,),), ((2, 3),)), (nonzero,),
           kinks=(Kink(([0.0, 2.0],), ([0.5, 0],), [1.0, 0.0]),)),
    OpCase("normalize p 3", lambda m, a: m.nn.functional.normalize(a, 3.0, 1),
           lambda x: x / length(x, 3, 1), (((2, 3),), ((2, 3, 2),)), (nonzero,)),
    OpCase("normalize p inf", lambda m, a: m.nn.functional.normalize(a, float("inf"), -1),
           lambda x: x / np.abs(x).max(-1, keepdims=True), (((3,),), ((2, 3),)),
           (lambda rng, shape: distinct(rng, shape) + 1.25,)),
    OpCase("cosine_similarity", lambda m, x, y: m.cosine_similarity(x, y, dim=-1), cosine, VECTORS,
           (nonzero,), promotes=False,
           kinks=(Kink(([0.0, 0.0], [3.0, 4.0]), ([0.6e8, 0.8e8], [0, 0])),),
           bad=(
               Bad(lambda m: m.cosine_similarity(*tensors(m, (2, 3), (2, 2))), ShapeError,
                   r"shapes \(2, 3\) and \(2, 2\)"),
               Bad(lambda m: m.cosine_similarity(m.tensor([1, 2]), m.tensor([1, 2]), 0), DtypeError,
                   "got int64"),
               Bad(lambda m: m.cosine_similarity(*tensors(m, (3,), (3,))), IndexError, "got 1"),
           )),
    OpCase("cosine_similarity dim", lambda m, x, y: m.nn.functional.cosine_similarity(x, y),
           lambda x, y: cosine(x * np.ones_like(y), y * np.ones_like(x), 1),
           (((2, 3, 4), (2, 3, 4)), ((2, 1, 4), (2, 3, 1)))),
    OpCase("cosine_similarity of numbers", lambda m, x, y: m.cosine_similarity(x, y, 0),
           lambda x, y: np.sign(x * y), (((), ()),), (nonzero,)),
    OpCase("pairwise_distance", lambda m, x, y: m.pairwise_distance(x, y),
           lambda x, y: length(x - y + 1e-6)[..., 0], (*VECTORS, ((0, 3), (0, 3))),
           kinks=(Kink(([0.0, 0.0], [1e-6, 1e-6]), (0, 0)),),
           bad=(Bad(lambda m: m.pairwise_distance(*tensors(m, (2, 3), (2, 2))), ShapeError,
                    r"pairwise_distance: shapes \(2, 3\) and \(2, 2\)"),)),
    OpCase("pairwise_distance p 1", lambda m, x, y: m.nn.functional.pairwise_distance(
               x, y, p=1.0, keepdim=True), lambda x, y: length(x - y + 1e-6, 1), VECTORS),
    OpCase("pairwise_distance p 3", lambda m, x, y: m.nn.functional.pairwise_distance(
               x, y, 3.0, eps=0.0), lambda x, y: length(x - y, 3)[..., 0], VECTORS),
    OpCase("pairwise_distance p 0", lambda m, x: m.pairwise_distance(x, x.detach(), 0),
           lambda x: np.full(x.shape[:-1], 3.0), (((2, 3),),), torch=None, smooth=False),
]  # fmt: skip
