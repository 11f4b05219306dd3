"""Operations that split a tensor along an axis: into views, whose gradients are joined again.

All parts are the results of one operation, so that the gradient of k parts is one copy and not k.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes, shape_of, values
from mytorch.ops.registry import operation
from mytorch.ops.shape import axis_of
from mytorch.variable import Variable

__all__ = ["Split", "Unbind"]


class Split(Function):
    """Views of the parts of ``a`` along ``dim``, of ``sizes``; their gradients are joined again."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int, sizes: tuple[int, ...]) -> Any:
        ctx.dim, ctx.sizes = dim, sizes
        return tuple([a.new_view(part) for part in _parts(a.data, dim, sizes)])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        return np.concatenate(grad_outputs, axis=ctx.dim), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tuple(_parts(tangent, ctx.dim, ctx.sizes))


def _parts(x: Any, dim: int, sizes: tuple[int, ...]) -> list[Any]:
    ends = list(itertools.accumulate(sizes))
    before = (slice(None),) * dim
    return [x[(*before, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True)]


class Unbind(Function):
    """Views of all parts of ``a`` along ``dim``, without that axis; gradients are stacked again."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, dim: int) -> Any:
        ctx.dim, ctx.shape_in = dim, a.data.shape
        return tuple([a.new_view(part) for part in _singles(a.data, dim)])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        return np.stack(grad_outputs, axis=ctx.dim), None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        return tuple(_singles(tangent, ctx.dim))


def _singles(x: Any, dim: int) -> list[Any]:
    before = (slice(None),) * dim
    return [x[(*before, i, ...)] for i in range(x.shape[dim])]


# ------------------------------------------------------------------------------ the functions


@operation()
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Return views of the parts of a tensor along ``dim``, as a tuple (torch.split).

    Args:
        split_size_or_sections: an int, the size of each part but the last, which may be smaller;
            or a list of all sizes.
    Raises:
        ShapeError: sizes that do not add up to that of the axis, or a size that makes no parts.
    """
    axis = axis_of("split", tensor, dim)
    size, sizes = tensor.data.shape[axis], split_size_or_sections
    if isinstance(sizes, (list, tuple)):
        sizes = shape_of((sizes,))
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise ShapeError(f"split: sizes {sizes} must not be negative, and add up to {size}")
        return Split.apply(tensor, axis, sizes)
    each = operator.index(sizes)
    if each < 0 or (not each and size):
        raise ShapeError(f"split: a size of {each} makes no parts of an axis of size {size}")
    count = max(-(-size // each), 1) if each else 1
    return Split.apply(tensor, axis, (*[each] * (count - 1), size - each * (count - 1)))


@operation()
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """Return at most ``chunks`` views of parts of equal size, the last maybe smaller (torch.chunk).

    Raises:
        ShapeError: fewer than one chunk.
    """
    axis = axis_of("chunk", input, dim)
    if chunks < 1:
        raise ShapeError(f"chunk: expects at least 1 chunk, got {chunks}")
    size = input.data.shape[axis]
    if not size:
        return Split.apply(input, axis, (0,) * chunks)
    return split(input, -(-size // chunks), axis)


@operation()
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """Return views of parts along ``dim``, as a tuple (torch.tensor_split, np.array_split).

    Args:
        indices_or_sections: an int, how many parts, of which the first may be larger by one; or a
            list of the places to cut at, as in slices.
    """
    axis = axis_of("tensor_split", input, dim)
    size, places = input.data.shape[axis], indices_or_sections
    if isinstance(places, (Variable, np.ndarray)):
        places = values(places).tolist()
    if isinstance(places, (list, tuple)):
        cuts = [0, *[slice(cut).indices(size)[1] for cut in shape_of((places,))], size]
        pairs = [(start, max(start, end)) for start, end in itertools.pairwise(cuts)]
        if cuts == sorted(cuts):
            return Split.apply(input, axis, tuple([end - start for start, end in pairs]))
        return tuple([input[(slice(None),) * axis + (slice(*pair),)] for pair in pairs])
    count = operator.index(places)
    if count < 1:
        raise ShapeError(f"tensor_split: expects at least 1 section, got {count}")
    each, larger = divmod(size, count)
    return Split.apply(input, axis, (each + 1,) * larger + (each,) * (count - larger))


def _split_along(name: str, input: Any, places: Any, axis: int, least: int) -> Any:
    if input.data.ndim < least:
        raise ShapeError(f"{name}: expects at least {least} axes, got shape {input.data.shape}")
    size = input.data.shape[axis]
    if isinstance(places, (int, np.integer)) and (places < 1 or size % places):
        raise ShapeError(f"{name}: axis {axis} of size {size} has no {places} equal parts")
    return tensor_split(input, places, axis)


@operation(numpy=np.hsplit)
def hsplit(input: Any, indices_or_sections: Any) -> Any:
    """As ``tensor_split`` along the second axis (of a vector the only one), into equal parts."""
    return _split_along("hsplit", input, indices_or_sections, int(input.data.ndim > 1), 1)


@operation(numpy=np.vsplit)
def vsplit(input: Any, indices_or_sections: Any) -> Any:
    """As ``tensor_split`` along the first axis, into equal parts (torch.vsplit)."""
    return _split_along("vsplit", input, indices_or_sections, 0, 2)


@operation(numpy=np.dsplit)
def dsplit(input: Any, indices_or_sections: Any) -> Any:
    """As ``tensor_split`` along the third axis, into equal parts (torch.dsplit)."""
    return _split_along("dsplit", input, indices_or_sections, 2, 3)


@operation()
def unbind(input: Any, dim: int = 0) -> Any:
    """Return views of all parts along ``dim``, without that axis, as a tuple (torch.unbind)."""
    if not input.data.ndim:
        raise IndexError("unbind: a 0-d tensor has no axis to take apart")
    return Unbind.apply(input, *normalize_axes(dim, input.data.ndim))
