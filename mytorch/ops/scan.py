"""Scans: the running sum, product, maximum, … along an axis; differences of neighbours.

Running sums and products of float32 are computed in float64, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import get_default_dtype
from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import float_data, one_axis, pair, select, total, values
from mytorch.ops.extremes import ValuesAndIndices
from mytorch.ops.index import Gather
from mytorch.ops.pointwise import Clone, masked
from mytorch.ops.registry import operation
from mytorch.ops.rows import is_normal
from mytorch.variable import Variable

__all__ = ["CumProd", "CumSum", "LogCumSumExp", "Recurrence"]


def _along(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """Return the index of ``start:stop`` along ``axis``."""
    return (*[slice(None)] * axis, slice(start, stop))


def _running(ufunc: Any, x: np.ndarray, axis: int) -> np.ndarray:
    """Return ``ufunc.accumulate``, of integers in int64, of floats in float64 and cast back."""
    if x.dtype.kind in "biu":
        return ufunc.accumulate(x, axis=axis, dtype=np.int64)
    wide = x if x.dtype.kind == "c" else x.astype(np.float64, copy=False)
    with np.errstate(all="ignore"):
        return ufunc.accumulate(wide, axis=axis).astype(x.dtype, copy=False)


class CumSum(Function):
    """y_i = x_0 + … + x_i along an axis;  dL/dx_i = sum of dL/dy_k for k >= i."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: int) -> Any:
        ctx.axis = axis
        return a.new(_running(np.add, a.data, axis))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return np.flip(np.cumsum(np.flip(grad_output, ctx.axis), ctx.axis), ctx.axis), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return np.cumsum(tangent, ctx.axis)


class Recurrence(Function):
    """h_t = a_t h_(t-1) + b_t along an axis, from h_(-1) = 0: what running products need.

    With l_t = dL/dh_t + a_(t+1) l_(t+1), again a recurrence, dL/db_t = l_t, dL/da_t = l_t h_(t-1).
    A factor of 0 ends what came before, even a nan.
    Computed in log2(n) passes over all n places: step s combines what lies 2**s apart.
    Source: W. D. Hillis and G. L. Steele, "Data parallel algorithms" (1986).
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, axis: int) -> Any:
        ctx.axis = axis
        result = b.new(_recurrence(a.data, b.data, axis))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (a, h), axis = ctx.saved_tensors, ctx.axis
        grad = reverse_recurrence(_advanced(a, axis), grad_output, axis)
        slopes = _with_first(grad[_along(axis, 1, None)] * h[_along(axis, None, -1)], axis)
        return slopes[_along(axis, None, a.shape[axis])], grad, None  # which may be none at all

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_b: Any, *_: Any) -> Any:
        a, h = ctx.saved_tensors
        moved = None if tangent_a is None else tangent_a * _delayed(h, ctx.axis)
        return recurrence(a, total(moved, tangent_b), ctx.axis)


def _recurrence(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    a, h = a.copy(), b.copy()
    step = 1
    with np.errstate(all="ignore"):
        while step < a.shape[axis]:
            late, early = _along(axis, step, None), _along(axis, None, -step)
            passes = a[late] != 0
            h[late] += select(a[late] * h[early], passes)
            a[late] = select(a[late] * a[early], passes)
            step *= 2
    return h


def recurrence(a: Any, b: Any, axis: int) -> Any:
    """Return h_t = a_t h_(t-1) + b_t along ``axis``, of arrays or Tensors."""
    if isinstance(a, Variable) or isinstance(b, Variable):
        return Recurrence.apply(*pair("recurrence", a, b), axis)
    return _recurrence(a, b, axis)


def reverse_recurrence(a: Any, b: Any, axis: int) -> Any:
    """Return h_t = a_t h_(t+1) + b_t along ``axis``, from the end."""
    return np.flip(recurrence(np.flip(a, axis), np.flip(b, axis), axis), axis)


def _with_first(x: Any, axis: int, first: float = 0) -> Any:
    """Return ``x`` with one more place along ``axis``, the number ``first`` before all others."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return np.concatenate([np.full(shape, first, x.dtype), x], axis)


def _delayed(x: Any, axis: int, first: float = 0) -> Any:
    """Return x_(t-1) at each place t, at first the number ``first``."""
    return _with_first(x[_along(axis, None, -1)], axis, first) if x.shape[axis] else x


def _advanced(x: Any, axis: int) -> Any:
    """Return x_(t+1) at each place t, at last 0."""
    return np.flip(_delayed(np.flip(x, axis), axis), axis)


class CumProd(Function):
    """y_i = x_0 … x_i along an axis;  dL/dx_i = sum of dL/dy_k y_k / x_i for k >= i.

    Where a product is 0 (or overflows, or lost digits below the smallest normal number), the sum
    is computed without division, by a recurrence: exact for any number of zeros, and
    differentiable again.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: int) -> Any:
        ctx.axis = axis
        result = a.new(_running(np.multiply, a.data, axis))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (x, y), axis = ctx.saved_tensors, ctx.axis
        if is_normal(values(y)):
            return np.flip(np.cumsum(np.flip(grad_output * y, axis), axis), axis) / x, None
        # s_i = sum over k >= i of g_k x_(i+1) … x_k
        sums = reverse_recurrence(_advanced(x, axis), grad_output, axis)
        before = _delayed(y, axis, 1)
        if ctx.bare:
            return masked(sums * before, before != 0), None  # behind a zero it is 0, never nan
        return sums * before, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        (x, y), axis = ctx.saved_tensors, ctx.axis
        return recurrence(x, tangent * _delayed(y, axis, 1), axis)


class LogCumSumExp(Function):
    """y_i = log(e**x_0 + … + e**x_i) along an axis;  dL/dx_i = sum dL/dy_k e**(x_i - y_k), k >= i.

    Without overflow: with r_i = dL/dy_i + e**(y_i - y_(i+1)) r_(i+1), where no exponent is
    positive, dL/dx_i = e**(x_i - y_i) r_i.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axis: int) -> Any:
        x = float_data("logcumsumexp", a)
        ctx.axis = axis
        with np.errstate(all="ignore"):
            result = a.new(np.logaddexp.accumulate(x, axis=axis))
        ctx.save_for_backward(a, result)
        return result

    @staticmethod
    def _factors(ctx: Any) -> tuple[Any, Any]:
        """Return e**(y_(i-1) - y_i), at first 0, and e**(x_i - y_i): both at most 1."""
        x, y = ctx.saved_tensors
        before = _delayed(y, ctx.axis, -np.inf)
        return _exp_difference(before, y), _exp_difference(x, y)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        decays, shares = LogCumSumExp._factors(ctx)
        return shares * reverse_recurrence(_advanced(decays, ctx.axis), grad_output, ctx.axis), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        decays, shares = LogCumSumExp._factors(ctx)
        return recurrence(decays, tangent * shares, ctx.axis)


def _exp_difference(x: Any, y: Any) -> Any:
    """Return e**(x - y), 1 where both are the same infinity."""
    return np.exp(masked(x - y, values(x) != values(y)))


# ------------------------------------------------------------------------------ the functions


def _scanned(cls: type[Function], name: str, input: Any, dim: int) -> Any:
    """Return the scan of ``input`` along ``dim``; a 0-d tensor is a scan of one element."""
    axis = one_axis(name, dim, input.data.ndim)
    if input.data.ndim:
        return cls.apply(input, axis)
    return cls.apply(input.reshape(1), 0).reshape(())


@operation(in_place=True)
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the running sum along ``dim``, of integers in int64 (torch.cumsum)."""
    if dtype is None:
        return _scanned(CumSum, "cumsum", input, dim)
    return _scanned(CumSum, "cumsum", input.astype(dtype), dim).astype(dtype)


@operation(in_place=True)
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Return the running product along ``dim``, of integers in int64 (torch.cumprod).

    Its gradient is exact where elements are 0.
    """
    if dtype is None:
        return _scanned(CumProd, "cumprod", input, dim)
    return _scanned(CumProd, "cumprod", input.astype(dtype), dim).astype(dtype)


@operation()
def logcumsumexp(input: Any, dim: int) -> Any:
    """Return log(e**x_0 + … + e**x_i) along ``dim``, without overflow (torch.logcumsumexp)."""
    return _scanned(LogCumSumExp, "logcumsumexp", input, dim)


@operation()
def cummax(input: Any, dim: int) -> ValuesAndIndices:
    """Return the running maximum along ``dim``, and where it is (torch.cummax).

    Of equal elements it is the last, which gets the gradient; from a nan on it is nan.
    Returns:
        named tuple: (values, indices).
    """
    return _running_extreme("cummax", np.maximum, input, dim)


@operation()
def cummin(input: Any, dim: int) -> ValuesAndIndices:
    """Return the running minimum along ``dim``, and where it is (torch.cummin); as ``cummax``."""
    return _running_extreme("cummin", np.minimum, input, dim)


def _running_extreme(name: str, ufunc: Any, input: Any, dim: int) -> ValuesAndIndices:
    axis, x = one_axis(name, dim, input.data.ndim), input.data
    if not x.ndim:
        return ValuesAndIndices(Clone.apply(input), input.new(np.zeros((), np.int64)))
    reached = (x == ufunc.accumulate(x, axis=axis)) | np.isnan(x)
    places = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (x.ndim - axis - 1))
    indices = np.maximum.accumulate(np.where(reached, places, 0), axis=axis)
    return ValuesAndIndices(Gather.apply(input, indices, axis), input.new(indices.copy()))


@operation(numpy=np.diff)
@np.errstate(all="ignore")  # inf - inf is nan, silently
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Return x_(i+1) - x_i along ``dim``, ``n`` times over (torch.diff); booleans: x_(i+1) != x_i.

    Args:
        prepend, append (Tensor): what to join to the input along ``dim`` first.
    Raises:
        ShapeError: a 0-d tensor, a negative n, or shapes that cannot be joined.
    """
    if not input.data.ndim:
        raise ShapeError("diff: a 0-d tensor has no neighbours; it needs at least one axis")
    if not isinstance(n, (int, np.integer)):
        raise TypeError(f"diff: n must be an int, not {type(n).__name__}")
    if n < 0:
        raise ShapeError(f"diff: n must not be negative, got {n}")
    axis = one_axis("diff", dim, input.data.ndim)
    result = input
    if prepend is not None or append is not None:
        joined = [each for each in (prepend, input, append) if each is not None]
        _check_joins("diff", input.data.shape, joined, axis)
        result = np.concatenate(joined, axis)
    for _ in range(min(n, result.data.shape[axis])):
        late, early = result[_along(axis, 1, None)], result[_along(axis, None, -1)]
        result = late != early if result.data.dtype.kind == "b" else late - early
    return result if n else Clone.apply(result)


def _check_joins(name: str, shape: tuple[int, ...], joined: list[Any], axis: int) -> None:
    """Raise unless every member is a Tensor that fits ``shape`` but at ``axis``."""
    for each in joined:
        if not isinstance(each, Variable):
            raise TypeError(
                f"{name}: prepend and append must be Tensors, not {type(each).__name__}"
            )
        own = each.data.shape
        if (
            len(own) != len(shape)
            or own[:axis] + own[axis + 1 :] != shape[:axis] + shape[axis + 1 :]
        ):
            raise ShapeError(
                f"{name}: what is joined to {shape} must have its shape but along axis {axis}, "
                f"got {own}"
            )


@operation(method=False, aliases=("trapz",))
def trapezoid(y: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Any:
    """Return the integral of samples ``y`` along ``dim`` by the trapezoidal rule (torch.trapezoid).

    Math: sum of (x_(i+1) - x_i) (y_i + y_(i+1)) / 2.
    Args:
        x (Tensor): where the samples were taken: (samples,), or a shape that broadcasts with y.
        dx: the distance between samples, where there is no x.
    Raises:
        ShapeError: the samples and their places differ in number; TypeError: both x and dx.
    """
    return _trapezoids("trapezoid", y, x, dx, dim).sum(dim)


@operation(method=False)
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Any:
    """Return the running integral of ``trapezoid``, one element fewer (torch).

    Arguments and errors are those of ``trapezoid``.
    """
    return _trapezoids("cumulative_trapezoid", y, x, dx, dim).cumsum(dim)


def _as_float(x: Any) -> Any:
    return x if x.data.dtype.kind in "fc" else x.astype(get_default_dtype())


@np.errstate(all="ignore")
def _trapezoids(name: str, y: Any, x: Any, dx: float, dim: int) -> Any:
    """Return the area between each two samples."""
    if not y.data.ndim:
        raise IndexError(f"{name}: a 0-d tensor has no samples along an axis")
    if y.data.dtype.kind == "b":
        raise DtypeError(f"{name}: not for booleans; convert with .long() or .float()")
    axis = one_axis(name, dim, y.data.ndim)
    y, width = _as_float(y), dx
    if x is not None:
        if dx != 1:
            raise TypeError(f"{name}: got both x and dx; one is enough")
        if x.data.ndim == 1:
            x = x.reshape((-1,) + (1,) * (y.data.ndim - axis - 1))
        x = x.reshape((1,) * (y.data.ndim - x.data.ndim) + x.data.shape)
        if x.data.shape[axis - y.data.ndim] != y.data.shape[axis]:
            raise ShapeError(
                f"{name}: y has {y.data.shape[axis]} samples along axis {axis}, but x has shape "
                f"{x.data.shape}; one place for each sample is needed"
            )
        width = diff(_as_float(x), 1, axis - y.data.ndim)
    return (y[_along(axis, 1, None)] + y[_along(axis, None, -1)]) * width / 2
