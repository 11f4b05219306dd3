"""Modified Bessel functions of the first kind, orders 0 and 1 (torch.special.i0, i0e, i1, i1e).

With an e at the end of its name, a function is scaled by e**-|x|, and does not overflow. All are
computed in float64 and rounded to the dtype of the argument.
Source: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 9.6.18 and 9.7.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.ops.common import values
from mytorch.ops.elementwise import Unary
from mytorch.ops.special import in_blocks, polynomial

__all__ = ["I0", "I0e", "I1", "I1e"]

_ANGLES = (np.arange(32) + 0.5) * math.pi / 32
_FAR = 30.0


def _scaled(order: int, x: np.ndarray) -> np.ndarray:
    """Return e**-x I_order(x) for x >= 0, order 0 or 1."""
    near, result = x < _FAR, np.empty_like(x)
    result[near], result[~near] = _integral(order, x[near]), _series(order, x[~near])
    return result


def _integral(order: int, x: np.ndarray) -> np.ndarray:
    """I_n(x) = x**n / pi * the integral of e**(x cos t) sin(t)**2n from 0 to pi, for n = 0 and 1.

    The midpoint rule converges faster than any power for a periodic function; nothing cancels.
    """
    total = np.zeros_like(x)
    for angle in _ANGLES.tolist():
        total += np.exp(x * (math.cos(angle) - 1)) * math.sin(angle) ** (2 * order)
    return total * x**order / len(_ANGLES)


def _series(order: int, x: np.ndarray) -> np.ndarray:
    """The asymptotic series (2 pi x)**-0.5 * sum of (-1)**k a_k / x**k, for large x."""
    terms = [1.0]
    for k in range(1, 20):
        terms.append(terms[-1] * ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k))
    return polynomial(terms, 1 / x) / np.sqrt(2 * math.pi * x)


def _even(x: np.ndarray) -> np.ndarray:
    return _scaled(0, np.abs(x))


def _odd(x: np.ndarray) -> np.ndarray:
    return np.copysign(_scaled(1, np.abs(x)), x)


def _over(numerator: Any, x: Any, at_zero: float) -> Any:
    """Return numerator / x, ``at_zero`` where x = 0."""
    origin = values(x) == 0
    if not origin.any():
        return numerator / x
    return np.where(origin, at_zero, numerator / np.where(origin, 1.0, x))


class I0(Unary, name="i0", space=("mytorch", "special"), numpy=np.i0):
    """y = I0(x);  dy/dx = I1(x)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(lambda part: np.exp(np.abs(part)) * _even(part), x, np.float64)

    @staticmethod
    def slope(x: Any) -> Any:
        return I1.of(x)


class I1(Unary, name="i1", space="special", in_place=False):
    """y = I1(x);  dy/dx = I0(x) - y / x: 1/2 at 0."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(lambda part: np.exp(np.abs(part)) * _odd(part), x, np.float64)

    @staticmethod
    def slope(x: Any, y: Any) -> Any:
        return I0.of(x) - _over(y, x, 0.5)


class I0e(Unary, name="i0e", space="special", in_place=False):
    """y = e**-|x| I0(x);  dy/dx = e**-|x| I1(x) - sign(x) y."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_even, x, np.float64)

    @staticmethod
    def slope(x: Any, y: Any) -> Any:
        return I1e.of(x) - np.sign(x) * y


class I1e(Unary, name="i1e", space="special", in_place=False):
    """y = e**-|x| I1(x);  dy/dx = e**-|x| I0(x) - sign(x) y - y / x: 1/2 at 0."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_odd, x, np.float64)

    @staticmethod
    def slope(x: Any, y: Any) -> Any:
        return I0e.of(x) - np.sign(x) * y - _over(y, x, 0.5)
