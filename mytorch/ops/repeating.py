"""Operations that repeat what a tensor holds, and combine the elements of several."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import ints_of
from mytorch.ops.joining import members_of, stack
from mytorch.ops.pointwise import Clone
from mytorch.ops.registry import operation
from mytorch.ops.shape import axis_of
from mytorch.variable import Variable

__all__: list[str] = []


@operation((), method=True)
def repeat(input: Any, *sizes: Any, repeats: Any = None) -> Any:
    """Return copies of input side by side, ``repeats[i]`` of them along axis i (Tensor.repeat).

    More numbers than axes make new axes in front.

    Raises:
        ShapeError: fewer numbers than axes, or a negative one.
    """
    counts, shape = ints_of("repeat", "repeats", sizes, repeats), input.data.shape
    if len(counts) < len(shape):
        raise ShapeError(f"repeat: {len(counts)} repeats for the {len(shape)} axes of {shape}")
    if min(counts, default=0) < 0:
        raise ShapeError(f"repeat: repeats must not be negative, got {counts}")
    shape = (1,) * (len(counts) - len(shape)) + shape
    if all(count == 1 for count in counts):
        return Clone.apply(input).reshape(shape)
    apart = [part for size in shape for part in (1, size)]
    spread = [part for pair in zip(counts, shape, strict=True) for part in pair]
    joined = [count * size for count, size in zip(counts, shape, strict=True)]
    return input.reshape(apart).expand(spread).reshape(joined)


@operation()
def tile(input: Any, *sizes: Any, dims: Any = None) -> Any:
    """As ``repeat``, with missing numbers in front taken as 1 (torch.tile)."""
    counts = ints_of("tile", "dims", sizes, dims)
    return repeat(input, (1,) * (input.data.ndim - len(counts)) + counts)


@operation()
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Return each part along ``dim`` several times over, one after another (torch's).

    Args:
        repeats: how often, an int, or a Tensor or array with one for each part. Without it,
            ``input`` holds such numbers, and the places themselves are returned.
        dim: None for the flattened input.
        output_size: what the repeats add up to, if known; it is checked.
    Raises:
        ShapeError: repeats that are negative, or not one for each part; DtypeError: no integers.
    """
    if repeats is None:
        counts = _counts(input, input.data.size)
        return input.new(np.repeat(np.arange(counts.size), counts))
    if dim is None:
        input, dim = input.reshape(-1), 0
    axis = axis_of("repeat_interleave", input, dim)
    size = input.data.shape[axis]
    counts = _counts(repeats, size)
    if output_size is not None and output_size != counts.sum():
        raise ShapeError(
            f"repeat_interleave: the repeats add up to {counts.sum()}, not {output_size}"
        )
    if isinstance(repeats, int):
        shape = input.data.shape
        spread = input.unsqueeze(axis + 1).expand(*shape[: axis + 1], repeats, *shape[axis + 1 :])
        return Clone.apply(spread).reshape(*shape[:axis], size * repeats, *shape[axis + 1 :])
    return input[(slice(None),) * axis + (np.repeat(np.arange(size), counts),)]


def _counts(repeats: Any, size: int) -> np.ndarray:
    """Return how often each of ``size`` parts is repeated."""
    counts = repeats.data if isinstance(repeats, Variable) else np.asarray(repeats)
    if counts.dtype.kind not in "iu":
        raise DtypeError(f"repeat_interleave: repeats must be integers, not {counts.dtype}")
    if counts.ndim > 1 or (counts.size != 1 and counts.size != size):
        raise ShapeError(
            f"repeat_interleave: expects one repeat, or one for each of {size} parts; got "
            f"{counts.shape}"
        )
    if counts.size and counts.min() < 0:
        raise ShapeError(f"repeat_interleave: repeats must not be negative, got {counts.min()}")
    return np.broadcast_to(counts, (size,)) if counts.size == 1 else counts


# ------------------------------------------------------------------------------------- combining


@operation(method=False)
def broadcast_tensors(*tensors: Any) -> Any:
    """Return every tensor repeated to the shape that all broadcast to (torch.broadcast_tensors)."""
    members = members_of("broadcast_tensors", tensors)
    shapes = [member.data.shape for member in members]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise ShapeError(
            f"broadcast_tensors: shapes {' and '.join(map(str, shapes))} do not broadcast"
        ) from None
    return tuple([member.expand(shape) for member in members])


@operation(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> Any:
    """Return for each vector a grid on which it varies along its own axis (torch.meshgrid).

    Args:
        tensors: vectors, of one dtype; or a list of them.
        indexing: "ij": vector i varies along axis i, as in torch; "xy": the first two exchanged,
            as NumPy's default.
    Returns:
        tuple: views, read-only, of the shape that the vectors' sizes make.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    members = members_of("meshgrid", tensors)
    if indexing not in ("ij", "xy"):
        raise ShapeError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    if any(member.data.ndim > 1 for member in members):
        shapes = [member.data.shape for member in members]
        raise ShapeError(f"meshgrid: expects vectors, got shapes {shapes}")
    if len({member.data.dtype for member in members}) > 1:
        raise ShapeError("meshgrid: expects vectors of one dtype")
    order = list(range(len(members)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    shape = [members[i].data.size for i in order]
    return tuple([
        member.reshape([member.data.size if i == place else 1 for i in order]).expand(shape)
        for place, member in enumerate(members)
    ])  # fmt: skip


def _check_vectors(name: str, tensors: Any) -> None:
    for each in tensors:
        if each.data.ndim != 1:
            raise ShapeError(f"{name}: expects vectors, got shape {each.data.shape}")


@operation(method=False)
def cartesian_prod(*tensors: Any) -> Any:
    """Return all tuples of one element from each vector, (N, number of vectors) (torch's)."""
    members = members_of("cartesian_prod", tensors)
    _check_vectors("cartesian_prod", members)
    if len(members) == 1:
        return members[0]
    return stack(meshgrid(*members), -1).reshape(-1, len(members))


@operation(method=False)
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """Return all combinations of ``r`` elements of a vector, (N, r), as itertools (torch's)."""
    _check_vectors("combinations", [input])
    if r < 0:
        raise ShapeError(f"combinations: r must not be negative, got {r}")
    if not r:
        return input.new(np.empty(0, input.data.dtype))
    draw = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = itertools.chain.from_iterable(draw(range(input.data.size), r))
    return input[np.fromiter(places, np.intp).reshape(-1, r)]
