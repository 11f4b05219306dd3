"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import cast, pair, refuse_booleans, save_needed, total, unbroadcast
from mytorch.ops.registry import operation

__all__ = ["Affine", "MatMul"]


class MatMul(Function):
    """Z = X @ Y on the last two axes, batched over the rest;  dL/dX = G Yᵀ, dL/dY = Xᵀ G.

    A vector on the left is a row, on the right a column, and the added axis is dropped again.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        check_matmul(a.data.shape, b.data.shape)
        check_one_dtype("matmul", a, b)
        save_needed(ctx, a, b)
        return a.new(a.data @ b.data)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        shape_rows = shape_a if len(shape_a) > 1 else (1, *shape_a)
        shape_columns = shape_b if len(shape_b) > 1 else (*shape_b, 1)
        grad = grad_output[..., None] if len(shape_b) == 1 else grad_output
        grad = grad[..., None, :] if len(shape_a) == 1 else grad  # (…, n, m)
        grad_a = grad_b = None
        if needs[0]:  # the gradient of an integer leaf is floating
            columns = cast(b.reshape(shape_columns), grad.dtype)
            grad_a = unbroadcast(grad @ columns.mT, shape_rows).reshape(shape_a)
        if needs[1]:
            rows = cast(a.reshape(shape_rows), grad.dtype)
            grad_b = unbroadcast(rows.mT @ grad, shape_columns).reshape(shape_b)
        return grad_a, grad_b

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else tangent_a @ b,
            None if tangent_b is None else a @ tangent_b,
        )


def check_one_dtype(name: str, *tensors: Any) -> None:
    """Raise DtypeError if the dtypes differ or are boolean: products promote nothing, as torch."""
    dtypes = dict.fromkeys(tensor.data.dtype for tensor in tensors)
    if len(dtypes) > 1:
        raise DtypeError(
            f"{name}: expected one dtype, got {' and '.join(map(str, dtypes))}; convert with "
            "tensor.astype(dtype)"
        )
    refuse_booleans(name, tensors[0])


def check_matmul(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Raise ShapeError unless ``first @ second`` exists, and say what would fit."""
    if not first or not second:
        raise ShapeError(f"matmul: {first} @ {second}: 0-d tensors have no product; use * instead")
    inner = second[-2] if len(second) > 1 else second[0]
    if first[-1] != inner:
        hint = ""
        if len(second) == 2 and first[-1] == second[1]:
            hint = "; did you mean weight.T()?"
        raise ShapeError(
            f"matmul: {first} @ {second}: inner sizes {first[-1]} and {inner} differ{hint}"
        )
    if len(first) > 2 and len(second) > 2:
        operands_shape = first[:-2], second[:-2]
        try:
            np.broadcast_shapes(*operands_shape)
        except ValueError:
            raise ShapeError(
                f"matmul: {first} @ {second}: batch shapes {operands_shape[0]} and "
                f"{operands_shape[1]} do not broadcast"
            ) from None


class Affine(Function):
    """Y = X Wᵀ + b for X (…, in), W (out, in), b (out,);  dX = G W, dW = Gᵀ X, db = sum of G."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, bias: Any = None) -> Any:
        ctx.save_for_backward(x, weight)
        result = x.data @ weight.data.T
        if bias is not None:
            result += bias.data
        return x.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        grad = grad_output.reshape(-1, weight.shape[0])  # (N, out)
        rows = x.reshape(-1, weight.shape[1])  # (N, in)
        return (
            grad_output @ weight if needs[0] else None,
            grad.mT @ rows if needs[1] else None,
            grad.sum(0) if needs[2] else None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_x: Any, tangent_weight: Any, tangent_bias: Any = None) -> Any:
        x, weight = ctx.saved_tensors
        return total(
            None if tangent_x is None else tangent_x @ weight.mT,
            None if tangent_weight is None else x @ tangent_weight.mT,
            tangent_bias,
        )


@operation(numpy=np.matmul, numbers=True)
def matmul(input: Any, other: Any) -> Any:
    """Return the product of matrices, batched over the leading axes (torch.matmul; ``a @ b``)."""
    return MatMul.apply(*pair("matmul", input, other))
