"""A line search that ends where the strong Wolfe conditions hold.

At t along a direction of descent, with loss f and slope f' (both along the direction)::

    f(t) <= f(0) + c1 t f'(0)      the loss has fallen enough
    |f'(t)| <= c2 |f'(0)|          and is nearly flat

Source: Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6, formula 3.59.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import NamedTuple

import numpy as np

__all__ = ["Point", "strong_wolfe"]

C1, C2 = 1e-4, 0.9
MOST = 25  # evaluations of one search


class Point(NamedTuple):
    """What is known at ``t``: loss, gradient, and slope along the direction."""

    t: float
    loss: float
    gradient: np.ndarray
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, scale: float, tolerance: float
) -> tuple[Point, int]:
    """Return the point that was found, and how many evaluations that took.

    Args:
        at: evaluates the loss; start: the point at 0; t: the first to try.
        scale: the largest element of the direction; tolerance: the smallest change of an element
            that is still of interest.
    """

    def has_fallen(point: Point) -> bool:
        return point.loss <= start.loss + C1 * point.t * start.slope

    def is_flat(point: Point) -> bool:
        return abs(point.slope) <= -C2 * start.slope

    before, point, used = start, at(t), 1
    while used <= MOST:  # go out until a minimum lies between two points
        if not has_fallen(point) or (used > 2 and point.loss >= before.loss):
            break
        if is_flat(point):
            return point, used
        if point.slope >= 0:
            break
        least, most = point.t + 0.01 * (point.t - before.t), 10 * point.t
        before, point = point, at(_minimum(before, point, least, most))
        used += 1
    else:
        before = start
    low, high = (before, point) if before.loss <= point.loss else (point, before)
    stalled = False
    while used <= MOST and abs(high.t - low.t) * scale >= tolerance:  # and close in on it
        left, right = sorted((low.t, high.t))
        t = _minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        is_near = min(right - t, t - left) < margin
        if is_near and (stalled or not left < t < right):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            is_near = False
        stalled = is_near
        point = at(t)
        used += 1
        if not has_fallen(point) or point.loss >= low.loss:
            low, high = (low, point) if low.loss <= point.loss else (point, low)
            continue
        if is_flat(point):
            return point, used
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low, used


def _minimum(a: Point, b: Point, least: float, most: float) -> float:
    """Return where the cubic through both points is smallest, within [least, most]."""
    left, right = (a, b) if a.t <= b.t else (b, a)
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = mean * mean - a.slope * b.slope
    if square < 0:
        return (least + most) / 2
    root = sqrt(square)
    share = (right.slope + root - mean) / (right.slope - left.slope + 2 * root)
    return min(max(right.t - (right.t - left.t) * share, least), most)
