"""Memory that arrays have left is kept for the next ones, instead of being given back at once.

A step of training makes and drops the same large arrays as the one before. GNU's allocator gives
memory from 128 kB on back to the system, and the next array has to be handed new pages, zeroed one
by one: of a small convolutional network's step, a third of the time. But it learns: when a larger
block is freed, blocks up to that size (32 MB at most) are kept from then on, twice as much in all.
So one such block is taken and left, untouched, which costs some microseconds and no memory.
Other allocators do as they like. Source: mallopt(3), M_MMAP_THRESHOLD.
"""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]


def keep_freed_memory() -> None:
    """Let the allocator keep up to 64 MB that arrays have left; see the module."""
    np.empty(2**25 - 2**16, np.uint8)
