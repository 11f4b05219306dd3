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
        return Unslice.apply(grad_output, ctx.index, ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent[ctx.index]


class Unslice(Function):
    """The adjoint of Slice: zeros of ``shape`` with ``a`` added at ``index``."""

    @staticmethod
    def forward(ctx: Any, a: Any, index: Any, shape: tuple[int, ...]) -> Any:
        ctx.index = index
        result = np.zeros(shape, a.data.dtype)
        if _is_basic(index):
            result[index] = a.data
        else:
            np.add.at(result, index, a.data)
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output[ctx.index], None, None


class Gather(Function):
    """y = take_along_axis(x, indices, dim): one element for each index (torch.take_along_dim)."""

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int) -> Any:
        ctx.indices, ctx.dim, ctx.shape_in = indices, dim, a.data.shape
        return a.new(np.take_along_axis(a.data, indices, dim))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return Scatter.apply(grad_output, ctx.indices, ctx.dim, ctx.shape_in), None, None


class Scatter(Function):
    """The adjoint of Gather: zeros of ``shape`` with ``a`` added at ``indices`` along ``dim``."""

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> Any:
        ctx.indices, ctx.dim = indices, dim
        result = np.zeros(shape, a.data.dtype)
        places: list[np.ndarray] = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
        places[dim] = indices
        np.add.at(result, tuple(places), a.data)
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return Gather.apply(grad_output, ctx.indices, ctx.dim), None, None, None


class Assign(Function):
    """y = x with y[index] = value;  dL/dx is dL/dy with zeros at index, dL/dvalue is dL/dy[index].

    Where an integer index names a place twice, which value stays there is not defined, as in torch.
    """

    @staticmethod
    def forward(ctx: Any, a: Any, value: Any, index: Any) -> Any:
        ctx.index, ctx.shape_value = index, value.data.shape
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
        zero = grad_output.new(np.zeros((), grad_output.data.dtype))
        part, shape = grad_output[ctx.index], ctx.shape_value
        while len(shape) > part.ndim:  # NumPy lets a value have more axes, of size 1
            shape = shape[1:]
        grad_value = unbroadcast(part, shape).reshape(ctx.shape_value)
        return Assign.apply(grad_output, zero, ctx.index), grad_value, None
