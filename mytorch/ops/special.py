"""Special functions around the error function and the logarithm (torch.special).

The error function is Taylor's series near 0 and e**(-x**2) times a Chebyshev series farther out,
with relative errors of about 1e-16 (of float32 and float16: 1e-7). They are computed in blocks that
stay in the processor's cache.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.ops.common import as_float, values
from mytorch.ops.elementary import Sigmoid
from mytorch.ops.elementwise import Binary, Unary
from mytorch.ops.pointwise import Clamp, masked
from mytorch.ops.registry import operation

__all__ = ["Entr", "Erf", "Erfc", "Erfcx", "Erfinv", "LogNdtr", "Logit", "Ndtri", "Sinc", "Xlogy"]

Block = Callable[[np.ndarray], np.ndarray]
_BLOCK = 1 << 15  # fewer and the calls cost more than the cache saves


def in_blocks(function: Block, x: Any, dtype: Any = None) -> np.ndarray:
    """Return ``function`` of x, computed in ``dtype``, some thousand elements at a time.

    So the dozens of intermediate arrays of a long formula are small, and stay in the cache.
    """
    x = np.asarray(x)
    if dtype is None:
        dtype = np.float64 if x.dtype == np.float64 else np.float32
    flat = x.reshape(-1).astype(dtype, copy=False)
    result = np.empty(flat.shape, x.dtype)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            result[part] = function(flat[part])
    return result.reshape(x.shape)


def polynomial(coefficients: Any, x: np.ndarray) -> np.ndarray:
    """Return the sum of c_k x**k by Horner's rule."""
    result = np.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result *= x
        result += coefficient
    return result


# ------------------------------------------------------------------------- the error function

# erf x = x * sum of c_k x**(2k), c_k = 2 / sqrt(pi) * (-1)**k / (k! (2k + 1)): enough terms for
# |x| < 1/2. Source: M. Abramowitz and I. Stegun, Handbook of Mathematical Functions, 7.1.5.
_NEAR = 0.5
_TAYLOR = [2 / math.sqrt(math.pi) * (-1) ** k / math.factorial(k) / (2 * k + 1) for k in range(12)]

# (1 + 2x) e**(x**2) erfc x for x >= 0, as a Chebyshev series in t = (x - 3.75) / (x + 3.75).
# Source: M. Shepherd and J. Laframboise, Mathematics of Computation 36 (1981), 249-253.
_CHEBYSHEV = [
    1.1775789345674018, -4.5900545806464773e-3, -8.4249133366517916e-2, 5.920993999819189e-2,
    -2.6658668435305752e-2, 9.0749976707052651e-3, -2.4131635404176082e-3, 4.9077583652580863e-4,
    -6.9169733025012064e-5, 4.1390279860730102e-6, 7.7403830661984907e-7, -2.1886401049234396e-7,
    1.076499946567091e-8, 4.5219598112182869e-9, -7.7544002088313511e-10, -6.3180883408866845e-11,
    2.8687950109306699e-11, 1.9455868545777347e-13, -9.6546967484334389e-13, 3.2525481481487398e-14,
    3.3478119482868054e-14, -1.8645628804193131e-15, -1.2507950530688647e-15, 7.418235256624044e-17,
]  # fmt: skip


@functools.cache
def _far(terms: int) -> list[float]:
    """Return the coefficients of the powers of t."""
    return np.polynomial.chebyshev.cheb2poly(_CHEBYSHEV[:terms]).tolist()


def _erf_near(x: np.ndarray) -> np.ndarray:
    """Return erf x for |x| < 1/2."""
    return x * polynomial(_TAYLOR[: 7 if x.dtype == np.float32 else 12], x * x)


def _erfcx_far(x: np.ndarray) -> np.ndarray:
    """Return e**(x**2) erfc x for x >= 0."""
    return polynomial(_far(12 if x.dtype == np.float32 else 24), 1 - 7.5 / (x + 3.75)) / (1 + 2 * x)


def _exp_square(x: np.ndarray, sign: int) -> np.ndarray:
    """Return e**(sign x**2) for x >= 0.

    Rounding x**2 to r**2 + (x - r)(x + r), r having few digits, keeps its relative error from
    growing with x. Source: W. Cody, Mathematics of Computation 23 (1969), 631-637.
    """
    x = np.minimum(x, 30)  # e**-900 is 0
    rough = np.floor(x * 16) / 16
    return np.exp(sign * rough * rough) * np.exp(sign * (x - rough) * (x + rough))


def _erf(x: np.ndarray) -> np.ndarray:
    size = np.minimum(np.abs(x), 6)  # erf 6 is 1
    far = 1 - np.exp(-size * size) * _erfcx_far(size)
    return np.copysign(np.where(size < _NEAR, _erf_near(size), far), x)


def _erfc(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    tail = _exp_square(size, -1) * _erfcx_far(size)
    return np.where(size < _NEAR, 1 - _erf_near(x), np.where(x < 0, 2 - tail, tail))


def _erfcx(x: np.ndarray) -> np.ndarray:
    size = np.abs(x)
    result = _erfcx_far(size)
    below = x < 0
    result[below] = 2 * _exp_square(size[below], 1) - result[below]
    return result


class Erf(Unary, name="erf", space=("mytorch", "special")):
    """y = c * the integral of e**(-t**2) from 0 to x, c = 2 / sqrt(pi);  dy/dx = c e**(-x**2)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_erf, x)

    @staticmethod
    def slope(x: Any) -> Any:
        return np.exp(-x * x) * (2 / math.sqrt(math.pi))


class Erfc(Unary, name="erfc", space=("mytorch", "special")):
    """y = 1 - erf x, also where that is tiny;  dy/dx = -2 / sqrt(pi) e**(-x**2)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_erfc, x)

    @staticmethod
    def slope(x: Any) -> Any:
        return np.exp(-x * x) * (-2 / math.sqrt(math.pi))


class Erfcx(Unary, name="erfcx", space="special", in_place=False):
    """y = e**(x**2) erfc x, which does not underflow for large x;  dy/dx = 2 x y - 2 / sqrt(pi)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_erfcx, x)

    @staticmethod
    def slope(x: Any, y: Any) -> Any:
        return x * y * 2 - 2 / math.sqrt(math.pi)


# --------------------------------------------------------------------------------- its inverse


# erfinv y = y * sum of c_k y**(2k): the start for |y| < 1/2, right to 0.03 percent
_INVERSE = [0.88622692545275801, 0.23201366653465449, 0.12755617530559795, 0.086552129241547337]


def _inverse(y: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return x >= 0 with erf x = y and erfc x = rest, of which the smaller one is exact."""
    steps = 2 if y.dtype == np.float64 else 1  # each squares the error at least
    near, result = y < 0.5, np.empty_like(y)
    result[near] = _inverse_near(y[near], steps)
    result[~near] = _inverse_far(rest[~near], steps + 1)
    return result


def _inverse_near(y: np.ndarray, steps: int) -> np.ndarray:
    """Solve erf x = y by Halley's method."""
    x = y * polynomial(_INVERSE, y * y)
    for _ in range(steps):
        miss = (_erf_near(x) - y) * np.exp(x * x) * (math.sqrt(math.pi) / 2)
        x -= miss / (1 + x * miss)
    return x


def _inverse_far(rest: np.ndarray, steps: int) -> np.ndarray:
    """Solve log erfc x = log rest by Newton's method, from a start that is right to 0.2 percent.

    Source of the start: S. Winitzki, A handy approximation for the error function (2008).
    """
    wanted = np.log(rest)
    half = (wanted + np.log(2 - rest)) / 2  # of log(1 - y**2)
    middle = 2 / (math.pi * 0.147) + half
    x = np.sqrt(np.sqrt(middle * middle - 2 / 0.147 * half) - middle)
    for _ in range(steps):
        scaled = _erfcx_far(x)
        x += (np.log(scaled) - x * x - wanted) * scaled * (math.sqrt(math.pi) / 2)
    return np.where(rest == 0, np.inf, x)


def _erfinv(y: np.ndarray) -> np.ndarray:
    size = np.abs(y)
    return np.copysign(_inverse(size, 1 - size), y)


def _ndtri(p: np.ndarray) -> np.ndarray:
    y = 2 * p - 1
    return np.copysign(_inverse(np.abs(y), 2 * np.minimum(p, 1 - p)), y) * math.sqrt(2)


class Erfinv(Unary, name="erfinv", space=("mytorch", "special")):
    """y = x with erf y = x, infinite at -1 and 1;  dy/dx = sqrt(pi) / 2 e**(y**2)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_erfinv, x)

    @staticmethod
    def slope(y: Any) -> Any:
        return np.exp(y * y) * (math.sqrt(math.pi) / 2)


# --------------------------------------------------------------------- the normal distribution


@operation("special")
def ndtr(input: Any) -> Any:
    """Return the probability that a standard normal number is below x (torch.special.ndtr)."""
    return Erfc.apply(input * -math.sqrt(0.5)) / 2


class LogNdtr(Unary, name="log_ndtr", space="special", in_place=False):
    """y = log ndtr x, also where that is tiny;  dy/dx = sqrt(2 / pi) / erfcx(-x / sqrt(2))."""

    @staticmethod
    def value(x: Any) -> Any:
        scaled = x * -math.sqrt(0.5)
        low = np.log(Erfcx.value(scaled) / 2) - scaled * scaled
        return np.where(x < -1, low, np.log1p(Erfc.value(-scaled) / -2))

    @staticmethod
    def slope(x: Any) -> Any:
        return math.sqrt(2 / math.pi) / Erfcx.of(x * -math.sqrt(0.5))


class Ndtri(Unary, name="ndtri", space="special", in_place=False):
    """y = the number with ndtr y = x, infinite at 0 and 1;  dy/dx = sqrt(2 pi) e**(y**2 / 2)."""

    @staticmethod
    def value(x: Any) -> Any:
        return in_blocks(_ndtri, x)

    @staticmethod
    def slope(y: Any) -> Any:
        return np.exp(y * y / 2) * math.sqrt(2 * math.pi)


# ------------------------------------------------------------------------ logarithms and sines


@operation("special")
def expit(input: Any) -> Any:
    """Return 1 / (1 + e**-x), as ``mytorch.sigmoid`` (torch.special.expit)."""
    return Sigmoid.apply(input)


class Logit(Unary):
    """y = log(x / (1 - x));  dy/dx = 1 / (x (1 - x)): infinite at 0 and 1, nan outside."""

    @staticmethod
    def value(x: Any) -> Any:
        return np.log(x / (1 - x))

    @staticmethod
    def slope(x: Any) -> Any:
        slope, outside = 1 / (x * (1 - x)), np.abs(values(x) - 0.5) > 0.5
        return np.where(outside, np.nan, slope) if outside.any() else slope


@operation(space=("mytorch", "special"), in_place=True)
def logit(input: Any, eps: float | None = None) -> Any:
    """Return log(x / (1 - x)), the inverse of sigmoid (torch.logit).

    Args:
        eps: limit x to [eps, 1 - eps] first, outside of which the gradient is 0.
    """
    return Logit.apply(input if eps is None else Clamp.apply(as_float(input), eps, 1 - eps))


class Xlogy(Binary, name="xlogy", space=("mytorch", "special")):
    """z = x log y, 0 where x = 0 (but for a nan);  dz/dy = x / y.

    dz/dx = log y, 0 where x = 0 and y <= 0.
    """

    log: Any = np.log
    pole = 0.0  # where the logarithm is infinite

    @classmethod
    def value(cls, x: Any, y: Any) -> Any:
        return np.where((x == 0) & ~np.isnan(y), 0, x * cls.log(y))

    @classmethod
    def slope_x(cls, x: Any, y: Any) -> Any:
        flat = cls._flat(x, y)
        return cls.log(np.where(flat, cls.pole + 1, y) if flat.any() else y)

    @classmethod
    def slope_y(cls, x: Any, y: Any) -> Any:
        return x / (y - cls.pole)

    @classmethod
    def _flat(cls, x: Any, y: Any) -> np.ndarray:
        return (values(x) == 0) & (values(y) <= cls.pole)

    @classmethod
    def _partial(cls, ctx: Any, side: int, incoming: Any) -> Any:
        if side == 0:  # 0 also of an infinite gradient
            incoming = masked(incoming, ~cls._flat(*ctx.saved_tensors[:2]))
        return super()._partial(ctx, side, incoming)


class Xlog1py(Xlogy, name="xlog1py", space="special", in_place=False):
    """z = x log(1 + y), 0 where x = 0 (but for a nan);  dz/dy = x / (1 + y).

    dz/dx = log(1 + y), 0 where x = 0 and y <= -1.
    """

    log = np.log1p
    pole = -1.0


class Entr(Unary, name="entr", space="special", in_place=False):
    """y = -x log x, a term of an entropy in nats: 0 at 0, -inf below;  dy/dx = -log x - 1."""

    @staticmethod
    def value(x: Any) -> Any:
        return np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x)))

    @staticmethod
    def slope(x: Any) -> Any:
        return -np.log(x) - 1


class Sinc(Unary, name="sinc", space=("mytorch", "special"), numpy=np.sinc):
    """y = sin(pi x) / (pi x), 1 at 0;  dy/dx = (cos(pi x) - y) / x, 0 at 0."""

    @staticmethod
    def slope(x: Any, y: Any) -> Any:
        origin = values(x) == 0
        return (np.cos(x * math.pi) - y) / (np.where(origin, 1.0, x) if origin.any() else x)

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        away = values(ctx.saved_tensors[0]) != 0  # 0 at 0 also of an infinite gradient
        return masked(grad_output, away) * cls.slope(*ctx.saved_tensors)

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any) -> Any:
        return cls.backward(ctx, tangent)
