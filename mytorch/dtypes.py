"""The default dtype and torch's rules for mixed dtypes.

Source: torch.set_default_dtype, torch.result_type ("Type promotion" in torch's Tensor Attributes).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["get_default_dtype", "result_type", "set_default_dtype"]

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # dtype.kind -> bool < int < float < complex
_default = np.dtype(np.float64)


def set_default_dtype(dtype: Any) -> None:
    """Make ``dtype`` what layers, factories, Python floats and integer division yield.

    Args:
        dtype: a floating NumPy dtype, as ``np.float32``; float64 at start, as in NumPy.
    Raises:
        TypeError: if ``dtype`` is not floating.
    """
    global _default
    wanted = np.dtype(dtype)
    if wanted.kind != "f":
        raise TypeError(f"the default dtype must be floating (np.float32 or so), not {wanted}")
    _default = wanted


def get_default_dtype() -> np.dtype:
    """Return the dtype that layers and factories use (see ``set_default_dtype``)."""
    return _default


def promote(first: np.dtype, second: np.dtype) -> np.dtype:
    """Return the common dtype of two arrays of the same standing.

    Across categories the higher one's dtype wins as it is (int64 with float32 is float32, where
    NumPy says float64); within a category NumPy's rule is torch's.
    """
    difference = _CATEGORY[first.kind] - _CATEGORY[second.kind]
    if difference:
        return first if difference > 0 else second
    return np.promote_types(first, second)


def result_type(x: np.ndarray, y: np.ndarray) -> np.dtype:
    """Return torch's result dtype of an operation on ``x`` and ``y``.

    A 0-d array promotes an array with dimensions only to another category: float32 (3,) with
    float64 () stays float32, int64 (3,) with float32 () becomes float32.
    """
    if (x.ndim == 0) != (y.ndim == 0):
        large, scalar = (x, y) if x.ndim else (y, x)
        if _CATEGORY[large.dtype.kind] >= _CATEGORY[scalar.dtype.kind]:
            return large.dtype
    return promote(x.dtype, y.dtype)


def scalar_dtype(value: bool | int | float | complex, partner: np.dtype) -> np.dtype:
    """Return the dtype that a Python number takes beside a tensor of dtype ``partner``."""
    own = np.dtype(type(value)) if not isinstance(value, float) else _default
    return partner if _CATEGORY[partner.kind] >= _CATEGORY[own.kind] else own
