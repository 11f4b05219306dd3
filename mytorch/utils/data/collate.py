"""Making a batch of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.tensor import Tensor

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Return a batch of the structure of its rows, a first axis added to each part.

    Tensors and arrays are stacked, numbers become a Tensor, strings and bytes a list; tuples, lists
    and dicts are gone into.

    Raises:
        ShapeError: parts of different shapes; ValueError: rows of different structure;
        TypeError: something else: give the loader a ``collate_fn``.
    Source: torch.utils.data.default_collate.
    """
    first = batch[0]
    if isinstance(first, (Tensor, np.ndarray)):
        arrays = [each.data if isinstance(each, Tensor) else each for each in batch]
        shapes = list(dict.fromkeys(array.shape for array in arrays))
        if len(shapes) > 1:
            raise ShapeError(
                f"default_collate: rows of shapes {shapes[0]} and {shapes[1]} do not stack; pad "
                "them in a collate_fn"
            )
        return _tensor(np.stack(arrays))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, (bool, int, float, np.generic)):
        return Tensor(np.array(batch) if isinstance(first, np.generic) else list(batch))
    if isinstance(first, Mapping):
        if any(each.keys() != first.keys() for each in batch):
            raise ValueError("default_collate: rows with different keys")
        return {key: default_collate([each[key] for each in batch]) for key in first}
    if isinstance(first, (tuple, list)):
        if any(len(each) != len(first) for each in batch):
            raise ValueError("default_collate: rows of different lengths; give a collate_fn")
        parts = [default_collate(part) for part in zip(*batch, strict=True)]
        if hasattr(first, "_fields"):  # a named tuple
            return type(first)(*parts)
        return type(first)(parts)
    raise TypeError(
        f"default_collate: rows may hold Tensors, arrays, numbers, strings, dicts and lists, got "
        f"{type(first).__name__}; give the loader a collate_fn"
    )


def default_convert(row: Any) -> Any:
    """Return a row with its arrays as Tensors: what a loader without batches yields."""
    if isinstance(row, (np.ndarray, np.generic)):
        return Tensor(row)
    if isinstance(row, Mapping):
        return {key: default_convert(each) for key, each in row.items()}
    if isinstance(row, (tuple, list)):
        parts = [default_convert(each) for each in row]
        return type(row)(*parts) if hasattr(row, "_fields") else type(row)(parts)
    return row


def _tensor(array: np.ndarray) -> Tensor:
    return Tensor.zeros(0).new(array)
