"""Norms of vectors and of matrices, and the condition of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, EmptyError, ShapeError
from mytorch.ops.common import (
    Axes,
    float_data,
    kept_shape,
    normalize_axes,
)
from mytorch.ops.lapack import is_singular, matrix_data
from mytorch.ops.norms import VectorNorm
from mytorch.ops.pointwise import where
from mytorch.ops.registry import operation
from mytorch.ops.singular import svdvals
from mytorch.ops.solving import inv

__all__ = ["matrix_norm", "vector_norm"]


@operation("linalg")
def vector_norm(
    x: Any, ord: float = 2, dim: Axes = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """Return (sum |x|**ord) ** (1/ord) over ``dim``, None for all axes (torch.linalg.vector_norm).

    Args:
        x (Tensor): floats.
        ord: a number; 0 counts what is not 0, inf is the largest |x|, -inf the smallest.
        dtype: the floating dtype to compute in, not narrower than that of x.
    Raises:
        EmptyError: nothing to choose from, for inf and for negative orders; DtypeError: integers.
    """
    x = _widened("linalg.vector_norm", x, dtype)
    if not isinstance(ord, (int, float)):
        raise TypeError(f"linalg.vector_norm: ord is a number, not {ord!r}")
    axes = normalize_axes(dim if dim != () else None, x.data.ndim)
    if (ord < 0 or ord == np.inf) and any(x.data.shape[axis] == 0 for axis in axes):
        raise EmptyError(
            f"linalg.vector_norm: the {ord} norm of nothing is undefined: axes {axes} of "
            f"{x.data.shape} are empty"
        )
    return VectorNorm.apply(x, float(ord), axes, keepdim)


def _widened(name: str, x: Any, dtype: Any) -> Any:
    data = float_data(name, x)
    if dtype is None:
        return x
    wanted = np.dtype(dtype)
    if wanted.kind not in "fc" or np.promote_types(wanted, data.dtype) != wanted:
        raise DtypeError(f"{name}: dtype={wanted} must be floating, and hold all {data.dtype}")
    return x.astype(wanted)


@operation("linalg")
def matrix_norm(
    A: Any,
    ord: float | str = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Any:
    """Return a norm of matrices, batched over the other axes (torch.linalg.matrix_norm).

    Args:
        A (Tensor): (…, m, n), floats.
        ord: "fro" is sqrt(sum A[i, j]**2); "nuc" the sum of the singular values, 2 and -2 the
            largest and the smallest of them; 1 and -1 the largest and smallest sum of |A| in a
            column, inf and -inf in a row.
        dim: the axes of rows and of columns.
    Raises:
        ShapeError: another ord, or axes that are not two; EmptyError: no column, row or singular
        value to choose from; DtypeError: integers.
    """
    A = _widened("linalg.matrix_norm", A, dtype)
    if A.data.ndim < 2:
        raise ShapeError(f"linalg.matrix_norm: expects (…, m, n), got shape {A.data.shape}")
    if isinstance(dim, int) or len(dim) != 2:
        raise ShapeError(f"linalg.matrix_norm: dim must be two axes, not {dim}")
    rows, columns = (normalize_axes(axis, A.data.ndim)[0] for axis in dim)
    normalize_axes(tuple(dim), A.data.ndim)  # raises if they are the same
    if ord == "fro":
        return VectorNorm.apply(A, 2.0, (min(rows, columns), max(rows, columns)), keepdim)
    if ord not in ("nuc", 2, -2, 1, -1, np.inf, -np.inf):
        raise ShapeError(
            f"linalg.matrix_norm: ord must be 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, not {ord!r}"
        )
    if ord in ("nuc", 2, -2):
        parts = svdvals(np.moveaxis(A, (rows, columns), (-2, -1)))
        result = parts.sum(-1) if ord == "nuc" else _extreme(parts, -1, ord)
    else:
        summed, chosen = (rows, columns) if abs(ord) == 1 else (columns, rows)  # type: ignore
        result = _extreme(A.abs().sum(summed), chosen - (summed < chosen), ord)
    return result.reshape(kept_shape(A.data.shape, (rows, columns))) if keepdim else result


def _extreme(x: Any, axis: int, ord: Any) -> Any:
    """Return the largest over an axis, or, for a negative ord, the smallest."""
    if x.data.shape[axis]:
        return x.amax(axis) if ord > 0 else -(-x).amax(axis)
    if ord > 0:
        return x.new(x.data.sum(axis))  # 0: no norm is less; a constant, as in torch
    raise EmptyError(f"linalg.matrix_norm: nothing to choose the {ord} norm from")


@operation("linalg", numpy=np.linalg.norm)
def norm(
    input: Any,
    ord: float | str | None = None,
    dim: Axes = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Any:
    """Return a norm of vectors or of matrices (torch.linalg.norm).

    Args:
        input (Tensor): floats.
        ord: as of ``vector_norm`` or of ``matrix_norm``; None is 2 over all elements named.
        dim: one axis for vectors, two for matrices; None: all of a vector or a matrix, and without
            ``ord`` of any tensor.
    """
    data = float_data("linalg.norm", input)
    axes = normalize_axes(dim, data.ndim)
    if dim is not None and len(axes) > 2 or (dim is None and ord is not None and data.ndim > 2):
        raise ShapeError(
            f"linalg.norm: ord={ord!r} over dim={dim} of shape {data.shape}: name one axis (of "
            "vectors) or two (of matrices)"
        )
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype)
    if dim is None and data.ndim == 0:
        raise ShapeError(f"linalg.norm: ord={ord!r} is for vectors and matrices, not for a number")
    if isinstance(ord, str) or len(axes) == 2:
        return matrix_norm(input, ord, axes if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(input, ord, dim, keepdim, dtype=dtype)


@operation("linalg", numpy=np.linalg.cond)
def cond(A: Any, p: Any = None) -> Any:
    """Return the condition of matrices: by how much a relative error may grow (torch.linalg.cond).

    Math: norm(A) norm(A⁻¹), infinite for a singular matrix; for p = 2 (None) the largest singular
        value over the smallest, and for p = -2 the reverse.
    Args:
        A (Tensor): (…, m, n), square unless p is None, 2 or -2; p: as ``ord`` of ``matrix_norm``.
    """
    data = matrix_data("linalg.cond", A, square=p not in (None, 2, -2))
    if p in (None, 2, -2):
        found = svdvals(A)
        if not data.size or not found.data.shape[-1]:
            return A.new(found.data.sum(-1))
        first, last = found[..., 0], found[..., -1]
        return last / first if p == -2 else first / last
    if p not in ("fro", "nuc", 1, -1, np.inf, -np.inf):
        raise ShapeError(
            f"linalg.cond: p must be None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2, not {p!r}"
        )
    singular = is_singular(data)
    if singular.any():
        regular = where(singular[..., None, None], np.eye(data.shape[-1], dtype=data.dtype), A)
        product = matrix_norm(A, p) * matrix_norm(inv(regular), p)
        return where(singular, product.new(np.asarray(np.inf, data.dtype)), product)
    return matrix_norm(A, p) * matrix_norm(inv(A), p)
