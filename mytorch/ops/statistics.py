"""Variance, standard deviation, covariance and correlation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import get_default_dtype
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import (
    Axes,
    all_if_empty,
    check_tensors,
    float_data,
    normalize_axes,
    refuse_booleans,
    spread,
    values,
)
from mytorch.ops.pointwise import masked
from mytorch.ops.reduce import Mean
from mytorch.ops.registry import operation
from mytorch.ops.rows import add_products, add_up, wide
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = ["Std", "Var"]


class Var(Function):
    """y = sum (x - mean)**2 / f over axes, f = n - correction;  dy/dx = 2 (x - mean) / f.

    Where f <= 0 it is 0/0, hence nan, or infinite, as in torch (which also warns).
    """

    on_arrays = True
    name = "var"

    @staticmethod
    def finish(variance: Any) -> Any:
        """Return the result for the variance."""
        return variance

    @classmethod
    def forward(
        cls, ctx: Any, a: Any, axis: Axes = None, correction: float = 1, keepdims: bool = False
    ) -> Any:
        x = float_data(cls.name, a)
        ctx.axes, ctx.keepdims = normalize_axes(axis, x.ndim), keepdims
        ctx.count = math.prod([x.shape[i] for i in ctx.axes])
        freedom = ctx.count - correction
        ctx.scale = 1 / freedom if freedom > 0 else math.inf
        result = a.new(quietly(cls._value, x, ctx))
        ctx.save_for_backward(a, result)
        return result

    @classmethod
    def _value(cls, x: np.ndarray, ctx: Any) -> Any:
        centred = _centred(wide(x), ctx)
        variance = add_products(centred, centred, ctx.axes, ctx.keepdims)
        return cls.finish(variance * variance.dtype.type(ctx.scale)).astype(x.dtype, copy=False)

    @staticmethod
    def _to_variance(incoming: Any, result: Any) -> Any:
        """Return ``incoming`` times the derivative of the result for the variance."""
        return incoming

    @classmethod
    def backward(cls, ctx: Any, grad_output: Any) -> Any:
        x, result = ctx.saved_tensors
        grad = cls._to_variance(grad_output, result) * float(2 * ctx.scale)
        return spread(grad, x.shape, ctx.axes) * _centred(x, ctx), None, None, None

    @classmethod
    def jvp(cls, ctx: Any, tangent: Any, *_: Any) -> Any:
        x, result = ctx.saved_tensors
        moved = (tangent * _centred(x, ctx)).sum(ctx.axes, keepdims=ctx.keepdims)
        return cls._to_variance(moved * float(2 * ctx.scale), result)


def _centred(x: Any, ctx: Any) -> Any:
    """Return x - mean, of an array or a Tensor."""
    if isinstance(x, Variable):
        return x - Mean.apply(x, ctx.axes, True)
    return x - (add_up(wide(x), ctx.axes, True) / max(ctx.count, 1)).astype(x.dtype, copy=False)


class Std(Var):
    """y = the root of the variance;  dy/dx = (x - mean) / (f y), 0 where y = 0, as in torch."""

    name = "std"

    @staticmethod
    def finish(variance: Any) -> Any:
        return np.sqrt(variance)

    @staticmethod
    def _to_variance(incoming: Any, result: Any) -> Any:
        flat = values(result) == 0
        return masked(incoming / (2 * (result + flat)), ~flat)  # nothing is divided by 0


# ------------------------------------------------------------------------------ the functions


def _arguments(name: str, dim: Any, unbiased: Any, correction: Any) -> tuple[Axes, float]:
    """Return the axes and the correction, given in any of torch's ways."""
    if isinstance(dim, (bool, np.bool_)):  # torch.var(x, True): the old call
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise TypeError(f"{name}: got both unbiased and correction; correction=1 is unbiased")
    if unbiased is not None:
        correction = int(unbiased)
    return all_if_empty(dim), 1 if correction is None else correction


@operation()
def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Return the variance over ``dim``, None for all (torch.var).

    Math: sum (x - mean)**2 / (n - correction); nan where there are too few elements, silently.
    Args:
        unbiased: the old name: True is correction 1 (the default), False is correction 0.
    Raises:
        DtypeError: of integers; TypeError: both unbiased and correction.
    """
    axes, correction = _arguments("var", dim, unbiased, correction)
    return Var.apply(input, axes, correction, keepdim)


@operation()
def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Return the standard deviation over ``dim`` (torch.std): the root of ``var``.

    Arguments are those of ``var``. The gradient is 0 where the deviation is 0.
    """
    axes, correction = _arguments("std", dim, unbiased, correction)
    return Std.apply(input, axes, correction, keepdim)


@operation()
def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """Return the variance and the mean over ``dim`` (torch.var_mean); arguments as ``var``."""
    axes, correction = _arguments("var_mean", dim, unbiased, correction)
    return Var.apply(input, axes, correction, keepdim), Mean.apply(input, axes, keepdim)


@operation()
def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """Return the standard deviation and the mean over ``dim`` (torch.std_mean)."""
    axes, correction = _arguments("std_mean", dim, unbiased, correction)
    return Std.apply(input, axes, correction, keepdim), Mean.apply(input, axes, keepdim)


def _weights(name: str, weights: Any, observations: int, kinds: str) -> Any:
    """Return the weights of ``cov``, checked."""
    check_tensors(f"cov: {name}", weights)
    if weights.data.dtype.kind not in kinds:
        wanted = "integers" if kinds == "iu" else "floats"
        raise DtypeError(f"cov: {name} must be {wanted}, not {weights.data.dtype}")
    if weights.data.ndim > 1 or weights.data.size != observations:
        raise ShapeError(
            f"cov: {name} must have one weight for each of the {observations} observations "
            f"(columns), got shape {weights.data.shape}"
        )
    if (weights.data < 0).any():
        raise ShapeError(f"cov: {name} must not be negative")
    return weights.reshape(-1)


@operation()
@np.errstate(all="ignore")  # inf - inf is nan, silently
def cov(input: Any, *, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Return the covariance of variables (rows) over their observations (columns) (torch.cov).

    Math: C = (w X) Xᵀ / f with the rows of X centred by their weighted mean, and
    f = sum w - correction, with ``aweights`` f = sum w - correction (sum w a) / sum w.
    Args:
        input (Tensor): (variables, observations), or one variable as (observations,) or ().
        fweights (Tensor): how often each observation was made, integers.
        aweights (Tensor): how important each observation is, floats.
    Returns:
        Tensor: (variables, variables); of one variable, its variance, ().
    Raises:
        ShapeError: more than two axes, or weights that do not fit, are negative or all 0;
        DtypeError: booleans, or weights of the wrong kind.
    """
    if input.data.ndim > 2:
        raise ShapeError(f"cov: expects at most two axes, got shape {input.data.shape}")
    refuse_booleans("cov", input)
    rows = input if input.data.ndim == 2 else input.reshape(1, -1)
    if rows.data.dtype.kind not in "fc":
        rows = rows.astype(get_default_dtype())
    observations = rows.data.shape[1]
    weights = None
    if fweights is not None:
        weights = _weights("fweights", fweights, observations, "iu").astype(rows.data.dtype)
    if aweights is not None:
        aweights = _weights("aweights", aweights, observations, "f")
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        freedom: Any = float(observations - correction)
        weighted = centred = rows - rows.mean(1, keepdim=True)
    else:
        total = weights.sum()
        if total.data == 0:
            raise ShapeError("cov: the weights sum to zero")
        centred = rows - (rows * weights).sum(1, keepdim=True) / total
        weighted = centred * weights
        freedom = total - correction
        if aweights is not None:
            freedom = total - (weights * aweights).sum() * correction / total
    freedom = freedom if freedom > 0 else 0.0
    return (centred @ weighted.mT / freedom).squeeze()


@operation()
def corrcoef(input: Any) -> Any:
    """Return the correlation of variables (rows) over their observations (torch.corrcoef).

    Math: C_ij / sqrt(C_ii C_jj) for the covariance C, limited to [-1, 1]; nan for a constant row.
    Of one variable it is 1, of shape ().
    Errors as ``cov``.
    """
    covariance = cov(input)
    if not covariance.data.ndim:
        return covariance / covariance
    diagonal = np.arange(len(covariance))
    deviation = covariance[diagonal, diagonal].sqrt()
    return (covariance / deviation.reshape(-1, 1) / deviation).clamp(-1, 1)
