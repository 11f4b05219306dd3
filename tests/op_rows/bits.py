"""Rows of mytorch/ops/bits.py; tests/test_pointwise.py has their dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError
from tests.op_table import BINARY, Bad, OpCase


def whole(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Whole numbers."""
    return rng.integers(0, 9, shape) * 1.0


def row(name: str, numpy: Any) -> OpCase:
    """The row of an operation on two integer tensors."""
    wrong = Bad(lambda m: getattr(m, name)(m.ones(2), m.ones(2)), DtypeError, f"{name}: is for int")
    return OpCase(
        name,
        lambda m, a, b: getattr(m, name)(a.long(), b.long()),
        lambda x, y: numpy(x.astype(int), y.astype(int)),
        BINARY,
        (whole,),
        smooth=False,
        bad=(wrong,),
    )


ROWS = [
    row("bitwise_and", np.bitwise_and),
    row("bitwise_or", np.bitwise_or),
    row("bitwise_xor", np.bitwise_xor),
    row("bitwise_left_shift", np.left_shift),
    row("bitwise_right_shift", np.right_shift),
    row("gcd", np.gcd),
    row("lcm", np.lcm),
    OpCase("bitwise_not", lambda m, a: m.bitwise_not(a.long()), lambda x: ~x.astype(int),
           domain=(whole,), smooth=False,
           bad=(Bad(lambda m: ~m.ones(2), DtypeError, "not for float64"),)),
]  # fmt: skip
