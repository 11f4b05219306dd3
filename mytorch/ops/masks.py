"""Operations that a boolean mask steers, and those that find where a tensor is not zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.common import check_broadcast
from mytorch.ops.gather import check_dtypes, filling
from mytorch.ops.index import Assign, Slice
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__: list[str] = []


def _masked(name: str, input: Any, mask: Any) -> tuple[Any, np.ndarray]:
    """Return the tensor and the mask, both in the shape that they broadcast to.

    Raises:
        TypeError: the mask is no tensor; DtypeError: it is not boolean; ShapeError: shapes.
    """
    if not isinstance(mask, (Variable, np.ndarray)):
        raise TypeError(f"{name}: mask must be a Tensor, got {type(mask).__name__}")
    array = mask.data if isinstance(mask, Variable) else mask
    if array.dtype != bool:
        raise DtypeError(
            f"{name}: mask must be boolean, not {array.dtype}; write mask.bool() or > 0"
        )
    check_broadcast(name, input.data.shape, array.shape)
    shape = np.broadcast_shapes(input.data.shape, array.shape)
    return input if input.data.shape == shape else input.expand(shape), np.broadcast_to(
        array, shape
    )


@operation(in_place=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """Return input with one value where the mask holds (torch.masked_fill).

    Args:
        mask: boolean, broadcast with input; value: a number or a 0-d Tensor, cast to input's dtype.
    Raises:
        DtypeError: a mask that is not boolean, or a number that the dtype does not have.
    """
    a, array = _masked("masked_fill", input, mask)
    return Assign.apply(a, filling("masked_fill", input, value), array)


@operation()
def masked_select(input: Any, mask: Any) -> Any:
    """Return the elements where the mask holds, as a vector (torch.masked_select)."""
    a, array = _masked("masked_select", input, mask)
    return Slice.apply(a, array).reshape(-1)


@operation(in_place=True)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """Return input with the elements of ``source``, in their order, where the mask holds (torch's).

    Raises:
        ShapeError: fewer elements in source than places; DtypeError: another dtype.
    """
    check_dtypes("masked_scatter", input, source)
    a, array = _masked("masked_scatter", input, mask)
    count = np.count_nonzero(array)
    if source.data.size < count:
        raise ShapeError(f"masked_scatter: {source.data.size} elements for {count} places")
    return Assign.apply(a, source.reshape(-1)[:count], array)


# -------------------------------------------------------------------------------------- not zero


@operation()
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Return the places of the elements that are not 0, (N, axes), int64 (torch.nonzero).

    Args:
        as_tuple: one vector for each axis instead, to index with; a 0-d tensor is a vector then.
    """
    if as_tuple:
        return tuple([input.new(each) for each in np.nonzero(np.atleast_1d(input.data))])
    return input.new(np.argwhere(input.data).astype(np.int64, copy=False))


@operation()
def argwhere(input: Any) -> Any:
    """Return the places of the elements that are not 0, (N, axes), int64 (torch.argwhere)."""
    return nonzero(input)
