"""pad: more elements around a tensor, or fewer."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import refuse_booleans
from mytorch.ops.index import Assign, Unslice
from mytorch.ops.registry import operation
from mytorch.ops.sparse import Sparse, along_axis

__all__ = ["pad"]


@operation("functional")
def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Return input with elements added at the ends of its last axes (torch.nn.functional.pad).

    Args:
        pad: how many before and after the last axis, then the last but one, …: (left, right, top,
            bottom). Negative numbers take elements away.
        mode: what is added: "constant", the ``value``; "reflect", what is inside, mirrored at the
            first and the last element, which are not repeated; "replicate", the first and the last
            element; "circular", what the other end has.
        value: of a constant; default 0. Only constants pad axes other than the last one, two or
            three of a tensor with a channel, and maybe a batch, before them.
    Raises:
        ShapeError: an odd number of sizes, too many, or larger than the mode can; TypeError: no
            integers; NotImplementedError: an unknown mode, or one that does not pad these axes.
    """
    if not isinstance(pad, (tuple, list)) or not all(isinstance(n, (int, np.integer)) for n in pad):
        raise TypeError(f"pad: expects a tuple of integers (left, right, …), got {pad!r}")
    shape = input.data.shape
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ShapeError(
            f"pad: expects two integers for each of the last axes of {shape}, got {len(pad)}"
        )
    if mode not in ("constant", "reflect", "replicate", "circular"):
        raise NotImplementedError(
            f"pad: mode is 'constant', 'reflect', 'replicate' or 'circular', not {mode!r}"
        )
    axes = range(len(shape) - 1, len(shape) - 1 - len(pad) // 2, -1)
    margins = {axis: (int(pad[2 * i]), int(pad[2 * i + 1])) for i, axis in enumerate(axes)}
    for axis, margin in margins.items():
        if shape[axis] + sum(margin) < 0:
            raise ShapeError(f"pad: {margin} takes more than axis {axis} of {shape} has")
    if mode == "constant":
        return _constant(input, margins, 0 if value is None else value)
    if value:
        raise ShapeError(f"pad: mode {mode!r} takes no value")
    if len(shape) - len(margins) not in (1, 2) or not 1 <= len(margins) <= 3:
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last axes of (C, …) or (N, C, …), up to three of them; "
            f"{len(pad)} numbers do not fit {shape}"
        )
    return _from_inside(input, margins, mode)


def _constant(input: Any, margins: dict[int, tuple[int, int]], value: Any) -> Any:
    shape = list(input.data.shape)
    source, target = [slice(None)] * len(shape), [slice(None)] * len(shape)
    for axis, (before, after) in margins.items():
        source[axis] = slice(max(-before, 0), shape[axis] - max(-after, 0))
        shape[axis] += before + after
        target[axis] = slice(max(before, 0), shape[axis] - max(after, 0))
    if any(margin < 0 for pair in margins.values() for margin in pair):
        input = input[tuple(source)]
    if value == 0:
        return Unslice.apply(input, tuple(target), tuple(shape))
    filled = input.new(np.full(shape, value, input.data.dtype))
    return Assign.apply(filled, input, tuple(target))


def _from_inside(input: Any, margins: dict[int, tuple[int, int]], mode: str) -> Any:
    shape = input.data.shape
    if mode != "circular":
        refuse_booleans(f"pad: mode {mode!r}", input)
    for axis, (before, after) in margins.items():
        most = {"reflect": shape[axis] - 1, "circular": shape[axis], "replicate": None}[mode]
        if not shape[axis] or (most is not None and max(before, after) > most):
            raise ShapeError(
                f"pad: {(before, after)} is more than mode {mode!r} can add to axis {axis} of "
                f"{shape}" + (f": at most {most}" if most else "")
            )
    for axis, (before, after) in margins.items():
        columns = _places(shape[axis], before, after, mode)
        ones = np.ones(len(columns))
        matrix = Sparse(np.arange(len(columns)), columns, ones, len(columns), shape[axis])
        input = along_axis(input, matrix, axis)
    return input


def _places(size: int, before: int, after: int, mode: str) -> np.ndarray:
    """Return the places in [0, size) whose elements stand at the places [-before, size + after)."""
    if mode == "circular":  # what negative numbers take away does not come round again
        rest = np.arange(max(-before, 0), size - max(-after, 0))
        return np.take(rest, np.arange(-max(before, 0), len(rest) + max(after, 0)), mode="wrap")
    places = np.arange(-before, size + after)
    if mode == "replicate":
        return places.clip(0, size - 1)
    return size - 1 - np.abs(size - 1 - np.abs(places))
