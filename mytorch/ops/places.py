"""Operations on the parts of a tensor that an index names: ``index_*``, ``take``, ``put``, …

The index is one vector of places along an axis, or, for ``index_put``, what stands in x[…].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import normalize_axes
from mytorch.ops.gather import check_dtypes, filling, places_of
from mytorch.ops.index import Accumulate, Assign, Slice
from mytorch.ops.indices import Index, check_places, parse
from mytorch.ops.registry import operation
from mytorch.ops.shape import axis_of
from mytorch.variable import Variable

__all__: list[str] = []

Places = tuple[Any, Any, int]


def _vector(name: str, input: Any, dim: int, index: Any, lowest: int = 0) -> Places:
    """Return the tensor (a 0-d one as a vector), the index of it in full, and the axis."""
    places = places_of(name, index)
    if places.ndim > 1:
        raise IndexError(f"{name}: index must be a vector, got shape {places.shape}")
    a = input if input.data.ndim else input.reshape(1)
    (axis,) = normalize_axes(dim, a.data.ndim)
    size = a.data.shape[axis]
    check_places(places, axis, size, lowest and -size)
    return a, (slice(None),) * axis + (places.reshape(-1),), axis


def _source(name: str, a: Any, where: Any, axis: int, source: Any) -> Any:
    """Return ``source`` where it has the shape of the named part, else raise ShapeError."""
    check_dtypes(name, a, source)
    shape = (*a.data.shape[:axis], where[axis].size, *a.data.shape[axis + 1 :])
    if source.data.ndim == 0 and shape == (1,):
        return source.reshape(1)
    if source.data.shape != shape:
        raise ShapeError(
            f"{name}: source must have the shape {shape} of the part that index names, got "
            f"{source.data.shape}"
        )
    return source


@operation()
def index_select(input: Any, dim: int, index: Any) -> Any:
    """Return the parts of input at the places ``index`` along ``dim`` (torch.index_select).

    Raises:
        BoundsError: a place outside the axis, or a negative one; IndexError: index is no vector;
        DtypeError: index holds no integers.
    """
    a, where, _ = _vector("index_select", input, dim, index)
    result = Slice.apply(a, where)
    return result if input.data.ndim else result.reshape(())


@operation(in_place=True)
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """Return input with alpha * source added at the places ``index`` along ``dim`` (torch's).

    Math: y[index[j]] += alpha * source[j] for dim 0; duplicates add up; dL/dsource = alpha times
        dL/dy[index].
    Raises:
        as ``index_select``; ShapeError: a source of another shape than that part.
    """
    a, where, axis = _vector("index_add", input, dim, index)
    part = _source("index_add", a, where, axis, source)
    if alpha != 1:
        part = (part * alpha).astype(a.data.dtype)
    return Accumulate.apply(a, part, where).reshape(input.data.shape)


@operation(in_place=True)
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """Return input with ``source`` at the places ``index`` along ``dim`` (torch.index_copy).

    Raises:
        as ``index_add``.
    """
    a, where, axis = _vector("index_copy", input, dim, index)
    part = _source("index_copy", a, where, axis, source)
    return Assign.apply(a, part, where).reshape(input.data.shape)


@operation(in_place=True)
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """Return input with one value at the places ``index`` along ``dim`` (torch.index_fill).

    Args:
        index: may count back from the end; value: a number or a 0-d Tensor, which is cast.
    """
    a, where, axis = _vector("index_fill", input, dim, index, lowest=-1)
    places = np.unique(where[axis] % max(a.data.shape[axis], 1))  # each gets the value once
    filled = Assign.apply(a, filling("index_fill", a, value), (*where[:axis], places))
    return filled.reshape(input.data.shape)


@operation(in_place=True)
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Return input with x[indices] = values, or += with ``accumulate`` (torch.index_put).

    Args:
        indices: a tuple of integer tensors or masks; values: a Tensor that broadcasts.
        accumulate: add up, also where indices name a place twice.
    """
    if not isinstance(indices, (tuple, list)) or not all(
        isinstance(each, (Variable, np.ndarray)) for each in indices
    ):
        raise TypeError("index_put: indices must be a tuple of Tensors, as in (rows, columns)")
    check_dtypes("index_put", input, values)
    index = parse(tuple(indices), input.data.shape)
    if not accumulate:
        return Assign.apply(input, values, index)
    part = input.detach()[index]
    try:
        added = values.expand(part.data.shape)
    except ShapeError:
        raise ShapeError(
            f"index_put: values of shape {values.data.shape} do not fit into {part.data.shape}"
        ) from None
    return Accumulate.apply(input, added, index)


# ------------------------------------------------------------------------- of the flattened tensor


@operation()
def take(input: Any, index: Any) -> Any:
    """Return the elements at the places ``index`` of the flattened tensor (torch.take)."""
    return Slice.apply(input.reshape(-1), Index(None, (places_of("take", index).copy(),)))


@operation(in_place=True)
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """Return input with ``source`` written, or added, at places of the flattened input (torch.put).

    Raises:
        IndexError: not one element of source for each place.
    """
    check_dtypes("put", input, source)
    places, size = places_of("put", index).flatten(), input.data.size
    if places.size != source.data.size:
        raise IndexError(f"put: {places.size} places for {source.data.size} elements of source")
    check_places(places, 0, size, -size)
    flat, part, where = input.reshape(-1), source.reshape(-1), Index(None, (places,))
    result = (Accumulate if accumulate else Assign).apply(flat, part, where)
    return result.reshape(input.data.shape)


# ----------------------------------------------------------------------- a part of it overwritten


def _overwritten(name: str, input: Any, src: Any, index: Any) -> Any:
    shape = input.detach()[index].data.shape
    if src.data.shape != shape:
        raise ShapeError(f"{name}: src has shape {src.data.shape}, the part to overwrite {shape}")
    return Assign.apply(input, src, index)


@operation()
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """Return input with ``src`` at one place of the axis ``dim`` (torch.select_scatter)."""
    axis = axis_of("select_scatter", input, dim)
    return _overwritten("select_scatter", input, src, (slice(None),) * axis + (int(index),))


@operation()
def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Any:
    """Return input with ``src`` at the slice start:end:step of ``dim`` (torch.slice_scatter)."""
    axis = axis_of("slice_scatter", input, dim)
    index = (slice(None),) * axis + (slice(start, end, step),)
    return _overwritten("slice_scatter", input, src, index)


# --------------------------------------------------------------------------------------- searching
