"""How a tensor lies in memory, and views of it that are no slices: windows, any strides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes, shape_of
from mytorch.ops.index import picked, placed
from mytorch.ops.indices import Index, is_rising
from mytorch.ops.pointwise import Clone
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["AsStrided", "OverlapAdd", "Windows"]

# ------------------------------------------------------------------------------------ questions


@operation((), method=True)
def is_contiguous(input: Any) -> bool:
    """Return whether the elements lie in memory without gaps, the last axis first."""
    return bool(input.data.flags.c_contiguous)


@operation((), method=True)
def contiguous(input: Any) -> Any:
    """Return the tensor itself if it is contiguous, else a copy (torch.Tensor.contiguous)."""
    return input if input.data.flags.c_contiguous else Clone.apply(input)


@operation((), method=True)
def stride(input: Any, dim: int | None = None) -> Any:
    """Return how many elements apart neighbours along each axis are, or along ``dim``.

    Those of an axis of size 1 say nothing, and are NumPy's.
    """
    steps = tuple([step // input.data.itemsize for step in input.data.strides])
    return steps if dim is None else steps[normalize_axes(dim, len(steps))[0]]


@operation((), method=True)
def storage_offset(input: Any) -> int:
    """Return how many elements after the start of its memory the tensor begins."""
    start = input.data.ctypes.data - _memory(input.data).ctypes.data
    return start // input.data.itemsize


@operation((), method=True)
def data_ptr(input: Any) -> int:
    """Return the address in memory of the first element."""
    return input.data.ctypes.data


def _memory(array: np.ndarray) -> np.ndarray:
    """Return the array that owns the memory of this one."""
    owner, base = array, array.base
    while base is not None:  # NumPy's windows have a base in between that is no array
        owner, base = base if isinstance(base, np.ndarray) else owner, getattr(base, "base", None)
    return owner


# -------------------------------------------------------------------------------------- windows


def windows(x: Any, dim: int, size: int, step: int) -> Any:
    """Return the windows of an array, or of a Tensor: a view with one more axis, the last."""
    if isinstance(x, Variable):
        return Windows.apply(x, dim, size, step)
    count = (x.shape[dim] - size) // step + 1
    shape = (*x.shape[:dim], count, *x.shape[dim + 1 :], size)
    steps = (*x.strides[:dim], x.strides[dim] * step, *x.strides[dim + 1 :], x.strides[dim])
    return strided(x, shape, steps, writeable=bool(x.flags.writeable and step >= size))


def overlapped(x: Any, shape: tuple[int, ...], dim: int, step: int) -> Any:
    """Return zeros of ``shape`` with the windows ``x`` added where they came from."""
    if isinstance(x, Variable):
        return OverlapAdd.apply(x, shape, dim, step)
    result, count, size = np.zeros(shape, x.dtype), x.shape[dim], x.shape[-1]
    target, parts = np.moveaxis(result, dim, -1), np.moveaxis(x, dim, -2)  # (…, count, size)
    if count < size:
        for i in range(count):
            target[..., i * step : i * step + size] += parts[..., i, :]
    else:
        for k in range(size):
            target[..., k : k + (count - 1) * step + 1 : step] += parts[..., k]
    return result


class Windows(Function):
    """y[…, i, …, k] = x[…, i * step + k, …];  dL/dx adds up what arrives from every window.

    A view; where windows overlap it is read-only.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int, size: int, step: int) -> Any:
        ctx.shape_in, ctx.dim, ctx.size, ctx.step = a.data.shape, dim, size, step
        return a.new_view(windows(a.data, dim, size, step))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return overlapped(grad_output, ctx.shape_in, ctx.dim, ctx.step), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return windows(tangent, ctx.dim, ctx.size, ctx.step)


class OverlapAdd(Function):
    """The adjoint of Windows: zeros of ``shape`` with the windows added where they came from."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: tuple[int, ...], dim: int, step: int) -> Any:
        ctx.shape, ctx.dim, ctx.step, ctx.size = shape, dim, step, a.data.shape[-1]
        return a.new(overlapped(a.data, shape, dim, step))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return windows(grad_output, ctx.dim, ctx.size, ctx.step), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return overlapped(tangent, ctx.shape, ctx.dim, ctx.step)


@operation((), method=True)
def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Return all windows of ``size`` along an axis, each ``step`` after the last: a view.

    Math: y[…, i, …, k] = x[…, i * step + k, …]: the axis counts the windows, and a new last axis
        has their elements. What fills no window is left out. Source: torch.Tensor.unfold.
    Raises:
        ShapeError: a window longer than the axis, or a step below 1.
    """
    a = input if input.data.ndim else input.reshape(1)
    (axis,) = normalize_axes(dimension, a.data.ndim)
    if not 0 <= size <= a.data.shape[axis]:
        raise ShapeError(f"unfold: a window of {size} on axis {axis} of size {a.data.shape[axis]}")
    if step < 1:
        raise ShapeError(f"unfold: step must be at least 1, got {step}")
    result = Windows.apply(a, axis, size, step)
    return result if input.data.ndim else result.reshape(size)


# ---------------------------------------------------------------------------------- any strides


def _grid(shape: tuple[int, ...], steps: tuple[int, ...], start: int) -> np.ndarray:
    """Return the place in memory of each element of a view."""
    places = np.full((), start, np.intp)
    for size, step in zip(shape, steps, strict=True):
        places = np.add.outer(places, np.arange(size) * step)
    return places


class AsStrided(Function):
    """y[i, j, …] = memory[start + i * stride_0 + j * stride_1 + …];  dL/dx adds up duplicates.

    Memory that is not part of x is a constant.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: Any, steps: Any, start: int) -> Any:
        x = a.data
        memory = _memory(x).ravel(order="K").view(x.dtype)
        last = start + sum([(n - 1) * step for n, step in zip(shape, steps, strict=True)])
        if 0 not in shape and last >= memory.size:
            raise ShapeError(
                f"as_strided: shape {shape} with strides {steps} from {start} reaches element "
                f"{last} of a memory of {memory.size}"
            )
        own = _grid(x.shape, stride(a), storage_offset(a))
        if not is_rising(own) and np.unique(own).size < own.size:
            raise ShapeError("as_strided: elements of this tensor share memory; clone() it first")
        ctx.origin, ctx.size = Index(None, (own,)), (memory.size,)
        ctx.to = Index(None, (_grid(shape, steps, start),))
        lengths = [step * x.itemsize for step in steps]
        tail = memory[min(start, memory.size) :]
        return a.new_view(strided(tail, shape, lengths, writeable=bool(x.flags.writeable)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        in_memory = placed(grad_output, ctx.to, ctx.size)
        return picked(in_memory, ctx.origin), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return picked(placed(tangent, ctx.origin, ctx.size), ctx.to)


@operation()
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Return any view of the tensor's memory (torch.as_strided).

    Args:
        size: the shape; stride: for each axis how many elements apart its neighbours are.
        storage_offset: the element of the memory to begin with; default: the tensor's own.
    Raises:
        ShapeError: a view beyond the memory, negative strides, or a tensor whose own elements
            share memory (an expanded one).
    """
    shape, steps = shape_of((size,)), shape_of((stride,))
    start = input.storage_offset() if storage_offset is None else int(storage_offset)
    if len(shape) != len(steps):
        raise ShapeError(f"as_strided: {len(shape)} sizes but {len(steps)} strides")
    if min((start, *shape, *steps)) < 0:
        raise ShapeError(f"as_strided: negative numbers in {shape}, {steps} or {start}")
    return AsStrided.apply(input, shape, steps, start)
