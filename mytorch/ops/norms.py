"""Norms of vectors, over any axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, EmptyError, ShapeError
from mytorch.ops.common import Axes, all_if_empty, float_data, normalize_axes, spread, values
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import SPACES, operation
from mytorch.ops.rows import add_products, add_up, fold, wide

__all__ = ["VectorNorm"]


class VectorNorm(Function):
    """y = (sum |x|**p)**(1/p) over axes;  dy/dx = sign(x) |x|**(p-1) y**(1-p), 0 where x or y is 0.

    p = 0 counts what is not 0: its derivative is 0; p = inf is the largest |x| and -inf the
    smallest, ties sharing the gradient evenly. Kinks as in torch.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, p: float, axis: Axes = None, keepdims: bool = False) -> Any:
        x = float_data("norm", a)
        ctx.p, ctx.keepdims = p, keepdims
        ctx.axes = axes = normalize_axes(axis, x.ndim)
        if (p < 0 or p == math.inf) and any(x.shape[i] == 0 for i in axes):
            raise EmptyError(f"norm: p={p} of nothing, over axes {axes} of shape {x.shape}")
        with np.errstate(all="ignore"):
            kept = np.asarray(_norm(wide(x), p, axes)).astype(x.dtype, copy=False)
        result = a.new(kept if keepdims else kept.squeeze(axes))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def _slope(ctx: Any) -> tuple[Any, np.ndarray]:
        """Return dy/dx, of the shape of x, and where it is 0 whatever comes in."""
        (a, y), p, axes = ctx.saved_tensors, ctx.p, ctx.axes
        full = spread(y, a.shape, axes)
        x, norm = values(a), values(full)
        flat = norm == 0
        sign = (x > 0).astype(x.dtype) - (x < 0)  # of a nan 0
        if p == 0:
            return sign, np.ones_like(flat)
        if p == 1:
            return sign, flat
        if abs(p) == math.inf:
            equal = (np.abs(x) == norm) | np.isnan(x)
            count = equal.sum(axis=axes, keepdims=True, dtype=x.dtype)
            return sign * equal / count, flat
        full = full + flat  # nothing is divided by 0
        if p == 2:
            return a / full, flat
        return sign * ((np.abs(a) + (x == 0)) / full) ** (p - 1), flat

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        slope, flat = VectorNorm._slope(ctx)
        return masked(spread(grad_output, flat.shape, ctx.axes) * slope, ~flat), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        slope, flat = VectorNorm._slope(ctx)
        return masked(tangent * slope, ~flat).sum(ctx.axes, keepdims=ctx.keepdims)


def _norm(x: np.ndarray, p: float, axes: tuple[int, ...]) -> Any:
    """Return the norm of an array; ``axes`` keep size 1."""
    if p == 2:
        return np.sqrt(add_products(x, x, axes, True))
    if p == 0:
        return add_up((x != 0).astype(x.dtype), axes, True)
    size = np.abs(x)
    if p == 1:
        return add_up(size, axes, True)
    if abs(p) == math.inf:
        return fold(np.maximum if p > 0 else np.minimum, size, axes)
    return add_up(size**p, axes, True) ** (1 / p)


@operation()
def norm(
    input: Any, p: Any = "fro", dim: Axes = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """Return the norm over ``dim``, None for all, as of one vector (torch.norm).

    Math: (sum |x|**p)**(1/p); its gradient is 0 where the norm is 0, as in torch.
    Args:
        p: any number, inf, -inf; 0 counts what is not 0; "fro" is 2; "nuc", of matrices, is the
            sum of the singular values (``linalg.matrix_norm``).
        dtype: convert the input first.
    Raises:
        DtypeError: not floats; ShapeError: another string; EmptyError: nothing, where the norm of
        nothing is not 0.
    """
    if dtype is not None and np.dtype(dtype).kind not in "fc":
        raise DtypeError(f"norm: dtype must be floating, not {np.dtype(dtype)}")
    float_data("norm", input)
    input = input if dtype is None else input.astype(dtype)
    if p == "nuc":
        axes = tuple(range(input.data.ndim)) if dim is None else dim
        return SPACES["linalg"]["matrix_norm"](input, "nuc", axes, keepdim)
    if isinstance(p, str) and p != "fro":
        raise ShapeError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r}")
    order = 2.0 if p is None or p == "fro" else float(p)
    return VectorNorm.apply(input, order, all_if_empty(dim), keepdim)
