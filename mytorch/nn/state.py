"""Copying a ``state_dict`` into the tensors of a model, all of it or nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import ShapeError
from mytorch.tensor import Tensor

__all__ = ["IncompatibleKeys", "load_into"]


class IncompatibleKeys(NamedTuple):
    """The paths that only one of the two had."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_into(
    name: str, own: dict[str, Tensor], state_dict: dict[str, Any], strict: bool
) -> IncompatibleKeys:
    """Copy ``state_dict`` into the tensors ``own``; see ``Module.load_state_dict``."""
    if not hasattr(state_dict, "items"):
        raise TypeError(f"load_state_dict({name}): expects a dict, got {type(state_dict).__name__}")
    given = {
        path: value.data if isinstance(value, Tensor) else np.asarray(value)
        for path, value in state_dict.items()
    }
    keys = IncompatibleKeys(
        [path for path in own if path not in given], [path for path in given if path not in own]
    )
    faults = []
    if strict:
        faults += [f"missing: {path}" for path in keys.missing_keys]
        faults += [f"unexpected: {path}" for path in keys.unexpected_keys]
    for path in [path for path in own if path in given]:
        mine, other = own[path].data, given[path]
        if mine.shape != other.shape:
            faults.append(f"{path}: expected {mine.shape}, got {other.shape}")
        elif not np.can_cast(other.dtype, mine.dtype, "same_kind"):
            faults.append(f"{path}: expected {mine.dtype}, got {other.dtype}")
    if faults:
        raise ShapeError(f"load_state_dict({name}): " + "; ".join(faults))
    for path in [path for path in own if path in given]:
        tensor = own[path]
        tensor.data = np.asarray(tensor.data)  # somebody may have assigned a NumPy scalar
        tensor.data[...] = given[path]
        tensor.mark_changed()
    return keys
