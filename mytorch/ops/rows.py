"""Sums and maxima of arrays over axes: NumPy's, but for rows, which it reduces slowly.

NumPy's ``sum`` over the last axis spends most of its time outside of vector instructions, and its
``max`` pays for every row. The product with a vector of ones, which BLAS computes, is the same sum;
so is ``einsum``, for rows that do not lie one behind the other. Both add one element after the
other, so that the error grows with the length of a row. Cut into pieces of 256 elements, whose sums
are summed in turn, it grows with the logarithm, as that of NumPy's own (pairwise) sum. A million
elements in rows take half of NumPy's time, in narrow rows an eighth.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mytorch.ops.common import kept_shape
from mytorch.quiet import quietly
from mytorch.variable import Variable

__all__ = ["add_products", "add_up", "exponentials", "fold", "is_normal", "sum_of_products", "wide"]

_PIECE = 256
_FEW = 2048  # NumPy sums up so few as fast
_NARROW, _MANY = 16, 512  # a row so narrow is folded column by column, if there are so many rows
_ALONE = 1 << 13  # elements that BLAS multiplies on one core; of two, the other keeps its half
_SHORT = 64  # BLAS takes longer to start than to multiply rows shorter than this


def wide(x: np.ndarray) -> np.ndarray:
    """Return ``x``, float16 as float32: sums and exponentials of halves are taken in float32."""
    return x.astype(np.float32) if x.dtype == np.float16 else x


def is_normal(x: np.ndarray) -> bool:
    """Whether no element is 0, nan, infinite, or so small that it lost digits."""
    if x.dtype.kind not in "fc":
        return bool(x.all())
    return bool(np.isfinite(x).all() and (np.abs(x) >= np.finfo(x.dtype).tiny).all())


def add_up(x: np.ndarray, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    """Return the sum of a floating array over ``axes`` (non-negative, sorted), in its dtype."""
    rows = _last(axes, x.ndim)
    if x.size > _FEW and _are_rows(x, rows):
        return _of_rows((x,), rows, axes, keepdims)
    if x.dtype == np.float16:
        return quietly(lambda: wide(x).sum(axis=axes, keepdims=keepdims).astype(x.dtype))
    return quietly(np.add.reduce, x, axes, None, None, keepdims)  # inf - inf is nan, as in torch


def add_products(
    x: np.ndarray, y: np.ndarray, axes: tuple[int, ...], keepdims: bool = False
) -> Any:
    """Return the sum of x * y, of one shape and dtype, over ``axes``: without the product."""
    rows = _last(axes, x.ndim)
    if x.size > _FEW and _are_rows(x, rows) and _are_rows(y, rows):
        return _of_rows((x, y), rows, axes, keepdims)
    return add_up(quietly(np.multiply, x, y), axes, keepdims)


def sum_of_products(x: Any, y: Any, axes: tuple[int, ...]) -> Any:
    """As ``add_products``, of arrays or of Tensors; ``axes``, which may be none, keep size 1."""
    if not axes:
        return x * y
    if isinstance(x, Variable) or isinstance(y, Variable):
        return (x * y).sum(axes, keepdims=True)
    return add_products(x, y, axes, True)


def _last(axes: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """Return those of ``axes`` that are the last of all: (2, 3) of (0, 2, 3) if ``ndim`` is 4."""
    count = 0
    while count < len(axes) and axes[-1 - count] == ndim - 1 - count:
        count += 1
    return axes[len(axes) - count :]


def _are_rows(x: np.ndarray, axes: tuple[int, ...]) -> bool:
    """Whether there are such last ``axes``, and their elements lie one beside the other."""
    if not axes or x.dtype == np.float16:
        return False
    return x.strides[-1] == x.itemsize if len(axes) == 1 else x.flags.c_contiguous


def _of_rows(
    arrays: tuple[np.ndarray, ...], rows: tuple[int, ...], axes: tuple[int, ...], keepdims: bool
) -> np.ndarray:
    """Return the sums over ``axes``: first over those that are ``rows``, then over the rest."""
    shape = arrays[0].shape
    if len(rows) > 1:
        row = int(np.prod(shape[rows[0] :]))
        arrays = tuple([each.reshape(*shape[: rows[0]], row) for each in arrays])
    sums = np.asarray(quietly(_piecewise, *arrays))
    if len(rows) < len(axes):
        sums = np.asarray(quietly(np.add.reduce, sums, axes[: -len(rows)]))
    return sums.reshape(kept_shape(shape, axes)) if keepdims else sums


def _piecewise(*arrays: np.ndarray) -> Any:
    """Return the sums over the last axis of one array, or of the product of two."""
    *shape, length = arrays[0].shape
    pieces = -(-length // _PIECE)
    if pieces < 2:
        return _sums(*arrays)
    size = length // pieces
    even = pieces * size
    cut = [each[..., :even].reshape(*shape, pieces, size) for each in arrays]  # views
    sums = _piecewise(_sums(*cut))
    if even < length:
        sums = sums + _sums(*[each[..., even:] for each in arrays])
    return sums


def _sums(x: np.ndarray, y: np.ndarray | None = None) -> Any:
    """As ``_piecewise``, one element after the other."""
    *shape, length = x.shape
    if y is None:
        if x.dtype.char in "fd" and x.flags.c_contiguous:
            return _times_ones(x.reshape(-1, length)).reshape(shape)
        return np.einsum("...i->...", x)
    if length >= _SHORT and x.dtype.char in "fd":
        return np.vecdot(x, y)
    return np.einsum("...i,...i->...", x, y)


def _times_ones(x: np.ndarray) -> np.ndarray:
    """Return the sums of the rows of a matrix, some rows at a time; see ``_ALONE``."""
    count, length = x.shape
    ones, rows = _ones(length, x.dtype), max(1, _ALONE // max(1, length))
    even = count - count % rows
    if not even:
        return x @ ones
    sums = (x[:even].reshape(-1, rows, length) @ ones).reshape(even)
    return sums if even == count else np.concatenate((sums, x[even:] @ ones))


@functools.lru_cache(maxsize=2 * _PIECE)
def _ones(count: int, dtype: np.dtype) -> np.ndarray:
    return np.ones(count, dtype)


_TRIED = 4096  # of fewer elements the largest is taken away sooner than it is tried without
_LOWEST, _LEAST, _MOST = -80.0, 1e-3, 1e30  # of x and of the sums: what float32 holds in full


def exponentials(x: np.ndarray, axes: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return e**(x - c) and the sums of them over ``axes``, which keep size 1: softmax's two parts.

    c is the largest over ``axes``, so that nothing over- or underflows altogether; or 0 for all,
    if the sums say that then nothing does either, which is found out sooner than the largest. What
    underflows is at most 1e-35 of its sum. A sum of which every x is minus infinity is 0.
    """
    result = None
    if x.size > _TRIED:
        result = np.exp(x)
        sums = add_up(result, axes, True)
        if sums.max() <= _MOST and (sums.min() >= _LEAST or x.min() > _LOWEST):  # and no nan
            return result, sums
    lowest = np.finfo(x.dtype).min  # not minus infinity, of which the difference is nan
    largest = fold(np.maximum, x, axes, initial=lowest)
    result = np.asarray(np.subtract(x, largest, out=result))
    np.exp(result, out=result)
    return result, np.asarray(add_up(result, axes, True))


def fold(ufunc: Any, x: np.ndarray, axes: tuple[int, ...], initial: Any = None) -> np.ndarray:
    """Return the reduction of x over ``axes``, which keep size 1, by np.maximum or np.minimum.

    ``initial`` takes part in it; without one an axis of size 0 is a ValueError.
    """
    width = x.shape[-1] if axes == (x.ndim - 1,) else 0
    if not 0 < width <= _NARROW or x.size < _MANY * width:
        return ufunc.reduce(x, axes, None, None, True, *(() if initial is None else (initial,)))
    result = x[..., :1].copy() if initial is None else ufunc(x[..., :1], initial)
    for column in range(1, width):
        ufunc(result, x[..., column : column + 1], out=result)
    return result
