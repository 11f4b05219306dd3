"""Factors of matrices: QR, and the eigenvectors of symmetric matrices.

Signs of vectors, and bases of repeated values, are LAPACK's choice: a function whose value depends
on it has no derivative. Of those that do not, the gradients are right, and equal torch's. Where two
eigenvalues or singular values are equal, the gradient of their vectors is infinite or nan.

Sources: M. Giles (2008), as in ``solving.py``, section 3; S. Walter and L. Lehmann, "Algorithmic
Differentiation of Linear Algebra Functions" (2010), for QR; torch for the conventions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import GraphError, ShapeError
from mytorch.ops.common import total
from mytorch.ops.lapack import NO_CONVERGENCE, call, matrix_data
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation
from mytorch.ops.structure import diagonal, gaps, off_diagonal, skew, triangle
from mytorch.ops.triangular import solved

__all__ = ["QR", "EigenValues", "Eigh", "eigh", "linalg_qr"]

# ------------------------------------------------------------------------------------------ QR


class QR(Function):
    """X = Q R with orthonormal columns Q and upper triangular R, (m, k) and (k, n), k = min(m, n).

    For m >= n: Qᵀ dX R⁻¹ is upper triangular but for a skew Ω, by which Q turns. So Ω is the strict
    lower triangle of it minus the transpose, dR = Qᵀ dX - Ω R, and dQ = (dX - Q dR) R⁻¹.
    With Y = Qᵀ G_Q - G_R Rᵀ, and T the strict lower triangle of Y - Yᵀ,
    dL/dX = Q G_R + (Q T + (I - Q Qᵀ) G_Q) R⁻ᵀ.
    For m < n, R⁻¹ is that of the first m columns, and 0 in the others.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, complete: bool) -> Any:
        q, r = np.linalg.qr(a.data, "complete") if complete else np.linalg.qr(a.data)
        q, r = a.new(q), a.new(r)
        ctx.is_loose = complete and a.data.shape[-2] > a.data.shape[-1]
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def _check(ctx: Any) -> None:
        if ctx.is_loose:
            raise GraphError(
                "linalg.qr: mode='complete' has no derivative for more rows than columns: the "
                "columns that it adds to Q may be any; use mode='reduced'"
            )

    @staticmethod
    def backward(ctx: Any, grad_q: Any, grad_r: Any) -> Any:
        QR._check(ctx)
        q, r = ctx.saved_tensors
        k, n = r.shape[-2:]
        square = r[..., :k]
        x = total(
            None if grad_q is None else q.mT @ grad_q,
            None if grad_r is None else -(grad_r @ r.mT),
        )
        inside = q @ masked(skew(x), triangle(k, strict=True))
        if grad_q is not None and q.shape[-2] > k:
            inside = inside + (grad_q - q @ (q.mT @ grad_q))
        grad = solved(square, inside.mT, upper=True).mT  # times R⁻ᵀ
        if k < n:
            rest = np.zeros((*grad.shape[:-1], n - k), grad.dtype)
            grad = np.concatenate([grad, rest], axis=-1)
        return grad if grad_r is None else grad + q @ grad_r, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        QR._check(ctx)
        q, r = ctx.saved_tensors
        k = r.shape[-2]
        part, square = tangent[..., :k], r[..., :k]
        turned = solved(square.mT, (q.mT @ part).mT, upper=False).mT  # Qᵀ dX R⁻¹
        turn = skew(masked(turned, triangle(k, strict=True)))
        tangent_r = q.mT @ tangent - turn @ r
        rest = part - q @ tangent_r[..., :k]
        return solved(square.mT, rest.mT, upper=False).mT, tangent_r


class QRResult(NamedTuple):
    """What ``linalg.qr`` returns (torch.return_types.linalg_qr)."""

    Q: Any
    R: Any


@operation("linalg", name="qr")
def linalg_qr(A: Any, mode: str = "reduced") -> QRResult:
    """Return Q with orthonormal columns and R, upper triangular, so that A = Q R (torch.linalg.qr).

    Args:
        A (Tensor): (…, m, n).
        mode: "reduced": Q is (…, m, k) and R (…, k, n), k = min(m, n); "complete": Q is (…, m, m),
            which has no derivative for m > n; "r": Q is empty.
    Raises:
        ShapeError: another mode; DtypeError: not float32 or float64.
    """
    matrix_data("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ShapeError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', not {mode!r}")
    q, r = QR.apply(A, mode == "complete")
    return QRResult(A.new(np.zeros(0, A.data.dtype)) if mode == "r" else q, r)


@operation()
def qr(input: Any, some: bool = True) -> QRResult:
    """Return ``linalg.qr``, with mode "complete" unless ``some`` (torch.qr)."""
    return linalg_qr(input, "reduced" if some else "complete")


# --------------------------------------------------------------------------------- eigenvectors


class Eigh(Function):
    """X = V diag(w) Vᵀ for symmetric X, w rising;  with P = Vᵀ dX V: dw = diag P, dV = V (P / E).

    E[i, j] = w[j] - w[i], and P / E is 0 on the diagonal. dL/dX = V (diag(G_w) + K) Vᵀ, where K is
    the skew part of Vᵀ G_V over E. Only the triangle ``uplo`` of X is read; tangents and gradients
    are made symmetric.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, uplo: str) -> Any:
        w, v = map(a.new, call("linalg.eigh", NO_CONVERGENCE, np.linalg.eigh, a.data, uplo))
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(w, v)
        return w, v

    @staticmethod
    def backward(ctx: Any, grad_w: Any, grad_v: Any) -> Any:
        w, v = ctx.saved_tensors
        if grad_v is None:
            return (v * grad_w[..., None, :]) @ v.mT, None
        middle = off_diagonal(skew(v.mT @ grad_v) / 2 / gaps(w))
        if grad_w is not None:
            middle = middle + grad_w[..., None, :] * np.eye(w.shape[-1], dtype=w.dtype)
        return v @ middle @ v.mT, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        w, v = ctx.saved_tensors
        p = v.mT @ ((tangent + tangent.mT) / 2) @ v
        return diagonal(p), v @ off_diagonal(p / gaps(w))


class EigenValues(Function):
    """The eigenvalues w of symmetric X, rising;  dw = diag(Vᵀ dX V), dL/dX = V diag(G) Vᵀ.

    Without the vectors V, which are much more work, until a derivative asks for them.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, uplo: str) -> Any:
        ctx.uplo = uplo
        ctx.save_for_backward(a)
        return a.new(call("linalg.eigvalsh", NO_CONVERGENCE, np.linalg.eigvalsh, a.data, uplo))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a,) = ctx.saved_tensors
        v = np.linalg.eigh(a, ctx.uplo)[1]
        return (v * grad_output[..., None, :]) @ v.mT, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        (a,) = ctx.saved_tensors
        v = np.linalg.eigh(a, ctx.uplo)[1]
        return (v * (((tangent + tangent.mT) / 2) @ v)).sum(-2)


class EighResult(NamedTuple):
    """What ``linalg.eigh`` returns (torch.return_types.linalg_eigh)."""

    eigenvalues: Any
    eigenvectors: Any


def _uplo(name: str, A: Any, uplo: Any) -> str:
    matrix_data(name, A, square=True)
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise ShapeError(f"{name}: UPLO must be 'L' or 'U', the triangle to read, not {uplo!r}")
    return uplo.upper()


@operation("linalg", numpy=np.linalg.eigh)
def eigh(A: Any, UPLO: str = "L") -> EighResult:
    """Return the eigenvalues, rising, and orthonormal eigenvectors of symmetric matrices.

    Args:
        A (Tensor): (…, n, n), symmetric: only its lower triangle is read, or the upper for "U".
    Returns:
        ``(eigenvalues, eigenvectors)``, (…, n) and (…, n, n): vectors are columns, of either sign.
    Raises:
        ShapeError: not square; DtypeError: not float32 or float64.
    Source: torch.linalg.eigh.
    """
    return EighResult(*Eigh.apply(A, _uplo("linalg.eigh", A, UPLO)))


@operation("linalg", numpy=np.linalg.eigvalsh)
def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """Return the eigenvalues of symmetric matrices, rising; see ``eigh``.

    Source: torch.linalg.eigvalsh.
    """
    return EigenValues.apply(A, _uplo("linalg.eigvalsh", A, UPLO))
