"""The elementary functions: powers, exponentials, logarithms, trigonometry, hyperbolic functions.

Outside its domain a function is nan or infinite, silently, as in torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.ops.common import one_minus, refuse_integers, values
from mytorch.ops.elementwise import Binary, Unary
from mytorch.ops.registry import operation

__all__ = [
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atan2",
    "Atanh",
    "Cos",
    "Cosh",
    "Exp",
    "Exp2",
    "Expm1",
    "Hypot",
    "Log10",
    "Log1p",
    "Log2",
    "LogAddExp",
    "LogAddExp2",
    "Reciprocal",
    "Rsqrt",
    "Sigmoid",
    "Sin",
    "Sinh",
    "Sqrt",
    "Square",
    "Tan",
    "Tanh",
]


class Exp(Unary, name="exp", numpy=np.exp):
    """y = e**x;  dy/dx = y. Overflow gives inf silently, as in torch."""

    @staticmethod
    def slope(y: Any) -> Any:
        return y


class Exp2(Unary, name="exp2", numpy=np.exp2, space=("mytorch", "special")):
    """y = 2**x;  dy/dx = y log 2."""

    @staticmethod
    def slope(y: Any) -> Any:
        return y * math.log(2)


class Expm1(Unary, name="expm1", numpy=np.expm1, space=("mytorch", "special")):
    """y = e**x - 1, exact for small x;  dy/dx = y + 1."""

    @staticmethod
    def slope(y: Any) -> Any:
        return y + 1


class Log1p(Unary, name="log1p", numpy=np.log1p, space=("mytorch", "special")):
    """y = log(1 + x), exact for small x;  dy/dx = 1 / (1 + x)."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / (x + 1)


class Log2(Unary, name="log2", numpy=np.log2):
    """y = log x to base 2;  dy/dx = 1 / (x log 2)."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / (x * math.log(2))


class Log10(Unary, name="log10", numpy=np.log10):
    """y = log x to base 10;  dy/dx = 1 / (x log 10)."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / (x * math.log(10))


class LogAddExp(Binary, name="logaddexp", numpy=np.logaddexp, in_place=False):
    """z = log(e**x + e**y), without overflow;  dz/dx = sigmoid(x - y), dz/dy = sigmoid(y - x)."""

    scale = 1.0  # the logarithm of the base

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        refuse_integers(cls.name, a, b)
        return super().forward(ctx, a, b)

    @classmethod
    def slope_x(cls, x: Any, y: Any) -> Any:
        return Sigmoid.of((x - y) * cls.scale)

    @classmethod
    def slope_y(cls, x: Any, y: Any) -> Any:
        return Sigmoid.of((y - x) * cls.scale)


class LogAddExp2(LogAddExp, name="logaddexp2", numpy=np.logaddexp2, in_place=False):
    """z = log2(2**x + 2**y), without overflow;  dz/dx = 1 / (1 + 2**(y - x)), dz/dy alike."""

    scale = math.log(2)


class Sqrt(Unary, name="sqrt", numpy=np.sqrt):
    """y = x**0.5;  dy/dx = 1 / (2 y): infinite at 0. A negative x gives nan silently."""

    @staticmethod
    def slope(y: Any) -> Any:
        return 0.5 / y


class Rsqrt(Unary, name="rsqrt"):
    """y = x**-0.5;  dy/dx = -y**3 / 2. Infinite at 0, nan below."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return 1 / np.sqrt(x)

    @staticmethod
    def slope(y: Any) -> Any:
        return y * y * y * -0.5


class Square(Unary, name="square", numpy=np.square):
    """y = x**2;  dy/dx = 2 x. Booleans are squared as int64, other integers as they are."""

    floats = False

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return np.square(x, dtype=np.int64 if x.dtype.kind == "b" else None)

    @staticmethod
    def slope(x: Any) -> Any:
        return x * 2


class Reciprocal(Unary, name="reciprocal", numpy=np.reciprocal):
    """y = 1 / x;  dy/dx = -y**2. Infinite at 0."""

    @staticmethod
    def slope(y: Any) -> Any:
        return -y * y


class Hypot(Binary, name="hypot", numpy=np.hypot):
    """z = (x**2 + y**2)**0.5, without overflow;  dz/dx = x / z, dz/dy = y / z: nan at the origin.

    Raises:
        DtypeError: neither operand is floating.
    """

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        refuse_integers("hypot", a, b)
        return super().forward(ctx, a, b)

    @staticmethod
    def slope_x(x: Any, z: Any) -> Any:
        return x / z

    @staticmethod
    def slope_y(y: Any, z: Any) -> Any:
        return y / z


class Sin(Unary, name="sin", numpy=np.sin):
    """y = sin x;  dy/dx = cos x."""

    @staticmethod
    def slope(x: Any) -> Any:
        return np.cos(x)


class Cos(Unary, name="cos", numpy=np.cos):
    """y = cos x;  dy/dx = -sin x."""

    @staticmethod
    def slope(x: Any) -> Any:
        return -np.sin(x)


class Tan(Unary, name="tan", numpy=np.tan):
    """y = tan x;  dy/dx = 1 + y**2."""

    @staticmethod
    def slope(y: Any) -> Any:
        return 1 + y * y


class Asin(Unary, name="asin", aliases=("arcsin",), numpy=np.arcsin):
    """y = arcsin x;  dy/dx = (1 - x**2)**-0.5: infinite at -1 and 1."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / np.sqrt(1 - x * x)


class Acos(Unary, name="acos", aliases=("arccos",), numpy=np.arccos):
    """y = arccos x;  dy/dx = -(1 - x**2)**-0.5: infinite at -1 and 1."""

    @staticmethod
    def slope(x: Any) -> Any:
        return -1 / np.sqrt(1 - x * x)


class Atan(Unary, name="atan", aliases=("arctan",), numpy=np.arctan):
    """y = arctan x;  dy/dx = 1 / (1 + x**2)."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / (x * x + 1)


class Atan2(Binary, name="atan2", aliases=("arctan2",), numpy=np.arctan2):
    """z = the angle of the point (y, x): the first operand is y, as in NumPy.

    With r**2 = x**2 + y**2, dz/dy = x / r**2 and dz/dx = -y / r**2: 0 at the origin.
    """

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return _over_square(y, x, y)

    @staticmethod
    def slope_y(x: Any, y: Any) -> Any:
        return -_over_square(x, x, y)


def _over_square(numerator: Any, x: Any, y: Any) -> Any:
    """Return numerator / (x**2 + y**2), 0 at the origin; the squares could over- or underflow."""
    radius = np.hypot(x, y)
    origin = values(radius) == 0
    if origin.any():
        radius = np.where(origin, 1.0, radius)
    return numerator / radius / radius


class Sinh(Unary, name="sinh", numpy=np.sinh):
    """y = sinh x = (e**x - e**-x) / 2;  dy/dx = cosh x."""

    @staticmethod
    def slope(x: Any) -> Any:
        return np.cosh(x)


class Cosh(Unary, name="cosh", numpy=np.cosh):
    """y = cosh x = (e**x + e**-x) / 2;  dy/dx = sinh x."""

    @staticmethod
    def slope(x: Any) -> Any:
        return np.sinh(x)


class Asinh(Unary, name="asinh", aliases=("arcsinh",), numpy=np.arcsinh):
    """y = arsinh x;  dy/dx = (x**2 + 1)**-0.5."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / np.sqrt(x * x + 1)


class Acosh(Unary, name="acosh", aliases=("arccosh",), numpy=np.arccosh):
    """y = arcosh x for x >= 1;  dy/dx = (x**2 - 1)**-0.5: infinite at 1."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / np.sqrt((x - 1) * (x + 1))


class Atanh(Unary, name="atanh", aliases=("arctanh",), numpy=np.arctanh):
    """y = artanh x for |x| <= 1;  dy/dx = 1 / (1 - x**2): infinite at -1 and 1."""

    @staticmethod
    def slope(x: Any) -> Any:
        return 1 / ((1 - x) * (x + 1))


class Tanh(Unary, name="tanh", space=("mytorch", "functional"), numpy=np.tanh):
    """y = tanh(x);  dy/dx = 1 - y**2."""

    @staticmethod
    def slope(y: Any) -> Any:
        return one_minus(y * y)


class Sigmoid(Unary, name="sigmoid", space=("mytorch", "functional")):
    """y = 1 / (1 + e**-x);  dy/dx = y * (1 - y). In the lower tail e**-x is inf, and y is 0."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def slope(y: Any) -> Any:
        return y * (1 - y)


@operation(in_place=True, numpy=(np.deg2rad, np.radians))
def deg2rad(input: Any) -> Any:
    """Return degrees in radians, x * pi / 180 (torch.deg2rad)."""
    return input * (math.pi / 180)


@operation(in_place=True, numpy=(np.rad2deg, np.degrees))
def rad2deg(input: Any) -> Any:
    """Return radians in degrees, x * 180 / pi (torch.rad2deg)."""
    return input * (180 / math.pi)
