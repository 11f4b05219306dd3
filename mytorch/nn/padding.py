"""Padding: elements added around signals, images and volumes (torch.nn.ZeroPad1d …).

``padding`` is an integer for all sides, or one for each: (left, right) of the last axis, of images
(left, right, top, bottom), of volumes (left, right, top, bottom, front, back). Negative ones take
elements away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import mytorch.nn.functional as F
from mytorch.errors import ShapeError
from mytorch.nn.module import Module
from mytorch.ops.windows import check_image
from mytorch.tensor import Tensor

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Padding = int | Sequence[int]


class _Pad(Module):
    """``nn.functional.pad`` in one mode, of the last ``_axes`` axes."""

    _axes: int
    _mode: str
    value: float | None = None

    def __init__(self, padding: Padding):
        super().__init__()
        number = 2 * self._axes
        given = tuple(padding) if isinstance(padding, Sequence) else (padding,) * number
        if not all(isinstance(each, (int, np.integer)) for each in given):
            name = type(self).__name__
            raise TypeError(f"{name}: padding is an integer or {number} of them, not {padding!r}")
        if len(given) != number:
            name = type(self).__name__
            raise ShapeError(f"{name}: padding={padding} has {len(given)} numbers, needs {number}")
        self.padding = given

    def forward(self, x: Tensor) -> Tensor:
        """Return x with elements added."""
        return F.pad(x, self.padding, self._mode, self.value)

    def extra_repr(self) -> str:
        """Return how many elements are added."""
        return f"{self.padding}"


class ConstantPad1d(_Pad):
    """Add elements of one ``value`` at the ends of the last axis."""

    _axes, _mode = 1, "constant"

    def __init__(self, padding: Padding, value: float):
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return how many elements are added, and their value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad2d(ConstantPad1d):
    """Add elements of one ``value`` around the last two axes."""

    _axes = 2


class ConstantPad3d(ConstantPad1d):
    """Add elements of one ``value`` around the last three axes."""

    _axes = 3


class ZeroPad1d(_Pad):
    """Add zeros at the ends of the last axis."""

    _axes, _mode, value = 1, "constant", 0.0


class ZeroPad2d(_Pad):
    """Add zeros around the last two axes."""

    _axes, _mode, value = 2, "constant", 0.0


class ZeroPad3d(_Pad):
    """Add zeros around the last three axes."""

    _axes, _mode, value = 3, "constant", 0.0


class ReflectionPad1d(_Pad):
    """Add to signals what is inside, mirrored at the first and last element: 3 2 [1 2 3] 2 1."""

    _axes, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Add to images what is inside, mirrored at their edges; see ``ReflectionPad1d``."""

    _axes, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Add to volumes what is inside, mirrored at their faces; see ``ReflectionPad1d``."""

    _axes, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Add to signals the first and the last element again: 1 1 [1 2 3] 3 3."""

    _axes, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Add to images their edges again; see ``ReplicationPad1d``."""

    _axes, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Add to volumes their faces again; see ``ReplicationPad1d``."""

    _axes, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Add to signals what the other end has: 2 3 [1 2 3] 1 2."""

    _axes, _mode = 1, "circular"

    def forward(self, x: Tensor) -> Tensor:
        """Return x with elements added."""
        check_image(type(self).__name__, x, self._axes)  # torch's error here is another
        return super().forward(x)


class CircularPad2d(CircularPad1d):
    """Add to images what the opposite sides have; see ``CircularPad1d``."""

    _axes = 2


class CircularPad3d(CircularPad1d):
    """Add to volumes what the opposite sides have; see ``CircularPad1d``."""

    _axes = 3
