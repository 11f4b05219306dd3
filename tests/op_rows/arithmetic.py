"""Rows of mytorch/ops/arithmetic.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import broadcast, tensors
from tests.op_table import BINARY, DTYPES, Bad, Kink, OpCase, nonzero, positive, real

THREE = (
    ((), (), ()),
    ((2, 3), (2, 3), (2, 3)),
    ((2, 3), (3,), (2, 1)),
    ((2, 1), (1, 3), ()),
    ((0, 3), (1, 3), ()),
)
SPECIAL = [-np.inf, -2.0, -0.0, 0.0, 2.0, np.inf, np.nan]
WHOLE = dict.fromkeys(
    DTYPES[1:5], "torch drops the fraction of value, silently; here it is refused"
)


def integers(m: Any, name: str, count: int, **names: Any) -> Any:
    """Call an operation on integers, where it needs floats."""
    return getattr(m, name)(*[m.tensor([1, 2])] * count, **names)


ROWS = [
    OpCase("sign", lambda m, a: m.sign(a), np.sign, domain=(nonzero,),
           kinks=(Kink((SPECIAL,), ([0] * 7,), [3.0] * 6 + [np.nan]),)),
    OpCase("sign special", lambda m, a: m.sign(a.detach()),
           lambda x: (x > 0) * 1.0 - (x < 0), smooth=False,
           domain=(lambda rng, shape: rng.choice(SPECIAL, shape),)),
    OpCase("positive", lambda m, a: m.positive(a), lambda x: +x,
           bad=(Bad(lambda m: m.positive(m.tensor([True])), DtypeError, "positive: not for"),)),
    OpCase("copysign", lambda m, a, b: m.copysign(a, b), np.copysign, BINARY, (nonzero,),
           promotes=True, bad=broadcast("copysign"),
           kinks=(
               Kink(([1.0, -1, 0, -0.0, 2], [0.0, -0.0, 1, -1, -3]), ([3, 3, 0, 0, -3], 0),
                    [3.0] * 5),
           )),
    OpCase("copysign number", lambda m, a: m.copysign(a, -1), lambda x: np.copysign(x, -1),
           domain=(nonzero,)),
    OpCase("float_power", lambda m, a, b: m.float_power(a, b), None, BINARY, (positive, real),
           promotes=True, bad=broadcast("float_power"),
           kinks=(Kink((0.0, 0.0), (0, 0)), Kink((-3.0, 2.0), (-6, np.nan)))),
    OpCase("float_power number", lambda m, a: m.float_power(a.detach(), 2.1),
           lambda x: x.astype(float) ** 2.1, domain=(positive,), smooth=False),
    OpCase("fmax", lambda m, a, b: m.fmax(a, b), np.fmax, BINARY, promotes=True,
           bad=broadcast("fmax"),
           kinks=(
               Kink(([2.0, 1, 0, np.nan, 1, np.nan], [2.0, 0, 1, 1, np.nan, np.nan]),
                    ([4, 4, 0, 0, 4, 4], [0, 0, 4, 4, 0, 0]), [4.0] * 6),
           )),
    OpCase("fmin", lambda m, a, b: m.fmin(a, b), np.fmin, BINARY, promotes=True,
           bad=broadcast("fmin"),
           kinks=(
               Kink(([2.0, 1, 0, np.nan, 1, np.nan], [2.0, 0, 1, 1, np.nan, np.nan]),
                    ([4, 0, 4, 0, 4, 4], [0, 4, 0, 4, 0, 0]), [4.0] * 6),
           )),
    OpCase("heaviside", lambda m, a, b: m.heaviside(a.detach(), b.detach()),
           lambda x, y: np.heaviside(x, y), BINARY,
           (lambda rng, shape: rng.integers(-1, 2, shape) * 1.0,), smooth=False, promotes=True,
           bad=(
               *broadcast("heaviside"),
               Bad(lambda m: m.heaviside(m.tensor([1.0]), m.tensor([1])), DtypeError,
                   "input is float64 but values is int64"),
           )),
    OpCase("heaviside gradient", lambda m, a: m.heaviside(0 * a.detach(), a * a),
           lambda x: x * x, torch=None),
    OpCase("nan_to_num", lambda m, a: m.nan_to_num(a, 7.0, 8.0, 9.0), np.copy,
           kinks=(Kink((SPECIAL,), ([0, 3, 3, 3, 3, 0, 0],), [3.0] * 7),)),
    OpCase("nan_to_num special", lambda m, a: m.nan_to_num(a.detach()), None,
           domain=(lambda rng, shape: rng.choice([np.nan, np.inf, -np.inf, 1.0], shape),),
           shapes=(((40,),),), smooth=False),
    OpCase("lerp", lambda m, a, b, w: m.lerp(a, b, w), lambda x, y, w: x + w * (y - x), THREE,
           bad=(
               Bad(lambda m: m.lerp(*tensors(m, (2, 3), (2, 2)), 0.5), ShapeError,
                   r"lerp: shapes \(2, 3\) and \(2, 2\)"),
               Bad(lambda m: integers(m, "lerp", 2, weight=0.5), DtypeError, "got int64"),
               Bad(lambda m: m.lerp(m.tensor([1.0]), m.tensor([1]), 0.5), RuntimeError,
                   "but end is int64"),
               Bad(lambda m: m.lerp(m.ones(2), m.ones(2), m.tensor([1, 2])), RuntimeError,
                   "but weight is int64"),
           )),
    OpCase("lerp near", lambda m, a, b: m.lerp(a, b, 0.25), lambda x, y: x + (y - x) / 4, BINARY),
    OpCase("lerp far", lambda m, a, b: m.lerp(a, b, 1.5), lambda x, y: x + (y - x) * 1.5, BINARY),
    OpCase("addcmul", lambda m, a, b, c: m.addcmul(a, b, c), lambda x, y, z: x + y * z, THREE,
           bad=(
               Bad(lambda m: m.addcmul(*tensors(m, (2, 3), (2, 2), (2, 2))), ShapeError,
                   r"\(2, 3\) and \(2, 2\)"),
               Bad(lambda m: integers(m, "addcmul", 3, value=0.5), DtypeError, "float value",
                   torch=False),
           )),
    OpCase("addcmul value", lambda m, a, b, c: m.addcmul(a, b, c, value=-0.5),
           lambda x, y, z: x - 0.5 * y * z, THREE, differs=WHOLE),
    OpCase("addcdiv", lambda m, a, b, c: m.addcdiv(a, b, c, value=-0.5),
           lambda x, y, z: x - 0.5 * y / z, THREE, (real, real, nonzero),
           bad=(Bad(lambda m: integers(m, "addcdiv", 3), DtypeError, "addcdiv: expects a float"),)),
    OpCase("addcdiv plain", lambda m, a, b, c: m.addcdiv(a, b, c), lambda x, y, z: x + y / z,
           THREE, (real, real, nonzero)),
]  # fmt: skip
