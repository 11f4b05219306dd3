"""Operations that rearrange elements without computing on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import promote
from mytorch.errors import ShapeError
from mytorch.ops.common import Axes, normalize_axes, unbroadcast

__all__ = ["Alias", "Cat", "Expand", "Squeeze", "Unsqueeze"]


class Alias(Function):
    """y = x, the same memory under another place in the graph;  dy/dx = 1."""

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

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int = 0) -> Any:
        ctx.shape_in = a.data.shape
        (axis,) = normalize_axes(dim, a.data.ndim + 1)
        return a.new_view(np.expand_dims(a.data, axis))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None


class Squeeze(Function):
    """Drop the axes of size 1 among ``dim`` (None: all); other axes named are left, as in torch."""

    @staticmethod
    def forward(ctx: Any, a: Any, dim: Axes = None) -> Any:
        ctx.shape_in = a.data.shape
        axes = normalize_axes(dim, a.data.ndim)
        return a.new_view(a.data.squeeze(tuple(x for x in axes if a.data.shape[x] == 1)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output.reshape(ctx.shape_in), None


class Expand(Function):
    """Repeat ``a`` to ``shape`` by NumPy's broadcasting, without copying (torch.broadcast_to)."""

    @staticmethod
    def forward(ctx: Any, a: Any, shape: tuple[int, ...]) -> Any:
        ctx.shape_in = a.data.shape
        try:
            return a.new_view(np.broadcast_to(a.data, shape))
        except ValueError:
            raise ShapeError(f"expand: {a.data.shape} does not broadcast to {shape}") from None

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return unbroadcast(grad_output, ctx.shape_in), None


class Cat(Function):
    """Join tensors along the existing axis ``dim``; each gradient is its slice of grad_output."""

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
        ctx.ends = np.cumsum([tensor.data.shape[ctx.axis] for tensor in tensors]).tolist()
        joined = np.concatenate([tensor.data for tensor in tensors], axis=ctx.axis, dtype=dtype)
        return tensors[0].new(joined)

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        before = (slice(None),) * ctx.axis
        starts = [0, *ctx.ends[:-1]]
        parts = [
            grad_output[(*before, slice(start, end))]
            for start, end in zip(starts, ctx.ends, strict=True)
        ]
        return None, *parts


def _check_fits(first: tuple[int, ...], other: tuple[int, ...], axis: int, position: int) -> None:
    """Raise ShapeError unless the shapes agree everywhere but at ``axis``."""
    if len(first) != len(other) or any(
        m != n for i, (m, n) in enumerate(zip(first, other, strict=True)) if i != axis
    ):
        raise ShapeError(
            f"cat: tensor 0 has shape {first} and tensor {position} {other}; "
            f"they must agree at every axis except {axis}"
        )
