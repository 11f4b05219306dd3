"""Triangular matrices: equations with them, and Cholesky's factors.

NumPy has no routine for triangular equations. Here they are halved until a block is small; then the
products of blocks do nearly all the work, and their number of operations is that of substitution.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import total, unbroadcast
from mytorch.ops.lapack import call, check_same_dtype, matrix_data, refused
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.solving import check_equation
from mytorch.ops.structure import triangle
from mytorch.variable import Variable

__all__ = ["Cholesky", "SolveTriangular", "solved"]


class SolveTriangular(Function):
    """X = A⁻¹ B for triangular A;  dL/dB = A⁻ᵀ G, dL/dA = -(dL/dB) Xᵀ in the triangle.

    The other triangle is not looked at, nor, if ``unit``, the diagonal, which is taken to be 1.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, upper: bool, unit: bool) -> Any:
        result = a.new(solved(a.data, b.data, upper, unit))
        ctx.upper, ctx.unit, ctx.shapes = upper, unit, (a.data.shape, b.data.shape)
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, x = ctx.saved_tensors
        grad_a = None
        grad_b = solved(a.mT, grad_output, not ctx.upper, ctx.unit)
        if ctx.needs_input_grad[0]:
            grad_a = unbroadcast(-(grad_b @ x.mT), ctx.shapes[0])
            grad_a = masked(grad_a, triangle(a.shape[-1], ctx.upper, ctx.unit))
        return grad_a, unbroadcast(grad_b, ctx.shapes[1]), None, None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, x = ctx.saved_tensors
        if tangent_a is not None:
            tangent_a = -(masked(tangent_a, triangle(a.shape[-1], ctx.upper, ctx.unit)) @ x)
        return solved(a, total(tangent_b, tangent_a), ctx.upper, ctx.unit)


def solved(a: Any, b: Any, upper: bool, unit: bool = False) -> Any:
    """Return A⁻¹ B for triangular A, of Tensors, recorded, or of arrays."""
    if isinstance(a, Variable):
        return SolveTriangular.apply(a, b, upper, unit)
    with np.errstate(all="ignore"):
        if upper:
            return _by_halves(a, b, unit)
        flipped = _by_halves(a[..., ::-1, ::-1], b[..., ::-1, :], unit)  # upper triangular
        return flipped[..., ::-1, :]


def _by_halves(a: np.ndarray, b: np.ndarray, unit: bool) -> np.ndarray:
    """Return A⁻¹ B for upper triangular A: the lower half of X first, then the rest of B."""
    n = a.shape[-1]
    if n <= 64:
        return _by_elimination(a, b, unit)
    half = n // 2
    low = _by_halves(a[..., half:, half:], b[..., half:, :], unit)
    rest = b[..., :half, :] - a[..., :half, half:] @ low
    return np.concatenate([_by_halves(a[..., :half, :half], rest, unit), low], axis=-2)


def _by_elimination(a: np.ndarray, b: np.ndarray, unit: bool) -> np.ndarray:
    """As ``_by_halves`` for a small A: LAPACK finds nothing to eliminate, and substitutes."""
    upper = np.triu(a)
    if unit:
        places = np.arange(a.shape[-1])
        upper[..., places, places] = 1
    if np.isfinite(b).all():  # else LAPACK would carry a nan down by a product with 0
        with contextlib.suppress(np.linalg.LinAlgError):  # a 0 on the diagonal
            return np.linalg.solve(upper, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
    for i in reversed(range(a.shape[-1])):
        x[..., i : i + 1, :] -= upper[..., i : i + 1, i + 1 :] @ x[..., i + 1 :, :]
        x[..., i, :] /= upper[..., i, i, None]
    return x


@operation("linalg")
def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    """Return the X for which A X = B (unless ``left``, X A = B) for triangular A.

    Args:
        A (Tensor): (…, n, n); only the upper, or lower, triangle is read.
        B (Tensor): (…, n, k); unless ``left``, (…, k, n). The other axes broadcast.
        upper: whether A is upper or lower triangular.
        unitriangular: take the diagonal to be 1, and do not read it.
    Returns:
        Tensor: X; infinite or nan where the diagonal has a 0, as in torch.
    Source: torch.linalg.solve_triangular.
    """
    matrix_data("linalg.solve_triangular", A, square=True)
    check_same_dtype("linalg.solve_triangular", A, B)
    check_equation("linalg.solve_triangular", A, B, left)
    if left:
        return SolveTriangular.apply(A, B, upper, unitriangular)
    return SolveTriangular.apply(A.mT, B.mT, not upper, unitriangular).mT


# ------------------------------------------------------------------------------------ Cholesky


class Cholesky(Function):
    """L, lower triangular, with X = L Lᵀ;  dL = L Φ(L⁻¹ dX L⁻ᵀ), Φ: lower half, half the diagonal.

    dL/dX = L⁻ᵀ Φ(Lᵀ G) L⁻¹, made symmetric, as X is. Only the lower triangle of X is read.
    Source: I. Murray, "Differentiation of the Cholesky decomposition" (2016).
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        x = a.data
        factor = call("linalg.cholesky", _not_positive, np.linalg.cholesky, x)
        lost = np.isnan(factor[..., -1:, -1:]).any((-2, -1))  # NumPy says nothing of a nan
        if lost.any():
            index = tuple(int(places[0]) for places in np.nonzero(lost)) if lost.ndim else ()
            raise refused("linalg.cholesky", _not_positive, index, x)
        result = a.new(factor)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (low,) = ctx.saved_tensors
        middle = solved(low.mT, _half(low.mT @ grad_output), upper=True)  # L⁻ᵀ Φ
        grad = solved(low.mT, middle.mT, upper=True)  # L⁻ᵀ Φᵀ L⁻¹
        return ((grad + grad.mT) / 2,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        (low,) = ctx.saved_tensors
        left = solved(low, (tangent + tangent.mT) / 2, upper=False)  # L⁻¹ dX
        return low @ _half(solved(low, left.mT, upper=False))


def _half(x: Any) -> Any:
    """Return Φ(x): the lower triangle with half the diagonal, of an array or a Tensor."""
    n = x.shape[-1]
    return masked(x, triangle(n)) * (1 - np.eye(n, dtype=x.dtype) / 2)


def _not_positive(x: np.ndarray) -> str:
    """Say from which leading minor on the matrix is not positive definite."""
    good, bad = 0, x.shape[-1]  # the orders of a minor that is positive definite, and of one not
    while bad - good > 1:
        order = (good + bad) // 2
        try:
            is_good = bool(np.isfinite(np.linalg.cholesky(x[:order, :order])).all())
        except np.linalg.LinAlgError:
            is_good = False
        good, bad = (order, bad) if is_good else (good, order)
    return (
        f"the matrix is not positive definite: its leading {bad} by {bad} part is not; a symmetric "
        "one becomes so by adding a multiple of the identity"
    )


@operation("linalg", name="cholesky", numpy=np.linalg.cholesky)
def linalg_cholesky(A: Any, *, upper: bool = False) -> Any:
    """Return the lower triangular L with A = L Lᵀ for symmetric positive definite A.

    Args:
        A (Tensor): (…, n, n); only the triangle that is wanted is read.
        upper: return Lᵀ.
    Raises:
        LinAlgError: not positive definite; ShapeError: not square; DtypeError: not float32 or
        float64.
    Source: torch.linalg.cholesky.
    """
    matrix_data("linalg.cholesky", A, square=True)
    return Cholesky.apply(A.mT).mT if upper else Cholesky.apply(A)


@operation()
def cholesky(input: Any, upper: bool = False) -> Any:
    """Return ``linalg.cholesky(input, upper=upper)`` (torch.cholesky)."""
    return linalg_cholesky(input, upper=upper)


@operation()
def cholesky_solve(input: Any, input2: Any, upper: bool = False) -> Any:
    """Return the X with A X = input, where A = L Lᵀ and L = input2 (torch.cholesky_solve).

    Args:
        input (Tensor): (…, n, k); input2 (Tensor): (…, n, n), lower triangular, or with ``upper``
            upper triangular, and A = L Lᵀ of its transpose.
    """
    matrix_data("cholesky_solve", input2, square=True)
    check_same_dtype("cholesky_solve", input2, input)
    check_equation("cholesky_solve", input2, input, left=True)
    low = input2.mT if upper else input2
    half = SolveTriangular.apply(low, input, False, False)
    return SolveTriangular.apply(low.mT, half, True, False)


@operation()
def cholesky_inverse(input: Any, upper: bool = False) -> Any:
    """Return the inverse of A = L Lᵀ from L = input; see ``cholesky_solve``."""
    data = matrix_data("cholesky_inverse", input, square=True)
    identity = input.new(np.eye(data.shape[-1], dtype=data.dtype))
    return cholesky_solve(identity, input, upper)
