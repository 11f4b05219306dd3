"""Equations that have no solution, or many: the pseudo-inverse, and least squares.

Source of the derivatives: G. Golub and V. Pereyra, "The Differentiation of Pseudo-Inverses and
Nonlinear Least Squares Problems Whose Variables Separate" (1973).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import LinAlgError, ShapeError
from mytorch.ops.common import check_broadcast, total, unbroadcast
from mytorch.ops.lapack import (
    NO_CONVERGENCE,
    call,
    check_same_dtype,
    finite_svd,
    matrix_data,
    tolerance,
)
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["LeastSquares", "PseudoInverse", "lstsq", "pinv"]


class PseudoInverse(Function):
    """P = V diag(1 / s) Uᵀ for X = U diag(s) Vᵀ, without the s that count as 0.

    While the rank stays the same, dP = -P dX P + P Pᵀ dXᵀ (I - X P) + (I - P X) dXᵀ Pᵀ P, and
    dL/dX = -Pᵀ G Pᵀ + (I - X P) Gᵀ P Pᵀ + Pᵀ P Gᵀ (I - P X). Of a ``symmetric`` X only the lower
    triangle is read.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, atol: Any, rtol: Any, symmetric: bool) -> Any:
        u, s, vh = call("linalg.pinv", NO_CONVERGENCE, finite_svd, a.data, False, True, symmetric)
        result = a.new(vh.mT @ _divided(u.mT, s, tolerance(a.data, s, atol, rtol)))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        a, p = ctx.saved_tensors
        left, right = grad_output.mT @ p, p @ grad_output.mT  # Gᵀ P, P Gᵀ
        outer = left @ p.mT  # Gᵀ P Pᵀ
        inner = p.mT @ right  # Pᵀ P Gᵀ
        grad = outer - a @ (p @ outer) + inner - (inner @ p) @ a - p.mT @ right.mT
        return grad, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        a, p = ctx.saved_tensors
        left = p @ (p.mT @ tangent.mT)  # P Pᵀ dXᵀ
        right = (tangent.mT @ p.mT) @ p  # dXᵀ Pᵀ P
        return left - left @ a @ p + right - p @ (a @ right) - p @ tangent @ p


def _divided(x: np.ndarray, s: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Return row i of x divided by s[i], and 0 where s[i] is not above the limit."""
    counts = s > limit[..., None]
    return x * np.where(counts, 1 / np.where(counts, s, 1), 0).astype(x.dtype)[..., None]


@operation("linalg")
def pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Return the pseudo-inverse of any matrices, by their singular values (torch.linalg.pinv).

    Math: of all X that make A X as near to the identity as can be, the smallest.
    Args:
        A (Tensor): (…, m, n); hermitian: A is symmetric, and only its lower triangle is read.
        atol, rtol: singular values up to the larger of atol and rtol times the largest count as 0;
            by default 0 and max(m, n) times the dtype's epsilon, or 0 where atol is given.
    Returns:
        Tensor: (…, n, m).
    """
    matrix_data("linalg.pinv", A, square=hermitian)
    return PseudoInverse.apply(A, _constant(atol), _constant(rtol), hermitian)


def _constant(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else x


@operation()
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """Return ``linalg.pinv(input, rtol=rcond)`` (torch.pinverse)."""
    return pinv(input, rtol=rcond)


class LeastSquares(Function):
    """X = P B for the pseudo-inverse P of A: of all X with the least |A X - B|, the smallest.

    With R = B - A X: dX = P (dB - dA X) + P Pᵀ dAᵀ R + (I - P A) dAᵀ Pᵀ X, while the rank stays the
    same. H = Pᵀ G is dL/dB, and dL/dA = -H Xᵀ + R (P H)ᵀ + Pᵀ X (G - Aᵀ H)ᵀ. The rank and the
    singular values are constants, as in torch.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, rcond: Any) -> Any:
        u, s, vh = call("linalg.lstsq", NO_CONVERGENCE, finite_svd, a.data, False)
        limit = tolerance(a.data, s, None, rcond)
        result = a.new(vh.mT @ _divided(u.mT @ b.data, s, limit))  # more exact than P @ B
        rank, sizes = a.new((s > limit[..., None]).sum(-1)), a.new(s)
        ctx.mark_non_differentiable(rank, sizes)
        ctx.shapes = a.data.shape, b.data.shape
        ctx.rcond = np.finfo(s.dtype).eps * max(a.data.shape[-2:]) if rcond is None else rcond
        ctx.save_for_backward(a, b, result)
        return result, rank, sizes

    @staticmethod
    def backward(ctx: Any, grad_output: Any, *_: Any) -> Any:
        a, b, x = ctx.saved_tensors
        p = np.linalg.pinv(a, rtol=ctx.rcond)
        grad_b = p.mT @ grad_output
        grad_a = None
        if ctx.needs_input_grad[0]:
            grad_a = (b - a @ x) @ (p @ grad_b).mT - grad_b @ x.mT
            grad_a = grad_a + (p.mT @ x) @ (grad_output - a.mT @ grad_b).mT
            grad_a = unbroadcast(grad_a, ctx.shapes[0])
        return grad_a, unbroadcast(grad_b, ctx.shapes[1]), None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, b, x = ctx.saved_tensors
        p = np.linalg.pinv(a, rtol=ctx.rcond)
        if tangent_a is None:
            return p @ tangent_b, None, None
        turned = tangent_a.mT @ (p.mT @ x)
        change = total(tangent_b, -(tangent_a @ x), p.mT @ (tangent_a.mT @ (b - a @ x)))
        return p @ change + turned - p @ (a @ turned), None, None


class LstsqResult(NamedTuple):
    """What ``linalg.lstsq`` returns (torch.return_types.linalg_lstsq)."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@operation("linalg")
def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> LstsqResult:
    """Return the X for which the columns of A X - B are shortest, of those the shortest.

    Args:
        A (Tensor): (…, m, n).
        B (Tensor): (…, m, k), or vectors (…, m), one for each matrix. The other axes broadcast.
        rcond: singular values up to rcond times the largest count as 0; default: max(m, n) times
            the dtype's epsilon.
        driver: which LAPACK routine torch takes, and with it what is returned: "gelsy" (default)
            no residuals and no singular values; "gelsd" and "gelss" all; "gels" only residuals,
            and it refuses A that has not full rank. The solution is computed in one way for all.
    Returns:
        ``(solution, residuals, rank, singular_values)``: solution (…, n, k), residuals (…, k), the
        squared lengths of the columns of A X - B, if m > n and A has rank n, else empty.
    Raises:
        LinAlgError: a nan or an infinity; ShapeError: sizes that do not fit; DtypeError: dtypes.
    Source: torch.linalg.lstsq.
    """
    (*batch, m, n) = matrix_data("linalg.lstsq", A).shape
    check_same_dtype("linalg.lstsq", A, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ShapeError(
            f"linalg.lstsq: driver must be gels, gelsy, gelsd or gelss, not {driver!r}"
        )
    is_vector = B.data.shape == (m,) or B.data.shape == (*batch, m)
    B = B.unsqueeze(-1) if is_vector else B
    if B.data.ndim < 2 or B.data.shape[-2] != m:
        raise ShapeError(f"linalg.lstsq: A {A.data.shape} needs B (…, {m}, k), got {B.data.shape}")
    check_broadcast("linalg.lstsq", tuple(batch), B.data.shape[:-2])
    X, rank, sizes = LeastSquares.apply(A, B, rcond)
    is_full = bool((rank.data == min(m, n)).all())
    if driver == "gels" and not is_full:
        raise LinAlgError(
            "linalg.lstsq: A has not full rank, which driver='gels' cannot do; leave driver out"
        )
    residuals, nothing = X.reshape(-1)[:0], np.zeros(0, A.data.dtype)
    if driver not in (None, "gelsy") and m > n and is_full:
        distance = A @ X - B
        residuals = (distance * distance).sum(-2)
    if driver == "gels":
        rank = A.new(nothing.astype(np.int64))
    if driver not in ("gelsd", "gelss"):
        sizes = A.new(nothing)
    return LstsqResult(X.squeeze(-1) if is_vector else X, residuals, rank, sizes)
