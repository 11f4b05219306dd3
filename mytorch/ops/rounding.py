"""Rounding, and division with a whole quotient: quotient, remainder, fraction."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DivisionError, DtypeError
from mytorch.ops.common import refuse_booleans
from mytorch.ops.elementwise import Binary, Step
from mytorch.ops.registry import operation

__all__ = ["Ceil", "Floor", "FloorDivide", "Fmod", "Remainder", "Round", "Trunc", "TruncDivide"]


class _Rounding(Step):
    """A step from one whole number to the next; integers stay as they are.

    Raises:
        DtypeError: for booleans.
    """

    floats = False

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        refuse_booleans(cls.__name__.lower(), a)
        return super().forward(ctx, a) if a.data.dtype.kind == "f" else a.new(a.data.copy())


class Floor(_Rounding, name="floor", numpy=np.floor):
    """y = the largest whole number <= x;  dy/dx = 0."""


class Ceil(_Rounding, name="ceil", numpy=np.ceil):
    """y = the smallest whole number >= x;  dy/dx = 0."""


class Trunc(_Rounding, name="trunc", aliases=("fix",), numpy=(np.trunc, np.fix)):
    """y = x without its fraction, rounded towards 0;  dy/dx = 0."""


class Round(_Rounding):
    """y = the nearest whole number, of two equally near ones the even;  dy/dx = 0."""

    value = staticmethod(np.rint)


@operation(space=("mytorch", "special"), in_place=True, numpy=(np.round, np.around, np.rint))
def round(input: Any, *, decimals: int = 0) -> Any:
    """Return each element rounded to ``decimals`` decimal places (torch.round).

    Halves go to the even neighbour: round(0.5) = 0, round(1.5) = 2. The gradient is 0.

    Args:
        decimals: negative to round to tens, hundreds, …
    Raises:
        DtypeError: booleans; integers with ``decimals``.
    """
    if decimals == 0:
        return Round.apply(input)
    if input.data.dtype.kind != "f":
        raise DtypeError(f"round: decimals= is for floats, not for {input.data.dtype}")
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        return Round.apply(input * scale) / scale
    return Round.apply(input / scale) * scale


@operation(in_place=True)
def frac(input: Any) -> Any:
    """Return the fraction x - trunc(x), of the sign of x;  dy/dx = 1 (torch.frac).

    Raises:
        DtypeError: for integers.
    """
    if input.data.dtype.kind != "f":
        raise DtypeError(f"frac: {input.data.dtype} has no fraction; it is for floats")
    with np.errstate(all="ignore"):  # inf - inf is nan, as in torch
        return input - input.new(np.trunc(input.data))


# ------------------------------------------------------------------------------------ division


class _Division(Binary):
    """A division whose quotient is a whole number.

    Raises:
        DtypeError: two booleans; DivisionError: integers divided by 0 (floats give inf or nan).
    """

    floats = False

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        refuse_booleans(cls.name, a, b)
        whole = a.data.dtype.kind != "f" and b.data.dtype.kind != "f"
        if whole and a.data.size and not b.data.all():
            raise DivisionError(f"{cls.name}: integers divided by zero; floats would give inf")
        return super().forward(ctx, a, b)


class FloorDivide(_Division, name="floor_divide", numpy=np.floor_divide):
    """z = floor(x / y), rounded down;  dz/dx = dz/dy = 0.

    Torch has no gradient of floor_divide, but the same zeros of div(rounding_mode="floor").
    """


class TruncDivide(_Division):
    """z = trunc(x / y), rounded towards 0, exact for integers;  dz/dx = dz/dy = 0."""

    name = "div"

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.trunc(x / y) if x.dtype.kind == "f" else (x - np.fmod(x, y)) // y


class Remainder(_Division, name="remainder", numpy=np.remainder):
    """z = x - floor(x / y) * y, of the sign of y;  dz/dx = 1, dz/dy = -floor(x / y)."""

    @staticmethod
    def slope_x() -> Any:
        return 1

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return -np.floor_divide(x, y)


class Fmod(_Division, name="fmod", numpy=np.fmod):
    """z = x - trunc(x / y) * y, of the sign of x;  dz/dx = 1, dz/dy = -trunc(x / y)."""

    @staticmethod
    def slope_x() -> Any:
        return 1

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return -np.trunc(x / y)
