"""Operations that rearrange elements without computing on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import promote
from mytorch.errors import ShapeError
from mytorch.ops.common import Axes, normalize_axes, shape_of, unbroadcast
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Alias", "Cat", "Expand", "Squeeze", "Unsqueeze"]


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
        ctx.shape_in = a.data.shape
        (axis,) = normalize_axes(dim, a.data.ndim + 1)
        result = a.new_view(np.expand_dims(a.data, axis))
        ctx.shape_out = result.data.shape
        return result

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
        result = a.new_view(a.data.squeeze(tuple(x for x in axes if a.data.shape[x] == 1)))
        ctx.shape_out = result.data.shape
        return result

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tangent.reshape(ctx.shape_out)


class Expand(Function):
    """Repeat ``a`` to ``shape`` by NumPy's broadcasting, without copying (torch.broadcast_to)."""

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


class Cat(Function):
    """Join tensors along the existing axis ``dim``; each gradient is its slice of grad_output."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Any) -> Any:
        if not tensors:
            raise ValueError("cat: expects at least one tensor")
        first = tensors[0].data
        if first.ndim == 0:
            raise ShapeError("cat: 0-d tensors have no axis to join; unsqueeze them first")
        (ctx.axis,) = normalize_axes(dim, first.ndim)
        dtype = first.dtype
        for position, tensor in enumerate(tensors):
            _check_fits(first.shape, tensor.data.shape, ctx.axis, position)
            dtype = promote(dtype, tensor.data.dtype)
        ctx.shapes = [tensor.data.shape for tensor in tensors]
        joined = np.concatenate([tensor.data for tensor in tensors], axis=ctx.axis, dtype=dtype)
        return tensors[0].new(joined)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        before = (slice(None),) * ctx.axis
        ends = np.cumsum([shape[ctx.axis] for shape in ctx.shapes]).tolist()
        parts = [
            grad_output[(*before, slice(start, end))]
            for start, end in zip([0, *ends[:-1]], ends, strict=True)
        ]
        return None, *parts

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Any) -> Any:
        known = next(tangent for tangent in tangents if tangent is not None)
        parts = [
            np.zeros(shape, known.dtype) if tangent is None else tangent
            for tangent, shape in zip(tangents, ctx.shapes, strict=True)
        ]
        return np.concatenate(parts, axis=ctx.axis)


def _check_fits(first: tuple[int, ...], other: tuple[int, ...], axis: int, position: int) -> None:
    """Raise ShapeError unless the shapes agree everywhere but at ``axis``."""
    if len(first) != len(other) or any(
        m != n for i, (m, n) in enumerate(zip(first, other, strict=True)) if i != axis
    ):
        raise ShapeError(
            f"cat: tensor 0 has shape {first} and tensor {position} {other}; "
            f"they must agree at every axis except {axis}"
        )


# ------------------------------------------------------------------------------ the functions


@operation()
def unsqueeze(input: Any, dim: int = 0) -> Any:
    """Return input with an axis of size 1 inserted at ``dim`` (torch.unsqueeze)."""
    return Unsqueeze.apply(input, dim)


@operation()
def squeeze(input: Any, dim: Axes = None) -> Any:
    """Return input without its axes of size 1, or only those of ``dim`` (torch.squeeze)."""
    return Squeeze.apply(input, dim)


@operation()
def expand(input: Any, *shape: Any) -> Any:
    """Return input repeated to ``shape`` by broadcasting, without a copy (Tensor.expand)."""
    return Expand.apply(input, shape_of(shape))


@operation(aliases=("concat", "concatenate"), method=False)
def cat(tensors: Any, dim: int = 0) -> Any:
    """Join tensors along the existing axis ``dim`` (torch.cat).

    Raises:
        ShapeError: shapes that differ at another axis; TypeError: a member that is no Tensor.
    """
    members = tuple(tensors)
    for member in members:
        if not isinstance(member, Variable):
            raise TypeError(f"cat: expects Tensors, got {type(member).__name__}")
    return Cat.apply(dim, *members)
