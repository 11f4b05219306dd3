"""``Size``: the shape of a tensor, a tuple that knows how many elements that makes."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

__all__ = ["Size"]


class Size(tuple[int, ...]):
    """The size along each axis; slices and sums of it are Sizes too (torch.Size).

    ``str`` and messages show the plain tuple, ``repr`` says what it is.

    >>> Size([2, 3])
    mytorch.Size([2, 3])
    >>> Size([2, 3])[1:].numel(), str(Size([2, 3]))
    (3, '(2, 3)')
    """

    __slots__ = ()

    def __new__(cls, sizes: Iterable[Any] = ()) -> Size:
        return tuple.__new__(cls, map(operator.index, sizes))

    def numel(self) -> int:
        """Return the number of elements of a tensor of this shape."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        found = tuple.__getitem__(self, index)
        return found if type(found) is int else tuple.__new__(Size, found)

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return Size((*other, *self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __str__(self) -> str:
        return tuple.__repr__(self)

    def __repr__(self) -> str:
        return f"mytorch.Size({list(self)})"
