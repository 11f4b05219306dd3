"""Copying a ``state_dict`` into the tensors of a model, all of it or nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import ShapeError
from mytorch.nn.parameter import Uninitialized
from mytorch.tensor import Tensor

__all__ = ["IncompatibleKeys", "load_into"]


class IncompatibleKeys(NamedTuple):
    """The paths that only one of the two had."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_into(
    name: str, own: dict[str, Tensor], state_dict: dict[str, Any], strict: bool, assign: bool
) -> IncompatibleKeys:
    """Copy ``state_dict`` into the tensors ``own``; see ``Module.load_state_dict``."""
    given: dict[str, Any] = {
        path: value if isinstance(value, Uninitialized) else _array(value)
        for path, value in state_dict.items()
    }
    keys = IncompatibleKeys(
        [path for path in own if path not in given], [path for path in given if path not in own]
    )
    faults = []
    if strict:
        faults += [f"missing: {path}" for path in keys.missing_keys]
        faults += [f"unexpected: {path}" for path in keys.unexpected_keys]
    common = [path for path in own if path in given]
    for path in common:
        fault = _fault(own[path], given[path], assign)
        faults += [f"{path}: {fault}"] if fault else []
    if faults:
        raise ShapeError(f"load_state_dict({name}): " + "; ".join(faults))
    for path in common:
        if not isinstance(given[path], Uninitialized):
            _copy(own[path], given[path], assign)
    return keys


def _array(value: Any) -> np.ndarray:
    return value.data if isinstance(value, Tensor) else np.asarray(value)


def _fault(mine: Tensor, other: Any, assign: bool) -> str:
    """Return why the tensor ``mine`` cannot have the values ``other``; "" if it can."""
    lazy = isinstance(mine, Uninitialized)
    if isinstance(other, Uninitialized):
        return "" if lazy else f"expected {tuple(mine.shape)}, got an {type(other).__name__}"
    if not lazy and mine.data.shape != other.shape:
        return f"expected {mine.data.shape}, got {other.shape}"
    fits = np.can_cast(other.dtype, mine.dtype, "same_kind")
    if not (other.dtype.kind == mine.dtype.kind if assign else fits):
        return f"expected {mine.dtype}, got {other.dtype}"
    return ""


def _copy(tensor: Tensor, values: np.ndarray, assign: bool) -> None:
    if isinstance(tensor, Uninitialized):
        tensor.materialize(values.shape)
    if assign:
        tensor.data = values
    else:
        tensor.data = np.asarray(tensor.data)  # somebody may have assigned a NumPy scalar
        tensor.data[...] = values
    tensor.mark_changed()
