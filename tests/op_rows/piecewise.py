"""Rows of mytorch/ops/piecewise.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.ops.piecewise import SELU_ALPHA, SELU_SCALE
from tests.op_rows.activations import integers
from tests.op_rows.common import tensors
from tests.op_table import Bad, Kink, OpCase, nonzero

CORNERS = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0, np.nan]
TWOS = [2.0] * 9
NO_HALF = {"float16": "torch draws no slopes in float16"}


def corners(*slopes: float) -> tuple[Kink, ...]:
    """The exact gradients at the corners of all these functions, and of a nan."""
    return (Kink((CORNERS,), ([2 * slope for slope in slopes],), TWOS),)


def elu(x: Any, alpha: float = 1, scale: float = 1, rate: float = 1) -> Any:
    """The definition."""
    return scale * np.where(x > 0, x, alpha * (np.exp(rate * x) - 1))


def hardsigmoid(torch: Any, a: Any) -> Any:
    """The same in torch, whose own takes 1/6 in float32 in its gradient, and has no second one."""
    torch.nn.functional.hardsigmoid(a.detach())  # refuses integers
    return torch.nn.functional.relu6(a + 3) / 6


def in_place(name: str, reference: Any, *numbers: float, **names: Any) -> list[OpCase]:
    """The rows of the two forms that overwrite their input."""
    return [
        OpCase(f"{name}_",
               lambda m, a: getattr(m.nn.functional, f"{name}_")(a * 1, *numbers), reference,
               **names),
        OpCase(f"{name} inplace",
               lambda m, a: getattr(m.nn.functional, name)(a * 1, *numbers, inplace=True),
               reference, **names),
    ]  # fmt: skip


ROWS = [
    OpCase("leaky_relu", lambda m, a: m.nn.functional.leaky_relu(a),
           lambda x: np.maximum(x, 0.01 * x), domain=(nonzero,), bad=integers("leaky_relu"),
           kinks=corners(0.01, 0.01, 0.01, 0.01, 1, 1, 1, 1, 0.01)),
    OpCase("leaky_relu slope", lambda m, a: m.nn.functional.leaky_relu(a, -1.3),
           lambda x: np.where(x > 0, x, -1.3 * x), domain=(nonzero,),
           kinks=corners(-1.3, -1.3, -1.3, -1.3, 1, 1, 1, 1, -1.3)),
    *in_place("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x), 0.2, domain=(nonzero,)),
    OpCase("prelu", lambda m, a, w: m.prelu(a, w),
           lambda x, w: np.where(x > 0, x, w.reshape(()) * x),
           (((2, 3), (1,)), ((), (1,)), ((3,), (1,)), ((0, 3), (1,)), ((2, 3), ())),
           (nonzero, nonzero),
           kinks=(Kink(([1.0, 0.0, -2.0], [0.5]), ([4, 2, 2], [-8]), [4.0] * 3),),
           bad=(
               Bad(lambda m: m.prelu(*tensors(m, (2, 3), (2,))), ShapeError,
                   r"weight \(2,\) must have one element, or one for each of the 3 channels"),
               Bad(lambda m: m.prelu(*tensors(m, (2, 3), (1, 3))), ShapeError, r"weight \(1, 3\)"),
               Bad(lambda m: m.prelu(m.zeros(3), m.tensor([1])), DtypeError, "int64"),
               Bad(lambda m: m.prelu(m.tensor(np.ones(3)), m.tensor(np.ones(1, np.float32))),
                   DtypeError, "input is float64 but weight is float32"),
           )),
    OpCase("prelu channels", lambda m, a, w: m.nn.functional.prelu(a, w),
           lambda x, w: np.where(x > 0, x, w[:, None] * x), (((2, 3, 4), (3,)),),
           (nonzero, nonzero)),
    OpCase("rrelu", lambda m, a: m.nn.functional.rrelu(a, 0.1, 0.3),
           lambda x: np.where(x > 0, x, 0.2 * x), domain=(nonzero,),
           kinks=corners(0.2, 0.2, 0.2, 0.2, 1, 1, 1, 1, 0.2),
           bad=(Bad(lambda m: m.nn.functional.rrelu(m.zeros(3), 0.4, 0.3, True), ArgumentError,
                    "lower must be at most upper, got 0.4 and 0.3"),)),
    OpCase("rrelu of one slope", lambda m, a: m.nn.functional.rrelu(a, 0.25, 0.25, True),
           lambda x: np.where(x > 0, x, 0.25 * x), domain=(nonzero,), differs=NO_HALF),
    *in_place("rrelu", lambda x: np.where(x > 0, x, 0.2 * x), 0.1, 0.3, domain=(nonzero,)),
    *in_place("rrelu", lambda x: np.where(x > 0, x, 0.5 * x), 0.5, 0.5, True, domain=(nonzero,),
              differs=NO_HALF),
    OpCase("elu", lambda m, a: m.nn.functional.elu(a), elu, domain=(nonzero,), bad=integers("elu"),
           kinks=(Kink(([-np.inf, 0.0, 0.5, np.inf],), ([0, 1, 1, 1],), [1.0] * 4),)),
    OpCase("elu alpha", lambda m, a: m.nn.functional.elu(a, alpha=0.3), lambda x: elu(x, 0.3),
           domain=(nonzero,), kinks=(Kink(([0.0, -0.0, 1.0],), ([0.3, 0.3, 1],), [1.0] * 3),)),
    *in_place("elu", lambda x: elu(x, 0.7), 0.7, domain=(nonzero,)),
    OpCase("selu", lambda m, a: m.nn.functional.selu(a), lambda x: elu(x, SELU_ALPHA, SELU_SCALE),
           domain=(nonzero,), bad=integers("selu"),
           kinks=(Kink(([0.0, 2.0],), ([SELU_ALPHA * SELU_SCALE, SELU_SCALE],), [1.0] * 2),)),
    *in_place("selu", lambda x: elu(x, SELU_ALPHA, SELU_SCALE), domain=(nonzero,)),
    OpCase("celu", lambda m, a: m.nn.functional.celu(a, 2.0), lambda x: elu(x, 2, 1, 0.5),
           domain=(nonzero,), kinks=(Kink(([0.0, 2.0],), ([1, 1],), [1.0] * 2),),
           bad=(Bad(lambda m: m.nn.functional.celu(m.zeros(3), 0), ArgumentError, "cannot be 0"),)),
    *in_place("celu", lambda x: elu(x, 0.5, 1, 2), 0.5, domain=(nonzero,)),
    OpCase("hardtanh", lambda m, a: m.nn.functional.hardtanh(a), lambda x: x.clip(-1, 1),
           kinks=corners(0, 0, 1, 1, 1, 0, 0, 0, 1),
           bad=(
               Bad(lambda m: m.nn.functional.hardtanh(m.zeros(3), 2, 1), ArgumentError, "at most"),
               Bad(lambda m: m.nn.functional.hardtanh(m.tensor(np.ones(3, np.uint8))), DtypeError,
                   "hardtanh: -1.0 is no uint8"),
           )),
    *in_place("hardtanh", lambda x: x.clip(-0.5, 0.25), -0.5, 0.25),
    OpCase("relu6", lambda m, a: m.nn.functional.relu6(a), lambda x: x.clip(0, 6),
           domain=(nonzero,), kinks=corners(0, 0, 0, 0, 1, 1, 1, 0, 1)),
    OpCase("relu6 inplace", lambda m, a: m.nn.functional.relu6(a * 3, inplace=True),
           lambda x: (3 * x).clip(0, 6), domain=(nonzero,)),
    OpCase("hardsigmoid", lambda m, a: m.nn.functional.hardsigmoid(a),
           lambda x: (x / 6 + 0.5).clip(0, 1), bad=integers("hardsigmoid"), torch=hardsigmoid,
           kinks=(Kink(([-3.0, 0.0, 3.0],), ([0, 1, 0],), [6.0] * 3),)),
    OpCase("hardsigmoid inplace", lambda m, a: m.nn.functional.hardsigmoid(a * 4, inplace=True),
           lambda x: (4 * x / 6 + 0.5).clip(0, 1), torch=lambda t, a: hardsigmoid(t, a * 4)),
    OpCase("hardswish", lambda m, a: m.nn.functional.hardswish(a * 3),
           lambda x: 3 * x * (3 * x / 6 + 0.5).clip(0, 1), bad=integers("hardswish"),
           kinks=(Kink(([-1.0, 0.0, 1.0, 2.0, np.nan],), ([0, 1.5, 3, 3, 3],), [1.0] * 5),)),
    OpCase("hardswish inplace", lambda m, a: m.nn.functional.hardswish(a * 4, inplace=True),
           lambda x: 4 * x * (4 * x / 6 + 0.5).clip(0, 1)),
    OpCase("softshrink", lambda m, a: m.nn.functional.softshrink(a),
           lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), bad=(
               *integers("softshrink"),
               Bad(lambda m: m.nn.functional.softshrink(m.zeros(3), -1.0), ArgumentError,
                   "lambd must be at least 0, got -1.0"),
           ),
           kinks=corners(1, 1, 0, 0, 0, 1, 1, 1, 1)),
    OpCase("hardshrink", lambda m, a: m.hardshrink(a), lambda x: x * (np.abs(x) > 0.5),
           kinks=corners(1, 1, 0, 0, 0, 1, 1, 1, 1)),
    OpCase("hardshrink lambd", lambda m, a: m.nn.functional.hardshrink(a, 0.25),
           lambda x: x * (np.abs(x) > 0.25), bad=integers("hardshrink")),
    OpCase("threshold", lambda m, a: m.threshold(a, 0.5, 2.0), lambda x: np.where(x > 0.5, x, 2.0),
           kinks=corners(0, 0, 0, 0, 0, 1, 1, 1, 1)),
    *in_place("threshold", lambda x: np.where(x > 0.25, x, -1.0), 0.25, -1.0),
]  # fmt: skip
