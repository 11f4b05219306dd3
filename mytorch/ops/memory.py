"""How a tensor lies in memory, and views of it that are no slices: windows, any strides."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided as strided

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes, shape_of
from mytorch.ops.gather import check_dtypes
from mytorch.ops.index import assigned, may_overwrite, picked, placed
from mytorch.ops.indices import Index
from mytorch.ops.pointwise import Clone
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["AsStrided", "AsStridedScatter", "OverlapAdd", "Windows", "geometry"]

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
    return strided(
        x, shape, steps, writeable=bool(x.flags.writeable and (step >= size or count < 2))
    )


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


def _overlaps(shape: tuple[int, ...], steps: tuple[int, ...]) -> bool:
    """Return whether several elements of a view are one place in memory."""
    reach = 0  # of the axes with smaller steps
    for step, size in sorted(zip(map(abs, steps), shape, strict=True)):
        if size > 1 and step <= reach:
            places = _grid(shape, steps, 0)
            return np.unique(places).size < places.size
        reach += (size - 1) * step
    return False


def _flat(x: np.ndarray) -> np.ndarray:
    """Return the whole memory that an array lies in, as one axis of its dtype."""
    whole = _memory(x).ravel(order="K").view(np.uint8)
    skipped = (x.ctypes.data - whole.ctypes.data) % x.itemsize  # where bytes were read as numbers
    return whole[skipped : whole.size - (whole.size - skipped) % x.itemsize].view(x.dtype)


def _at(memory: np.ndarray, shape: Any, steps: Any, start: int) -> np.ndarray:
    """Return the view of ``memory`` with this shape, strides and offset."""
    last = start + sum([(n - 1) * step for n, step in zip(shape, steps, strict=True)])
    if 0 not in shape and last >= memory.size:
        raise ShapeError(
            f"as_strided: shape {shape} with strides {steps} from {start} reaches element "
            f"{last} of a memory of {memory.size}"
        )
    lengths = [step * memory.itemsize for step in steps]
    tail = memory[min(start, memory.size) :]
    writeable = memory.flags.writeable and not _overlaps(shape, steps)
    return strided(tail, shape, lengths, writeable=bool(writeable))


def geometry(a: Any) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return where in its memory a tensor is: its shape, strides and offset."""
    return a.data.shape, stride(a), storage_offset(a)


def _note(ctx: Any, a: Any, *view: Any) -> None:
    """Keep for backward where in memory ``a`` is, and where a view of that memory."""
    own = geometry(a)
    if _overlaps(*own[:2]):
        raise ShapeError("as_strided: elements of this tensor share memory; clone() it first")
    ctx.geometries, ctx.size = (own, view), _flat(a.data).shape


def _noted(ctx: Any) -> list[Index]:
    """Return where in memory the elements of the tensor are, and those of the view."""
    return [Index(None, (_grid(*each),)) for each in ctx.geometries]


class AsStrided(Function):
    """y[i, j, …] = memory[start + i * stride_0 + j * stride_1 + …];  dL/dx adds up duplicates.

    Memory that is not part of x is a constant.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: Any, steps: Any, start: int) -> Any:
        view = _at(_flat(a.data), shape, steps, start)
        _note(ctx, a, shape, steps, start)
        return a.new_view(view)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        own, view = _noted(ctx)
        return picked(placed(grad_output, view, ctx.size), own), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        own, view = _noted(ctx)
        return picked(placed(tangent, own, ctx.size), view)


class AsStridedScatter(Function):
    """y = x, but ``value`` in the elements of a view;  dL/dx is 0 there, dL/dvalue is dL/dy there.

    No two elements of the view may be one place in memory.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, value: Any, shape: Any, steps: Any, start: int) -> Any:
        _note(ctx, a, shape, steps, start)
        memory, result = _flat(a.data), a.data
        if not may_overwrite(a):
            memory = memory.copy()
            result = _at(memory, *geometry(a))
        _at(memory, shape, steps, start)[...] = value.data
        return a.new(result)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        (own, view), needs = _noted(ctx), ctx.needs_input_grad
        memory, grad_a = placed(grad_output, own, ctx.size), None
        if needs[0]:
            grad_a = picked(assigned(memory, np.zeros((), grad_output.dtype), view), own)
        return grad_a, picked(memory, view) if needs[1] else None, None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent_a: Any, tangent_value: Any, *_: Any) -> Any:
        (own, view), known = _noted(ctx), tangent_value if tangent_a is None else tangent_a
        if tangent_a is None:
            tangent_a = np.zeros(ctx.geometries[0][0], known.dtype)
            if not ctx.bare:
                tangent_a = known.new(tangent_a)
        if tangent_value is None:
            tangent_value = np.zeros((), known.dtype)
        return picked(assigned(placed(tangent_a, own, ctx.size), tangent_value, view), own)


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
    return AsStrided.apply(input, *_view_argument(input, size, stride, storage_offset))


@operation()
def as_strided_scatter(
    input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None
) -> Any:
    """Return a copy of ``input`` with ``src`` in a view of its memory (torch.as_strided_scatter).

    Args:
        src (Tensor): of shape ``size``, and of the dtype of ``input``; the others: as_strided's.
    Raises:
        ShapeError: as of as_strided, a src of another shape, or a view of which several elements
            are one place in memory; DtypeError: a src of another dtype.
    """
    view = _view_argument(input, size, stride, storage_offset)
    check_dtypes("as_strided_scatter", input, src)
    if src.data.shape != view[0]:
        raise ShapeError(f"as_strided_scatter: src has shape {src.data.shape}, the view {view[0]}")
    if _overlaps(*view[:2]):
        raise ShapeError("as_strided_scatter: several elements of the view are one place in memory")
    return AsStridedScatter.apply(input, src, *view)


def _view_argument(
    input: Any, size: Any, stride: Any, offset: int | None
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return a view's shape, strides and offset, checked."""
    shape, steps = shape_of((size,)), shape_of((stride,))
    start = storage_offset(input) if offset is None else int(offset)
    if len(shape) != len(steps):
        raise ShapeError(f"as_strided: {len(shape)} sizes but {len(steps)} strides")
    if min((start, *shape, *steps)) < 0:
        raise ShapeError(f"as_strided: negative numbers in {shape}, {steps} or {start}")
    return shape, steps, start
