"""What an index means, on arrays: torch's rules, in two steps that NumPy does alike.

``parse`` reads what stands in ``x[...]``. The first step of the ``Index`` that it returns has ints,
slices and None, and gives a view; the second has integer arrays and masks, and gives a copy. In
NumPy an int beside an index array counts as one more index array, which decides where the axes of
the arrays go; in torch it takes its part first: ``x[0, :, [1, 2]]`` is ``x[0][:, [1, 2]]``.
"""

from __future__ import annotations

import functools
import math
import operator
import warnings
from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import BoundsError, ShapeError
from mytorch.variable import Variable

__all__ = ["Index", "add", "flat_places", "is_rising", "parse", "place", "put", "take"]

ALL = slice(None)
_PLAIN = (int, type(None))


class Index(NamedTuple):
    """An index in two steps, ``x[basic][arrays]``; either may be None.

    Attributes:
        basic: ints, slices, None, and an Ellipsis, so that even one element is a view.
        arrays: for each axis that is left ``slice(None)``, an integer array or a boolean mask
            (which stands for as many axes as it has).
    """

    basic: tuple[Any, ...] | None
    arrays: tuple[Any, ...] | None


# ------------------------------------------------------------------------------------- reading


def parse(index: Any, shape: tuple[int, ...]) -> Index:
    """Read the ``index`` of an array of ``shape``; arrays and Tensors in it are copied.

    Raises:
        IndexError: too many indices, an int or a mask that does not fit, or what is no index;
        ShapeError: a slice whose step is not positive, as in torch.
    """
    if type(index) is Index:
        return index
    if type(index) is int:
        check_int(index, 0, shape)
        return Index((index, ...), None)
    parts = list(map(_plain, index if isinstance(index, tuple) else (index,)))
    used = sum([_axes_of(part) for part in parts])
    if used > len(shape):
        count = f"{used} indices for {len(shape)} dimension(s)"
        raise IndexError(f"too many indices: {count}, of a tensor of shape {shape}")
    if sum([part is Ellipsis for part in parts]) > 1:
        raise IndexError("an index can have only one Ellipsis (...)")
    basic: list[Any] = []
    arrays: list[Any] = []  # one for each axis that ``basic`` leaves
    axis = 0
    for part in parts:
        kind = type(part)
        if kind is int:
            check_int(part, axis, shape)
            basic.append(part)
        elif part is Ellipsis:
            axis += len(shape) - used
            basic.extend([ALL] * (len(shape) - used))
            arrays.extend([ALL] * (len(shape) - used))
        elif kind is np.ndarray:
            if part.dtype == bool:
                _check_mask(part, axis, shape)
            basic.extend([ALL] * _axes_of(part))
            arrays.append(part)
        elif kind is bool:  # as in torch: a new axis, of which 0 or nothing is taken
            basic.append(None)
            arrays.append(np.zeros(int(part), np.intp))
        else:
            basic.append(part)
            arrays.append(ALL)
        axis += _axes_of(part)
    if all([part is ALL for part in arrays]):
        return Index((*basic, ...), None)
    if all([part is ALL for part in basic]):
        return Index(None, tuple(arrays))
    return Index((*basic, ...), tuple(arrays))


def _axes_of(part: Any) -> int:
    """Return how many axes a part of an index is about."""
    if part is None or part is Ellipsis or type(part) is bool:
        return 0
    return part.ndim if type(part) is np.ndarray and part.dtype == bool else 1


def _plain(part: Any) -> Any:
    """Return a part of an index as an int, bool, slice, None, Ellipsis or a fresh array."""
    kind = type(part)
    if kind is int or kind is bool or part is None or part is Ellipsis:
        return part
    if kind is slice:
        return _plain_slice(part)
    array = _array_of(part)
    if array.dtype == np.uint8:
        warnings.warn(
            "an index of dtype uint8 is taken as a mask, as in torch; write index.astype(bool), "
            "or index.long() for places",
            stacklevel=6,
        )
        array = array.astype(bool)
    if array.dtype.kind not in "biu":
        raise IndexError(f"an index is made of integers or booleans, not of {array.dtype}")
    if not array.ndim:
        return array.item()
    return array if array.dtype == bool else array.astype(np.intp, copy=False)


def _plain_slice(part: slice) -> slice:
    """Return a slice of ints and None, ALL where it says nothing; refuse to go backwards."""
    start, stop, step = part.start, part.stop, part.step
    if not (type(start) in _PLAIN and type(stop) in _PLAIN and step is None):
        start, stop, step = (None if x is None else operator.index(x) for x in (start, stop, step))
        if step is not None and step < 1:
            raise ShapeError(f"a slice needs a step greater than zero, got {step}; use flip(x, …)")
    return ALL if (start, stop, step) == (None, None, None) else slice(start, stop, step)


def _array_of(part: Any) -> np.ndarray:
    """Return a copy of the array, the Tensor or the sequence in an index."""
    if isinstance(part, Variable):
        return part.data.copy()
    if isinstance(part, (np.ndarray, np.generic)):
        return np.array(part)
    if isinstance(part, (list, tuple, range)):
        try:
            array = np.array(_plain_values(part))
        except ValueError:
            raise IndexError("the rows of a list used as an index differ in length") from None
        if array.dtype.kind in "biuf":
            return array if array.size else array.astype(np.intp)
        raise IndexError("a list used as an index holds places; for several axes write x[a, b]")
    if hasattr(part, "__index__"):
        return np.array(operator.index(part))
    raise IndexError(
        "only ints, slices, None, Ellipsis, and integer or boolean tensors, arrays and lists are "
        f"indices; got {type(part).__name__}"
    )


_inside = "a, b] instead of x[[a, b]"  # in the message above


def _plain_values(part: Any) -> Any:
    """Return a nested sequence with its Tensors replaced by their arrays."""
    if isinstance(part, (list, tuple)):
        return [_plain_values(each) for each in part]
    return part.data if isinstance(part, Variable) else part


# -------------------------------------------------------------------------------------- errors


def check_int(position: int, axis: int, shape: tuple[int, ...]) -> None:
    """Raise BoundsError unless ``position`` is on the axis, or counts back from its end."""
    if not shape:
        raise IndexError("a 0-d tensor has no axis to index; use tensor.item() for its value")
    if not -shape[axis] <= position < shape[axis]:
        raise _out_of_bounds(position, axis, shape[axis])


def _out_of_bounds(position: Any, axis: int, size: int) -> BoundsError:
    return BoundsError(f"index {position} is out of bounds for dimension {axis} with size {size}")


def _check_mask(mask: np.ndarray, axis: int, shape: tuple[int, ...]) -> None:
    part = shape[axis : axis + mask.ndim]
    if mask.shape != part:
        where = f"dimension {axis} on" if axis else "its front"
        raise IndexError(
            f"a mask of shape {mask.shape} does not fit a tensor of shape {shape}, which has "
            f"{part} from {where}"
        )


def check_places(places: np.ndarray, axis: int, size: int, lowest: int = 0) -> None:
    """Raise BoundsError where an integer array has a place outside [lowest, size)."""
    if not places.size or (lowest == 0 and places.view(np.uintp).max() < size):
        return  # as unsigned numbers the negative ones are huge: one pass finds both
    if places.min() < lowest or places.max() >= size:
        wrong = places[(places < lowest) | (places >= size)]
        raise _out_of_bounds(wrong[0], axis, size)


def _explained(error: IndexError, index: Index, shape: tuple[int, ...]) -> IndexError:
    """Return torch's error for what NumPy could not index."""
    arrays, axis = index.arrays or (), 0
    for part in arrays:
        if type(part) is np.ndarray and part.dtype != bool:
            try:
                check_places(part, axis, shape[axis], -shape[axis])
            except BoundsError as found:
                return found
        axis += _axes_of(part)
    shapes = [part.shape for part in arrays if type(part) is np.ndarray]
    return IndexError(
        f"index arrays are broadcast together, but their shapes do not fit: "
        f"{' and '.join(map(str, shapes))}"
        if len(shapes) > 1
        else str(error)
    )


# -------------------------------------------------------------------------- reading and writing


def take(x: np.ndarray, index: Index) -> np.ndarray:
    """Return ``x[index]``, a view where there are no arrays in it."""
    if index.basic is not None:
        x = x[index.basic]
    if index.arrays is None:
        return x
    mask = index.arrays[0]
    if _covers(mask, x):
        return x.reshape(-1)[np.flatnonzero(mask)]  # 5 times as fast as x[mask]
    try:
        return x[index.arrays]
    except IndexError as error:
        raise _explained(error, index, x.shape) from None


def _covers(mask: Any, x: np.ndarray) -> bool:
    """Return whether the first part of an index is a mask for each element."""
    return type(mask) is np.ndarray and mask.dtype == bool and mask.shape == x.shape


def put(x: np.ndarray, index: Index, value: np.ndarray) -> None:
    """Write ``value``, broadcast and cast, to ``x[index]``.

    Raises:
        ShapeError: a value that does not fit.
    """
    target = x if index.basic is None else x[index.basic]
    places: Any = ... if index.arrays is None else index.arrays
    full = index.arrays is not None and _covers(index.arrays[0], target)
    if full and target.flags.c_contiguous and value.ndim < 2:  # a flat view: 3 times as fast
        target, places = target.reshape(-1), np.flatnonzero(places[0])
    try:
        with np.errstate(invalid="ignore"):  # a nan to an integer
            target[places] = value
    except ValueError:
        if not target.flags.writeable:
            raise
        raise ShapeError(
            f"t[index] = value: a value of shape {value.shape} does not fit into "
            f"{take(x, index).shape}"
        ) from None
    except IndexError as error:
        raise _explained(error, index, target.shape) from None


def place(value: np.ndarray, index: Index, shape: tuple[int, ...]) -> np.ndarray:
    """Return zeros of ``shape`` with ``value`` added at ``index``: duplicates add up."""
    result = np.zeros(shape, value.dtype)
    add(result, index, value, is_zero=True)
    return result


def add(x: np.ndarray, index: Index, value: np.ndarray, is_zero: bool = False) -> None:
    """Add ``value``, of the shape of ``x[index]``, to ``x`` at ``index``; duplicates add up.

    Args:
        is_zero: whether x is zero, so that what is there once can be written instead.
    """
    target = x if index.basic is None else x[index.basic]
    arrays = index.arrays
    rows, taken = (None, []) if _is_distinct(arrays) else _rows(arrays, target.shape)
    if rows is None or is_rising(rows):  # nothing is there twice
        if is_zero:
            put(target, Index(None, arrays), value)
        else:
            target[... if arrays is None else arrays] += value
    elif is_zero and taken == [0] and rows.size <= target.shape[0] <= target.size // 32:
        _add_rows(target, rows, value)
    elif target.flags.c_contiguous:
        add_flat(target, _spread_rows(rows, taken, target.shape), value)
    else:
        inner = np.zeros(target.shape, x.dtype)
        add_flat(inner, _spread_rows(rows, taken, target.shape), value)
        target += inner


def _is_distinct(arrays: tuple[Any, ...] | None) -> bool:
    """Return whether the index is a slice or one mask, which name no place twice."""
    parts = [part for part in arrays or () if part is not ALL]
    return not parts or (len(parts) == 1 and parts[0].dtype == bool)


def _add_rows(x: np.ndarray, starts: np.ndarray, value: np.ndarray) -> None:
    """Add long rows to a zero ``x``, of which few are there twice, as of an embedding.

    One of each is written, at the speed of a copy; only the others are added.
    """
    starts, value = starts.reshape(-1), value.reshape(-1, *x.shape[1:])
    rows, numbers = starts // math.prod(x.shape[1:]), np.arange(starts.size)
    last = np.empty(len(x), np.intp)
    last[rows] = numbers
    is_last = last[rows] == numbers
    x[rows[is_last]] = value[is_last]
    add_flat(x, _spread_rows(starts[~is_last], [0], x.shape), value[~is_last])


def add_flat(target: np.ndarray, places: np.ndarray, value: np.ndarray) -> None:
    """Add ``value`` to the contiguous ``target`` at ``places`` in it, counted without axes.

    In one dimension ``np.add.at`` is about 5 times as fast as with any other index.
    """
    np.add.at(target.reshape(-1), places.reshape(-1), value.reshape(-1))


def is_rising(places: np.ndarray) -> bool:
    """Return whether each place is greater than the one before, so that none is there twice."""
    flat = places.reshape(-1)
    few = flat[:16]  # most that are not rising show it at once
    return bool((few[1:] > few[:-1]).all() and (flat[1:] > flat[:-1]).all())


def _strides(shape: tuple[int, ...]) -> list[int]:
    """Return how many elements apart neighbours along each axis are, without gaps."""
    strides = [1]
    for size in reversed(shape[1:]):
        strides.append(strides[-1] * size)
    return strides[::-1][: len(shape)]


def _rows(arrays: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, list[int]]:
    """Return where the arrays point, as places in the flat array, and the axes they are about."""
    strides, axis = _strides(shape), 0
    rows: Any = 0
    taken: list[int] = []
    for part in arrays:
        if part is ALL:
            axis += 1
            continue
        for each in part.nonzero() if part.dtype == bool else (part,):
            if each.size and each.min() < 0:
                each = np.where(each < 0, each + shape[axis], each)
            rows = rows + each * strides[axis]
            taken.append(axis)
            axis += 1
    return rows, taken


def _spread_rows(rows: np.ndarray, taken: list[int], shape: tuple[int, ...]) -> np.ndarray:
    """Return the flat place of each element of x[arrays], in the shape of x[arrays]."""
    adjacent = taken[-1] - taken[0] + 1 == len(taken)  # else the arrays' axes go to the front
    before = range(taken[0] if adjacent else 0)
    after = [axis for axis in range(len(before), len(shape)) if axis not in taken]
    strides = _strides(shape)

    def grid(axes: Any) -> np.ndarray:
        steps = [np.arange(shape[axis]) * strides[axis] for axis in axes]
        return functools.reduce(np.add.outer, steps, np.zeros((), np.intp))

    if before:
        rows = np.add.outer(grid(before), rows)
    return np.add.outer(rows, grid(after)) if after else rows


def flat_places(indices: np.ndarray, dim: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return where ``np.take_along_axis(x, indices, dim)`` takes from the flat x of ``shape``."""
    strides = _strides(shape)
    places = indices * strides[dim] if strides[dim] != 1 or len(shape) == 1 else indices
    for axis, size in enumerate(indices.shape):
        if axis != dim:
            steps = np.arange(size) * strides[axis]
            places = places + steps.reshape((-1,) + (1,) * (len(shape) - axis - 1))
    return places
