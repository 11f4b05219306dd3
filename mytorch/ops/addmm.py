"""Products that are added to an input: beta * input + alpha * product, of ``addmm`` and the like.

What has the factor 0 is not looked at, so that a nan in it does no harm, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.contraction import Contraction
from mytorch.ops.linalg import MatMul, check_one_dtype
from mytorch.ops.pointwise import Masked
from mytorch.ops.products import bmm, check_ranks, outer
from mytorch.ops.registry import operation

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm"]


def _check_factors(name: str, input: Any, beta: Any, alpha: Any) -> None:
    for key, factor in (("beta", beta), ("alpha", alpha)):
        if input.data.dtype.kind in "iub" and not isinstance(factor, (bool, int)):
            raise DtypeError(
                f"{name}: {key}={factor} is no integer, but the tensors are {input.data.dtype}"
            )


def _combined(name: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """Return beta * input + alpha * product; what has factor 0 is not looked at, as in torch."""
    shapes = input.data.shape, product.data.shape
    if not _broadcasts_to(*shapes):
        raise ShapeError(
            f"{name}: input {shapes[0]} does not broadcast to the product's shape {shapes[1]}"
        )
    return _times(input, beta) + _times(product, alpha)


def _broadcasts_to(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    pairs = zip(reversed(shape), reversed(wanted), strict=False)
    return len(shape) <= len(wanted) and all(size in (1, other) for size, other in pairs)


def _times(x: Any, factor: Any) -> Any:
    if factor == 0:
        return Masked.apply(x, np.array(False))  # zeros, also where x is nan
    return x if factor == 1 or x.data.dtype.kind == "b" else x * factor


def _sum_of_product(name: str, input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    check_one_dtype(name, input, a, b)
    _check_factors(name, input, beta, alpha)
    return _combined(name, input, MatMul.apply(a, b), beta, alpha)


@operation(in_place=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (mat1 @ mat2), of matrices (torch.addmm)."""
    check_ranks("addmm", (mat1, 2), (mat2, 2))
    return _sum_of_product("addmm", input, mat1, mat2, beta, alpha)


@operation(in_place=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (mat @ vec), of a matrix and a vector (torch.addmv)."""
    check_ranks("addmv", (mat, 2), (vec, 1))
    return _sum_of_product("addmv", input, mat, vec, beta, alpha)


@operation(in_place=True)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (batch1 @ batch2), of batches of matrices (torch.baddbmm)."""
    check_one_dtype("baddbmm", input, batch1, batch2)
    _check_factors("baddbmm", input, beta, alpha)
    return _combined("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@operation(in_place=True)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * the sum of all batch1[i] @ batch2[i] (torch.addbmm)."""
    check_ranks("addbmm", (batch1, 3), (batch2, 3))
    check_one_dtype("addbmm", input, batch1, batch2)
    _check_factors("addbmm", input, beta, alpha)
    shapes = batch1.data.shape, batch2.data.shape
    if shapes[0][0] != shapes[1][0] or shapes[0][2] != shapes[1][1]:
        raise ShapeError(f"addbmm: expects (b, n, k) and (b, k, m), got {shapes[0]}, {shapes[1]}")
    product = Contraction.apply(batch1, batch2, ("bnk", "bkm", "nm"))
    return _combined("addbmm", input, product, beta, alpha)


@operation(in_place=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * outer(vec1, vec2) (torch.addr)."""
    check_ranks("addr", (vec1, 1), (vec2, 1))
    _check_factors("addr", input, beta, alpha)
    return _combined("addr", input, outer(vec1, vec2), beta, alpha)
