"""Operations on each element by itself, beyond the homework's four."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import as_float, operands, unbroadcast

__all__ = ["Cast", "Clone", "Exp", "Neg", "Pow", "Sigmoid", "Tanh", "Where"]


class Neg(Function):
    """y = -x;  dy/dx = -1."""

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(-a.data)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (-grad_output,)


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
        ctx.save_for_backward(a, b, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b, result = ctx.saved_tensors
        needs_a, needs_b = ctx.needs_input_grad[0], ctx.needs_input_grad[1]
        grad_a = grad_b = None
        if needs_a:
            flat = b.new(b.data == 0)
            safe = Where.apply(flat, b.new(np.ones_like(b.data)), b)  # no 0 ** -1 where y = 0
            slope = Where.apply(flat, b.new(np.zeros_like(b.data)), b) * a ** (safe - 1)
            grad_a = unbroadcast(grad_output * slope, a.shape)
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


class Where(Function):
    """z = a where condition else b; each gradient is grad_output where its own side was taken."""

    @staticmethod
    def forward(ctx: Any, condition: Any, a: Any, b: Any) -> Any:
        x, y = operands("where", a, b)
        ctx.save_for_backward(condition)
        ctx.shapes = x.shape, y.shape
        return a.new(np.where(condition.data, x, y))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (condition,) = ctx.saved_tensors
        zero = grad_output.new(np.zeros((), grad_output.data.dtype))
        grad_a = Where.apply(condition, grad_output, zero)
        grad_b = Where.apply(condition, zero, grad_output)
        return None, unbroadcast(grad_a, ctx.shapes[0]), unbroadcast(grad_b, ctx.shapes[1])


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
