"""Operations that pick elements, and their adjoints that put them back."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.ops.common import total, unbroadcast
from mytorch.ops.indices import (
    Index,
    add,
    add_flat,
    flat_places,
    is_rising,
    parse,
    place,
    put,
    take,
)
from mytorch.variable import Variable

__all__ = [
    "Accumulate",
    "Assign",
    "Gather",
    "Scatter",
    "Slice",
    "Unslice",
    "assigned",
    "gathered",
    "may_overwrite",
    "overwritable",
    "picked",
    "placed",
    "plain_index",
    "scattered",
]


def plain_index(index: Any) -> Any:
    """Return ``index`` with Tensors replaced by copies of their arrays: they may change later."""
    if isinstance(index, tuple):
        return tuple(plain_index(part) for part in index)
    if isinstance(index, Variable):
        return index.data.copy()
    return index


# ------------------------------------------------------------------- on arrays and on Tensors


def picked(x: Any, index: Index) -> Any:
    """Return ``x[index]``."""
    return Slice.apply(x, index) if isinstance(x, Variable) else take(x, index)


def placed(x: Any, index: Index, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``index``."""
    return Unslice.apply(x, index, shape) if isinstance(x, Variable) else place(x, index, shape)


def gathered(x: Any, indices: np.ndarray, dim: int) -> Any:
    """Return one element of ``x`` for each of ``indices``, along ``dim``."""
    if isinstance(x, Variable):
        return Gather.apply(x, indices, dim)
    return x.reshape(-1)[flat_places(indices, dim, x.shape)]


def scattered(x: Any, indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``x`` added at ``indices`` along ``dim``."""
    if isinstance(x, Variable):
        return Scatter.apply(x, indices, dim, shape)
    result, places = np.zeros(shape, x.dtype), flat_places(indices, dim, shape)
    if is_rising(places):  # no duplicates
        result.reshape(-1)[places] = x
    else:
        add_flat(result, places, x)
    return result


def assigned(x: Any, value: Any, index: Index) -> Any:
    """Return a copy of ``x`` with ``value`` at ``index``."""
    if isinstance(x, Variable):
        return Assign.apply(x, x.new(value) if isinstance(value, np.ndarray) else value, index)
    result = np.array(x)  # of a gradient without axes, which may be a NumPy scalar, an array
    put(result, index, value)
    return result


# ---------------------------------------------------------------------------------- functions


class Slice(Function):
    """y = x[index];  dL/dx is zero but for dL/dy added at index, duplicates adding up."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, index: Any) -> Any:
        ctx.index = index = parse(index, a.data.shape)
        ctx.shape_in = a.data.shape
        return (a.new_view if index.arrays is None else a.new)(take(a.data, index))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return placed(grad_output, ctx.index, ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return picked(tangent, ctx.index)


class Unslice(Function):
    """The adjoint of Slice: zeros of ``shape`` with ``a`` added at ``index``."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, index: Any, shape: tuple[int, ...]) -> Any:
        ctx.index, ctx.shape = parse(index, shape), shape
        return a.new(place(a.data, ctx.index, shape))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return picked(grad_output, ctx.index), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return placed(tangent, ctx.index, ctx.shape)


class Gather(Function):
    """y = take_along_axis(x, indices, dim): one element for each index (torch.gather)."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int) -> Any:
        ctx.indices, ctx.dim, ctx.shape_in = indices, dim % a.data.ndim, a.data.shape
        return a.new(gathered(a.data, indices, ctx.dim))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return scattered(grad_output, ctx.indices, ctx.dim, ctx.shape_in), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return gathered(tangent, ctx.indices, ctx.dim)


class Scatter(Function):
    """The adjoint of Gather: zeros of ``shape`` with ``a`` added at ``indices`` along ``dim``."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> Any:
        ctx.indices, ctx.dim, ctx.shape = indices, dim % len(shape), shape
        return a.new(scattered(a.data, indices, ctx.dim, shape))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return gathered(grad_output, ctx.indices, ctx.dim), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return scattered(tangent, ctx.indices, ctx.dim, ctx.shape)


overwritable: ContextVar[np.ndarray | None] = ContextVar("mytorch_overwritable", default=None)


def may_overwrite(a: Any) -> bool:
    """Return whether an in-place method gives the memory of ``a`` to be written to.

    So an in-place method that writes little writes only that.
    """
    given = overwritable.get()
    if given is None or a.data.size != given.size or not a.data.flags.writeable:
        return False
    return np.may_share_memory(a.data, given)


def _to_write(a: Any) -> np.ndarray:
    """Return the memory of ``a``, or of a copy, to write to."""
    return a.data if may_overwrite(a) else a.data.copy()


class Assign(Function):
    """y = x with y[index] = value;  dL/dx is dL/dy with zeros at index, dL/dvalue is dL/dy[index].

    Where an integer index names a place twice, which value stays there is not defined, as in torch.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, value: Any, index: Any) -> Any:
        ctx.index = parse(index, a.data.shape)
        ctx.shape_in, ctx.shape_value = a.data.shape, value.data.shape
        result = _to_write(a)
        put(result, ctx.index, value.data)
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        needs, grad_a, grad_value = ctx.needs_input_grad, None, None
        if needs[0]:
            grad_a = assigned(grad_output, np.zeros((), grad_output.dtype), ctx.index)
        if needs[1]:
            part, shape = picked(grad_output, ctx.index), ctx.shape_value
            while len(shape) > part.ndim:  # a value may have more axes, of size 1
                shape = shape[1:]
            grad_value = unbroadcast(part, shape).reshape(ctx.shape_value)
        return grad_a, grad_value, None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_value: Any, *_: Any) -> Any:
        known = tangent_value if tangent_a is None else tangent_a
        if tangent_a is None:
            tangent_a = np.zeros(ctx.shape_in, known.dtype)
            if not ctx.bare:
                tangent_a = known.new(tangent_a)
        if tangent_value is None:
            tangent_value = np.zeros((), known.dtype)
        return assigned(tangent_a, tangent_value, ctx.index)


class Accumulate(Function):
    """y = x with ``value`` added at index, duplicates adding up;  dL/dvalue is dL/dy[index].

    ``value`` has the shape and dtype of x[index].
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, value: Any, index: Any) -> Any:
        ctx.index, ctx.shape_in = parse(index, a.data.shape), a.data.shape
        result = _to_write(a)
        add(result, ctx.index, value.data)
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output, picked(grad_output, ctx.index), None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_value: Any, *_: Any) -> Any:
        part = None if tangent_value is None else placed(tangent_value, ctx.index, ctx.shape_in)
        return total(tangent_a, part)
