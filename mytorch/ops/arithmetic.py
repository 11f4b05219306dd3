"""Arithmetic beyond the homework's: signs, choices, interpolation, sums of products."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError
from mytorch.ops.common import (
    check_broadcast,
    check_tensors,
    float_data,
    operands,
    pair,
    refuse_booleans,
    refuse_integers,
)
from mytorch.ops.elementwise import Binary, Step
from mytorch.ops.pointwise import Cast, Pow, Where
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["CopySign", "Sign"]


class Sign(Step, name="sign", aliases=("sgn",), numpy=np.sign):
    """y = 1, 0 or -1, the sign of x, and 0 of a nan;  dy/dx = 0."""

    floats = False

    @staticmethod
    def value(x: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "b":
            return x.copy()
        return (x > 0).astype(x.dtype) - (x < 0)


class CopySign(Binary, name="copysign", numpy=np.copysign):
    """z = x with the sign of y, that of a zero too;  dz/dx = 1, -1, or 0 where x = 0; dz/dy = 0."""

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        return np.sign(x) * np.copysign(1.0, y)


@operation()
def positive(input: Any) -> Any:
    """Return the tensor itself (torch.positive).

    Raises:
        DtypeError: for booleans.
    """
    refuse_booleans("positive", input)
    return input


@operation(in_place=True, numpy=np.float_power, numbers=True)
def float_power(input: Any, exponent: Any) -> Any:
    """Return input ** exponent computed in float64, whatever the dtypes (torch.float_power)."""
    double = np.dtype(np.float64)  # a number must not be rounded to the other's dtype first
    wide = [Cast.apply(x, double) if isinstance(x, Variable) else x for x in (input, exponent)]
    return Pow.apply(*pair("float_power", *wide))


@operation(in_place=True, numpy=np.heaviside)
def heaviside(input: Any, values: Any) -> Any:
    """Return 1 where input > 0, ``values`` where it is 0, else 0, also for a nan (torch.heaviside).

    The gradient for ``input`` is 0; that for ``values`` is 1 where it was taken (torch has none).

    Raises:
        DtypeError: the two have different dtypes.
    """
    x, y = pair("heaviside", input, values)
    if x.data.dtype != y.data.dtype:
        raise DtypeError(f"heaviside: input is {x.data.dtype} but values is {y.data.dtype}")
    check_broadcast("heaviside", x.data.shape, y.data.shape)
    step = x.new((x.data > 0).astype(x.data.dtype))
    return Where.apply(x.new(x.data == 0), y, step)


def _either(name: str, beats: Any, input: Any, other: Any) -> Any:
    """Return ``input`` where it beats ``other`` or ties, or ``other`` is nan; else ``other``."""
    a, b = pair(name, input, other)
    x, y = operands(name, a, b)
    return Where.apply(a.new(beats(x, y) | np.isnan(y)), a, b)


@operation(numpy=np.fmax, numbers=True)
def fmax(input: Any, other: Any) -> Any:
    """Return the larger of each two elements, the number where one is nan (torch.fmax).

    The gradient goes to the element that was taken, in a tie to ``input``.
    """
    return _either("fmax", np.greater_equal, input, other)


@operation(numpy=np.fmin, numbers=True)
def fmin(input: Any, other: Any) -> Any:
    """Return the smaller of each two elements, the number where one is nan (torch.fmin).

    The gradient goes to the element that was taken, in a tie to ``input``.
    """
    return _either("fmin", np.less_equal, input, other)


@operation(in_place=True)
def nan_to_num(
    input: Any, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Return input with nan, inf and -inf replaced;  dy/dx = 1, but 0 there (torch.nan_to_num).

    Args:
        posinf, neginf: default: the largest and the smallest number of the dtype.
    """
    x = input.data
    with np.errstate(over="ignore"):  # a replacement that float16 does not hold
        numbers = np.nan_to_num(x, nan=nan or 0.0, posinf=posinf, neginf=neginf)
    return Where.apply(input.new(np.isfinite(x)), input, input.new(numbers))


@operation(in_place=True)
def lerp(input: Any, end: Any, weight: Any) -> Any:
    """Return input + weight * (end - input): 0 gives input and 1 gives end, exactly (torch.lerp).

    Args:
        weight: a number or a Tensor; it may be outside [0, 1].
    Raises:
        DtypeError: integers, or different dtypes; ShapeError: shapes that do not broadcast.
    """
    check_tensors("lerp", end)
    dtype = float_data("lerp", input).dtype
    is_number = not isinstance(weight, Variable)
    for name, other in (("end", end), ("weight", input if is_number else weight)):
        if other.data.dtype != dtype and (name == "end" or other.data.ndim):
            raise DtypeError(f"lerp: input is {dtype} but {name} is {other.data.dtype}")
        check_broadcast("lerp", input.data.shape, other.data.shape)
    way = end - input
    near = np.abs(weight if is_number else weight.data) < 0.5
    if is_number:
        return input + way * weight if near else end - way * (1 - weight)
    return Where.apply(input.new(near), input + way * weight, end - way * (1 - weight))


@operation(in_place=True)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """Return input + value * tensor1 * tensor2 (torch.addcmul).

    Raises:
        DtypeError: booleans, or a float ``value`` for integers.
    """
    check_tensors("addcmul", tensor1, tensor2)
    refuse_booleans("addcmul", input, tensor1, tensor2)
    if isinstance(value, float):
        refuse_integers("addcmul with a float value", input, tensor1, tensor2)
    product = tensor1 * tensor2
    return input + (product if value == 1 else product * value)


@operation(in_place=True)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """Return input + value * tensor1 / tensor2 (torch.addcdiv).

    Raises:
        DtypeError: tensor1 and tensor2 are both integers, as in torch.
    """
    check_tensors("addcdiv", tensor1, tensor2)
    refuse_integers("addcdiv", tensor1, tensor2)
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else quotient * value)
