"""Copying a ``state_dict`` into the tensors of a model, all of it or nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.nn.parameter import Uninitialized
from mytorch.tensor import Tensor

__all__ = ["IncompatibleKeys", "find_faults", "load_into"]


class IncompatibleKeys(NamedTuple):
    """The paths that only one of the two had."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def find_faults(
    own: dict[str, Tensor],
    state_dict: dict[str, Any],
    strict: bool,
    assign: bool,
    keys: IncompatibleKeys,
    faults: list[str],
) -> None:
    """Add to ``keys`` and ``faults`` why ``state_dict`` does not fit the tensors ``own``."""
    keys.missing_keys.extend(path for path in own if path not in state_dict)
    keys.unexpected_keys.extend(path for path in state_dict if path not in own)
    if strict:
        faults += [f"missing: {path}" for path in keys.missing_keys]
        faults += [f"unexpected: {path}" for path in keys.unexpected_keys]
    for path, tensor in own.items():
        fault = _fault(tensor, _value(state_dict[path]), assign) if path in state_dict else ""
        faults += [f"{path}: {fault}"] if fault else []


def load_into(own: dict[str, Tensor], state_dict: dict[str, Any], assign: bool) -> None:
    """Give the tensors ``own`` the values of ``state_dict``, which fit."""
    for path, tensor in own.items():
        value = _value(state_dict[path]) if path in state_dict else None
        if isinstance(value, np.ndarray):
            _copy(tensor, value, assign)


def _value(value: Any) -> Any:
    """Return an array, or what has no values yet."""
    if isinstance(value, Uninitialized):
        return value
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
