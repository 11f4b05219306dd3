"""Activation functions without corners; those with corners are in ``piecewise.py``.

relu is in ``nn/functional.py``, sigmoid in ``elementary.py``, softmax in ``softmax.py``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, ShapeError
from mytorch.ops.common import (
    as_float,
    float_data,
    normalize_axes,
    one_minus,
    refuse_booleans,
    values,
)
from mytorch.ops.elementary import Sigmoid
from mytorch.ops.elementwise import Unary
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.softmax import Softmax
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = [
    "Curve",
    "Gelu",
    "GeluTanh",
    "LogSigmoid",
    "Mish",
    "Ndtr",
    "Silu",
    "Softplus",
    "Softsign",
    "in_place_form",
    "run",
]


class Curve(Function):
    """y = value(x, *numbers) for each element x;  chain(grad, x, *numbers) is grad * dy/dx.

    A rule for the product, where ``Unary`` states the derivative to multiply by: where y is
    constant it can drop ``grad`` (``masked``), since nan * 0 is nan. It runs on arrays, and on
    Tensors for the derivatives of higher order, as every rule.
    """

    on_arrays = True
    value: Callable[..., Any]
    chain: Callable[..., Any]

    @classmethod
    def forward(cls, ctx: Any, a: Any, *numbers: Any) -> Any:
        ctx.numbers = numbers
        ctx.save_for_backward(a)
        return a.new(quietly(cls.value, a.data, *numbers))

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (cls.chain(grad_output, x, *ctx.numbers), *[None for _ in ctx.numbers])

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any, *_: Any) -> Any:
        return cls.backward(ctx, tangent)[0]


def of(cls: Any, x: Any) -> Any:
    """Return the function ``cls`` of an array or of a Tensor: in a rule that runs on both."""
    return cls.apply(x) if isinstance(x, Variable) else cls.value(x)


def run(name: str, cls: type[Function], input: Any, inplace: bool, *numbers: Any) -> Any:
    """Return ``cls`` of a floating ``input``, or write it there."""
    float_data(name, input)
    if inplace:
        return input._overwrite(name, cls.apply, *numbers)
    return cls.apply(input, *numbers)


def in_place_form(function: Any, *spaces: str) -> None:
    """Register ``name_``: the function with ``inplace=True``."""

    @functools.wraps(function)
    def changed(input: Any, *args: Any, **names: Any) -> Any:
        return function(input, *args, inplace=True, **names)

    name = f"{function.__name__}_"
    changed.__name__ = changed.__qualname__ = name
    changed.__doc__ = f"Overwrite input: ``{function.__name__}`` with inplace=True."
    operation(spaces, method=False, name=name)(changed)


# ------------------------------------------------------------------------ the normal distribution

# W(t) = (z + 9/4) e**(z*z) erfc(z) for z >= 0, t = (z - 9/4) / (z + 9/4), by its values at the
# Chebyshev nodes of [-1, 1] (computed with 60 digits): exact to 4e-8, and to 1e-16.
_SINGLE = (
    1.039892661953986, -0.7519593681294172, 0.37151753203206006, -0.10120324753368208,
    -0.0036106203398762484, 0.011617386544855453, -0.0008019114589024319, -0.0015364534265159815,
    9.713603927406925e-05, 0.00017650336911379424,
)  # fmt: skip
_DOUBLE = (
    1.0398926642867632, -0.7519590175904073, 0.37151747333312485, -0.10121040188058905,
    -0.0036109109395376115, 0.011658682801937766, -0.000797091456603685, -0.0016356683573938865,
    8.072854090705511e-05, 0.00028571673546859655, 2.3634839159588518e-05, -5.1128669075949615e-05,
    -1.6206765190571635e-05, 6.711776097193949e-06, 5.643817085549104e-06, 2.9872625886384767e-07,
    -1.3106786622483912e-06, -5.693601120120996e-07, 1.6699169257022744e-07, 2.0426355280505296e-07,
    3.1905082797163215e-09, -4.0403336297168e-08, -3.3853689831491443e-09, 3.7314774372955774e-09,
)  # fmt: skip


def _erfc(x: np.ndarray) -> np.ndarray:
    """Return 2/sqrt(pi) times the integral of e**(-t*t) over t > x, exact in the tail.

    Source of the form: Shepherd and Laframboise 1981, Mathematics of Computation 36.
    """
    z = np.abs(x)
    scale = 1 / (z + 2.25)
    t = 1 - 4.5 * scale
    first, *others = reversed(_SINGLE if x.dtype == np.float32 else _DOUBLE)
    w = np.full_like(t, first)
    for coefficient in others:
        w *= t
        w += coefficient
    w *= scale
    w *= np.exp(-z * z)
    return np.abs((x < 0) * x.dtype.type(2) - w)  # 2 - w or w


class Ndtr(Unary):
    """y = Phi(x), the part of the normal distribution below x;  dy/dx = e**(-x*x/2) / sqrt(2 pi).

    Exact in the lower tail, where (1 + erf(x / sqrt 2)) / 2 would be 0.
    """

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        wide = x.astype(np.float32) if x.dtype == np.float16 else x
        return (0.5 * _erfc(wide * -math.sqrt(0.5))).astype(x.dtype, copy=False)

    @staticmethod
    def slope(x: Any) -> Any:
        return np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


class Gelu(Function):
    """y = x Phi(x), Phi the normal distribution;  dy/dx = Phi(x) + x e**(-x*x/2) / sqrt(2 pi)."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        with np.errstate(all="ignore"):
            below = Ndtr.value(a.data)
            ctx.save_for_backward(a, a.new(below))
            return a.new(a.data * below)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, below = ctx.saved_tensors
        if not ctx.bare:
            below = Ndtr.apply(x)
        return (grad_output * (below + x * Ndtr.slope(x)),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Gelu.backward(ctx, tangent)[0]


# ------------------------------------------------------------------------------------ the curves


class GeluTanh(Curve):
    """y = x (1 + t) / 2, t = tanh(c (x + 0.044715 x**3)), c = sqrt(2 / pi): nearly x Phi(x).

    dy/dx = (1 + t) / 2 + x (1 - t**2) c (1 + 3 * 0.044715 x**2) / 2.
    """

    RATE, CUBIC = math.sqrt(2 / math.pi), 0.044715

    @classmethod
    def _tanh(cls, x: Any) -> tuple[Any, Any]:
        square = x * x
        return square, np.tanh(x * (square * (cls.RATE * cls.CUBIC) + cls.RATE))

    @classmethod
    def value(cls, x: np.ndarray) -> np.ndarray:
        return x * (cls._tanh(x)[1] * 0.5 + 0.5)

    @classmethod
    def chain(cls, grad: Any, x: Any) -> Any:
        square, t = cls._tanh(x)
        inner = square * (1.5 * cls.RATE * cls.CUBIC) + 0.5 * cls.RATE
        return grad * (t * 0.5 + 0.5 + x * one_minus(t * t) * inner)


class Silu(Curve):
    """y = x s with s = sigmoid(x);  dy/dx = s (1 + x (1 - s))."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return x / (1 + np.exp(-x))

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        s = of(Sigmoid, x)
        return grad * (s * (1 + x * (1 - s)))


class Mish(Curve):
    """y = x t with t = tanh(softplus(x));  dy/dx = t + x sigmoid(x) (1 - t**2)."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return x * np.tanh(Softplus.value(x))

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        t = np.tanh(of(Softplus, x))
        return grad * (t + x * of(Sigmoid, x) * one_minus(t * t))


class Softplus(Curve):
    """y = log(1 + e**(beta x)) / beta;  dy/dx = sigmoid(beta x).

    Exact in both tails: log(1 + e**z) = max(z, 0) + log(1 + e**-|z|). Where beta x > threshold,
    y = x and dy/dx = 1, as in torch.
    """

    @staticmethod
    def value(x: np.ndarray, beta: float = 1, threshold: float = np.inf) -> np.ndarray:
        z = x if beta == 1 else x * beta
        rest = np.log1p(np.exp(-np.abs(z)))
        if threshold < np.inf:
            rest = masked(rest, ~(z > threshold))
        result = np.clip(z, 0, None) + rest
        return result if beta == 1 else result / beta

    @staticmethod
    def chain(grad: Any, x: Any, beta: float = 1, threshold: float = np.inf) -> Any:
        z = x if beta == 1 else x * beta
        slope = of(Sigmoid, z)
        if threshold < np.inf:
            linear = values(z) > threshold
            slope = masked(slope, ~linear) + linear.astype(x.dtype)
        return grad * slope


class LogSigmoid(Curve):
    """y = log sigmoid(x) = min(x, 0) - log(1 + e**-|x|), no overflow;  dy/dx = sigmoid(-x)."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return np.clip(x, None, 0) - np.log1p(np.exp(-np.abs(x)))

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        return grad * of(Sigmoid, -x)


class Softsign(Curve):
    """y = x / (1 + |x|);  dy/dx = 1 / (1 + |x|)**2."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        x = as_float(x)
        return x / (1 + np.abs(x))

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        size = 1 + np.abs(x)
        return grad / (size * size)


# ------------------------------------------------------------------------------ the functions


@operation("functional")
def gelu(input: Any, approximate: str = "none") -> Any:
    """Return x * Phi(x), Phi the normal distribution (torch.nn.functional.gelu).

    Args:
        approximate: "none" for the exact function; "tanh" for Phi(x) by a hyperbolic tangent.
    Source: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    if approximate == "none":
        return run("gelu", Gelu, input, False)
    if approximate == "tanh":
        return run("gelu", GeluTanh, input, False)
    raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")


@operation("functional")
def silu(input: Any, inplace: bool = False) -> Any:
    """Return x * sigmoid(x), also called swish (torch.nn.functional.silu)."""
    return run("silu", Silu, input, inplace)


@operation("functional")
def mish(input: Any, inplace: bool = False) -> Any:
    """Return x * tanh(softplus(x)) (torch.nn.functional.mish; Misra 2019, arXiv:1908.08681)."""
    return run("mish", Mish, input, inplace)


@operation("functional")
def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Return log(1 + e**(beta x)) / beta, a smooth relu (torch.nn.functional.softplus).

    Args:
        beta: how sharp the bend is; threshold: where beta x is more, x itself is returned.
    """
    return run("softplus", Softplus, input, False, beta, threshold)


@operation("functional")
def logsigmoid(input: Any) -> Any:
    """Return log sigmoid(x), without under- or overflow (torch.nn.functional.logsigmoid)."""
    return run("logsigmoid", LogSigmoid, input, False)


@operation("functional")
def softsign(input: Any) -> Any:
    """Return x / (1 + |x|) (torch.nn.functional.softsign)."""
    refuse_booleans("softsign", input)
    return Softsign.apply(input)


@operation("functional")
def tanhshrink(input: Any) -> Any:
    """Return x - tanh(x) (torch.nn.functional.tanhshrink)."""
    refuse_booleans("tanhshrink", input)
    return input - input.tanh()


@operation("functional")
def glu(input: Any, dim: int = -1) -> Any:
    """Return a * sigmoid(b), a and b being the two halves of input along ``dim``.

    Raises:
        ShapeError: an odd size, or a 0-d input.
    Source: torch.nn.functional.glu; Dauphin et al. 2016, arXiv:1612.08083.
    """
    x = float_data("glu", input)
    if not x.ndim:
        raise ShapeError("glu: a 0-d tensor has no axis to halve")
    (axis,) = normalize_axes(dim, x.ndim)
    if x.shape[axis] % 2:
        raise ShapeError(f"glu: axis {dim} of {x.shape} must be even to be halved")
    before, half = (slice(None),) * axis, x.shape[axis] // 2
    return input[(*before, slice(half))] * input[(*before, slice(half, None))].sigmoid()


@operation("functional")
def softmin(input: Any, dim: int | None = -1, dtype: Any = None) -> Any:
    """Return softmax(-x) along ``dim`` (torch.nn.functional.softmin)."""
    return Softmax.apply(-(input if dtype is None else input.astype(dtype)), dim)


@operation("functional")
def gumbel_softmax(
    logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """Return softmax((logits + g) / tau), g drawn from the Gumbel distribution: a soft sample.

    Args:
        logits (Tensor): unnormalised log-probabilities along ``dim``.
        tau: temperature; the lower, the nearer to one-hot.
        hard: one-hot samples, with the gradient of the soft ones; eps: has no effect, as in torch.
    Source: torch.nn.functional.gumbel_softmax; Jang, Gu and Poole 2016, arXiv:1611.01144.
    """
    x = float_data("gumbel_softmax", logits)
    noise = np.asarray(np.random.gumbel(size=x.shape), x.dtype)
    soft = Softmax.apply((logits + logits.new(noise)) / tau, dim)
    if not hard:
        return soft
    best = np.expand_dims(soft.data.argmax(dim), dim)
    sample = np.zeros_like(soft.data)
    np.put_along_axis(sample, best, 1, dim)
    return logits.new(sample - soft.data) + soft
