"""Random numbers made from tensors or put into them; ``mytorch/random.py`` has the factories.

Every draw is one call of NumPy on the whole shape, in float64 or int64, and then converted. What is
drawn is a constant: the gradient for a tensor that a draw overwrites, or takes probabilities or
means from, is zero, as in torch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from mytorch.generator import source_of
from mytorch.ops.common import float_data, integer_argument, refuse_booleans
from mytorch.ops.index import Assign
from mytorch.ops.registry import operation
from mytorch.ops.shape import Expand
from mytorch.variable import Variable

__all__ = ["bernoulli", "multinomial", "poisson"]

Shape = tuple[int, ...]

# ---------------------------------------------------------------------- draws, as plain arrays


def draw_uniform(
    source: Any, shape: Shape, dtype: Any, low: float = 0.0, high: float = 1.0
) -> np.ndarray:
    """Return draws from [low, high): also in float32, where the largest would round to ``high``."""
    draws = np.asarray(source.random_sample(shape))
    if (low, high) != (0, 1):
        draws = draws * (high - low) + low
    draws = _cast(draws, dtype)
    if low < high:
        np.minimum(draws, np.nextafter(dtype.type(high), dtype.type(low)), out=draws)
    return draws


def _cast(draws: Any, dtype: np.dtype) -> np.ndarray:
    with np.errstate(over="ignore"):  # infinite, silently, where the dtype ends
        return np.asarray(draws).astype(dtype, copy=False)


def draw_normal(source: Any, shape: Shape, dtype: Any, mean: Any = 0.0, std: Any = 1.0) -> Any:
    """Return draws from N(mean, std**2)."""
    return _cast(source.normal(mean, std, shape), dtype)


def draw_integers(
    name: str, source: Any, shape: Shape, dtype: Any, low: int, high: int
) -> np.ndarray:
    """Return draws of the integers from ``low`` to ``high`` - 1, all equally likely.

    Raises:
        ArgumentError: there are none; DtypeError: ``dtype`` does not hold them all.
    """
    low, high = integer_argument(name, "low", low), integer_argument(name, "high", high)
    if low >= high:
        raise ArgumentError(f"{name}: low must be less than high, got low={low} and high={high}")
    smallest, largest = range_of(dtype, with_gaps=True)
    if not max(smallest, -(2**63)) <= low < high <= min(largest + 1, 2**63):
        raise DtypeError(f"{name}: integers from {low} to {high - 1} do not fit into {dtype}")
    return _cast(source.randint(low, high, shape, dtype=np.int64), dtype)


def range_of(dtype: np.dtype, with_gaps: bool = False) -> tuple[int, int]:
    """Return the smallest and the largest integer that ``dtype`` holds.

    Of a floating dtype: between which it holds all, or ``with_gaps`` those it rounds to others.
    """
    if dtype.kind == "b":
        return 0, 1
    if dtype.kind == "f":
        limits = np.finfo(dtype)
        largest = int(limits.max) if with_gaps else 2 ** (limits.nmant + 1)
        return -largest, largest
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def check_floating(name: str, dtype: np.dtype) -> np.dtype:
    """Return ``dtype``, or raise DtypeError if a continuous distribution does not fit into it."""
    if dtype.kind != "f":
        raise DtypeError(f"{name}: draws floats; dtype must be floating, not {dtype}")
    return dtype


def check_std(name: str, std: Any) -> None:
    """Raise ArgumentError where a standard deviation is negative or nan."""
    if not np.all(np.asarray(std) >= 0):
        raise ArgumentError(f"{name}: std must be at least 0, got {np.min(std)}")


def without_slope(drawn: Any, *sources: Any) -> Any:
    """Return what was drawn, in the graph of those of ``sources`` that require grad: with zeros."""
    for source in sources:
        if isinstance(source, Variable) and source.requires_grad:
            drawn = Assign.apply(Expand.apply(source, drawn.data.shape), drawn, ...)
    return drawn


# ------------------------------------------------------------------------ draws from a tensor


@operation()
def bernoulli(input: Any, p: float | None = None, *, generator: Any = None) -> Any:
    """Return 1 with the probability that each element of ``input`` is, else 0 (torch.bernoulli).

    Args:
        input (Tensor): probabilities, float; with ``p``, only the shape and dtype of the result.
        p: one probability for all.
    Raises:
        ArgumentError: a probability outside [0, 1]; DtypeError: integers for probabilities.
    """
    source = source_of("bernoulli", generator)
    chances = float_data("bernoulli", input) if p is None else p
    return without_slope(input.new(_trials("bernoulli", source, input.data, chances)), input)


def _trials(name: str, source: Any, like: np.ndarray, chances: Any) -> np.ndarray:
    """Return ones with the given probabilities, else zeros, in the shape and dtype of ``like``."""
    if not np.all((np.asarray(chances) >= 0) & (np.asarray(chances) <= 1)):
        raise ArgumentError(f"{name}: probabilities must be in [0, 1]")
    return (np.asarray(source.random_sample(like.shape)) < chances).astype(like.dtype)


@operation(method=False)
def poisson(input: Any, generator: Any = None) -> Any:
    """Return a draw from the Poisson distribution with each element as the mean (torch.poisson).

    Raises:
        ArgumentError: a mean that is negative, nan or too large; DtypeError: integers.
    """
    source, means = source_of("poisson", generator), float_data("poisson", input)
    if not np.all(means >= 0):
        raise ArgumentError("poisson: the means, in input, must be at least 0")
    try:
        draws = np.asarray(source.poisson(means, means.shape))
    except ValueError as error:
        raise ArgumentError(f"poisson: {error}") from None
    return without_slope(input.new(draws.astype(means.dtype)), input)


@operation()
def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Any:
    """Return indices drawn with probabilities in proportion to ``input`` (torch.multinomial).

    With replacement a draw is where a uniform number falls in the cumulated weights. Without, each
    weight w runs a race: its time is exponential with rate w, and the first to arrive are drawn,
    which is the same as to draw one after the other (Efraimidis and Spirakis 2006).

    Args:
        input (Tensor): weights, float, (n,) or (m, n); each row need not sum to 1.
        num_samples: how many of each row.
        replacement: whether an index may be drawn twice.
    Returns:
        Tensor: int64, (num_samples,) or (m, num_samples).
    Raises:
        ShapeError: input has no or more than two axes; ArgumentError: weights that are negative or
        not finite, or all 0; more draws than weights without replacement; DtypeError: integers.
    """
    source, weights = source_of("multinomial", generator), float_data("multinomial", input)
    if weights.ndim not in (1, 2):
        raise ShapeError(f"multinomial: input must be (n,) or (m, n), got {weights.shape}")
    rows = np.atleast_2d(weights).astype(np.float64)
    count = rows.shape[1]
    if num_samples < 1 or num_samples > count and not replacement:
        limit = "" if replacement else f" and at most {count}, as nothing is drawn twice"
        raise ArgumentError(f"multinomial: num_samples must be at least 1{limit}: {num_samples}")
    if not np.all(np.isfinite(rows) & (rows >= 0)):
        raise ArgumentError("multinomial: weights must be finite and at least 0")
    if not np.all((rows > 0).any(axis=1)):
        raise ArgumentError("multinomial: a row of weights needs one above 0")
    rows /= rows.max(axis=1, keepdims=True)  # so that no sum overflows
    if replacement:
        drawn = _where_they_fall(np.cumsum(rows, axis=1), source.random_sample, num_samples)
    else:
        times = np.maximum(source.standard_exponential(rows.shape), np.finfo(float).tiny)
        drawn = _largest(rows / times, num_samples)
    return input.new(np.ascontiguousarray(drawn if weights.ndim == 2 else drawn[0], np.int64))


def _largest(keys: np.ndarray, count: int) -> np.ndarray:
    """Return where the ``count`` largest of each row are, the largest first."""
    if count == 1:
        return keys.argmax(axis=1)[:, None]
    found = np.argpartition(-keys, count - 1, axis=1)[:, :count]  # these, in any order
    order = np.argsort(-np.take_along_axis(keys, found, 1), axis=1)
    return np.take_along_axis(found, order, 1)


def _where_they_fall(sums: np.ndarray, uniform: Any, count: int) -> np.ndarray:
    """Return for ``count`` uniform draws in each row the first place where the sum is above it."""
    ends = sums[:, -1:]
    marks = np.minimum(uniform((len(sums), count)) * ends, np.nextafter(ends, 0))
    low = np.zeros(marks.shape, np.int64)
    high = np.full(marks.shape, sums.shape[1] - 1)
    while (low < high).any():  # all halve their interval at once
        middle = (low + high) // 2
        above = np.take_along_axis(sums, middle, 1) > marks
        low, high = np.where(above, low, middle + 1), np.where(above, middle, high)
    return low


# ------------------------------------------------------------------------ draws into a tensor


def _into(input: Any, draws: Any) -> Any:
    """Return what overwrites ``input``: the draws in its dtype."""
    return without_slope(input.new(_cast(draws, input.data.dtype)), input)


@operation(space=(), in_place=True)
def uniform(input: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from [from, to), all equally likely (Tensor.uniform_).

    Raises:
        ArgumentError: from > to, or one is not finite in this dtype; DtypeError: not floating.
    """
    source, dtype = source_of("uniform_", generator), check_floating("uniform_", input.data.dtype)
    with np.errstate(all="ignore"):
        width = np.asarray(to).astype(dtype) - np.asarray(from_).astype(dtype)
    if not (width >= 0 and np.isfinite(width)):
        raise ArgumentError(
            f"uniform_: from must be at most to, both finite in {dtype}: got {from_} and {to}"
        )
    return _into(input, draw_uniform(source, input.data.shape, dtype, from_, to))


@operation(space=(), in_place=True)
def normal(input: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from the normal distribution N(mean, std**2) (Tensor.normal_).

    Raises:
        ArgumentError: std is negative; DtypeError: the tensor is not floating.
    """
    source, dtype = source_of("normal_", generator), check_floating("normal_", input.data.dtype)
    check_std("normal_", std)
    return _into(input, draw_normal(source, input.data.shape, dtype, mean, std))


@operation(space=(), in_place=True)
def log_normal(input: Any, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Any:
    """Fill with e**x for draws x from N(mean, std**2) (Tensor.log_normal_).

    Raises:
        ArgumentError: std is not positive; DtypeError: the tensor is not floating.
    """
    source = source_of("log_normal_", generator)
    check_floating("log_normal_", input.data.dtype)
    _check_positive("log_normal_", std=std)
    return _into(input, source.lognormal(mean, std, input.data.shape))


@operation(space=(), in_place=True)
def exponential(input: Any, lambd: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws of density lambd * e**(-lambd * x), x >= 0 (Tensor.exponential_).

    Raises:
        ArgumentError: lambd is not positive; DtypeError: the tensor is not floating.
    """
    source = source_of("exponential_", generator)
    check_floating("exponential_", input.data.dtype)
    _check_positive("exponential_", lambd=lambd)
    return _into(input, source.exponential(1 / lambd, input.data.shape))


@operation(space=(), in_place=True)
def cauchy(input: Any, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Any:
    """Fill with draws from the Cauchy distribution (Tensor.cauchy_).

    Its density is sigma / (pi * (sigma**2 + (x - median)**2)).

    Raises:
        ArgumentError: sigma is not positive; DtypeError: the tensor is not floating.
    """
    source = source_of("cauchy_", generator)
    check_floating("cauchy_", input.data.dtype)
    _check_positive("cauchy_", sigma=sigma)
    return _into(input, median + sigma * source.standard_cauchy(input.data.shape))


@operation(space=(), in_place=True)
def geometric(input: Any, p: float, *, generator: Any = None) -> Any:
    """Fill with counts of trials up to the first success, each with probability p: 1, 2, …

    Raises:
        ArgumentError: p is not in (0, 1); DtypeError: the tensor is boolean.
    Source: Tensor.geometric_.
    """
    source = source_of("geometric_", generator)
    refuse_booleans("geometric_", input)
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_: p must be in (0, 1), got {p}")
    return _into(input, source.geometric(p, input.data.shape))


@operation(space=(), in_place=True, name="bernoulli")
def bernoulli_into(input: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with 1 with probability p, else 0; p a number or a float Tensor (Tensor.bernoulli_).

    Raises:
        ArgumentError: a probability outside [0, 1]; ShapeError: p does not broadcast to the tensor;
        DtypeError: p is an integer tensor.
    """
    source = source_of("bernoulli_", generator)
    if isinstance(p, Variable):
        chances = float_data("bernoulli_", p)
        try:
            p = np.broadcast_to(chances, input.data.shape)
        except ValueError:
            raise ShapeError(
                f"bernoulli_: p of shape {chances.shape} does not broadcast to {input.data.shape}"
            ) from None
    return _into(input, _trials("bernoulli_", source, input.data, p))


@operation(space=(), in_place=True)
def random(input: Any, *bounds: Any, to: int | None = None, generator: Any = None) -> Any:
    """Fill with integers: ``random_()``, ``random_(to)`` or ``random_(from, to)``, without ``to``.

    By default from 0 to the largest of the dtype; of floats, the largest below which none is left
    out. Source: Tensor.random_.

    Raises:
        ArgumentError: from is not less than to; DtypeError: the dtype does not hold them.
    """
    source, dtype = source_of("random_", generator), input.data.dtype
    given = bounds if to is None else (*bounds, to)
    if len(given) > 2:
        raise TypeError(f"random_: expects at most from and to, got {given}")
    low, high = given if len(given) == 2 else (0, *(given or (None,)))
    if high is None:
        high = range_of(dtype)[1] + 1
    return _into(input, draw_integers("random_", source, input.data.shape, dtype, low, high))


def _check_positive(name: str, **argument: float) -> None:
    ((key, value),) = argument.items()
    if not value > 0:
        raise ArgumentError(f"{name}: {key} must be above 0, got {value}")
