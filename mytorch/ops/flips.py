"""Operations that turn and shift a tensor along its axes. They copy, as in torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import ints_of, normalize_axes, shape_of
from mytorch.ops.pointwise import Clone
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Flip", "Roll"]


class Flip(Function):
    """Reverse the order along ``axes``; so is the gradient's."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, axes: tuple[int, ...]) -> Any:
        ctx.axes = axes
        return a.new(np.flip(a.data, axes).copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return np.flip(grad_output, ctx.axes), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return np.flip(tangent, ctx.axes)


class Roll(Function):
    """Shift along ``axes``, what leaves at one end coming in at the other; so back the gradient."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Any:
        ctx.shifts, ctx.axes = shifts, axes
        return a.new(np.roll(a.data, shifts, axes))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return _rolled(grad_output, tuple([-shift for shift in ctx.shifts]), ctx.axes), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return _rolled(tangent, ctx.shifts, ctx.axes)


def _rolled(x: Any, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return Roll.apply(x, shifts, axes) if isinstance(x, Variable) else np.roll(x, shifts, axes)


@operation()
def flip(input: Any, *axes: Any, dims: Any = None) -> Any:
    """Return a copy with the order along each of ``dims`` reversed (torch.flip)."""
    return Flip.apply(input, normalize_axes(ints_of("flip", "dims", axes, dims), input.data.ndim))


@operation(numpy=np.fliplr)
def fliplr(input: Any) -> Any:
    """Return a copy with the order along the second axis reversed (torch.fliplr)."""
    if input.data.ndim < 2:
        raise ShapeError(f"fliplr: expects at least 2 axes, got shape {input.data.shape}")
    return Flip.apply(input, (1,))


@operation(numpy=np.flipud)
def flipud(input: Any) -> Any:
    """Return a copy with the order along the first axis reversed (torch.flipud)."""
    if not input.data.ndim:
        raise ShapeError("flipud: expects at least one axis, got a 0-d tensor")
    return Flip.apply(input, (0,))


@operation()
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Return input shifted along ``dims``, what leaves at one end coming in at the other.

    Source: torch.roll.
    Args:
        shifts: an int, or one for each of ``dims``.
        dims: an int or a tuple; None shifts the flattened tensor, in its shape.
    """
    moves = shape_of((shifts,))
    if dims is None:
        if len(moves) != 1:
            raise ShapeError(f"roll: {len(moves)} shifts need as many dims")
        return Roll.apply(input.reshape(-1), moves, (0,)).reshape(input.data.shape)
    axes = shape_of((dims,))
    if len(moves) != len(axes) or not axes:
        raise ShapeError(f"roll: {len(moves)} shifts for {len(axes)} dims; one for each")
    if not input.data.ndim:
        raise IndexError("roll: a 0-d tensor has no axis to shift along")
    axes = tuple([normalize_axes(axis, input.data.ndim)[0] for axis in axes])
    return Roll.apply(input, moves, axes)


@operation()
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Return a copy turned ``k`` times by 90 degrees, from the first of ``dims`` to the second."""
    axes = shape_of((dims,))
    if len(axes) != 2 or input.data.ndim < 2:
        raise ShapeError(
            f"rot90: needs two dims, and as many axes; got {axes} and shape {input.data.shape}"
        )
    first, second = (normalize_axes(axis, input.data.ndim)[0] for axis in axes)
    if first == second:
        raise ShapeError(f"rot90: dims {axes} are the same axis")
    if k % 4 == 0:
        return Clone.apply(input)
    if k % 4 == 2:
        return Flip.apply(input, (first, second))
    return Flip.apply(input, (second if k % 4 == 1 else first,)).transpose(first, second)
