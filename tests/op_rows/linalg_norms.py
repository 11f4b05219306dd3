"""Rows of norms and distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, EmptyError, ShapeError
from tests.op_rows.common import tensors
from tests.op_rows.matrices import refused, separated
from tests.op_table import UNARY, Bad, Kink, OpCase, nonzero, real

AT_ZERO = {  # norm -> the gradient at (4, -4, 0), a tie
    1: (1, -1, 0),
    np.inf: (0.5, -0.5, 0),
    -np.inf: (0, 0, 0),
    0.5: (2, -2, 0),
    -1: (0, 0, 0),
}


def spaced(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Absolute values 0.5, 0.8, …, in any order, with any signs."""
    sizes = 0.5 + 0.3 * rng.permutation(int(np.prod(shape))).reshape(shape)
    return sizes * rng.choice([-1.0, 1.0], shape)


def vector_norm(p: float) -> OpCase:
    return OpCase(
        f"vector_norm {p}",
        lambda m, a: m.linalg.vector_norm(a, p),
        lambda x: np.linalg.norm(np.ravel(x), p),
        UNARY if p >= 0 and p != np.inf else UNARY[:-1],
        (spaced,),
        kinks=tuple(Kink(([4.0, -4.0, 0.0],), (grads,)) for q, grads in AT_ZERO.items() if q == p)
        + (Kink(([0.0, 0.0],), (0,)),) * (p != 0),
    )


def matrix_norm(p: Any) -> OpCase:
    return OpCase(
        f"matrix_norm {p}",
        lambda m, a: m.linalg.matrix_norm(a, p),
        lambda x: np.linalg.matrix_norm(x, ord=p),
        (((3, 2),), ((2, 3),), ((1, 1),), ((4, 3, 2),), ((0, 3, 2),)),
        (separated,),
        bad=refused("matrix_norm", square=False, ord=p)[0:1],
    )


def cdist(p: float, **options: Any) -> OpCase:
    return OpCase(
        f"cdist {p}",
        lambda m, a, b: m.cdist(a, b, p),
        lambda a, b: np.linalg.norm(a[..., :, None, :] - b[..., None, :, :], p, axis=-1),
        (((2, 3), (4, 3)), ((5, 1, 3), (5, 2, 3)), ((5, 1, 2, 3), (4, 2, 3)), ((2, 3), (4, 2, 3)),
         ((0, 3), (2, 3)), ((2, 3), (0, 3)), ((2, 1), (3, 1))),
        (spaced, lambda rng, s: spaced(rng, s) * 7.1),
        differs={"second": "torch has none"},
        **options,
    )  # fmt: skip


def spread_out(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Points of which no two are near each other in any coordinate, nor equally far."""
    return spaced(rng, shape) + 1e-2 * rng.normal(size=shape)


DISTANCES = {  # norm -> gradients where points coincide, or only in one coordinate
    0: Kink(([[0.0, 0], [1, 2]], [[0.0, 0]]), (0, 0), [[1.0], [1.0]]),
    1: Kink(([[0.0, 0], [1, 0]], [[0.0, 0]]), ([[0, 0], [1, 0]], [[-1, 0]]), [[1.0], [1.0]]),
    2: Kink(([[0.0, 0], [3, 0]], [[0.0, 0]]), ([[0, 0], [1, 0]], [[-1, 0]]), [[1.0], [1.0]]),
    np.inf: Kink(([[0.0, 0], [3, -3]], [[0.0, 0]]), ([[0, 0], [1, -1]], [[-1, 1]]),
                 [[1.0], [1.0]]),
    0.5: Kink(([[0.0, 0], [1, 0]], [[0.0, 0]]), ([[0, 0], [1, 0]], [[-1, 0]]), [[1.0], [1.0]]),
    1.5: Kink(([[0.0, 0], [1, 0]], [[0.0, 0]]), ([[0, 0], [1, 0]], [[-1, 0]]), [[1.0], [1.0]]),
    3: Kink(([[0.0, 0], [1, 0]], [[0.0, 0]]), ([[0, 0], [1, 0]], [[-1, 0]]), [[1.0], [1.0]]),
}  # fmt: skip

HALF = "torch refuses it as well, but for this one way to compute it"
ROWS = [
    *[vector_norm(p) for p in (0, 1, 2, 3, 0.5, 1.5, -1, -2, np.inf, -np.inf)],
    OpCase("vector_norm", lambda m, a: m.linalg.vector_norm(a, dim=-1, keepdim=True),
           lambda x: np.linalg.norm(x, axis=-1, keepdims=True), UNARY[1:], (nonzero,),
           bad=(
               Bad(lambda m: m.linalg.vector_norm(m.tensor([1, 2])), DtypeError, "floating"),
               Bad(lambda m: m.linalg.vector_norm(m.zeros(0), np.inf), EmptyError, "of nothing"),
               Bad(lambda m: m.linalg.vector_norm(m.zeros(0, 3), -1, 0), EmptyError, "of nothing"),
               Bad(lambda m: m.linalg.vector_norm(m.zeros(3), "fro"), TypeError, "ord is a number"),
               Bad(lambda m: m.linalg.vector_norm(m.zeros(3), dim=1), IndexError, "got 1"),
               Bad(lambda m: m.linalg.vector_norm(m.zeros(3), dim=(0, 0)), ShapeError, "twice"),
               Bad(lambda m: m.linalg.vector_norm(m.tensor(np.zeros(3)),
                                                  dtype=m.tensor(np.float32(1)).dtype),
                   DtypeError, "must be floating, and hold all float64"),
           )),
    OpCase("vector_norm dims", lambda m, a: m.linalg.vector_norm(a, 3, (0, -1)),
           lambda x: (np.abs(x) ** 3).sum((0, -1)) ** (1 / 3), (((2, 3, 4),), ((2, 0, 4),)),
           (nonzero,)),
    OpCase("vector_norm inf dim", lambda m, a: m.linalg.vector_norm(a, np.inf, 0),
           lambda x: np.abs(x).max(0), (((2, 3),), ((3, 0),)), (spaced,),
           kinks=(Kink(([[1.0, 2.0], [-1.0, 1.0]],), ([[1, 4], [-1, 0]],), [2.0, 4.0]),
                  Kink(([[np.nan], [1.0]],), (0,), [1.0]))),
    *[matrix_norm(p) for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
    OpCase("matrix_norm", lambda m, a: m.linalg.matrix_norm(a, 1, dim=(0, 2), keepdim=True),
           lambda x: np.linalg.norm(x, 1, (0, 2), True), (((3, 4, 2),), ((3, 0, 2),)), (spaced,),
           kinks=(Kink(([[[1.0, -1]], [[1, 1]]],), ([[[0.5, -0.5]], [[0.5, 0.5]]],), [[[1.0]]]),),
           bad=(
               Bad(lambda m: m.linalg.matrix_norm(m.ones(3)), ShapeError, r"shape \(3,\)"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(2, 3), 3), ShapeError, "not 3"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(2, 3), "x"), ShapeError, "not 'x'"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(2, 3), dim=(0,)), ShapeError, "two axes"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(2, 3), dim=(0, -2)), ShapeError, "twice"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(0, 3), -2), EmptyError, "the -2 norm"),
               Bad(lambda m: m.linalg.matrix_norm(m.ones(3, 0), -1), EmptyError, "the -1 norm"),
           )),
    *[OpCase(f"matrix_norm {p} of nothing", lambda m, a, p=p: m.linalg.matrix_norm(a, p),
             None, (((0, 3),), ((3, 0),), ((2, 0, 0),)))
      for p in ("fro", "nuc")],
    OpCase("matrix_norm nuc axes", lambda m, a: m.linalg.matrix_norm(a, "nuc", (2, 0), True),
           lambda x: np.linalg.norm(x, "nuc", (2, 0), True), (((3, 4, 2),),)),
    OpCase("norm linalg", lambda m, a: m.linalg.norm(a), np.linalg.norm, UNARY, (nonzero,),
           bad=(
               Bad(lambda m: m.linalg.norm(m.ones(2, 3, 2), 2), ShapeError, "name one axis"),
               Bad(lambda m: m.linalg.norm(m.ones(2, 3, 2), dim=(0, 1, 2)), ShapeError, "one axis"),
               Bad(lambda m: m.linalg.norm(m.tensor(1.0), 2), ShapeError, "not for a number"),
               Bad(lambda m: m.linalg.norm(m.ones(3), "fro"), ShapeError, "got shape"),
               Bad(lambda m: m.linalg.norm(m.ones(2, 3), "fro", 0), ShapeError, "two axes, not 0"),
               Bad(lambda m: m.linalg.norm(m.tensor([1, 2])), DtypeError, "floating"),
           )),
    OpCase("norm linalg 2", lambda m, a: m.linalg.norm(a, 2), lambda x: np.linalg.norm(x, 2),
           (((3,),), ((3, 2),)),
           (lambda rng, s: separated(rng, s) if len(s) > 1 else real(rng, s),)),
    OpCase("norm linalg dim", lambda m, a: m.linalg.norm(a, 1, dim=1, keepdim=True),
           lambda x: np.linalg.norm(x, 1, 1, True), (((3, 2),), ((2, 3, 2),)), (nonzero,)),
    OpCase("norm linalg dims", lambda m, a: m.linalg.norm(a, np.inf, dim=(-1, 0)),
           lambda x: np.linalg.norm(x, np.inf, (-1, 0)), (((3, 2),), ((2, 3, 2),)), (spaced,)),
    OpCase("norm linalg wider", lambda m, a: m.linalg.norm(a, 2, dtype=a.double().dtype), None,
           (((3,),),)),
    *[OpCase(f"cond {p}", lambda m, a, p=p: m.linalg.cond(a, p),
             lambda x, p=p: np.linalg.cond(x, p), (((3, 3),), ((4, 2, 2),)), (separated,),
             torch=lambda t, a, p=p: (  # its own gradient fails
                 t.linalg.norm(a, p, (-2, -1)) * t.linalg.norm(t.linalg.inv(a), p, (-2, -1))))
      for p in ("fro", "nuc", 1, -1, np.inf, -np.inf)],
    *[OpCase(f"cond {p}", lambda m, a, p=p: m.linalg.cond(a, p),
             lambda x, p=p: np.linalg.cond(x, p), (((3, 3),), ((4, 2, 2),)), (separated,))
      for p in (2, -2)],
    OpCase("cond", lambda m, a: m.linalg.cond(a), None, (((3, 2),), ((4, 2, 3),)), (separated,),
           bad=(
               Bad(lambda m: m.linalg.cond(m.ones(2, 2), 3), ShapeError, "not 3"),
               Bad(lambda m: m.linalg.cond(m.ones(2, 3), 1), ShapeError, "square"),
               *refused("cond", square=False),
           )),
    *[cdist(p, kinks=(DISTANCES[p],)) for p in (0, 1, 2, 0.5, 1.5, 3, np.inf)],
    OpCase("cdist",
           lambda m, a, b: m.cdist(a, b, compute_mode="use_mm_for_euclid_dist"),
           lambda a, b: np.linalg.norm(a[..., :, None, :] - b[..., None, :, :], axis=-1),
           (((2, 3), (4, 3)), ((5, 1, 2, 3), (4, 2, 3))), (real, lambda rng, s: real(rng, s) + 3),
           differs={"float16": HALF},
           bad=(
               Bad(lambda m: m.cdist(*tensors(m, (2, 2), (2, 2)), p=-1), ShapeError, "p=-1"),
               Bad(lambda m: m.cdist(*tensors(m, (2,), (2, 2))), ShapeError, "expects points"),
               Bad(lambda m: m.cdist(*tensors(m, (2, 3), (2, 2))), ShapeError, "3 and 2 columns"),
               Bad(lambda m: m.cdist(*tensors(m, (3, 2, 3), (2, 2, 3))), ShapeError, "broadcast"),
               Bad(lambda m: m.cdist(m.tensor(np.ones((2, 2))),
                                     m.tensor(np.ones((2, 2), np.float32))),
                   DtypeError, "float64 and float32"),
               Bad(lambda m: m.cdist(*tensors(m, (2, 2), (2, 2)), compute_mode="x"), ValueError,
                   "compute_mode must be"),
           )),
    OpCase("cdist many", lambda m, a, b: m.cdist(a, b), None, (((30, 3), (4, 3)),),
           (real, lambda rng, s: real(rng, s) + 3), differs={"float16": HALF}),
    OpCase("cdist many by differences",
           lambda m, a, b: m.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist"), None,
           (((30, 3), (4, 3)),), (real, lambda rng, s: real(rng, s) + 3),
           differs={"second": "torch has none"}),
    *[OpCase(f"pdist {p}", lambda m, a, p=p: m.pdist(a, p),
             lambda x, p=p: np.linalg.norm(x[:, None] - x, p, axis=-1)[np.triu_indices(len(x), 1)],
             (((4, 3),), ((2, 1),)), (spread_out,), differs={"second": "torch has none"})
      for p in (0, 1, 1.5, 2, 3, np.inf)],
    OpCase("pdist of few", lambda m, a: m.pdist(a, 1), lambda a: np.zeros(0),
           (((1, 3),), ((0, 3),)), torch=None),  # whose gradient crashes
    OpCase("pdist", lambda m, a: m.pdist(a), None, (((4, 3),),),
           differs={"second": "torch has none"},
           kinks=(Kink(([[0.0], [0.0], [2.0]],), ([[-1], [-1], [2]],), [1.0, 1.0, 1.0]),),
           bad=(
               Bad(lambda m: m.pdist(m.ones(2)), ShapeError, "expects points"),
               Bad(lambda m: m.pdist(m.ones(2, 2), -1), ShapeError, "p=-1"),
               Bad(lambda m: m.pdist(m.tensor([[1, 2]])), DtypeError, "floating"),
           )),
]  # fmt: skip
