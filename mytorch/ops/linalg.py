"""Products of matrices."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import cast, pair, refuse_booleans, save_needed, total
from mytorch.ops.contraction import LOWER, Terms, contract, product
from mytorch.ops.registry import operation
from mytorch.quiet import quietly

__all__ = ["Affine", "MatMul", "check_one_dtype"]

Shape = tuple[int, ...]


class MatMul(Function):
    """Z = X @ Y on the last two axes, batched over the rest;  dL/dX = G Yᵀ, dL/dY = Xᵀ G.

    A vector on the left is a row, on the right a column, and the added axis is dropped again.
    A gradient is summed over the batches that its operand was repeated for by the same product of
    matrices, so that it never stands in memory once for each of them.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        check_matmul(a.data.shape, b.data.shape)
        check_one_dtype("matmul", a, b)
        save_needed(ctx, a, b)
        return a.new(_product(a.data, b.data))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, b = ctx.saved_tensors
        needs, (shape_a, shape_b) = ctx.needs_input_grad, ctx.shapes
        dtype = grad_output.dtype  # the gradient of an integer leaf is floating
        grad_a = grad_b = None
        if len(shape_a) > 1 and len(shape_b) > 1 and shape_a[:-2] == shape_b[:-2]:
            if needs[0]:
                grad_a = product(grad_output, cast(b, dtype).mT)
            if needs[1]:
                grad_b = product(cast(a, dtype).mT, grad_output)
            return grad_a, grad_b
        (x, y, z), plain_a, plain_b, plain_z = _as_contraction(shape_a, shape_b)
        grad = grad_output.reshape(plain_z)
        if needs[0]:
            grad_a = contract(grad, cast(b, dtype).reshape(plain_b), (z, y, x)).reshape(shape_a)
        if needs[1]:
            grad_b = contract(cast(a, dtype).reshape(plain_a), grad, (x, z, y)).reshape(shape_b)
        return grad_a, grad_b

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, b = ctx.saved_tensors
        return total(
            None if tangent_a is None else tangent_a @ b,
            None if tangent_b is None else a @ tangent_b,
        )


def _product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x @ y; many matrices times one are a single product, which is faster."""
    if y.ndim == 2 and x.ndim > 2:
        rows = x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))
        return quietly(product, rows, y).reshape((*x.shape[:-1], y.shape[-1]))
    return quietly(product, x, y)


@functools.lru_cache(maxsize=1024)
def _as_contraction(shape_a: Shape, shape_b: Shape) -> tuple[Terms, Shape, Shape, Shape]:
    """Return the letters of a, b and a @ b, and their shapes without batch axes of size 1.

    So an operand that is repeated lacks the letters of the axes that it is repeated over.
    """

    def described(batch: Shape, matrix: Shape, letters: str) -> tuple[str, Shape]:
        places = [place for place, size in enumerate(reversed(batch)) if size != 1][::-1]
        names = "".join(LOWER[place] for place in places)
        return names + letters, tuple(batch[-1 - place] for place in places) + matrix

    rows, columns = shape_a[-2:-1], shape_b[-1:] if len(shape_b) > 1 else ()
    batch = np.broadcast_shapes(shape_a[:-2], shape_b[:-2])
    x, plain_a = described(shape_a[:-2], shape_a[-2:], "NK" if rows else "K")
    y, plain_b = described(shape_b[:-2], shape_b[-2:], "KM" if columns else "K")
    z, plain_z = described(batch, rows + columns, "N" * len(rows) + "M" * len(columns))
    return (x, y, z), plain_a, plain_b, plain_z


def check_one_dtype(name: str, *tensors: Any, booleans: bool = False) -> None:
    """Raise DtypeError if the dtypes differ: products promote nothing, as in torch.

    Booleans are refused as well, unless ``booleans``.
    """
    first = tensors[0].data.dtype
    if any([tensor.data.dtype != first for tensor in tensors]):
        dtypes = dict.fromkeys(tensor.data.dtype for tensor in tensors)
        raise DtypeError(
            f"{name}: expected one dtype, got {' and '.join(map(str, dtypes))}; convert with "
            "tensor.astype(dtype)"
        )
    if not booleans:
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
    if len(first) > 2 and len(second) > 2 and first[:-2] != second[:-2]:
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
        result = _product(x.data, weight.data.T)
        if bias is not None:
            result += bias.data
        return x.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        x, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        grad, rows = grad_output, x
        if len(x.shape) != 2:
            count = math.prod(x.shape[:-1])  # -1 would not do where a size is 0
            grad, rows = grad.reshape(count, weight.shape[0]), x.reshape(count, weight.shape[1])
        return (
            product(grad, weight).reshape(x.shape) if needs[0] else None,
            product(grad.mT, rows) if needs[1] else None,
            product(grad.mT, np.ones(len(grad), grad.dtype)) if needs[2] else None,  # sum of rows
        )

    @staticmethod
    def jvp(ctx: Any, tangent_x: Any, tangent_weight: Any, tangent_bias: Any = None) -> Any:
        x, weight = ctx.saved_tensors
        return total(
            None if tangent_x is None else tangent_x @ weight.mT,
            None if tangent_weight is None else x @ tangent_weight.mT,
            tangent_bias,
        )


@operation(("mytorch", "linalg"), numpy=np.matmul, numbers=True)
def matmul(input: Any, other: Any) -> Any:
    """Return the product of matrices, batched over the leading axes (torch.matmul; ``a @ b``)."""
    return MatMul.apply(*pair("matmul", input, other))
