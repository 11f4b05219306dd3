"""Linear equations with square matrices: inverses, determinants, solutions.

Source of the derivatives: M. Giles, "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation" (2008), section 2.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import check_broadcast, total, unbroadcast, values
from mytorch.ops.lapack import call, check_same_dtype, matrix_data
from mytorch.ops.pointwise import where
from mytorch.ops.registry import operation

__all__ = ["Det", "Inverse", "SlogDet", "Solve", "check_equation", "inv", "solve"]


def _singular(x: np.ndarray) -> str:
    """Return why a matrix has no inverse."""
    if not np.isfinite(x).all():
        return "the matrix has no inverse: it has a nan or an infinity"
    return (
        "the matrix is singular: its rows are linearly dependent, so it has no inverse; "
        "linalg.pinv and linalg.lstsq take any matrix"
    )


class Inverse(Function):
    """Y = X⁻¹;  dY = -Y dX Y, so dL/dX = -Yᵀ G Yᵀ."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        result = a.new(call("linalg.inv", _singular, np.linalg.inv, a.data))
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (y,) = ctx.saved_tensors
        return (-(y.mT @ grad_output @ y.mT),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        (y,) = ctx.saved_tensors
        return -(y @ tangent @ y)


@operation("linalg", numpy=np.linalg.inv)
def inv(A: Any) -> Any:
    """Return the inverse of square matrices, (…, n, n) (torch.linalg.inv).

    To solve equations, ``linalg.solve(A, B)`` is faster and more exact than ``inv(A) @ B``.

    Raises:
        LinAlgError: a singular matrix; ShapeError: not square; DtypeError: not float32 or float64.
    """
    matrix_data("linalg.inv", A, square=True)
    return Inverse.apply(A)


@operation()
def inverse(input: Any) -> Any:
    """Return ``linalg.inv(input)`` (torch.inverse)."""
    return inv(input)


# -------------------------------------------------------------------------------- determinants


class Det(Function):
    """y = det X;  dL/dX = G C, where C are the cofactors: det(X) X⁻ᵀ, but also of singular X."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        with np.errstate(all="ignore"):
            det = np.linalg.det(a.data)
        result = a.new(np.where(_are_unknown(a.data), np.nan, det).astype(a.data.dtype))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output[..., None, None] * _cofactors(*ctx.saved_tensors),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return (tangent * _cofactors(*ctx.saved_tensors)).sum((-2, -1))


def _are_unknown(x: np.ndarray) -> np.ndarray:
    """Whether a matrix of the batch has a nan, of which LAPACK can lose track."""
    return np.isnan(x).any((-2, -1))


def _cofactors(a: Any, det: Any) -> Any:
    """Return det * A⁻ᵀ, and where det is 0 what it tends to, the matrix of cofactors.

    For A = U diag(s) Vᵀ these are det(U) det(V) U diag(prod of the other s) Vᵀ, without a division.
    Source: N. Higham, "What Is the Adjugate of a Matrix?" (2020).
    """
    flat = values(det) == 0
    if not flat.any():
        return det[..., None, None] * np.linalg.inv(a).mT
    flat, n, dtype = flat[..., None, None], a.shape[-1], a.dtype
    regular = det[..., None, None] * np.linalg.inv(np.where(flat, np.eye(n, dtype=dtype), a)).mT
    other = np.diag(np.arange(n, 0, -1, dtype=dtype))  # its derivatives exist, and are not used
    u, s, vh = np.linalg.svd(np.where(flat, a, other))
    others = np.where(np.eye(n, dtype=bool), 1, s[..., None, :])  # row i: all s but s[i]
    product = functools.reduce(operator.mul, [others[..., j] for j in range(n)])
    sign = np.round(np.linalg.det(values(u)) * np.linalg.det(values(vh)))  # ±1
    singular = u @ ((sign[..., None] * product)[..., None] * vh)
    return np.where(flat, singular, regular)


class SlogDet(Function):
    """(sign, y) with det X = sign e**y;  dL/dX = G X⁻ᵀ for y, and 0 for the sign.

    Of a singular matrix y is -inf, and the gradient infinite, or nan where a cofactor is 0.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        with np.errstate(all="ignore"):
            sign, logabsdet = np.linalg.slogdet(a.data)
        unknown = _are_unknown(a.data)
        if unknown.any():
            sign, logabsdet = (
                np.where(unknown, np.nan, x).astype(x.dtype) for x in (sign, logabsdet)
            )
        ctx.save_for_backward(a, a.new(sign))
        return a.new(sign), a.new(logabsdet)

    @staticmethod
    def _slope(ctx: Any) -> Any:
        a, sign = ctx.saved_tensors
        with np.errstate(all="ignore"):
            return _cofactors(a, sign) / sign[..., None, None]

    @staticmethod
    def backward(ctx: Any, _: Any, grad_output: Any) -> Any:
        return (grad_output[..., None, None] * SlogDet._slope(ctx),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return None, (tangent * SlogDet._slope(ctx)).sum((-2, -1))


class SlogDetResult(NamedTuple):
    """What ``slogdet`` returns (torch.return_types.linalg_slogdet)."""

    sign: Any
    logabsdet: Any


@operation("linalg", name="det", numpy=np.linalg.det)
def linalg_det(A: Any) -> Any:
    """Return the determinant of square matrices, (…, n, n) -> (…) (torch.linalg.det).

    It over- and underflows soon; ``slogdet`` does not. Its gradient exists for every matrix.
    """
    matrix_data("linalg.det", A, square=True)
    return Det.apply(A)


@operation()
def det(input: Any) -> Any:
    """Return ``linalg.det(input)`` (torch.det)."""
    return linalg_det(input)


@operation("linalg", name="slogdet", numpy=np.linalg.slogdet)
def linalg_slogdet(A: Any) -> SlogDetResult:
    """Return sign and logarithm of the size of the determinant (torch.linalg.slogdet).

    Args:
        A (Tensor): (…, n, n).
    Returns:
        ``(sign, logabsdet)``, (…) each: det A = sign e**logabsdet. Of a singular matrix 0 and -inf.
    """
    matrix_data("linalg.slogdet", A, square=True)
    return SlogDetResult(*SlogDet.apply(A))


@operation()
def slogdet(input: Any) -> SlogDetResult:
    """Return ``linalg.slogdet(input)`` (torch.slogdet)."""
    return linalg_slogdet(input)


@operation()
def logdet(input: Any) -> Any:
    """Return log det of square matrices, nan where that is negative (torch.logdet)."""
    sign, logabsdet = linalg_slogdet(input)
    negative = sign.data < 0
    return where(negative, np.nan, logabsdet) if negative.any() else logabsdet


# ----------------------------------------------------------------------------------- equations


class Solve(Function):
    """X = A⁻¹ B for matrices;  dL/dB = A⁻ᵀ G, dL/dA = -(dL/dB) Xᵀ; batches broadcast."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        result = a.new(call("linalg.solve", _singular, np.linalg.solve, a.data, b.data))
        ctx.shapes = a.data.shape, b.data.shape
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, x = ctx.saved_tensors
        grad_b = np.linalg.solve(a.mT, grad_output)
        return (
            unbroadcast(-(grad_b @ x.mT), ctx.shapes[0]) if ctx.needs_input_grad[0] else None,
            unbroadcast(grad_b, ctx.shapes[1]) if ctx.needs_input_grad[1] else None,
        )

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any) -> Any:
        a, x = ctx.saved_tensors
        change = total(tangent_b, None if tangent_a is None else -(tangent_a @ x))
        return np.linalg.solve(a, change)


@operation("linalg")
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """Return the X for which A X = B, or, unless ``left``, X A = B (torch.linalg.solve).

    Args:
        A (Tensor): (…, n, n), square.
        B (Tensor): (…, n, k), or vectors (n,) or (…, n) with as many as A has matrices. The other
            axes broadcast. Unless ``left``, (…, k, n).
    Raises:
        LinAlgError: a singular matrix; ShapeError: sizes that do not fit; DtypeError: mixed dtypes,
        or none of float32 and float64.
    """
    data = matrix_data("linalg.solve", A, square=True)
    check_same_dtype("linalg.solve", A, B)
    shape = B.data.shape
    is_vector = len(shape) == 1 or (len(shape) == data.ndim - 1 and shape == data.shape[:-1])
    if is_vector:
        B = B.unsqueeze(-1)
    check_equation("linalg.solve", A, B, left)
    X = Solve.apply(A, B) if left else Solve.apply(A.mT, B.mT).mT
    return X.squeeze(-1) if is_vector else X


def check_equation(name: str, A: Any, B: Any, left: bool) -> None:
    """Raise ShapeError unless A X = B, or X A = B, has sizes that fit."""
    a, b = A.data.shape, B.data.shape
    if len(b) < 2 or b[-2 if left else -1] != a[-1]:
        equation, wanted = ("A X", f"(…, {a[-1]}, k)") if left else ("X A", f"(…, k, {a[-1]})")
        raise ShapeError(f"{name}: {equation} = B with A {a} needs B {wanted}, got {b}")
    check_broadcast(name, a[:-2], b[:-2])


@operation("linalg", numpy=np.linalg.tensorinv)
def tensorinv(A: Any, ind: int = 2) -> Any:
    """Return the inverse of a tensor as a map of tensors by ``tensordot``.

    Args:
        A (Tensor): whose first ``ind`` axes have as many elements as the others.
    Returns:
        Tensor: the last axes of A first: tensordot(tensorinv(A), A, ind) is the identity.
    Source: torch.linalg.tensorinv.
    """
    if ind <= 0:
        raise ShapeError(f"linalg.tensorinv: ind={ind} must be positive")
    shape = matrix_data("linalg.tensorinv", A).shape
    first, last = shape[:ind], shape[ind:]
    if math.prod(first) != math.prod(last):
        raise ShapeError(
            f"linalg.tensorinv: axes {first} and {last} of {shape} have {math.prod(first)} and "
            f"{math.prod(last)} elements; they must be equally many"
        )
    return inv(A.reshape((math.prod(first), -1))).reshape(last + first)


@operation("linalg")
def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """Return the X with tensordot(A, X, X.ndim) = B (torch.linalg.tensorsolve).

    Args:
        A (Tensor): of shape B.shape + X.shape, after the axes ``dims`` were moved to its end.
        B (Tensor): any shape, with as many elements as X has.
    """
    data = matrix_data("linalg.tensorsolve", A)
    check_same_dtype("linalg.tensorsolve", A, B)
    if dims is not None:
        A = np.moveaxis(A, dims, range(data.ndim - len(dims), data.ndim))
    shape = A.data.shape[B.data.ndim :]
    if math.prod(shape) != B.data.size or A.data.size != B.data.size**2:
        raise ShapeError(
            f"linalg.tensorsolve: A {data.shape} must have the shape of B, {B.data.shape}, and "
            f"then that of X, with {B.data.size} elements as well; move axes there by dims="
        )
    return solve(A.reshape((B.data.size, -1)), B.reshape(-1)).reshape(shape)
