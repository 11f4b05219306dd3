"""How a tensor prints: as torch's do, with four decimals and what differs from the default."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.dtypes import get_default_dtype

__all__ = ["represent"]


def represent(tensor: Any) -> str:
    """Return ``tensor([…])``, the dtype where it is no default, and the place in the graph."""
    array = tensor.data
    notes = []
    if array.dtype not in (get_default_dtype(), np.dtype(np.int64), np.dtype(bool)):
        notes.append(f"dtype={array.dtype}")
    if array.size == 0 and array.ndim > 1:
        notes.insert(0, f"size={array.shape}")
    if tensor.grad_fn is not None:
        notes.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    return f"tensor({', '.join([_elements(array), *notes])})"


def _elements(array: np.ndarray) -> str:
    if array.size == 0:
        return "[]"
    finite = array[np.isfinite(array)]
    whole = array.dtype.kind in "fc" and bool(np.all(finite == np.round(finite)))
    return np.array2string(
        array,
        separator=", ",
        prefix="tensor(",
        precision=4,
        threshold=1000,
        floatmode="maxprec" if whole else "fixed",  # 1. and not 1.0000 where all are whole
    )
