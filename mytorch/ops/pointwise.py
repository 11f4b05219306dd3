"""Operations on each element by itself, beyond the homework's four."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import as_float, operands, select, unbroadcast

__all__ = [
    "Abs",
    "Cast",
    "Clamp",
    "Clone",
    "Cos",
    "Exp",
    "Masked",
    "Maximum",
    "Minimum",
    "Neg",
    "Pow",
    "Sigmoid",
    "Sin",
    "Sqrt",
    "Tanh",
    "Where",
]


class Neg(Function):
    """y = -x;  dy/dx = -1."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(-a.data)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (-grad_output,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return -tangent


class Pow(Function):
    """z = x ** y;  dz/dx = y * x**(y-1);  dz/dy = z * log(x).

    Kinks as in torch: the gradient for x is 0 where y = 0 (also at x = 0), and the gradient for y
    is 0 where x = 0 and y >= 0.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands("pow", a, b)
        if x.dtype.kind in "iu" and (y < 0).any():
            raise ValueError(
                "pow: integers to negative integer powers are not integers; use floats"
            )
        with np.errstate(all="ignore"):
            result = a.new(np.power(x, y))
        ctx.save_for_backward(a, b, result if ctx.needs_input_grad[1] else None)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b, result = ctx.saved_tensors
        needs_a, needs_b = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        grad_a = grad_b = None
        if needs_a:
            flat = b.new(b.data == 0)
            safe = Where.apply(flat, b.new(np.ones_like(b.data)), b)  # no 0 ** -1 where y = 0
            steep = Masked.apply(grad_output, b.data != 0)
            grad_a = unbroadcast(steep * (b * a ** (safe - 1)), a.shape)
        if needs_b:
            x, y = np.broadcast_arrays(a.data, b.data)
            flat = a.new((x == 0) & (y >= 0))
            safe = Where.apply(flat, a.new(np.ones_like(a.data)), a)
            slope = Where.apply(flat, result.new(np.zeros_like(result.data)), result * safe.log())
            grad_b = unbroadcast(grad_output * slope, b.shape)
        return grad_a, grad_b


class Exp(Function):
    """y = e**x;  dy/dx = y. Overflow gives inf silently, as in torch."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            result = a.new(np.exp(as_float(a.data)))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (grad_output * result,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Exp.backward(ctx, tangent)[0]


class Sigmoid(Function):
    """y = 1 / (1 + e**-x);  dy/dx = y * (1 - y). Exact in both tails: e**-|x| cannot overflow."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        x = as_float(a.data)
        decay = np.exp(-np.abs(x))
        result = a.new(np.where(x >= 0, np.ones_like(x), decay) / (1 + decay))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (grad_output * result * (1 - result),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Sigmoid.backward(ctx, tangent)[0]


class Tanh(Function):
    """y = tanh(x);  dy/dx = 1 - y**2."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        result = a.new(np.tanh(as_float(a.data)))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (grad_output * (1 - result * result),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Tanh.backward(ctx, tangent)[0]


class Masked(Function):
    """y = x where the boolean array ``mask`` holds, else 0;  dy/dx = 1 where it holds, else 0.

    Unlike x * mask it is 0 where x is nan or infinite and mask is False.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, mask: np.ndarray) -> Any:
        ctx.mask, ctx.shape_in = mask, a.data.shape
        return a.new(select(a.data, mask))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return unbroadcast(Masked.apply(grad_output, ctx.mask), ctx.shape_in), None


class Where(Function):
    """z = a where condition else b; each gradient is grad_output where its own side was taken.

    The other side gets 0, also where grad_output is nan or infinite.
    """

    @staticmethod
    def forward(ctx: Any, condition: Any, a: Any, b: Any) -> Any:
        x, y = operands("where", a, b)
        ctx.save_for_backward(condition)
        ctx.shapes = x.shape, y.shape
        return a.new(np.where(condition.data, x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (condition,) = ctx.saved_tensors
        taken = condition.data.astype(bool, copy=False)
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        return (
            None,
            unbroadcast(Masked.apply(grad_output, taken), shape_a) if needs[1] else None,
            unbroadcast(Masked.apply(grad_output, ~taken), shape_b) if needs[2] else None,
        )


class Cast(Function):
    """y = x in another dtype; the gradient is cast back to the dtype of x."""

    @staticmethod
    def forward(ctx: Any, a: Any, dtype: Any) -> Any:
        ctx.dtype = a.data.dtype
        return a.new(a.data.astype(dtype))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if ctx.dtype.kind not in "fc":  # an integer leaf: its gradient stays floating
            return grad_output, None
        return Cast.apply(grad_output, ctx.dtype), None


class Clone(Function):
    """y = a copy of x with memory of its own;  dy/dx = 1."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent


class Sqrt(Function):
    """y = x**0.5;  dy/dx = 1 / (2 y): infinite at 0. A negative x gives nan silently."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        with np.errstate(invalid="ignore"):
            result = a.new(np.sqrt(as_float(a.data)))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (result,) = ctx.saved_tensors
        return (grad_output / (2 * result),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Sqrt.backward(ctx, tangent)[0]


class Sin(Function):
    """y = sin(x);  dy/dx = cos(x)."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        with np.errstate(invalid="ignore"):  # of an infinity: nan
            return a.new(np.sin(as_float(a.data)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (grad_output * Cos.apply(a),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Sin.backward(ctx, tangent)[0]


class Cos(Function):
    """y = cos(x);  dy/dx = -sin(x)."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        with np.errstate(invalid="ignore"):  # of an infinity: nan
            return a.new(np.cos(as_float(a.data)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        return (-(grad_output * Sin.apply(a)),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Cos.backward(ctx, tangent)[0]


class Abs(Function):
    """y = |x|;  dy/dx = sign(x), 0 at 0 and for a nan."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a.new(np.abs(a.data))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        sign = (a.data > 0).astype(grad_output.data.dtype) - (a.data < 0)
        return (grad_output * a.new(sign),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return Abs.backward(ctx, tangent)[0]


class Maximum(Function):
    """z = the larger of x and y;  dz/dx = 1 where x > y, 1/2 where x = y, else 0; dz/dy alike.

    If x or y is nan, z is nan, and both gradients are 1.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands("maximum", a, b)
        ctx.save_for_backward(a, b)
        return a.new(np.maximum(x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        return _split(ctx, grad_output, ~(a.data < b.data), ~(a.data > b.data))


class Minimum(Function):
    """z = the smaller of x and y;  dz/dx = 1 where x < y, 1/2 where x = y, else 0; dz/dy alike.

    If x or y is nan, z is nan, and both gradients are 1.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        x, y = operands("minimum", a, b)
        ctx.save_for_backward(a, b)
        return a.new(np.minimum(x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        return _split(ctx, grad_output, ~(a.data > b.data), ~(a.data < b.data))


def _split(ctx: Any, grad: Any, to_a: np.ndarray, to_b: np.ndarray) -> tuple[Any, ...]:
    """Give ``grad`` to the operand that was taken, half of it to each in a tie."""
    a, b = ctx.saved_tensors
    tie = a.data == b.data
    if tie.any():
        grad = grad * grad.new(1 - tie.astype(grad.data.dtype) / 2)
    needs = ctx.needs_input_grad
    return (
        unbroadcast(Masked.apply(grad, to_a), a.data.shape) if needs[0] else None,
        unbroadcast(Masked.apply(grad, to_b), b.data.shape) if needs[1] else None,
    )


class Clamp(Function):
    """y = min(max(x, low), high); a bound is a number, a Tensor, or None for no limit.

    dy/dx = 1 where low <= x <= high, else 0, also for a nan. As in torch, dy/dlow = 1 where
    x < low < high, and dy/dhigh = 1 where x > high or low > high.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, low: Any = None, high: Any = None) -> Any:
        if low is None and high is None:
            raise ValueError("clamp: expects min or max, or both")
        ctx.limited = low is not None, high is not None
        result, bounds = a, []
        for bound, limit in ((low, np.maximum), (high, np.minimum)):
            if bound is not None:
                bounds.append(a._operand(bound))
                if bounds[-1] is None:
                    kind = type(bound).__name__
                    raise TypeError(f"clamp: a bound is a number or a Tensor, not {kind}")
                result = a.new(limit(*operands("clamp", result, bounds[-1])))
        ctx.save_for_backward(a, *bounds)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, *bounds = ctx.saved_tensors
        x = a.data
        low = bounds[0].data if ctx.limited[0] else -np.inf
        high = bounds[-1].data if ctx.limited[1] else np.inf
        needs, limited = ctx.needs_input_grad, ctx.limited
        wanted = needs[0], limited[0] and needs[1], limited[1] and needs[2]
        taken = (x >= low) & (x <= high), (x < low) & (low < high), (x > high) | (low > high)
        return tuple(
            unbroadcast(Masked.apply(grad_output, mask), np.shape(value)) if want else None
            for mask, value, want in zip(taken, (x, low, high), wanted, strict=True)
        )
