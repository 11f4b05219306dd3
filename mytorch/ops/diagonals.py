"""Diagonals and triangles of matrices, and matrices made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes
from mytorch.ops.index import Assign
from mytorch.ops.pointwise import Clone, masked
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Diagonal", "OnDiagonal"]


class Diagonal(Function):
    """The diagonal over two axes, as a new last one: a view;  dL/dx is zero off the diagonal."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, offset: int, dim1: int, dim2: int) -> Any:
        ctx.where, ctx.shape_in = (offset, dim1, dim2), a.data.shape
        return a.new_view(_diagonal(a.data, *ctx.where))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _on_diagonal(grad_output, ctx.shape_in, *ctx.where), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _diagonal(tangent, *ctx.where)


class OnDiagonal(Function):
    """The adjoint of Diagonal: zeros of ``shape`` with ``a`` on the diagonal."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
        ctx.shape, ctx.where = shape, (offset, dim1, dim2)
        return a.new(_on_diagonal(a.data, shape, *ctx.where))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _diagonal(grad_output, *ctx.where), None, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _on_diagonal(tangent, ctx.shape, *ctx.where)


def _diagonal(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    """Return the diagonal of an array, writable where it is, or of a Tensor."""
    if isinstance(x, Variable):
        return Diagonal.apply(x, offset, dim1, dim2)
    result = x.diagonal(offset, dim1, dim2)
    if x.flags.writeable:
        result.flags.writeable = True  # NumPy makes it read-only
    return result


def _on_diagonal(x: Any, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    """Return zeros of ``shape`` with x, an array or a Tensor, on the diagonal."""
    if isinstance(x, Variable):
        return OnDiagonal.apply(x, shape, offset, dim1, dim2)
    result = np.zeros(shape, x.dtype)
    _diagonal(result, offset, dim1, dim2)[...] = x
    return result


def _two_axes(name: str, ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    """Return the two axes as non-negative ints, which must differ."""
    (first,), (second,) = ((normalize_axes(dim, ndim) or (0,)) for dim in (dim1, dim2))
    if first == second:
        raise ShapeError(f"{name}: dim1 {dim1} and dim2 {dim2} are the same axis")
    return first, second


@operation()
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return the diagonal over two axes as a new last axis (torch.diagonal): a view.

    Args:
        offset: how far above the main diagonal, negative for below.
    """
    axes = _two_axes("diagonal", input.data.ndim, dim1, dim2)
    return Diagonal.apply(input, offset, *axes)


@operation()
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Return zeros with the last axis of input on the diagonal over two new axes (torch's)."""
    shape = input.data.shape
    if not shape:
        raise IndexError("diag_embed: a 0-d tensor has no axis to put on a diagonal")
    first, second = _two_axes("diag_embed", len(shape) + 1, dim1, dim2)
    size = shape[-1] + abs(offset)
    sizes = list(shape[:-1])
    for axis in sorted((first, second)):
        sizes.insert(axis, size)
    return OnDiagonal.apply(input, tuple(sizes), offset, first, second)


@operation()
def diag(input: Any, diagonal: int = 0) -> Any:
    """Return a square matrix with a vector on a diagonal, or the diagonal of a matrix (torch.diag).

    Raises:
        ShapeError: neither a vector nor a matrix.
    """
    if input.data.ndim == 1:
        return diag_embed(input, diagonal)
    if input.data.ndim == 2:
        return Clone.apply(Diagonal.apply(input, diagonal, 0, 1))
    raise ShapeError(f"diag: expects a vector or a matrix, got shape {input.data.shape}")


@operation()
def diagflat(input: Any, offset: int = 0) -> Any:
    """Return the square matrix with all elements of input on a diagonal (torch.diagflat)."""
    return diag_embed(input.reshape(-1), offset)


@operation()
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """Return input with ``src`` on its diagonal over two axes (torch.diagonal_scatter)."""
    axes = _two_axes("diagonal_scatter", input.data.ndim, dim1, dim2)
    shape = _diagonal(input.data, offset, *axes).shape
    if src.data.shape != shape:
        raise ShapeError(f"diagonal_scatter: src has shape {src.data.shape}, the diagonal {shape}")
    rows = np.arange(shape[-1]) + max(-offset, 0)
    index: list[Any] = [slice(None)] * input.data.ndim
    index[axes[0]], index[axes[1]] = rows, rows + offset
    moved = src.movedim(-1, _first_of(axes)) if len(shape) > 1 else src
    return Assign.apply(input, moved, tuple(index))


def _first_of(axes: tuple[int, int]) -> int:
    """Return where an index puts the axis of arrays on two axes: at the first, if adjacent."""
    return min(axes) if abs(axes[0] - axes[1]) == 1 else 0


# ------------------------------------------------------------------------------------- triangles


def _triangle(name: str, input: Any, keep: Any) -> Any:
    if input.data.ndim < 2:
        raise ShapeError(f"{name}: expects matrices (…, M, N), got shape {input.data.shape}")
    return masked(input, keep(*input.data.shape[-2:]))


@operation(in_place=True)
def tril(input: Any, diagonal: int = 0) -> Any:
    """Return the matrices with zeros above the ``diagonal``-th diagonal (torch.tril)."""
    return _triangle("tril", input, lambda m, n: np.tri(m, n, diagonal, bool))


@operation(in_place=True)
def triu(input: Any, diagonal: int = 0) -> Any:
    """Return the matrices with zeros below the ``diagonal``-th diagonal (torch.triu)."""
    return _triangle("triu", input, lambda m, n: ~np.tri(m, n, diagonal - 1, bool))


def _triangle_indices(name: str, row: int, col: int, mask: Any, dtype: Any) -> Any:
    from mytorch.tensor import Tensor

    if row < 0 or col < 0:
        raise ShapeError(f"{name}: sizes must not be negative, got {row} and {col}")
    return Tensor(np.stack(np.nonzero(mask())).astype(np.int64 if dtype is None else dtype))


@operation(method=False)
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Return the places on and below a diagonal of a row x col matrix, (2, N) (torch's)."""
    return _triangle_indices(
        "tril_indices", row, col, lambda: np.tri(row, col, offset, bool), dtype
    )


@operation(method=False)
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None) -> Any:
    """Return the places on and above a diagonal of a row x col matrix, (2, N) (torch's)."""
    upper = lambda: ~np.tri(row, col, offset - 1, bool)  # noqa: E731
    return _triangle_indices("triu_indices", row, col, upper, dtype)
