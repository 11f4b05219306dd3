"""The elementary functions: exponentials, logarithms, trigonometry and the hyperbolic functions.

Outside its domain a function is nan or infinite, silently, as in torch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.ops.common import float_data
from mytorch.ops.elementwise import Binary, Unary

__all__ = [
    "Acos",
    "Asin",
    "Atan",
    "Cos",
    "Cosh",
    "Exp",
    "Expm1",
    "Log10",
    "Log1p",
    "Log2",
    "LogAddExp",
    "Sigmoid",
    "Sin",
    "Sinh",
    "Sqrt",
    "Tan",
    "Tanh",
]


class Exp(Unary, name="exp", numpy=np.exp):
    """y = e**x;  dy/dx = y. Overflow gives inf silently, as in torch."""

    @staticmethod
    def slope(y: Any) -> Any:
        return y


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
    """z = log(e**x + e**y), without overflow;  dz/dx = e**(x - z), dz/dy = e**(y - z)."""

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        float_data("logaddexp", a)
        float_data("logaddexp", b)
        return super().forward(ctx, a, b)

    @staticmethod
    def slope_x(x: Any, z: Any) -> Any:
        return np.exp(x - z)

    @staticmethod
    def slope_y(y: Any, z: Any) -> Any:
        return np.exp(y - z)


class Sqrt(Unary, name="sqrt", numpy=np.sqrt):
    """y = x**0.5;  dy/dx = 1 / (2 y): infinite at 0. A negative x gives nan silently."""

    @staticmethod
    def slope(y: Any) -> Any:
        return 0.5 / y


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


class Tanh(Unary, name="tanh", space=("mytorch", "functional"), numpy=np.tanh):
    """y = tanh(x);  dy/dx = 1 - y**2."""

    @staticmethod
    def slope(y: Any) -> Any:
        return 1 - y * y


class Sigmoid(Unary, name="sigmoid", space=("mytorch", "functional")):
    """y = 1 / (1 + e**-x);  dy/dx = y * (1 - y). In the lower tail e**-x is inf, and y is 0."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def slope(y: Any) -> Any:
        return y * (1 - y)
