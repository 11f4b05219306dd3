"""The dtypes by torch's names, the default one, their limits, and torch's rules for mixed dtypes.

A dtype is NumPy's: ``mytorch.float32`` is ``np.dtype("float32")``; where a ``dtype=`` is asked for,
``np.float32``, ``"float32"`` and Python's ``float`` will do as well.
Source: torch.set_default_dtype, torch.result_type ("Type promotion" in torch's Tensor Attributes).
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "DTYPES",
    "as_dtype",
    "can_cast",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "promote_types",
    "result_type",
    "set_default_dtype",
]

#: the dtypes by the names that they have in the namespace
DTYPES = {
    "float64": np.dtype(np.float64), "double": np.dtype(np.float64),
    "float32": np.dtype(np.float32), "float": np.dtype(np.float32),
    "float16": np.dtype(np.float16), "half": np.dtype(np.float16),
    "int64": np.dtype(np.int64), "long": np.dtype(np.int64),
    "int32": np.dtype(np.int32), "int": np.dtype(np.int32),
    "int16": np.dtype(np.int16), "short": np.dtype(np.int16),
    "int8": np.dtype(np.int8),
    "uint8": np.dtype(np.uint8),
    "bool": np.dtype(np.bool_),
}  # fmt: skip

_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}  # dtype.kind -> bool < int < float < complex
_BOOL, _INT64 = np.dtype(np.bool_), np.dtype(np.int64)
_default = np.dtype(np.float64)


def set_default_dtype(dtype: Any) -> None:
    """Make ``dtype`` what layers, factories, Python floats and integer division yield.

    Args:
        dtype: a floating dtype, as ``mytorch.float32``; float64 at start, as in NumPy.
    Raises:
        TypeError: if ``dtype`` is not floating.
    """
    global _default
    wanted = as_dtype("set_default_dtype", dtype)
    if wanted.kind != "f":
        raise TypeError(f"the default dtype must be floating (np.float32 or so), not {wanted}")
    _default = wanted


def get_default_dtype() -> np.dtype:
    """Return the dtype that layers and factories use (see ``set_default_dtype``)."""
    return _default


def as_dtype(name: str, dtype: Any) -> np.dtype:
    """Return the argument ``dtype`` of the function ``name`` as one of NumPy's; None: the default.

    Raises:
        TypeError: it is no dtype, or one of something else than numbers.
    """
    if dtype is None:
        return _default
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = None
    if wanted is None or wanted.kind not in _CATEGORY:
        raise TypeError(
            f"{name}: dtype must be a dtype of numbers, as mytorch.float32 or mytorch.int64, "
            f"not {dtype!r}"
        )
    return wanted


# ----------------------------------------------------------------------------- mixed dtypes


def promote(first: np.dtype, second: np.dtype) -> np.dtype:
    """Return the common dtype of two arrays of the same standing.

    Across categories the higher one's dtype wins as it is (int64 with float32 is float32, where
    NumPy says float64); within a category NumPy's rule is torch's.
    """
    difference = _CATEGORY[first.kind] - _CATEGORY[second.kind]
    if difference:
        return first if difference > 0 else second
    return np.promote_types(first, second)


def promote_types(type1: Any, type2: Any) -> np.dtype:
    """Return the smallest dtype that keeps the kind of both (torch.promote_types)."""
    return promote(as_dtype("promote_types", type1), as_dtype("promote_types", type2))


def can_cast(from_: Any, to: Any) -> bool:
    """Whether an operation may store what is of dtype ``from_`` in ``to`` (torch.can_cast).

    So it may where ``to`` is of the same kind or a higher one: bool < integer < float.
    """
    source, target = as_dtype("can_cast", from_), as_dtype("can_cast", to)
    return _CATEGORY[source.kind] <= _CATEGORY[target.kind]


def result_type(x: np.ndarray, y: np.ndarray) -> np.dtype:
    """Return torch's result dtype of an operation on the arrays ``x`` and ``y``.

    A 0-d array promotes an array with dimensions only to another category: float32 (3,) with
    float64 () stays float32, int64 (3,) with float32 () becomes float32.
    """
    if (x.ndim == 0) != (y.ndim == 0):
        large, scalar = (x, y) if x.ndim else (y, x)
        if _CATEGORY[large.dtype.kind] >= _CATEGORY[scalar.dtype.kind]:
            return large.dtype
    return promote(x.dtype, y.dtype)


def own_dtype(value: Any) -> np.dtype:
    """Return the dtype of a Python number by itself: bool, int64 or the default float."""
    if isinstance(value, int):
        return _BOOL if isinstance(value, bool) else _INT64
    return _default if isinstance(value, float) else np.dtype((_default.type(0) + 0j).dtype)


def scalar_array(value: Any, partner: np.dtype) -> np.ndarray:
    """Return a Python number as a 0-d array, as it takes part beside a tensor of ``partner``.

    It has the partner's dtype, unless it is of a higher category. What is too large for the dtype
    wraps around or becomes infinite, silently, as in torch.
    """
    own = own_dtype(value)
    dtype = partner if _CATEGORY[partner.kind] >= _CATEGORY[own.kind] else own
    if dtype.kind == "f" and -65504 <= value <= 65504:  # fits all floats
        return np.array(value, dtype)
    array = np.asarray(value)
    if dtype.kind != "f":
        return array.astype(dtype)
    with np.errstate(over="ignore"):  # slow: only for what may overflow
        return array.astype(dtype)


# ----------------------------------------------------------------------------------- limits


class finfo:  # noqa: N801 - torch's name
    """The limits of a floating dtype, the default if none is given (torch.finfo).

    Attributes:
        bits, eps (the gap after 1), max, min (= -max), smallest_normal (also: tiny), resolution (of
        decimals), dtype (its name); all are Python's numbers.
    """

    def __init__(self, type: Any = None):
        dtype = as_dtype("finfo", type)
        if dtype.kind != "f":
            raise TypeError(f"finfo: type must be floating, not {dtype}; see mytorch.iinfo")
        limits = np.finfo(dtype)
        self.bits, self.dtype = limits.bits, dtype.name
        self.eps, self.resolution = float(limits.eps), float(str(limits.resolution))
        self.max, self.min = float(limits.max), float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        values = ", ".join(f"{name}={getattr(self, name):g}" for name in names)
        return f"finfo({values}, dtype={self.dtype})"


class iinfo:  # noqa: N801 - torch's name
    """The limits of an integer dtype: ``bits``, ``max``, ``min``, ``dtype`` (torch.iinfo)."""

    def __init__(self, type: Any):
        dtype = as_dtype("iinfo", type)
        if dtype.kind not in "iu":
            raise TypeError(f"iinfo: type must be an integer dtype, not {dtype}; see mytorch.finfo")
        limits = np.iinfo(dtype)
        self.bits, self.dtype = limits.bits, dtype.name
        self.max, self.min = int(limits.max), int(limits.min)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
