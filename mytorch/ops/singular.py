"""Singular values and vectors of matrices, and what they tell at once.

As for eigenvectors (``factorisations.py``), the signs of vectors are LAPACK's choice, and where two
singular values are equal the gradient of their vectors is infinite or nan.
Source of the derivatives: J. Townsend, "Differentiating the Singular Value Decomposition" (2016).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.lapack import NO_CONVERGENCE, call, finite_svd, matrix_data, tolerance
from mytorch.ops.registry import operation
from mytorch.ops.structure import diagonal, gaps, off_diagonal, skew

__all__ = ["SVD", "SVDResult", "SingularValues", "linalg_svd", "svdvals"]


class SVD(Function):
    """X = U S Vᵀ, U and V with orthonormal columns, S = diag(s), s falling;  with P = Uᵀ dX V:

    ds = diag P, and with E[i, j] = s[j]**2 - s[i]**2, the quotients being 0 on the diagonal,
    dU = U ((P S + S Pᵀ) / E) + (I - U Uᵀ) dX V S⁻¹,
    dV = V ((S P + Pᵀ S) / E) + (I - V Vᵀ) dXᵀ U S⁻¹.
    What ``full`` adds to U and V may be any basis of the rest: as in torch its gradient is not
    used, and its tangent is 0.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, full: bool) -> Any:
        u, s, vh = map(a.new, call("linalg.svd", NO_CONVERGENCE, finite_svd, a.data, full))
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(u, s, vh)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, grad_u: Any, grad_s: Any, grad_vh: Any) -> Any:
        u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        rows, columns = s[..., :, None], s[..., None, :]
        middle = None if grad_s is None else grad_s[..., None, :] * np.eye(k, dtype=s.dtype)
        outside = []
        if grad_u is not None:
            grad_u = grad_u[..., :k]
            turned = u.mT @ grad_u
            middle = _plus(middle, off_diagonal(skew(turned) / gaps(s * s)) * columns)
            if u.shape[-2] > k:
                outside.append(((grad_u - u @ turned) / columns) @ vh)
        if grad_vh is not None:
            grad_vh = grad_vh[..., :k, :]
            turned = vh @ grad_vh.mT
            middle = _plus(middle, rows * off_diagonal(skew(turned) / gaps(s * s)))
            if vh.shape[-1] > k:
                outside.append(u @ ((grad_vh - turned.mT @ vh) / rows))
        grad = u @ middle @ vh
        for part in outside:
            grad = grad + part
        return grad, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        full_u, s, full_vh = ctx.saved_tensors
        k = s.shape[-1]
        u, vh = full_u[..., :k], full_vh[..., :k, :]
        rows, columns = s[..., :, None], s[..., None, :]
        p = u.mT @ tangent @ vh.mT
        turn_u = off_diagonal((p * columns + rows * p.mT) / gaps(s * s))
        turn_v = off_diagonal((rows * p + p.mT * columns) / gaps(s * s))
        tangent_u, tangent_v = u @ turn_u, vh.mT @ turn_v
        if u.shape[-2] > k:
            moved = tangent @ vh.mT
            tangent_u = tangent_u + (moved - u @ (u.mT @ moved)) / columns
        if vh.shape[-1] > k:
            moved = tangent.mT @ u
            tangent_v = tangent_v + (moved - vh.mT @ (vh @ moved)) / columns
        return _padded(tangent_u, full_u), diagonal(p), _padded(tangent_v, full_vh.mT).mT


def _plus(x: Any, y: Any) -> Any:
    return y if x is None else x + y


def _padded(x: Any, full: Any) -> Any:
    """Return x with columns of zeros until it is as wide as ``full``."""
    extra = full.shape[-1] - x.shape[-1]
    if not extra:
        return x
    return np.concatenate([x, np.zeros((*x.shape[:-1], extra), x.dtype)], axis=-1)


class SingularValues(Function):
    """The singular values s of X, falling;  ds = diag(Uᵀ dX V), dL/dX = U diag(G) Vᵀ.

    Without the vectors, which are much more work, until a derivative asks for them.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a.new(call("linalg.svdvals", NO_CONVERGENCE, finite_svd, a.data, False, False))

    @staticmethod
    def _vectors(ctx: Any) -> tuple[Any, Any]:
        (a,) = ctx.saved_tensors
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        return u, vh

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        u, vh = SingularValues._vectors(ctx)
        return ((u * grad_output[..., None, :]) @ vh,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        u, vh = SingularValues._vectors(ctx)
        return (u * (tangent @ vh.mT)).sum(-2)


class SVDResult(NamedTuple):
    """What ``linalg.svd`` returns (torch.return_types.linalg_svd)."""

    U: Any
    S: Any
    Vh: Any


class TorchSVDResult(NamedTuple):
    """What ``svd`` returns (torch.return_types.svd)."""

    U: Any
    S: Any
    V: Any


@operation("linalg", name="svd")
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: str | None = None) -> SVDResult:
    """Return U, S and Vh with A = U diag(S) Vh (torch.linalg.svd).

    Args:
        A (Tensor): (…, m, n).
        full_matrices: U is (…, m, m) and Vh (…, n, n); else (…, m, k) and (…, k, n), k = min(m, n).
            The gradients of what is added are not used.
        driver: for the GPU in torch; must be None.
    Returns:
        ``(U, S, Vh)``; S is (…, k), falling; the columns of U and rows of Vh are orthonormal.
    Raises:
        LinAlgError: a nan or an infinity; DtypeError: not float32 or float64.
    """
    matrix_data("linalg.svd", A)
    if driver is not None:
        raise ShapeError(f"linalg.svd: driver={driver!r} is for GPUs; leave it out")
    return SVDResult(*SVD.apply(A, full_matrices))


@operation("linalg")
def svdvals(A: Any, *, driver: str | None = None) -> Any:
    """Return the singular values of matrices, falling; see ``svd`` (torch.linalg.svdvals)."""
    matrix_data("linalg.svdvals", A)
    if driver is not None:
        raise ShapeError(f"linalg.svdvals: driver={driver!r} is for GPUs; leave it out")
    return SingularValues.apply(A)


@operation()
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> TorchSVDResult:
    """Return U, S and V, not transposed, with input = U diag(S) Vᵀ (torch.svd).

    ``some``: reduced, as ``linalg.svd`` with full_matrices=False. Without ``compute_uv``, U and V
    are zeros.
    """
    data = matrix_data("svd", input)
    if not compute_uv:
        (*batch, m, n), dtype = data.shape, data.dtype
        u, v = (input.new(np.zeros((*batch, size, size), dtype)) for size in (m, n))
        return TorchSVDResult(u, svdvals(input), v)
    u, s, vh = SVD.apply(input, not some)
    return TorchSVDResult(u, s, vh.mT)


@operation("linalg")
def matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """Return how many singular values are above a tolerance, int64 (torch.linalg.matrix_rank).

    Args:
        A (Tensor): (…, m, n); hermitian: A is symmetric, and only its lower triangle is read.
        atol, rtol: the tolerance is the larger of atol and rtol times the largest singular value;
            by default 0 and max(m, n) times the dtype's epsilon, or 0 where atol is given.
    """
    data = matrix_data("linalg.matrix_rank", A, square=hermitian)
    if hermitian:
        found = np.abs(call("linalg.matrix_rank", NO_CONVERGENCE, np.linalg.eigvalsh, data))
    else:
        found = call("linalg.matrix_rank", NO_CONVERGENCE, finite_svd, data, False, False)
    return A.new((found > tolerance(data, found, atol, rtol)[..., None]).sum(-1))
