"""Rows of mytorch/ops/activations.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.ops.activations import Ndtr
from tests.op_rows.common import lse, seeded
from tests.op_table import Bad, Kink, OpCase, nonzero, with_axis

PHI = np.vectorize(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), otypes=[float])
TAILS = [-1e4, -40.0, 0.0, 40.0, 1e4]
ONES = [1.0] * 5


def softplus(x: Any) -> Any:
    """The textbook formula, fine for small inputs."""
    return np.log(1 + np.exp(x))


def integers(name: str) -> tuple[Bad, ...]:
    """The wrong call of a function on integers (torch's class is a subclass of RuntimeError)."""
    function = lambda m: getattr(m.nn.functional, name)(m.tensor([1, 2]))  # noqa: E731
    return (Bad(function, DtypeError, f"{name}: expects a floating tensor, got int64"),)


ROWS = [
    OpCase("gelu of ndtr", lambda m, a: Ndtr.apply(a), PHI, torch=lambda t, a: t.special.ndtr(a),
           kinks=(Kink(([-40.0, 40.0, np.inf],), ([0, 0, 0],), [1.0] * 3),)),
    OpCase("gelu", lambda m, a: m.nn.functional.gelu(a), lambda x: x * PHI(x),
           kinks=(Kink((TAILS,), ([0, 0, 0.5, 1, 1],), ONES),),
           bad=(Bad(lambda m: m.nn.functional.gelu(m.zeros(3), approximate="erf"), ArgumentError,
                    "must be 'none' or 'tanh', got 'erf'"), *integers("gelu"))),
    OpCase("gelu tanh", lambda m, a: m.nn.functional.gelu(a, approximate="tanh"),
           lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
           kinks=(Kink((TAILS,), ([0, 0, 0.5, 1, 1],), ONES),)),
    OpCase("silu", lambda m, a: m.nn.functional.silu(a), lambda x: x / (1 + np.exp(-x)),
           kinks=(Kink(([-1e4, 0.0, 1e4],), ([0, 0.5, 1],), [1.0] * 3),), bad=integers("silu")),
    OpCase("silu inplace", lambda m, a: m.nn.functional.silu(a * 1, inplace=True),
           lambda x: x / (1 + np.exp(-x))),
    OpCase("mish", lambda m, a: m.nn.functional.mish(a), lambda x: x * np.tanh(softplus(x)),
           kinks=(Kink(([-1e4, 1e4],), ([0, 1],), [1.0] * 2),), bad=integers("mish")),
    OpCase("mish inplace", lambda m, a: m.nn.functional.mish(a * 1, inplace=True),
           lambda x: x * np.tanh(softplus(x))),
    OpCase("softplus", lambda m, a: m.nn.functional.softplus(a), softplus,
           kinks=(Kink(([-1e4, 0.0, 21.0, 1e4],), ([0, 0.5, 1, 1],), [1.0] * 4),),
           bad=integers("softplus")),
    OpCase("softplus beta", lambda m, a: m.nn.functional.softplus(a, 2.0, 1.5),
           lambda x: np.where(2 * x > 1.5, x, softplus(2 * x) / 2),
           kinks=(Kink(([0.7500001, 0.0, np.inf, -np.inf],), ([3, 1.5, 3, 0],), [3.0] * 4),)),
    OpCase("logsigmoid", lambda m, a: m.nn.functional.logsigmoid(a), lambda x: -softplus(-x),
           kinks=(Kink(([-1e4, 0.0, 1e4],), ([1, 0.5, 0],), [1.0] * 3),),
           bad=integers("logsigmoid")),
    OpCase("softsign", lambda m, a: m.nn.functional.softsign(a), lambda x: x / (1 + np.abs(x)),
           domain=(nonzero,), differs={"uint8": "torch adds 1 to 255 in uint8"},
           kinks=(Kink(([0.0, 3.0],), ([1, 0.0625],), [1.0] * 2),)),
    OpCase("tanhshrink", lambda m, a: m.nn.functional.tanhshrink(a), lambda x: x - np.tanh(x),
           kinks=(Kink(([0.0, 1e4],), ([0, 1],), [1.0] * 2),)),
    OpCase("glu", lambda m, a: m.nn.functional.glu(a),
           lambda x: x[..., : x.shape[-1] // 2] / (1 + np.exp(-x[..., x.shape[-1] // 2 :])),
           (((4,),), ((2, 6),), ((0, 2),), ((3, 0),)),
           bad=(Bad(lambda m: m.nn.functional.glu(m.zeros(2, 3)), ShapeError, "must be even"),
                Bad(lambda m: m.nn.functional.glu(m.tensor(1.0)), ShapeError, "0-d tensor"))),
    OpCase("glu dim", lambda m, a: m.nn.functional.glu(a, 1),
           lambda x: x[:, :2] / (1 + np.exp(-x[:, 2:])), (((2, 4, 3),),)),
    OpCase("softmin", lambda m, a: m.nn.functional.softmin(a, dim=-1),
           lambda x: np.exp(-x - lse(-x, -1, True)), with_axis()),
    OpCase("softmin dtype",
           lambda m, a: m.nn.functional.softmin(a, dim=0, dtype=a.dtype), None, (((2, 3),),)),
    OpCase("gumbel_softmax", seeded(lambda m, a: m.nn.functional.gumbel_softmax(a, tau=0.7)), None,
           with_axis(), torch=None),
    OpCase("gumbel_softmax hard",
           seeded(lambda m, a: m.nn.functional.gumbel_softmax(a, tau=0.7, dim=0).exp()), None,
           (((3,),), ((3, 2),)), torch=None),
]  # fmt: skip
