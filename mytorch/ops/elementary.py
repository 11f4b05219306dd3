"""The elementary functions beyond those of ``pointwise.py``: more logarithms, trigonometry.

Outside its domain a function is nan or infinite, silently, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import as_float, operands, unbroadcast
from mytorch.ops.pointwise import Sigmoid, Sqrt

__all__ = [
    "Acos",
    "Asin",
    "Atan",
    "Cosh",
    "Expm1",
    "Log10",
    "Log1p",
    "Log2",
    "LogAddExp",
    "Sinh",
    "Tan",
]


def _value(ufunc: Any, a: Any) -> Any:
    """Return ``ufunc`` of the elements of ``a``, integers as floats, without warnings."""
    with np.errstate(all="ignore"):
        return a.new(ufunc(as_float(a.data)))


class _OfInput(Function):
    """A function of one argument whose derivative is written with that argument."""

    ufunc: Any

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return _value(cls.ufunc, a)


class _OfResult(Function):
    """A function of one argument whose derivative is written with its value."""

    ufunc: Any

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        result = _value(cls.ufunc, a)
        ctx.save_for_backward(result)
        return result


class Log1p(_OfInput):
    """y = log(1 + x), exact for small x;  dy/dx = 1 / (1 + x)."""

    ufunc = np.log1p

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output / (ctx.saved_tensors[0] + 1),)


class Log2(_OfInput):
    """y = log x to base 2;  dy/dx = 1 / (x log 2)."""

    ufunc = np.log2

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output / (ctx.saved_tensors[0] * float(np.log(2))),)


class Log10(_OfInput):
    """y = log x to base 10;  dy/dx = 1 / (x log 10)."""

    ufunc = np.log10

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output / (ctx.saved_tensors[0] * float(np.log(10))),)


class Expm1(_OfResult):
    """y = e**x - 1, exact for small x;  dy/dx = y + 1."""

    ufunc = np.expm1

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output * (ctx.saved_tensors[0] + 1),)


class Tan(_OfResult):
    """y = tan x;  dy/dx = 1 + y**2."""

    ufunc = np.tan

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (grad_output * (1 + result * result),)


class Asin(_OfInput):
    """y = arcsin x;  dy/dx = (1 - x**2)**-0.5: infinite at -1 and 1."""

    ufunc = np.arcsin

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad_output * (1 / Sqrt.apply(1 - a * a)),)


class Acos(_OfInput):
    """y = arccos x;  dy/dx = -(1 - x**2)**-0.5: infinite at -1 and 1."""

    ufunc = np.arccos

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad_output * (-1 / Sqrt.apply(1 - a * a)),)


class Atan(_OfInput):
    """y = arctan x;  dy/dx = 1 / (1 + x**2)."""

    ufunc = np.arctan

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad_output / (a * a + 1),)


class Sinh(_OfInput):
    """y = sinh x = (e**x - e**-x) / 2;  dy/dx = cosh x."""

    ufunc = np.sinh

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output * Cosh.apply(ctx.saved_tensors[0]),)


class Cosh(_OfInput):
    """y = cosh x = (e**x + e**-x) / 2;  dy/dx = sinh x."""

    ufunc = np.cosh

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output * Sinh.apply(ctx.saved_tensors[0]),)


class LogAddExp(Function):
    """z = log(e**x + e**y), without overflow;  dz/dx = sigmoid(x - y), dz/dy = sigmoid(y - x)."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands("logaddexp", a, b)
        ctx.save_for_backward(a, b)
        return a.new(np.logaddexp(as_float(x), as_float(y)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs = ctx.needs_input_grad
        grad_a = grad_output * Sigmoid.apply(a - b) if needs[0] else None
        grad_b = grad_output * Sigmoid.apply(b - a) if needs[1] else None
        return (
            None if grad_a is None else unbroadcast(grad_a, a.data.shape),
            None if grad_b is None else unbroadcast(grad_b, b.data.shape),
        )
