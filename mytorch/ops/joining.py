"""Operations that join tensors, along an axis that they have or along a new one."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.dtypes import promote
from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes
from mytorch.ops.registry import operation
from mytorch.ops.shape import atleast_1d, atleast_2d, atleast_3d
from mytorch.variable import Variable

__all__ = ["Cat", "Stack", "cat", "members_of", "stack"]

Shape = tuple[int, ...]


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
        for position, tensor in enumerate(tensors):
            _check_fits(first.shape, tensor.data.shape, ctx.axis, position)
        ctx.shapes = [tensor.data.shape for tensor in tensors]
        arrays = [tensor.data for tensor in tensors]
        return tensors[0].new(np.concatenate(arrays, axis=ctx.axis, dtype=_common(tensors)))

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
        return np.concatenate(_filled(tangents, ctx.shapes), axis=ctx.axis)


def _common(tensors: Any) -> np.dtype:
    """Return the dtype that all tensors are promoted to."""
    dtype = tensors[0].data.dtype
    for tensor in tensors[1:]:
        dtype = promote(dtype, tensor.data.dtype)
    return dtype


def _filled(tangents: tuple[Any, ...], shapes: list[Shape]) -> list[Any]:
    """Return the tangents, zeros for None."""
    known = next(tangent for tangent in tangents if tangent is not None)
    return [
        np.zeros(shape, known.dtype) if tangent is None else tangent
        for tangent, shape in zip(tangents, shapes, strict=True)
    ]


def _check_fits(first: Shape, other: Shape, axis: int, position: int) -> None:
    """Raise ShapeError unless the shapes agree everywhere but at ``axis``."""
    if first == other:
        return
    if len(first) != len(other) or any(
        m != n for i, (m, n) in enumerate(zip(first, other, strict=True)) if i != axis
    ):
        raise ShapeError(
            f"cat: tensor 0 has shape {first} and tensor {position} {other}; "
            f"they must agree at every axis except {axis}"
        )


class Stack(Function):
    """Join tensors of one shape along a new axis ``dim``; each gradient is its part of dL/dy."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, dim: int, *tensors: Any) -> Any:
        ctx.shapes = shapes = [tensor.data.shape for tensor in tensors]
        for position, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(
                    f"stack: all shapes must be equal, but tensor 0 has {shapes[0]} and tensor "
                    f"{position} {shape}"
                )
        (ctx.axis,) = normalize_axes(dim, len(shapes[0]) + 1)
        new_axis = (slice(None),) * ctx.axis + (None,)
        arrays = [tensor.data[new_axis] for tensor in tensors]  # faster than np.stack
        return tensors[0].new(np.concatenate(arrays, axis=ctx.axis, dtype=_common(tensors)))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        before = (slice(None),) * ctx.axis
        return None, *[grad_output[(*before, i, ...)] for i in range(len(ctx.shapes))]

    @staticmethod
    def jvp(ctx: Any, _: Any, *tangents: Any) -> Any:
        return np.stack(_filled(tangents, ctx.shapes), axis=ctx.axis)


# ------------------------------------------------------------------------------ the functions


def members_of(name: str, tensors: Any) -> tuple[Any, ...]:
    """Return the members of a sequence of Tensors; refuse an empty one and what is no Tensor."""
    if isinstance(tensors, Variable) or not hasattr(tensors, "__iter__"):
        kind = type(tensors).__name__
        raise TypeError(f"{name}: expects a sequence of Tensors, as in {name}([a, b]), got {kind}")
    members = tuple(tensors)
    for member in members:
        if not isinstance(member, Variable):
            raise TypeError(f"{name}: expects Tensors, got {type(member).__name__}")
    if not members:
        raise ShapeError(f"{name}: expects at least one tensor")
    return members


@operation(aliases=("concat", "concatenate"), method=False)
def cat(tensors: Any, dim: int = 0) -> Any:
    """Join tensors along the existing axis ``dim`` (torch.cat).

    A tensor of shape (0,) fits beside any others, as in torch: so a list can start as one.

    Raises:
        ShapeError: shapes that differ at another axis; TypeError: a member that is no Tensor.
    """
    members = members_of("cat", tensors)
    if any(member.data.shape == (0,) for member in members):
        full = [member for member in members if member.data.shape != (0,)]
        if full and full[0].data.ndim != 1:
            joined, dtype = Cat.apply(dim, *full), _common(members)
            return joined if joined.data.dtype == dtype else joined.astype(dtype)
    return Cat.apply(dim, *members)


@operation(method=False)
def stack(tensors: Any, dim: int = 0) -> Any:
    """Join tensors of one shape along a new axis ``dim`` (torch.stack).

    Raises:
        ShapeError: shapes that differ; TypeError: a member that is no Tensor.
    """
    return Stack.apply(dim, *members_of("stack", tensors))


@operation(method=False)
def hstack(tensors: Any) -> Any:
    """Join tensors along their second axis, vectors along their only one (torch.hstack)."""
    members = atleast_1d(members_of("hstack", tensors))
    return cat(members, 0 if members[0].data.ndim == 1 else 1)


@operation(aliases=("row_stack",), method=False)
def vstack(tensors: Any) -> Any:
    """Join tensors along their first axis, vectors as rows (torch.vstack)."""
    return cat(atleast_2d(members_of("vstack", tensors)), 0)


@operation(method=False)
def dstack(tensors: Any) -> Any:
    """Join tensors along their third axis, matrices and vectors side by side (torch.dstack)."""
    return cat(atleast_3d(members_of("dstack", tensors)), 2)


@operation(method=False)
def column_stack(tensors: Any) -> Any:
    """Join tensors along their second axis, vectors as columns (torch.column_stack)."""
    members = members_of("column_stack", tensors)
    return cat([m if m.data.ndim > 1 else m.reshape(m.data.size, 1) for m in members], 1)
