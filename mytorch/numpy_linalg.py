"""How NumPy's products and its ``np.linalg`` are computed on Tensors, where torch differs.

Functions that mean the same in both are named where the operation is defined. The table here says
which function has which rule, as that of ``numpy_protocol.py``, which includes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.numpy_rules import Rule, constant, tensors_of
from mytorch.ops import products
from mytorch.ops.factorisations import linalg_qr
from mytorch.ops.geometry import Cross
from mytorch.ops.least_squares import lstsq as least_squares
from mytorch.ops.least_squares import pinv as pseudo_inverse
from mytorch.ops.linalg import MatMul
from mytorch.ops.singular import SVD, SVDResult, svdvals
from mytorch.ops.solving import Solve, tensorsolve

__all__ = ["LINALG"]


def dot(a: Any, b: Any) -> Any:
    """A product of matrices, vectors or scalars, over the last axis of a, the last but one of b."""
    a, b = tensors_of(a, b)
    if not a.ndim or not b.ndim:
        return a * b
    return MatMul.apply(a, b) if b.ndim < 3 else products.tensordot(a, b, (-1, -2))


def vdot(a: Any, b: Any) -> Any:
    """The sum of products of all elements."""
    a, b = tensors_of(a, b)
    return MatMul.apply(a.reshape(-1), b.reshape(-1))


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axis of both."""
    return products.inner(*tensors_of(a, b))


def outer(a: Any, b: Any) -> Any:
    """Every product of an element of a with one of b, (M, N)."""
    a, b = tensors_of(a, b)
    return products.outer(a.reshape(-1), b.reshape(-1))


def kron(a: Any, b: Any) -> Any:
    """Kronecker's product."""
    return products.kron(*tensors_of(a, b))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """The sum of products over the named axes."""
    return products.tensordot(*tensors_of(a, b), axes)


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross product of vectors in space, broadcast."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = tensors_of(a, b)
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ShapeError(
            f"np.cross: vectors have three components, here {a.shape[-1]} and {b.shape[-1]}"
        )
    return np.moveaxis(Cross.apply(a, b, -1), -1, axisc)


def multi_dot(arrays: Any) -> Any:
    """The product of matrices in the best order."""
    return products.multi_dot(tensors_of(*arrays))


def solve(a: Any, b: Any) -> Any:
    """The solution of equations; b is a vector where it has one axis, else matrices."""
    a, b = tensors_of(a, b)
    return Solve.apply(a, b[:, None])[..., 0] if b.ndim == 1 else Solve.apply(a, b)


def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """The singular value decomposition, or the singular values alone."""
    if hermitian:
        raise TypeError("np.linalg.svd: hermitian= is not supported for Tensors; leave it out")
    return SVDResult(*SVD.apply(a, full_matrices)) if compute_uv else svdvals(a)


def qr(a: Any, mode: str = "reduced") -> Any:
    """The QR decomposition; of mode "r" R alone."""
    result = linalg_qr(a, mode)
    return result.R if mode == "r" else result


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudo-inverse; by default singular values up to 1e-15 times the largest count as 0."""
    limit = rtol if rtol is not None else 1e-15 if rcond is None else rcond
    return pseudo_inverse(a, rtol=limit, hermitian=hermitian)


def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """The least-squares solution, squared distances, rank and singular values."""
    x, residuals, rank, sizes = least_squares(*tensors_of(a, b), rcond, driver="gelsd")
    return x, residuals, int(rank), sizes


def tensor_solve(a: Any, b: Any, axes: Any = None) -> Any:
    """The solution of equations between tensors."""
    return tensorsolve(*tensors_of(a, b), axes)


LINALG: dict[Any, Rule] = {
    np.dot: dot, np.vdot: vdot, np.inner: inner, np.outer: outer, np.kron: kron, np.cross: cross,
    np.tensordot: tensordot,
    np.linalg.multi_dot: multi_dot, np.linalg.solve: solve, np.linalg.tensorsolve: tensor_solve,
    np.linalg.svd: svd, np.linalg.qr: qr, np.linalg.pinv: pinv, np.linalg.lstsq: lstsq,
    np.linalg.matrix_rank: constant(np.linalg.matrix_rank),
}  # fmt: skip
