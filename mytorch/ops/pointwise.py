"""Operations on each element by itself, beyond the homework's: powers, choices, limits, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import (
    as_operand,
    fitted,
    operands,
    pair,
    refuse_booleans,
    select,
    total,
    unbroadcast,
    values,
)
from mytorch.ops.elementwise import Binary, Unary
from mytorch.ops.registry import SPACES, operation
from mytorch.variable import Variable

__all__ = [
    "Abs",
    "Cast",
    "Clamp",
    "Clone",
    "Masked",
    "Maximum",
    "Minimum",
    "Neg",
    "Pow",
    "Where",
    "masked",
]


class Neg(Unary, name="neg", aliases=("negative",), numpy=np.negative):
    """y = -x;  dy/dx = -1."""

    floats = False

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        refuse_booleans("neg", a)
        return a.new(-a.data)

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        return -grad_output

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any) -> Any:
        return -tangent


#: powers that need no logarithm, as in torch
_SIMPLE_POWERS: dict[float, Callable[[Any], Any]] = {
    -2: lambda x: 1 / (x * x),
    -1: np.reciprocal,
    -0.5: lambda x: 1 / np.sqrt(x),
    0.5: np.sqrt,
    1: np.positive,
    2: np.square,
    3: lambda x: x * x * x,
}


class Pow(Binary):
    """z = x ** y;  dz/dx = y * x**(y-1);  dz/dy = z * log(x).

    Kinks as in torch: the gradient for x is 0 where y = 0 (also at x = 0), and the gradient for y
    is 0 where x = 0 and y >= 0.
    """

    floats = False

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        refuse_booleans("pow", a, b)
        return super().forward(ctx, a, b)

    @staticmethod
    def value(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if x.dtype.kind == "i" and (y < 0).any():  # 1 / x**|y| towards zero, as in torch
            sign = np.where(x == -1, 1 - 2 * (y % 2), x == 1)
            return np.where(y < 0, sign, np.power(x, np.maximum(y, 0))).astype(x.dtype)
        if x.dtype.kind == "f" and not y.ndim and (simple := _SIMPLE_POWERS.get(y.item())):
            return simple(x)
        return np.power(x, y)

    @staticmethod
    def slope_x(x: Any, y: Any) -> Any:
        flat = values(y) == 0
        safe = np.where(flat, 1.0, y) if flat.any() else y  # no 0 ** -1 where y = 0
        return y * (x ** (safe - 1) if isinstance(x, Variable) else Pow.value(x, safe - 1))

    @staticmethod
    def slope_y(x: Any, y: Any, z: Any) -> Any:
        flat = (values(x) == 0) & (values(y) >= 0)
        if not flat.any():
            return z * np.log(x)
        return np.where(flat, 0.0, z * np.log(np.where(flat, 1.0, x)))

    @classmethod
    def _partial(cls, ctx: Any, side: int, incoming: Any) -> Any:
        if side == 0:  # 0 where y = 0, also of an infinite gradient
            exponent = values(ctx.saved_tensors[1])
            if (exponent == 0).any():
                incoming = masked(incoming, exponent != 0)
        return super()._partial(ctx, side, incoming)


@operation(in_place=True, numpy=np.power, numbers=True)
def pow(input: Any, exponent: Any) -> Any:
    """Return input ** exponent, element by element; either may be a number (torch.pow).

    Raises:
        ShapeError: an integer tensor to a negative integer: that would be no integer;
        DtypeError: to one that does not fit into its dtype.
    """
    a, b = pair("pow", input, exponent)
    if isinstance(exponent, int) and b.data.dtype.kind in "iu":
        if exponent < 0:
            raise ShapeError("pow: integers to negative integer powers are no integers; use floats")
        fitted("pow", np.asarray(exponent), b.data.dtype)
    return Pow.apply(a, b)


class Masked(Function):
    """y = x where the boolean array ``mask`` holds, else 0;  dy/dx = 1 where it holds, else 0.

    Unlike x * mask it is 0 where x is nan or infinite and mask is False.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, mask: np.ndarray) -> Any:
        ctx.mask, ctx.shape_in = mask, a.data.shape
        return a.new(select(a.data, mask))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return unbroadcast(masked(grad_output, ctx.mask), ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return masked(tangent, ctx.mask)


def masked(x: Any, mask: np.ndarray) -> Any:
    """Return x, an array or a Tensor, where the boolean array ``mask`` holds, else 0."""
    return select(x, mask) if not isinstance(x, Variable) else Masked.apply(x, mask)


class Where(Function):
    """z = a where condition else b; each gradient is grad_output where its own side was taken.

    The other side gets 0, also where grad_output is nan or infinite.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, condition: Any, a: Any, b: Any) -> Any:
        x, y = operands("where", a, b)
        ctx.save_for_backward(condition)
        ctx.shapes = x.shape, y.shape
        return a.new(np.where(condition.data, x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        taken = values(ctx.saved_tensors[0]).astype(bool, copy=False)
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        return (
            None,
            unbroadcast(masked(grad_output, taken), shape_a) if needs[1] else None,
            unbroadcast(masked(grad_output, ~taken), shape_b) if needs[2] else None,
        )

    @staticmethod
    def jvp(ctx: Any, _: Any, tangent_a: Any, tangent_b: Any) -> Any:
        taken = values(ctx.saved_tensors[0]).astype(bool, copy=False)
        return total(
            None if tangent_a is None else masked(tangent_a, taken),
            None if tangent_b is None else masked(tangent_b, ~taken),
        )


@operation(numbers=True, method=False)
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Return ``input`` where ``condition`` holds, else ``other``, all broadcast (torch.where).

    Of a condition alone, the places where it holds: ``condition.nonzero(as_tuple=True)``.
    """
    if input is None and other is None and isinstance(condition, Variable):
        return SPACES["mytorch"]["nonzero"](condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where: expects a condition alone, or with both input and other")
    partner = next((each for each in (input, other, condition) if isinstance(each, Variable)), None)
    if partner is None:
        raise TypeError("where: expects at least one Tensor among its arguments")
    return Where.apply(*[as_operand(partner, each) for each in (condition, input, other)])


class Cast(Function):
    """y = x in another dtype; the gradient is cast back to the dtype of x."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dtype: Any) -> Any:
        ctx.dtype, ctx.wanted = a.data.dtype, dtype
        with np.errstate(all="ignore"):  # a nan to an integer
            return a.new(a.data.astype(dtype))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if ctx.dtype.kind not in "fc":  # an integer leaf: its gradient stays floating
            return grad_output, None
        return grad_output.astype(ctx.dtype), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.astype(ctx.wanted) if ctx.wanted.kind in "fc" else None


class Clone(Function):
    """y = a copy of x with memory of its own;  dy/dx = 1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent


@operation(numpy=np.copy)
def clone(input: Any) -> Any:
    """Return a copy of input with memory of its own; gradients flow back through it (torch.clone).

    ``Tensor.copy`` (handout) gives one without history.
    """
    return Clone.apply(input)


class Abs(Unary, name="abs", aliases=("absolute",), numpy=np.absolute):
    """y = |x|;  dy/dx = sign(x), 0 at 0 and for a nan."""

    floats = False

    @classmethod
    def forward(cls, ctx: Any, a: Any) -> Any:
        refuse_booleans("abs", a)
        return super().forward(ctx, a)

    @staticmethod
    def slope(x: Any) -> Any:
        x = values(x)
        return (x > 0).astype(x.dtype) - (x < 0)


class Maximum(Function):
    """z = the larger of x and y;  dz/dx = 1 where x > y, 1/2 where x = y, else 0; dz/dy alike.

    If x or y is nan, z is nan, and both gradients are 1.
    """

    on_arrays = True
    name = "maximum"
    take: Any = np.maximum
    beats: Any = np.greater

    @classmethod
    def forward(cls, ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands(cls.name, a, b)
        ctx.save_for_backward(a, b)
        return a.new(cls.take(x, y))

    @classmethod
    def _taken(cls, ctx: Any) -> tuple[Any, ...]:
        """Return where x and where y was taken, both in a tie or beside a nan, and the ties."""
        x, y = map(values, ctx.saved_tensors)
        return ~cls.beats(y, x), ~cls.beats(x, y), x == y

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        *taken, tie = cls._taken(ctx)
        share = _halved(grad_output, tie)
        parts = zip(ctx.saved_tensors, taken, ctx.needs_input_grad, strict=True)
        return tuple(unbroadcast(masked(share, t), x.shape) if n else None for x, t, n in parts)

    @classmethod
    def jvp(cls, ctx: Any, *tangents: Any) -> Any:
        *taken, tie = cls._taken(ctx)
        parts = zip(tangents, taken, strict=True)
        return total(*[_halved(masked(x, t), tie) for x, t in parts if x is not None])


class Minimum(Maximum):
    """z = the smaller of x and y;  dz/dx = 1 where x < y, 1/2 where x = y, else 0; dz/dy alike.

    If x or y is nan, z is nan, and both gradients are 1.
    """

    name = "minimum"
    take = np.minimum
    beats = np.less


def _halved(x: Any, tie: np.ndarray) -> Any:
    return x * (1 - tie.astype(x.dtype) / 2) if tie.any() else x


@operation(numpy=np.maximum, numbers=True)
def maximum(input: Any, other: Any) -> Any:
    """Return the larger of each two elements, nan if either is nan (torch.maximum)."""
    return Maximum.apply(*pair("maximum", input, other))


@operation(numpy=np.minimum, numbers=True)
def minimum(input: Any, other: Any) -> Any:
    """Return the smaller of each two elements, nan if either is nan (torch.minimum)."""
    return Minimum.apply(*pair("minimum", input, other))


class Clamp(Function):
    """y = min(max(x, low), high); a bound is a number, a Tensor, or None for no limit.

    dy/dx = 1 where low <= x <= high, else 0, also for a nan. As in torch, dy/dlow = 1 where
    x < low < high, and dy/dhigh = 1 where x > high or low > high.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, low: Any = None, high: Any = None) -> Any:
        if low is None and high is None:
            raise ShapeError("clamp: expects min or max, or both")
        ctx.limited = low is not None, high is not None
        result, bounds = a, []
        for bound, limit in ((low, np.maximum), (high, np.minimum)):
            if bound is not None:
                bounds.append(as_operand(a, bound))
                if bounds[-1] is None:
                    kind = type(bound).__name__
                    raise TypeError(f"clamp: a bound is a number or a Tensor, not {kind}")
                result = a.new(limit(*operands("clamp", result, bounds[-1])))
        if len(bounds) > 1:
            refuse_booleans("clamp", result)
        ctx.save_for_backward(a, *bounds)
        return result

    @staticmethod
    def _sides(ctx: Any) -> list[tuple[Any, np.ndarray]]:
        """Return x, low and high, each with the mask of where it was taken."""
        x, *bounds = map(values, ctx.saved_tensors)
        low = bounds[0] if ctx.limited[0] else -np.inf
        high = bounds[-1] if ctx.limited[1] else np.inf
        taken = (x >= low) & (x <= high), (x < low) & (low < high), (x > high) | (low > high)
        return list(zip((x, low, high), taken, strict=True))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        needs, limited = ctx.needs_input_grad, ctx.limited
        wanted = needs[0], limited[0] and needs[1], limited[1] and needs[2]
        return tuple(
            unbroadcast(masked(grad_output, mask), np.shape(value)) if want else None
            for (value, mask), want in zip(Clamp._sides(ctx), wanted, strict=True)
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        sides = zip(tangents, Clamp._sides(ctx), strict=False)
        return total(*[masked(t, mask) for t, (_, mask) in sides if t is not None])


@operation(in_place=True, aliases=("clip",), space=("mytorch",))
def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Return each element limited to [min, max] (torch.clamp).

    Args:
        min, max: numbers or Tensors that broadcast; None for no limit, but not both.
    """
    return Clamp.apply(input, min, max)


@operation(in_place=True)
def clamp_min(input: Any, min: Any) -> Any:
    """Return each element, at least ``min`` (torch.clamp_min)."""
    return Clamp.apply(input, min, None)


@operation(in_place=True)
def clamp_max(input: Any, max: Any) -> Any:
    """Return each element, at most ``max`` (torch.clamp_max)."""
    return Clamp.apply(input, None, max)
