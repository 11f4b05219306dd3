"""Operations that pick elements, and their adjoints that put them back."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import unbroadcast
from mytorch.variable import Variable

__all__ = ["Assign", "Gather", "Scatter", "Slice", "Unslice"]


def plain_index(index: Any) -> Any:
    """Return ``index`` with Tensors replaced by copies of their arrays: they may change later."""
    if isinstance(index, tuple):
        return tuple(plain_index(part) for part in index)
    if isinstance(index, Variable):
        return index.data.copy()
    return index


def _is_basic(index: Any) -> bool:
    """Whether NumPy answers ``index`` with a view: ints, slices, None and Ellipsis only."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or part is Ellipsis
        or isinstance(part, (slice, int, np.integer))
        and not isinstance(part, (bool, np.bool_))
        for part in parts
    )


class Slice(Function):
    """y = x[index];  dL/dx is zero but for dL/dy added at index, duplicates adding up."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, index: Any) -> Any:
        ctx.index = index = plain_index(index)
        ctx.shape_in = a.data.shape
        if not _is_basic(index):
            return a.new(a.data[index])
        parts = index if isinstance(index, tuple) else (index,)
        if not any(part is Ellipsis for part in parts):
            parts = (*parts, Ellipsis)  # so that one element is a 0-d view and no copy
        return a.new_view(a.data[parts])

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if ctx.bare:
            return _unsliced(grad_output, ctx.index, ctx.shape_in), None
        return Unslice.apply(grad_output, ctx.index, ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent[ctx.index]


class Unslice(Function):
    """The adjoint of Slice: zeros of ``shape`` with ``a`` added at ``index``."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, index: Any, shape: tuple[int, ...]) -> Any:
        ctx.index, ctx.shape = index, shape
        return a.new(_unsliced(a.data, index, shape))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output[ctx.index], None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        if ctx.bare:
            return _unsliced(tangent, ctx.index, ctx.shape)
        return Unslice.apply(tangent, ctx.index, ctx.shape)


def _unsliced(x: np.ndarray, index: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of ``shape`` with ``x`` added at ``index``."""
    result = np.zeros(shape, x.dtype)
    if _is_basic(index):
        result[index] = x
    else:
        np.add.at(result, index, x)
    return result


class Gather(Function):
    """y = take_along_axis(x, indices, dim): one element for each index (torch.take_along_dim)."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int) -> Any:
        ctx.indices, ctx.dim, ctx.shape_in = indices, dim, a.data.shape
        return a.new(np.take_along_axis(a.data, indices, dim))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if ctx.bare:
            return _scattered(grad_output, ctx.indices, ctx.dim, ctx.shape_in), None, None
        return Scatter.apply(grad_output, ctx.indices, ctx.dim, ctx.shape_in), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return np.take_along_axis(tangent, ctx.indices, ctx.dim)


class Scatter(Function):
    """The adjoint of Gather: zeros of ``shape`` with ``a`` added at ``indices`` along ``dim``."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> Any:
        ctx.indices, ctx.dim, ctx.shape = indices, dim, shape
        return a.new(_scattered(a.data, indices, dim, shape))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return np.take_along_axis(grad_output, ctx.indices, ctx.dim), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        if ctx.bare:
            return _scattered(tangent, ctx.indices, ctx.dim, ctx.shape)
        return Scatter.apply(tangent, ctx.indices, ctx.dim, ctx.shape)


def _scattered(x: np.ndarray, indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of ``shape`` with ``x`` added at ``indices`` along ``dim``."""
    result = np.zeros(shape, x.dtype)
    places: list[np.ndarray] = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
    places[dim] = indices
    np.add.at(result, tuple(places), x)
    return result


class Assign(Function):
    """y = x with y[index] = value;  dL/dx is dL/dy with zeros at index, dL/dvalue is dL/dy[index].

    Where an integer index names a place twice, which value stays there is not defined, as in torch.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, value: Any, index: Any) -> Any:
        ctx.index, ctx.shape_in, ctx.shape_value = index, a.data.shape, value.data.shape
        result = a.data.copy()
        try:
            result[index] = value.data
        except ValueError:
            raise ShapeError(
                f"t[index] = value: a value of shape {value.data.shape} does not fit into "
                f"{result[index].shape}"
            ) from None
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        part, shape = grad_output[ctx.index], ctx.shape_value
        while len(shape) > part.ndim:  # NumPy lets a value have more axes, of size 1
            shape = shape[1:]
        grad_value = unbroadcast(part, shape).reshape(ctx.shape_value)
        return _assigned(grad_output, ctx.index), grad_value, None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_value: Any, *_: Any) -> Any:
        known = tangent_value if tangent_a is None else tangent_a
        if tangent_a is None:
            tangent_a = np.zeros(ctx.shape_in, known.dtype)
            if not ctx.bare:
                tangent_a = known.new(tangent_a)
        return _assigned(tangent_a, ctx.index, tangent_value)


def _assigned(x: Any, index: Any, value: Any = None) -> Any:
    """Return a copy of x, an array or a Tensor, with ``value`` (None: zero) at ``index``."""
    if isinstance(x, Variable):
        return Assign.apply(x, x.new(np.zeros((), x.data.dtype)) if value is None else value, index)
    result = x.copy()
    result[index] = 0 if value is None else value
    return result
