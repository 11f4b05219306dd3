"""Large arrays whose memory is used again, for what an operation needs for a while.

The system maps the pages of a large array one by one as they are first touched, and takes them back
when the array is freed: at every step of a training that can cost as much as the computations on
it. So the memory of what ``borrow`` returns is kept when nobody has the array any more, and is
handed out again.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

__all__ = ["borrow"]

_SMALL = 1 << 16  # bytes: what is smaller, C's allocator keeps
_MOST = 1 << 28  # bytes that are kept for later, altogether

_unused: dict[int, list[memoryview]] = {}  # by size


def borrow(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of undefined contents, as ``np.empty``; there is nothing to give back."""
    dtype = np.dtype(dtype)
    wanted = math.prod(shape) * dtype.itemsize
    if not _SMALL <= wanted <= _MOST:
        return np.empty(shape, dtype)
    step = 1 << (wanted.bit_length() - 4)
    size = -(-wanted // step) * step  # in steps of an eighth: what is nearly as large fits as well
    try:
        memory = _unused[size].pop()
    except (KeyError, IndexError):
        memory = np.empty(size, np.uint8).data
    array = np.frombuffer(memory, np.uint8)  # all views of it keep it alive: NumPy sees to that
    weakref.finalize(array, _keep, memory).atexit = False
    return array[:wanted].view(dtype).reshape(shape)


def _keep(memory: memoryview) -> None:
    """Keep memory that nobody has any more, unless there is much already."""
    total = sum(size * len(memories) for size, memories in list(_unused.items()))
    if total + len(memory) <= _MOST:
        _unused.setdefault(len(memory), []).append(memory)
