"""Activation functions made of pieces: rectifiers, hard functions, shrinkages (but for relu).

Corners have torch's slopes. Where a function is flat what comes in is dropped, a nan as well.
``inplace=True``, and the functions that end in ``_``, overwrite the input (see ``in_place.py``).
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.ops.activations import Curve, in_place_form, run
from mytorch.ops.common import float_data, refuse_booleans, total, unbroadcast, values
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation

__all__ = [
    "Elu",
    "HardShrink",
    "HardSigmoid",
    "HardSwish",
    "HardTanh",
    "LeakyReLU",
    "PReLU",
    "SoftShrink",
    "Threshold",
]


class LeakyReLU(Curve):
    """y = x where x > 0, else a x;  dy/dx = 1 where x > 0, else a (also at 0)."""

    @staticmethod
    def slope(x: np.ndarray, a: float) -> np.ndarray:
        rises = x > 0
        return rises + ~rises * x.dtype.type(a)

    @staticmethod
    def value(x: np.ndarray, a: float) -> np.ndarray:
        if 0 < a <= 1:  # the larger of both is the right one
            y = x * x.dtype.type(a)
            return np.maximum(x, y, out=y) if x.ndim else np.maximum(x, y)
        return x * LeakyReLU.slope(x, a)

    @staticmethod
    def chain(grad: Any, x: Any, a: float) -> Any:
        return grad * LeakyReLU.slope(values(x), a)


class PReLU(Function):
    """y = x where x > 0, else w x, w broadcast;  dy/dx = 1 or w (also at 0), dy/dw = 0 or x."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, w: Any) -> Any:
        ctx.save_for_backward(a, w)
        rises = a.data > 0
        return a.new(a.data * (w.data * ~rises + rises))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, w = ctx.saved_tensors
        rises = values(x) > 0
        return (
            grad_output * (w * ~rises + rises) if ctx.needs_input_grad[0] else None,
            unbroadcast(masked(grad_output * x, ~rises), w.shape),
        )

    @staticmethod
    def jvp(ctx: Any, tangent: Any, tangent_w: Any) -> Any:
        x, w = ctx.saved_tensors
        rises = values(x) > 0
        return total(
            None if tangent is None else tangent * (w * ~rises + rises),
            None if tangent_w is None else masked(tangent_w * x, ~rises),
        )


class Elu(Curve):
    """y = scale x where x > 0, else scale alpha (e**(rate x) - 1).

    dy/dx = scale where x > 0, else scale alpha rate e**(rate x) (also at 0).
    """

    @staticmethod
    def value(x: np.ndarray, alpha: float, scale: float = 1, rate: float = 1) -> np.ndarray:
        falls = np.expm1(np.clip(x, None, 0) * rate) * (alpha * scale)
        return np.clip(x, 0, None) * scale + falls

    @staticmethod
    def chain(grad: Any, x: Any, alpha: float, scale: float = 1, rate: float = 1) -> Any:
        falls, number = values(x) <= 0, x.dtype.type
        factor = falls * number(alpha * scale * rate) + ~falls * number(scale)
        return grad * (np.exp(masked(x, falls) * rate) * factor)


class HardTanh(Curve):
    """y = min(max(x, low), high);  dy/dx = 1 where low < x < high, else 0 (also at the corners)."""

    @staticmethod
    def value(x: np.ndarray, low: float, high: float) -> np.ndarray:
        return np.clip(x, x.dtype.type(low), x.dtype.type(high))

    @staticmethod
    def chain(grad: Any, x: Any, low: float, high: float) -> Any:
        x = values(x)
        return masked(grad, ~((x <= low) | (x >= high)))


class HardSigmoid(Curve):
    """y = min(max(x / 6 + 1/2, 0), 1);  dy/dx = 1/6 where -3 < x < 3, else 0."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        return masked(grad / 6, np.abs(values(x)) < 3)


class HardSwish(Curve):
    """y = x min(max(x + 3, 0), 6) / 6;  dy/dx = 0 up to -3, 1 from 3 on, x/3 + 1/2 between."""

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        return x * np.clip(x + 3, 0, 6) / 6

    @staticmethod
    def chain(grad: Any, x: Any) -> Any:
        inner, above = np.abs(values(x)) < 3, ~(values(x) < 3)
        return masked(grad * (x / 3 + 0.5), inner) + masked(grad, above)


class SoftShrink(Curve):
    """y = x moved by ``size`` towards 0, at most to 0;  dy/dx = 1 where |x| > size, else 0."""

    @staticmethod
    def value(x: np.ndarray, size: float) -> np.ndarray:
        return x - np.clip(x, -size, size)

    @staticmethod
    def chain(grad: Any, x: Any, size: float) -> Any:
        return masked(grad, ~(np.abs(values(x)) <= size))


class HardShrink(Curve):
    """y = x where |x| > size, else 0;  dy/dx = 1 where |x| > size, else 0."""

    @staticmethod
    def value(x: np.ndarray, size: float) -> np.ndarray:
        return masked(x, ~(np.abs(x) <= size))

    @staticmethod
    def chain(grad: Any, x: Any, size: float) -> Any:
        return masked(grad, ~(np.abs(values(x)) <= size))


class Threshold(Curve):
    """y = x where x > limit, else ``value``;  dy/dx = 1 where x > limit, else 0."""

    @staticmethod
    def value(x: np.ndarray, limit: float, value: float) -> np.ndarray:
        flat = x <= limit
        return masked(x, ~flat) + masked(np.full_like(x, value), flat)  # faster than np.where

    @staticmethod
    def chain(grad: Any, x: Any, limit: float, value: float) -> Any:
        return masked(grad, ~(values(x) <= limit))


# ------------------------------------------------------------------------------ the functions


@operation("functional")
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """Return x where x > 0, else negative_slope * x (torch.nn.functional.leaky_relu)."""
    return run("leaky_relu", LeakyReLU, input, inplace, negative_slope)


@operation(space=("mytorch", "functional"))
def prelu(input: Any, weight: Any) -> Any:
    """Return x where x > 0, else weight * x: leaky_relu with a slope that learns (torch.prelu).

    Args:
        input (Tensor): (N, C, …), or any shape for a single slope.
        weight (Tensor): of one element, or (C,), one slope for each channel.
    Raises:
        ShapeError: a weight that fits neither; DtypeError: dtypes that differ or are no floats.
    """
    x, slopes = float_data("prelu", input), float_data("prelu", weight)
    if x.dtype != slopes.dtype:
        raise DtypeError(f"prelu: input is {x.dtype} but weight is {slopes.dtype}; convert one")
    channels = x.shape[1] if x.ndim > 1 else 1
    if slopes.ndim > 1 or slopes.size not in (1, channels):
        raise ShapeError(
            f"prelu: weight {slopes.shape} must have one element, or one for each of the "
            f"{channels} channels of input {x.shape}"
        )
    if slopes.ndim and x.ndim > 1:
        weight = weight.reshape(-1, *[1] * (x.ndim - 2))  # (C, 1, …)
    elif slopes.ndim:
        weight = weight.reshape(())
    return PReLU.apply(input, weight)


@operation(space=("mytorch", "functional"), method=False)
def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """Return x where x > 0, else a * x (torch.nn.functional.rrelu).

    In training each a is drawn from [lower, upper) by NumPy's global generator; else their mean.
    Source: Xu et al. 2015, arXiv:1505.00853.
    """
    x = float_data("rrelu", input)
    if lower > upper:
        raise ArgumentError(f"rrelu: lower must be at most upper, got {lower} and {upper}")
    if not training:
        return run("rrelu", LeakyReLU, input, inplace, (lower + upper) / 2)
    slopes = np.asarray(np.random.uniform(lower, upper, x.shape), x.dtype)
    slopes[x > 0] = 1
    noise = input.new(slopes)
    return input._overwrite("rrelu", operator.mul, noise) if inplace else input * noise


@operation("functional")
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return x where x > 0, else alpha * (e**x - 1) (torch.nn.functional.elu).

    Source: Clevert, Unterthiner and Hochreiter 2015, arXiv:1511.07289.
    """
    return run("elu", Elu, input, inplace, alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@operation(space=("mytorch", "functional"), method=False)
def selu(input: Any, inplace: bool = False) -> Any:
    """Return 1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1 (torch.selu).

    Source: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return run("selu", Elu, input, inplace, SELU_ALPHA, SELU_SCALE)


@operation(space=("mytorch", "functional"), method=False)
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """Return x where x > 0, else alpha * (e**(x / alpha) - 1): slope 1 at 0 (torch.celu).

    Raises:
        ArgumentError: alpha is 0.
    """
    if alpha == 0:
        raise ArgumentError("celu: alpha cannot be 0")
    return run("celu", Elu, input, inplace, alpha, 1, 1 / alpha)


@operation("functional")
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Return x limited to [min_val, max_val]; gradient 0 at both (torch.nn.functional.hardtanh)."""
    return _limited("hardtanh", input, min_val, max_val, inplace)


@operation("functional")
def relu6(input: Any, inplace: bool = False) -> Any:
    """Return x limited to [0, 6], with gradient 0 at 0 and at 6 (torch.nn.functional.relu6)."""
    return _limited("relu6", input, 0, 6, inplace)


def _limited(name: str, input: Any, low: float, high: float, inplace: bool) -> Any:
    refuse_booleans(name, input)
    if low > high:
        raise ArgumentError(f"{name}: min_val must be at most max_val, got {low} and {high}")
    _check_sign(name, input, low)
    if inplace:
        return input._overwrite(name, HardTanh.apply, low, high)
    return HardTanh.apply(input, low, high)


def _check_sign(name: str, input: Any, number: float) -> None:
    if int(number) < 0 and input.data.dtype.kind == "u":
        raise DtypeError(f"{name}: {number} is no {input.data.dtype}; convert with .long()")


@operation("functional")
def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """Return x / 6 + 1/2 limited to [0, 1] (torch.nn.functional.hardsigmoid)."""
    return run("hardsigmoid", HardSigmoid, input, inplace)


@operation("functional")
def hardswish(input: Any, inplace: bool = False) -> Any:
    """Return x * hardsigmoid(x) (torch.nn.functional.hardswish).

    Source: Howard et al. 2019, arXiv:1905.02244.
    """
    return run("hardswish", HardSwish, input, inplace)


@operation("functional")
def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """Return x moved by ``lambd`` towards 0, at most to 0 (torch.nn.functional.softshrink)."""
    if lambd < 0:
        raise ArgumentError(f"softshrink: lambd must be at least 0, got {lambd}")
    return run("softshrink", SoftShrink, input, False, lambd)


@operation(space=("mytorch", "functional"))
def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """Return x where |x| > lambd, else 0 (torch.nn.functional.hardshrink)."""
    return run("hardshrink", HardShrink, input, False, lambd)


@operation(space=("mytorch", "functional"), method=False)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """Return x where x > threshold, else ``value`` (torch.nn.functional.threshold)."""
    refuse_booleans("threshold", input)
    _check_sign("threshold", input, value)
    if inplace:
        return input._overwrite("threshold", Threshold.apply, threshold, value)
    return Threshold.apply(input, threshold, value)


for _function in (leaky_relu, elu, hardtanh):
    in_place_form(_function, "functional")
for _function in (rrelu, selu, celu, threshold):
    in_place_form(_function, "mytorch", "functional")
