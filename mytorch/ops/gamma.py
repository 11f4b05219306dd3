"""The gamma function's logarithm, and its derivatives: digamma and polygamma (torch.special).

All are computed in float64 and rounded to the dtype of the argument.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import as_float
from mytorch.ops.elementwise import Unary
from mytorch.ops.registry import operation
from mytorch.ops.special import in_blocks, polynomial
from mytorch.variable import Variable

__all__ = ["Digamma", "Lgamma", "Polygamma"]

# Bernoulli's numbers B_2, B_4, …, for the asymptotic series below.
# Source: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 6.1, 6.3, 6.4.
_BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510,
              43867 / 798, -174611 / 330]  # fmt: skip
_SHIFT = 16  # the series serve from here on; smaller arguments come by recurrence


def _power(x: np.ndarray, exponent: int) -> np.ndarray:
    """Return x ** exponent by squaring: np.power takes ten times as long."""
    result = np.ones_like(x)
    while exponent:
        if exponent & 1:
            result = result * x
        x, exponent = x * x, exponent >> 1
    return result


def _series(n: int, x: np.ndarray) -> np.ndarray:
    """Return (-1)**(n + 1) times the n-th derivative of digamma, for large x (6.3.18, 6.4.11)."""
    inverse = 1 / x
    coefficients = [
        b * math.factorial(2 * k + n - 1) / math.factorial(2 * k)
        for k, b in enumerate(_BERNOULLI, start=1)
    ]
    tail = polynomial(coefficients, inverse * inverse) * inverse
    lead = -np.log(x) if n == 0 else math.factorial(n - 1)
    rest = (math.factorial(n) / 2 + tail) * inverse
    return (lead + rest) * _power(inverse, n)


def _polygamma(n: int, x: np.ndarray) -> np.ndarray:
    """Return the n-th derivative of digamma."""
    below = x < 0
    if below.any():
        result = np.empty_like(x)
        result[~below] = _polygamma(n, x[~below])
        result[below] = _reflected(n, x[below])
        return result
    total = _power(1 / x, n + 1)
    for step in range(1, _SHIFT):
        total += _power(1 / (x + step), n + 1)
    return (_series(n, x + _SHIFT) + total * math.factorial(n)) * (-1) ** (n + 1)


def _reflected(n: int, x: np.ndarray) -> np.ndarray:
    """Return it for x < 0: (-1)**n polygamma(n, 1 - x) - d**n/dx**n pi cot(pi x) (6.4.7).

    With c = cot(pi x), the derivative of a polynomial p(c) is -pi (1 + c**2) p'(c).
    """
    fraction = x - np.rint(x)
    cot = np.array([0.0, 1.0])
    for _ in range(n):
        cot = -np.polynomial.polynomial.polymul([1, 0, 1], np.polynomial.polynomial.polyder(cot))
    derivative = polynomial(cot.tolist(), 1 / np.tan(math.pi * fraction)) * math.pi ** (n + 1)
    result = _polygamma(n, 1 - x) * (-1) ** n - derivative
    return np.where(fraction == 0, np.inf if n % 2 else np.nan, result)  # at a pole


@functools.cache
def _taylor() -> list[float]:
    """Return the series of log gamma(2 + t), |t| <= 1/2; its derivatives are polygamma's."""
    return [0.0, 1 - np.euler_gamma] + [
        float(_polygamma(k - 1, np.array([2.0]))[0]) / math.factorial(k) for k in range(2, 28)
    ]


def _lgamma_near(x: np.ndarray) -> np.ndarray:
    """Return log gamma x for 0 <= x < 8 by way of gamma(x + 1) = x gamma(x).

    x = t + n with |t| <= 1/2 is exact, and so is the logarithm beside the zeros at 1 and 2.
    """
    n = np.rint(x)
    product = np.where(n < 2, x, 1.0) * np.where(n < 1, x + 1, 1.0)
    for step in range(1, 7):
        product *= np.where(n > step + 1, x - step, 1.0)
    logarithm = np.log(product)
    return polynomial(_taylor(), x - n) + np.where(n < 2, -logarithm, logarithm)


def _lgamma_far(x: np.ndarray) -> np.ndarray:
    """Return log gamma x for x >= 8 by Stirling's series (6.1.40)."""
    inverse = 1 / x
    terms = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, start=1)]
    tail = polynomial(terms, inverse * inverse) * inverse
    return (x - 0.5) * np.log(x) - x + (math.log(2 * math.pi) / 2 + tail)


def _lgamma(x: np.ndarray) -> np.ndarray:
    size, result = np.abs(x), np.empty_like(x)
    near, below = size < 8, x < 0
    result[near], result[~near] = _lgamma_near(size[near]), _lgamma_far(size[~near])
    result[np.isinf(x)] = np.inf
    if below.any():  # gamma(x) gamma(-x) = -pi / (x sin(pi x))
        z = size[below]
        sine = np.abs(np.sin(math.pi * (z - np.rint(z))))
        mirrored = np.log(math.pi / (z * sine)) - result[below]
        result[below] = np.where(np.isinf(z), np.inf, mirrored)
    return result


# ------------------------------------------------------------------------------ the operations


class Lgamma(Unary, name="lgamma"):
    """y = log |gamma(x)|, infinite at 0, -1, -2, …;  dy/dx = digamma(x)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_lgamma, x, np.float64)

    @staticmethod
    def slope(x: Any) -> Any:
        return Digamma.of(x)


@operation("special")
def gammaln(input: Any) -> Any:
    """Return log |gamma(x)|, as ``mytorch.lgamma`` (torch.special.gammaln)."""
    return Lgamma.apply(input)


class Digamma(Unary, name="digamma", space=("mytorch", "special")):
    """y = the derivative of log gamma(x), nan at -1, -2, …, -inf at 0;  dy/dx = polygamma(1, x)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(lambda part: _polygamma(0, part), x, np.float64)

    @staticmethod
    def slope(x: Any) -> Any:
        return _polygamma_of(x, 1)


@operation("special")
def psi(input: Any) -> Any:
    """Return digamma(x), as ``mytorch.digamma`` (torch.special.psi)."""
    return Digamma.apply(input)


class Polygamma(Function):
    """y = the n-th derivative of digamma(x);  dy/dx = polygamma(n + 1, x)."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, n: int) -> Any:
        ctx.n = n
        ctx.save_for_backward(a)
        return a.new(_polygamma_of(as_float(a.data), n))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return grad_output * _polygamma_of(a, ctx.n + 1), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        (a,) = ctx.saved_tensors
        return tangent * _polygamma_of(a, ctx.n + 1)


def _polygamma_of(x: Any, n: int) -> Any:
    """Return polygamma(n, x) of an array or of a Tensor."""
    if isinstance(x, Variable):
        return Polygamma.apply(x, n)
    return in_blocks(lambda part: _polygamma(n, part), x, np.float64)


@operation(space=("mytorch", "special"), method=False, numbers=True)
def polygamma(n: int, input: Any) -> Any:
    """Return the n-th derivative of digamma, n >= 0 (torch.polygamma).

    Raises:
        ShapeError: a negative n.
    """
    if n < 0:
        raise ShapeError(f"polygamma: n must be at least 0, got {n}")
    return Digamma.apply(input) if n == 0 else Polygamma.apply(input, n)


@operation(space=(), method=True, in_place=True, name="polygamma")
def _polygamma_method(input: Any, n: int) -> Any:
    """Return the n-th derivative of digamma, n >= 0 (torch.Tensor.polygamma)."""
    return polygamma(n, input)
