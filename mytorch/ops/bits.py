"""Integers: their bits, and their common divisors and multiples. Nothing here has a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError
from mytorch.ops.elementwise import constant

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
]


def _of_integers(name: str, ufunc: Any, doc: str, booleans: bool = False) -> Any:
    """Register an operation on integers, or on integers and booleans."""
    kinds, names = ("iub", "integers and booleans") if booleans else ("iu", "integers")

    def check(x: np.ndarray) -> None:
        if x.dtype.kind not in kinds:
            raise DtypeError(f"{name}: is for {names}, not for {x.dtype}")

    def of_one(x: np.ndarray) -> Any:
        check(x)
        return ufunc(x)

    def of_two(x: np.ndarray, y: np.ndarray) -> Any:
        check(x)
        return ufunc(x, y)

    doc = (
        f"{doc[:-1]} (torch.{name}).\n\n    Raises:\n        DtypeError: for other than {names}.\n"
    )
    return constant(name, of_one if ufunc.nin == 1 else of_two, doc, numpy=ufunc, in_place=True)


bitwise_not = _of_integers(
    "bitwise_not", np.invert, "Return every bit inverted; of booleans, not x.", booleans=True
)
bitwise_and = _of_integers(
    "bitwise_and", np.bitwise_and, "Return the bits that both elements have.", booleans=True
)
bitwise_or = _of_integers(
    "bitwise_or", np.bitwise_or, "Return the bits that either element has.", booleans=True
)
bitwise_xor = _of_integers(
    "bitwise_xor", np.bitwise_xor, "Return the bits that one of two elements has.", booleans=True
)
bitwise_left_shift = _of_integers(
    "bitwise_left_shift", np.left_shift, "Return input * 2**other, without the bits that leave."
)
bitwise_right_shift = _of_integers(
    "bitwise_right_shift", np.right_shift, "Return input / 2**other, rounded down."
)
_of_integers("gcd", np.gcd, "Return the greatest common divisor, at least 0; gcd(0, 0) = 0.")
_of_integers("lcm", np.lcm, "Return the least common multiple, at least 0; lcm(0, y) = 0.")
