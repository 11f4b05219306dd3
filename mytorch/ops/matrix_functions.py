"""Functions of square matrices: powers, and the exponential."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.lapack import matrix_data
from mytorch.ops.linalg import MatMul
from mytorch.ops.pointwise import Masked, where
from mytorch.ops.registry import operation
from mytorch.ops.solving import Solve, inv

__all__ = ["matrix_exp", "matrix_power"]


@operation("linalg", name="matrix_power", numpy=np.linalg.matrix_power)
def linalg_matrix_power(A: Any, n: int) -> Any:
    """Return A multiplied by itself n times, of square matrices (torch.linalg.matrix_power).

    By squaring: about log2(n) products, 2 log2(n) at most. n = 0 gives the identity, and a negative
    n powers of the inverse, of floats only.
    """
    check_tensors("linalg.matrix_power", A)
    shape = A.data.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"linalg.matrix_power: expects square matrices (…, n, n), got {shape}")
    if not isinstance(n, (int, np.integer)):
        raise TypeError(f"linalg.matrix_power: n is an integer, not {n!r}")
    if n == 0:
        identity = np.broadcast_to(np.eye(shape[-1], dtype=A.data.dtype), shape)
        return A.new(identity.copy()) if A.data.dtype.kind != "f" else _plus_nothing(A, identity)
    if n < 0:
        A, n = inv(A), -n
    power, factors = A, []  # of which the product is the result: A to those powers of 2 that make n
    while n > 1:
        if n % 2:
            factors.append(power)
        power, n = MatMul.apply(power, power), n // 2
    if power is A:
        return A.clone()
    return functools.reduce(MatMul.apply, [*factors, power])


def _plus_nothing(A: Any, constant: np.ndarray) -> Any:
    """Return ``constant``, which depends on A with gradient 0, as torch's result does."""
    return Masked.apply(A, np.array(False)) + A.new(constant)


@operation()
def matrix_power(input: Any, n: int) -> Any:
    """Return ``linalg.matrix_power(input, n)`` (torch.matrix_power)."""
    return linalg_matrix_power(input, n)


# The coefficients of Padé's approximant of order 13 of the exponential, and the norm up to which
# it and its derivative are exact to float64: Al-Mohy and Higham, table 6.1.
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0,
    960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_LIMIT = 4.74


@operation("linalg", name="matrix_exp")
def linalg_matrix_exp(A: Any) -> Any:
    """Return e**A = I + A + A A / 2 + A A A / 6 + … of square matrices (torch.linalg.matrix_exp).

    A is halved until it is small, a quotient of polynomials of it is taken, and squared as often.
    The derivatives are those of these steps.

    Source: N. Higham, "The Scaling and Squaring Method for the Matrix Exponential Revisited"
    (2005); A. Al-Mohy and N. Higham, "Computing the Fréchet Derivative of the Matrix Exponential"
    (2009).
    """
    data = matrix_data("linalg.matrix_exp", A, square=True)
    with np.errstate(all="ignore"):
        size = np.abs(data).sum(-2).max(-1, initial=0)
        halvings = np.ceil(np.log2(np.maximum(size / _LIMIT, 1)))
        halvings = np.where(np.isfinite(halvings), halvings, 0)
        halved = A * A.new((0.5**halvings).astype(data.dtype)[..., None, None])
        result = _pade(halved, np.eye(data.shape[-1], dtype=data.dtype))
        for step in range(int(halvings.max(initial=0))):
            squared, due = MatMul.apply(result, result), halvings > step
            result = squared if due.all() else where(due[..., None, None], squared, result)
        return result


def _pade(x: Any, identity: np.ndarray) -> Any:
    """Return e**x for matrices x of a small norm: (even - odd)⁻¹ (even + odd) powers."""
    c = _PADE
    x2 = MatMul.apply(x, x)
    x4 = MatMul.apply(x2, x2)
    x6 = MatMul.apply(x2, x4)
    odd = MatMul.apply(x6, x6 * c[13] + x4 * c[11] + x2 * c[9])
    odd = MatMul.apply(x, odd + x6 * c[7] + x4 * c[5] + x2 * c[3] + c[1] * identity)
    even = MatMul.apply(x6, x6 * c[12] + x4 * c[10] + x2 * c[8])
    even = even + x6 * c[6] + x4 * c[4] + x2 * c[2] + c[0] * identity
    return Solve.apply(even - odd, even + odd)


@operation()
def matrix_exp(input: Any) -> Any:
    """Return ``linalg.matrix_exp(input)`` (torch.matrix_exp)."""
    return linalg_matrix_exp(input)
