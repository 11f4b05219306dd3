"""Operations that change the shape of a tensor: views of its memory wherever NumPy can make one.

Where it cannot, ``reshape``, ``flatten`` and ``ravel`` copy, as in torch, and ``view`` refuses.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import BoundsError, DtypeError, ShapeError
from mytorch.ops.common import Axes, normalize_axes, one_axis, shape_of, unbroadcast
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Alias", "Expand", "Squeeze", "Unsqueeze", "axis_of", "transposed"]


def axis_of(name: str, input: Any, dim: int) -> int:
    """Return ``dim`` as a non-negative axis of ``input``, which must have one.

    Raises:
        ShapeError: a 0-d tensor; IndexError: an axis out of range; TypeError: no int.
    """
    if not input.data.ndim:
        raise ShapeError(f"{name}: a 0-d tensor has no axes; unsqueeze it first")
    return one_axis(name, dim, input.data.ndim)


class Alias(Function):
    """y = x, the same memory under another place in the graph;  dy/dx = 1."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new_view(a.data)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return (grad_output,)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tangent


class Unsqueeze(Function):
    """Insert an axis of size 1 at ``dim``; the gradient loses it again."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int = 0) -> Any:
        shape = ctx.shape_in = a.data.shape
        (axis,) = normalize_axes(dim, len(shape) + 1)
        ctx.shape_out = (*shape[:axis], 1, *shape[axis:])
        return a.new_view(a.data.reshape(ctx.shape_out))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.reshape(ctx.shape_out)


class Squeeze(Function):
    """Drop the axes of size 1 among ``dim`` (None: all); other axes named are left, as in torch."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: Axes = None) -> Any:
        ctx.shape_in = a.data.shape
        axes = normalize_axes(dim, a.data.ndim)
        result = a.new_view(a.data.squeeze(tuple([x for x in axes if a.data.shape[x] == 1])))
        ctx.shape_out = result.data.shape
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.reshape(ctx.shape_out)


class Expand(Function):
    """Repeat ``a`` to ``shape`` by NumPy's broadcasting, without copying (torch.broadcast_to).

    The elements of the result share memory, so it is read-only.
    """

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shape: tuple[int, ...]) -> Any:
        ctx.shape_in, ctx.shape_out = a.data.shape, shape
        try:
            return a.new_view(np.broadcast_to(a.data, shape))
        except ValueError:
            raise ShapeError(f"expand: {a.data.shape} does not broadcast to {shape}") from None

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return unbroadcast(grad_output, ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return np.broadcast_to(tangent, ctx.shape_out)


# --------------------------------------------------------------------------------- new shapes


@operation(in_place="shape")
def unsqueeze(input: Any, dim: int = 0) -> Any:
    """Return input with an axis of size 1 inserted at ``dim`` (torch.unsqueeze)."""
    return Unsqueeze.apply(input, dim)


@operation(in_place="shape")
def squeeze(input: Any, dim: Axes = None) -> Any:
    """Return input without its axes of size 1, or only those of ``dim`` (torch.squeeze)."""
    return Squeeze.apply(input, dim)


@operation((), method=True)
def view(input: Any, *shape: Any) -> Any:
    """Return the same memory in another shape, or as another dtype (torch.Tensor.view).

    Args:
        shape: the sizes, one of which may be -1; or a dtype, and then the bytes are read anew: the
            last axis shrinks or grows by the ratio of the sizes, and there is no derivative.
    Raises:
        ShapeError: the elements do not lie in memory so that this shape is a view of them.
    """
    if len(shape) == 1 and not isinstance(shape[0], (int, np.integer, tuple, list, Variable)):
        return _view_as_dtype(input, np.dtype(shape[0]))
    result = input.reshape(*shape)
    if result.data.size and not np.may_share_memory(result.data, input.data):
        raise ShapeError(
            f"view: a tensor of shape {input.data.shape} and strides {_strides(input.data)} cannot "
            f"be seen as {result.data.shape} without a copy; use reshape(…), which copies then"
        )
    return result


def _strides(array: np.ndarray) -> tuple[int, ...]:
    return tuple([step // array.itemsize for step in array.strides])


def _view_as_dtype(input: Any, dtype: np.dtype) -> Any:
    try:
        return input.detach().new_view(input.data.view(dtype))
    except ValueError as error:
        raise ShapeError(
            f"view: shape {input.data.shape} of {input.data.dtype} cannot be read as {dtype}: "
            f"{error}"
        ) from None


@operation((), method=True)
def view_as(input: Any, other: Any) -> Any:
    """Return the same memory in the shape of ``other`` (torch.Tensor.view_as)."""
    return input.view(other.data.shape)


@operation((), method=True)
def reshape_as(input: Any, other: Any) -> Any:
    """Return the same elements in the shape of ``other`` (torch.Tensor.reshape_as)."""
    return input.reshape(other.data.shape)


@operation()
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Return input with the axes from ``start_dim`` to ``end_dim`` made one (torch.flatten).

    A 0-d tensor becomes one of one element. Where nothing changes, it is the tensor itself.
    """
    shape = input.data.shape
    (first,), (last,) = (normalize_axes(dim, len(shape)) or (0,) for dim in (start_dim, end_dim))
    if first > last:
        raise ShapeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if first == last and shape:
        return input
    return input.reshape(*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])


@operation()
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """Return input with the axis ``dim`` made axes of ``sizes``, one maybe -1 (torch.unflatten).

    Raises:
        ShapeError: sizes whose product is another than the size of the axis.
    """
    axis, sizes = axis_of("unflatten", input, dim), shape_of((sizes,))
    shape = input.data.shape
    known = math.prod([size for size in sizes if size != -1])
    fits = known == shape[axis] if -1 not in sizes else known and shape[axis] % known == 0
    if not sizes or not fits or sizes.count(-1) > 1:
        raise ShapeError(
            f"unflatten: sizes {sizes} do not make up the size {shape[axis]} of {axis}"
        )
    sizes = tuple([shape[axis] // known if size == -1 else size for size in sizes])
    return input.reshape(*shape[:axis], *sizes, *shape[axis + 1 :])


@operation(numpy=np.ravel)
def ravel(input: Any) -> Any:
    """Return the elements in one axis, a view where possible (torch.ravel)."""
    return input.reshape(-1)


def _at_least(ndim: int, tensors: tuple[Any, ...]) -> Any:
    """Return each tensor with at least ``ndim`` axes; one by itself, several as a tuple."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple([_at_least(ndim, (each,)) for each in tensors[0]])
    for each in tensors:
        if not isinstance(each, Variable):
            raise TypeError(f"atleast_{ndim}d: expects Tensors, got {type(each).__name__}")
    results = []
    for each in tensors:
        shape = each.data.shape
        if len(shape) < ndim:
            before = (1,) * (min(ndim, 2) - len(shape)) if len(shape) < 2 else ()
            shape = (*before, *shape)
            each = each.reshape(*shape, *(1,) * (ndim - len(shape)))
        results.append(each)
    return results[0] if len(results) == 1 else tuple(results)


@operation(method=False)
def atleast_1d(*tensors: Any) -> Any:
    """Return each tensor, a 0-d one with shape (1,) (torch.atleast_1d)."""
    return _at_least(1, tensors)


@operation(method=False)
def atleast_2d(*tensors: Any) -> Any:
    """Return each tensor with at least two axes, a vector as a row (torch.atleast_2d)."""
    return _at_least(2, tensors)


@operation(method=False)
def atleast_3d(*tensors: Any) -> Any:
    """Return each tensor with three axes or more: (n,) as (1, n, 1), (m, n) as (m, n, 1)."""
    return _at_least(3, tensors)


# -------------------------------------------------------------------------------- axes exchanged


@operation(in_place="shape")
def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Return input with two axes exchanged: ``transpose`` by NumPy's name (torch.swapaxes)."""
    return input.transpose(axis0, axis1)


@operation(in_place="shape")
def t(input: Any) -> Any:
    """Return the transpose of a matrix; a vector as it is (torch.t)."""
    if input.data.ndim > 2:
        raise ShapeError(
            f"t: expects at most 2 axes, got shape {input.data.shape}; use mT or permute"
        )
    return input.transpose(0, -1)


def transposed(name: str, input: Any) -> Any:
    """Return a matrix, or each of a batch of them, transposed: what mT, mH and H are of reals."""
    if input.data.ndim < 2:
        raise ShapeError(f"{name}: expects matrices (…, M, N), got shape {input.data.shape}")
    if input.data.dtype.kind == "c" and name != "mT":
        raise DtypeError(f"{name}: complex tensors have no conjugate here")
    return input.transpose(-2, -1)


@operation()
def adjoint(input: Any) -> Any:
    """Return the last two axes exchanged, of real tensors (torch.adjoint)."""
    return transposed("adjoint", input)


@operation(aliases=("moveaxis",), numpy=np.moveaxis)
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Return input with the axes ``source`` at the places ``destination`` (torch.movedim).

    Args:
        source, destination: an int each, or as many in a tuple; the other axes keep their order.
    """
    ndim = input.data.ndim
    origin, goal = shape_of((source,)), shape_of((destination,))
    if len(origin) != len(goal):
        raise ShapeError(f"movedim: {len(origin)} source axes but {len(goal)} destinations")
    normalize_axes(origin, ndim), normalize_axes(goal, ndim)  # in range, none twice
    if not ndim:
        return input
    moves = dict(zip([g % ndim for g in goal], [o % ndim for o in origin], strict=True))
    rest = iter([axis for axis in range(ndim) if axis not in moves.values()])
    return input.permute([moves[axis] if axis in moves else next(rest) for axis in range(ndim)])


# ------------------------------------------------------------------------------------ repeated


@operation((), method=True)
def expand(input: Any, *shape: Any) -> Any:
    """Return input repeated to ``shape`` by broadcasting, without a copy (torch.Tensor.expand).

    A size of -1 keeps that of the axis. The elements share memory, so the result is read-only.

    Raises:
        ShapeError: a shape that the tensor does not broadcast to.
    """
    wanted, own = shape_of(shape), input.data.shape
    added = len(wanted) - len(own)
    if added < 0 or -1 in wanted[:added]:
        raise ShapeError(f"expand: {own} does not broadcast to {wanted}")
    kept = [own[i] if size == -1 else size for i, size in enumerate(wanted[added:])]
    return Expand.apply(input, (*wanted[:added], *kept))


@operation((), method=True)
def expand_as(input: Any, other: Any) -> Any:
    """Return input repeated to the shape of ``other`` (torch.Tensor.expand_as)."""
    return Expand.apply(input, other.data.shape)


@operation(numpy=np.broadcast_to)
def broadcast_to(input: Any, shape: Any) -> Any:
    """Return input repeated to ``shape``, without a copy (torch.broadcast_to)."""
    return input.expand(shape)


# ----------------------------------------------------------------------------------- parts of it


@operation()
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """Return ``length`` elements along ``dim`` from ``start``, negative from the end: a view.

    Raises:
        BoundsError: a start outside the axis; ShapeError: more elements than there are.
    """
    axis = axis_of("narrow", input, dim)
    size, first = input.data.shape[axis], int(start)
    if not -size <= first <= size:
        raise BoundsError(f"narrow: start {first} is out of bounds for axis {axis} of size {size}")
    first += size if first < 0 else 0
    if length < 0 or first + length > size:
        raise ShapeError(
            f"narrow: {length} elements from {first} do not fit into axis {axis} of size {size}"
        )
    return input[(slice(None),) * axis + (slice(first, first + length),)]


@operation()
def select(input: Any, dim: int, index: int) -> Any:
    """Return the part at ``index`` of the axis ``dim``, without that axis (torch.select): a view.

    Raises:
        BoundsError: an index outside the axis; IndexError: a 0-d tensor.
    """
    if not input.data.ndim:
        raise IndexError("select: a 0-d tensor has no axis to select from")
    axis, position = axis_of("select", input, dim), int(index)
    size = input.data.shape[axis]
    if not -size <= position < size:
        raise BoundsError(
            f"select: index {position} is out of bounds for dimension {axis} with size {size}"
        )
    return input[(slice(None),) * axis + (position,)]
