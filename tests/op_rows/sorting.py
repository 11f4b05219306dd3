"""Rows of mytorch/ops/sorting.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, EmptyError, ShapeError
from tests.op_rows.common import with_nans
from tests.op_table import UNARY, Bad, Kink, OpCase, distinct, with_axis

NAN = np.nan
SOME = UNARY[:-1]
DEEP = (((4, 3, 2),), ((2, 5),))
SHARES = np.array([0.0, 0.3, 0.5, 1.0])


def sorted_by(x: np.ndarray, axis: int, descending: bool = False) -> Any:
    """The sorted elements and where they were."""
    order = np.argsort(-x if descending else x, axis, kind="stable")
    return np.take_along_axis(x, order, axis), order


def at(x: np.ndarray, rank: int, axis: int) -> Any:
    """The element at a rank, and where it is."""
    return tuple(part.take(rank, axis) for part in sorted_by(x, axis))


def quantiles(**options: Any) -> dict[str, Any]:
    """The call of a quantile at ``SHARES``, for a row of any interpolation."""
    return {
        "call": lambda m, a: m.quantile(a, m.tensor(SHARES.astype(str(a.dtype).split(".")[-1])),
                                        **options),
        "reference": lambda x: np.quantile(
            x, SHARES, options["dim"], method=options["interpolation"],
            keepdims=options.get("keepdim", False)),
        "shapes": (((3,),), ((2, 3),), ((3, 1),), ((4, 5, 2),)),
        "domain": (distinct,),
    }  # fmt: skip


def bad_quantile(message: str, error: type[Exception], *args: Any, **names: Any) -> Bad:
    """A wrong call of quantile on three numbers."""
    return Bad(lambda m: m.quantile(m.tensor(np.arange(3.0)), *args, **names), error, message)


ROWS = [
    OpCase("sort", lambda m, a: tuple(m.sort(a, stable=True)), lambda x: sorted_by(x, -1),
           (*with_axis(), *DEEP), (distinct,),
           kinks=(Kink(([2.0, 1.0, 2.0, NAN],), ([20, 10, 30, 40],), [10.0, 20, 30, 40]),),
           bad=(Bad(lambda m: m.sort(m.zeros(3), 1), IndexError, "got 1"),)),
    OpCase("sort descending", lambda m, a: tuple(m.sort(a, 0, True)),
           lambda x: sorted_by(x, 0, True), (*with_axis(), *DEEP), (distinct,),
           kinks=(Kink(([2.0, NAN, 1.0, 2.0],), ([20, 10, 40, 30],), [10.0, 20, 30, 40]),),
           differs={"bool": "torch's default sort may exchange equal elements"}),
    OpCase("sort of a number", lambda m, a: tuple(m.sort(a)), lambda x: (x, 0), SOME[:1]),
    OpCase("argsort", lambda m, a: m.argsort(a, dim=-1, stable=True),
           lambda x: np.argsort(x, -1, kind="stable"), (*with_axis(), *DEEP), (distinct,),
           smooth=False, bad=(Bad(lambda m: m.argsort(m.zeros(3), 1), IndexError, "got 1"),)),
    OpCase("argsort descending", lambda m, a: m.argsort(a, dim=0, descending=True, stable=True),
           lambda x: np.argsort(-x, 0, kind="stable"), (*with_axis(), *DEEP), (distinct,),
           smooth=False),
    OpCase("msort", lambda m, a: m.msort(a), lambda x: np.sort(x, 0), with_axis(), (distinct,)),
    OpCase("topk", lambda m, a: tuple(m.topk(a, 2)),
           lambda x: tuple(p[..., :2] for p in sorted_by(x, -1, True)),
           (((3,),), ((2, 3),), ((4, 3, 2),), ((0, 3),)), (distinct,),
           kinks=(Kink(([1.0, NAN, 3.0],), ([0, 5, 7],), [5.0, 7.0]),),
           bad=(
               Bad(lambda m: m.topk(m.zeros(3), 4), ShapeError, r"0 to 3 for shape \(3,\), got 4"),
               Bad(lambda m: m.topk(m.zeros(3), -1), ShapeError, "got -1"),
               Bad(lambda m: m.topk(m.zeros(3), 1.0), TypeError, "not float"),
               Bad(lambda m: m.topk(m.tensor([True]), 1), DtypeError, "not for booleans"),
           )),
    OpCase("topk smallest", lambda m, a: tuple(m.topk(a, 1, 0, False)),
           lambda x: tuple(p[:1] for p in sorted_by(x, 0)), with_axis(UNARY[:-1]), (distinct,)),
    OpCase("topk of none", lambda m, a: m.topk(a, 0, -1)[1], lambda x: np.zeros((*x.shape[:-1], 0)),
           with_axis(), smooth=False),
    OpCase("kthvalue", lambda m, a: tuple(m.kthvalue(a, 2)), lambda x: at(x, 1, -1),
           (((3,),), ((2, 3),), ((4, 3, 2),), ((0, 3),)), (distinct,),
           bad=(
               Bad(lambda m: m.kthvalue(m.zeros(3), 0), ShapeError, "from 1 to 3"),
               Bad(lambda m: m.kthvalue(m.zeros(3), 4), ShapeError, "got 4"),
               Bad(lambda m: m.kthvalue(m.zeros(0, 3), 1, 0), EmptyError, "nothing to choose"),
               Bad(lambda m: m.kthvalue(m.tensor([True]), 1), DtypeError, "not for booleans"),
           )),
    OpCase("kthvalue dim", lambda m, a: tuple(m.kthvalue(a, 1, 0, True)),
           lambda x: tuple(p[None] for p in at(x, 0, 0)), with_axis(UNARY[:-1]), (distinct,),
           kinks=(Kink(([NAN, 1.0, NAN],), ([0, 5, 0],), [5.0]),)),
    OpCase("median", lambda m, a: m.median(a),
           lambda x: np.sort(x, None)[(x.size - 1) // 2], SOME, (distinct,),
           kinks=(
               Kink(([1.0, 2, 2, 2, 3],), ([0, 1, 1, 1, 0],), 3.0),
               Kink(([1.0, NAN, 3.0],), ([0, 1, 0],)),
               Kink(([1.0, NAN, NAN],), ([0, 1, 1],), 2.0),
           ),
           bad=(Bad(lambda m: m.median(m.tensor([True])), DtypeError, "not for booleans"),)),
    OpCase("median dim", lambda m, a: tuple(m.median(a, -1)),
           lambda x: at(x, (x.shape[-1] - 1) // 2, -1),
           (((3,),), ((2, 4),), ((4, 3, 2),), ((0, 3),), ((2, 1),)), (distinct,),
           kinks=(
               Kink(([1.0, 2, 2, 2, 3],), ([0, 0, 3, 0, 0],), 3.0),
               Kink(([1.0, NAN, 3.0, NAN],), ([0, 3, 0, 0],), 3.0),
           ),
           bad=(
               Bad(lambda m: m.median(m.zeros(0, 3), 0), EmptyError, "nothing to choose"),
               Bad(lambda m: m.median(m.zeros(3), (0,)), TypeError, "one axis"),
           )),
    OpCase("median keepdim", lambda m, a: tuple(m.median(a, 0, True)), None, SOME, (distinct,)),
    OpCase("nanmedian", lambda m, a: m.nanmedian(a), None, SOME, (distinct,),
           kinks=(
               Kink(([1.0, NAN, NAN, 4.0],), ([1, 0, 0, 0],)),
               Kink(([NAN, NAN],), ([1, 1],), 2.0),
           ),
           bad=(Bad(lambda m: m.nanmedian(m.tensor([True])), DtypeError, "not for booleans"),)),
    OpCase("nanmedian dim", lambda m, a: tuple(m.nanmedian(a, 1, True)), None,
           (((2, 5),), ((3, 7, 2),)), (with_nans,),
           kinks=(Kink(([[1.0, NAN, 0.0], [NAN] * 3],), ([[0, 0, 1], [1, 0, 0]],), [[1.0]] * 2),)),
    OpCase("nanmedian dim of numbers", lambda m, a: tuple(m.nanmedian(a, 0)), None,
           (((3,),), ((),), ((4, 2),)), (distinct,)),
    OpCase("mode", lambda m, a: tuple(m.mode(a)), None, (((),), ((3,),), ((2, 4),), ((0, 3),)),
           (distinct,),
           kinks=(
               Kink(([3.0, 1, 2, 2, 1],), ([0, 0, 0, 0, 1],)),
               Kink(([1.0, 1, 2, 2, 1, 2],), ([0, 0, 0, 0, 1, 0],)),
               Kink(([5.0, 4, 5, 4, 4, 5, 5],), ([0, 0, 0, 0, 0, 0, 1],)),
           ),
           bad=(Bad(lambda m: m.mode(m.zeros(0, 3), 0), EmptyError, "nothing to choose"),)),
    OpCase("mode dim", lambda m, a: tuple(m.mode(a, 0, True)), None, (((3,),), ((4, 2),)),
           (distinct,)),
    *[OpCase(f"quantile {how}", **quantiles(dim=0, interpolation=how),
             kinks=(Kink(([2.0, 2.0, 2.0],), ([3, 2, 2],), [1.0, 2.0, 2.0, 2.0]),)
             if how in ("lower",) else ())
      for how in ("linear", "lower", "higher", "midpoint", "nearest")],
    OpCase("quantile", lambda m, a: m.quantile(a, 0.3), lambda x: np.quantile(x, 0.3), SOME,
           (distinct,), kinks=(Kink(([1.0, NAN],), ([0, 1],)),),
           bad=(
               bad_quantile(r"q must be in \[0, 1\], got 1.5", ShapeError, 1.5),
               bad_quantile("q must be a float or a Tensor", TypeError, [0.5]),
               bad_quantile("one of linear, lower", ShapeError, 0.5, interpolation="bla"),
               Bad(lambda m: m.quantile(m.tensor([1, 2]), 0.5), DtypeError, "got int64"),
               Bad(lambda m: m.quantile(m.zeros(0), 0.5), EmptyError, "nothing to choose"),
               Bad(lambda m: m.quantile(m.tensor(np.arange(3.0)), m.tensor(np.ones(1, "f"))),
                   DtypeError, "dtype of the input, float64"),
               Bad(lambda m: m.quantile(*[m.tensor(np.ones((1, 1)))] * 2), ShapeError, "one axis"),
           )),
    OpCase("quantile of each row", lambda m, a, q: m.quantile(a, q, 1, True),
           lambda x, q: np.quantile(x, q, 1, keepdims=True),
           (((2, 3), (2,)), ((2, 4, 2), ()), ((2, 3), (1,))),
           (distinct, lambda rng, shape: rng.uniform(0.55, 0.6, shape)),
           differs={"uint8": "q is cast as well, and out of range", "int16": "see uint8"}),
    OpCase("quantile keepdim", lambda m, a: m.quantile(a, 0.5, keepdim=True),
           lambda x: np.quantile(x, 0.5, keepdims=True), SOME, (distinct,)),
    OpCase("nanquantile", lambda m, a: m.nanquantile(a, 0.3), lambda x: np.nanquantile(x, 0.3),
           SOME, (distinct,),
           kinks=(
               Kink(([1.0, NAN, 3.0],), ([7, 0, 3],), 10.0),
               Kink(([1.0, 2.0, 2.0, NAN],), ([4, 6, 0, 0],), 10.0),
           )),
    OpCase("nanquantile dim", lambda m, a: m.nanquantile(a, 0.4, 0, True),
           lambda x: np.nanquantile(x, 0.4, 0, keepdims=True), (((7, 2),), ((9, 2, 3),)),
           (with_nans,)),
]  # fmt: skip
