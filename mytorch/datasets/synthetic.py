"""Small data sets made on the spot, to see what a model can and cannot do within a second.

Each function draws from a generator of its own, which starts from ``seed``: equal arguments give
equal arrays, and NumPy's global generator is not touched. ``seed`` may be a ``np.random.Generator``
too, which then goes on. Points are float64 (N, D) in random order, noise is added to each
coordinate; labels are int64 (N,), and every class has as many points as the others, or one more.
The shapes are those of scikit-learn's functions of these names, unless a docstring says more.
"""

from __future__ import annotations

import math
import operator
from typing import Any, TypeAlias

import numpy as np

Seed: TypeAlias = "int | np.random.Generator"


def make_moons(
    count: int = 200, noise: float = 0.1, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return two half circles that reach into each other: no straight line parts them.

    Class 0 is (cos t, sin t), class 1 is (1 - cos t, 1/2 - sin t), for t evenly from 0 to pi. The
    curves are 1/2 apart where they are nearest.

    Args:
        count: points in all, at least 2.
        noise: standard deviation of what is added to each coordinate.
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, 2) and labels.
    Raises:
        ValueError: a count that is too small, or a negative noise.
    Source: sklearn.datasets.make_moons.

    >>> x, y = make_moons(4, noise=0)
    >>> x[y == 0].round().tolist()
    [[1.0, 0.0], [-1.0, 0.0]]
    """
    rng = _checked("make_moons", count, 2, noise, seed)
    arcs = []
    for size in _sizes(count, 2):
        t = np.linspace(0, math.pi, size)
        arcs.append(np.stack([np.cos(t), np.sin(t)], axis=1))
    return _mixed([arcs[0], [1.0, 0.5] - arcs[1]], noise, rng)


def make_circles(
    count: int = 200, noise: float = 0.05, factor: float = 0.5, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return two circles around the origin: class 0 of radius 1, class 1 of radius ``factor``.

    The classes have the same mean, so nothing linear tells them apart, but |x|^2 does. Points are
    evenly spaced on each circle.

    Args:
        count: points in all, at least 2.
        noise: standard deviation of what is added to each coordinate.
        factor: the smaller radius, in [0, 1).
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, 2) and labels.
    Raises:
        ValueError: a count that is too small, a negative noise, a factor outside [0, 1).
    Source: sklearn.datasets.make_circles.
    """
    rng = _checked("make_circles", count, 2, noise, seed)
    if not 0 <= factor < 1:
        raise ValueError(f"make_circles: factor must be in [0, 1), got {factor}")
    circles = []
    for size, radius in zip(_sizes(count, 2), (1, factor), strict=True):
        t = np.linspace(0, 2 * math.pi, size, endpoint=False)
        circles.append(radius * np.stack([np.cos(t), np.sin(t)], axis=1))
    return _mixed(circles, noise, rng)


def make_spirals(
    count: int = 200, noise: float = 0.02, classes: int = 2, turns: float = 1.0, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return spirals that are wound into each other: a classic that asks for hidden layers.

    Class k is the spiral of Archimedes r (cos a, sin a) with a = 2 pi (turns r + k / classes), for
    r evenly from 1/13 to 1. On each ray from the origin, neighbours are 1 / (turns classes) apart.

    Args:
        count: points in all, at least one a class.
        noise: standard deviation of what is added to each coordinate.
        classes: the number of spirals.
        turns: how often each goes around from the origin to radius 1.
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, 2) and labels.
    Raises:
        ValueError: a count that is too small, a negative noise, no class, turns that are not
            finite.
    Source: Lang and Witbrock, "Learning to Tell Two Spirals Apart" (1988): two classes, about
        three turns, radii from 0.5 to 6.5.
    """
    classes = _at_least("make_spirals", "classes", classes, 1)
    rng = _checked("make_spirals", count, classes, noise, seed)
    if not math.isfinite(turns):
        raise ValueError(f"make_spirals: turns must be finite, got {turns}")
    arms = []
    for label, size in enumerate(_sizes(count, classes)):
        r = np.linspace(1 / 13, 1, size)
        angle = 2 * math.pi * (turns * r + label / classes)
        arms.append(np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1))
    return _mixed(arms, noise, rng)


def make_blobs(
    count: int = 200, centers: Any = 3, features: int = 2, noise: float = 1.0, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return clouds around centres: class k is normal around ``centers[k]``.

    Args:
        count: points in all, at least one a class.
        centers: the centres (K, D); or their number, and then each coordinate is drawn uniformly
            from [-10, 10), and clouds may overlap.
        features: D, the number of coordinates, where ``centers`` is a number.
        noise: standard deviation of each coordinate.
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, D) and labels.
    Raises:
        ValueError: a count that is too small, a negative noise, centers that are no matrix.
    Source: sklearn.datasets.make_blobs.
    """
    given = np.asarray(centers)
    if given.ndim == 0:
        number = _at_least("make_blobs", "centers", centers, 1)
        features = _at_least("make_blobs", "features", features, 1)
    elif given.ndim == 2 and len(given):
        number = len(given)
    else:
        raise ValueError(f"make_blobs: centers must be a number or (K, D), got {given.shape}")
    rng = _checked("make_blobs", count, number, noise, seed)
    if given.ndim == 0:
        given = rng.uniform(-10, 10, (number, features))
    sizes = _sizes(count, number)
    clouds = [np.tile(center, (size, 1)) for center, size in zip(given, sizes, strict=True)]
    return _mixed(clouds, noise, rng)


def make_xor(count: int = 200, noise: float = 0.0, seed: Seed = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a square of which class 1 is the quarters where exactly one coordinate is positive.

    Points are uniform on [-1, 1]^2. The best straight line gets two thirds of them right: it is
    what a perceptron cannot learn, and a hidden layer can.

    Args:
        count: points in all, at least 4.
        noise: standard deviation of what is added to each coordinate, after the class is given.
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, 2) and labels.
    Raises:
        ValueError: a count that is too small, or a negative noise.
    Source: Minsky and Papert, "Perceptrons" (1969).
    """
    rng = _checked("make_xor", count, 4, noise, seed)
    corners = ([1, 1], [-1, -1]), ([1, -1], [-1, 1])  # of class 0, of class 1
    squares = []
    for size, pair in zip(_sizes(count, 2), corners, strict=True):
        signs = np.resize(pair, (size, 2))
        squares.append(signs * rng.uniform(0, 1, (size, 2)))
    return _mixed(squares, noise, rng)


def make_swiss_roll(
    count: int = 500, noise: float = 0.0, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return points of a rolled-up sheet in space, and how far along the sheet each one is.

    A point is (t cos t, 21 v, t sin t) with t uniform on [1.5 pi, 4.5 pi) and v on [0, 1): points
    that are near in space can be far apart on the sheet.

    Args:
        count: points in all, at least 1.
        noise: standard deviation of what is added to each coordinate.
        seed: a seed, or a generator to draw from.
    Returns:
        points (count, 3), and t, float64 (count,).
    Raises:
        ValueError: a count that is too small, or a negative noise.
    Source: Tenenbaum, de Silva and Langford, "A Global Geometric Framework for Nonlinear
        Dimensionality Reduction" (Science, 2000); sklearn.datasets.make_swiss_roll.
    """
    rng = _checked("make_swiss_roll", count, 1, noise, seed)
    t = 1.5 * math.pi * (1 + 2 * rng.uniform(size=count))
    points = np.stack([t * np.cos(t), 21 * rng.uniform(size=count), t * np.sin(t)], axis=1)
    return points + noise * rng.standard_normal(points.shape), t


def make_regression(
    count: int = 100, features: int = 10, noise: float = 0.1, bias: float = 0.0, seed: Seed = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a linear problem and its answer: y = x weight + bias + noise e.

    x, weight and e are standard normal. Least squares finds the weights up to errors of about
    noise / sqrt(count).

    Args:
        count: rows, at least 1.
        features: columns of x, at least 1.
        noise: standard deviation of what is added to each y.
        bias: what y is where x is 0.
        seed: a seed, or a generator to draw from.
    Returns:
        x (count, features), y (count,) and weight (features,), float64.
    Raises:
        ValueError: a count or features below 1, or a negative noise.
    Source: sklearn.datasets.make_regression, whose weights are uniform on [0, 100).
    """
    features = _at_least("make_regression", "features", features, 1)
    rng = _checked("make_regression", count, 1, noise, seed)
    weight = rng.standard_normal(features)
    x = rng.standard_normal((count, features))
    return x, x @ weight + bias + noise * rng.standard_normal(count), weight


# ------------------------------------------------------------------------------ what they share


def _at_least(function: str, name: str, value: Any, least: int) -> int:
    """Return an integer argument that must not be below ``least``."""
    number = operator.index(value)
    if number < least:
        raise ValueError(f"{function}: {name} must be at least {least}, got {number}")
    return number


def _checked(function: str, count: Any, least: int, noise: Any, seed: Any) -> np.random.Generator:
    """Return the generator to draw from, once the arguments are found to be right."""
    _at_least(function, "count", count, least)
    if not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"{function}: noise must be finite and not negative, got {noise}")
    return np.random.default_rng(seed)


def _sizes(count: int, classes: int) -> list[int]:
    """Return how many of ``count`` points each class gets: the first ones may get one more."""
    return [len(range(label, count, classes)) for label in range(classes)]


def _mixed(
    parts: list[np.ndarray], noise: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of all classes with noise, in random order, and their labels."""
    x = np.concatenate(parts)
    y = np.repeat(np.arange(len(parts), dtype=np.int64), [len(part) for part in parts])
    order = rng.permutation(len(y))
    x = x + noise * rng.standard_normal(x.shape)
    return x[order], y[order]
