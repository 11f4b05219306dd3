"""Which rows, in which order (torch.utils.data.sampler)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mytorch.utils.data.random import generator_of, kept

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]


class Sampler:
    """Base class: iterating yields indices."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__()")


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


class SequentialSampler(Sampler):
    """0, 1, 2, …"""

    def __init__(self, data_source: Any):
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Every index once in a random order; with ``replacement``, each drawn from all.

    Args:
        num_samples: how many; default: as many as there are rows.
        generator: as of DataLoader.
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ):
        self.data_source, self.replacement = data_source, replacement
        self._count = None if num_samples is None else _positive("num_samples", num_samples)
        self.generator = kept(generator)

    @property
    def num_samples(self) -> int:
        """How many indices come."""
        return len(self.data_source) if self._count is None else self._count

    def __iter__(self) -> Iterator[int]:
        generator, rows = generator_of(self.generator), len(self.data_source)
        if self.replacement:
            yield from generator.integers(rows, size=self.num_samples).tolist()
            return
        left = self.num_samples
        if left and not rows:
            raise ValueError(f"RandomSampler: num_samples is {left}, but there are no rows")
        while left > 0:
            yield from generator.permutation(rows)[:left].tolist()
            left -= rows

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in a random order."""

    def __init__(self, indices: Sequence[int], generator: Any = None):
        self.indices = indices
        self.generator = kept(generator)

    def __iter__(self) -> Iterator[int]:
        for place in generator_of(self.generator).permutation(len(self.indices)):
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Indices drawn with probabilities that are proportional to ``weights``.

    Raises:
        ValueError: weights that are negative, not finite, all zero, or too few to draw from
            without replacement.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ):
        self.weights = np.asarray(getattr(weights, "data", weights), float)
        self.num_samples = _positive("num_samples", num_samples)
        self.replacement = replacement
        self.generator = kept(generator)
        if (
            self.weights.ndim != 1
            or not np.isfinite(self.weights).all()
            or (self.weights < 0).any()
        ):
            raise ValueError("weights must be finite, not negative, and in one dimension")
        if not self.weights.any():
            raise ValueError("weights must not all be zero")
        if not replacement and num_samples > np.count_nonzero(self.weights):
            raise ValueError(
                f"num_samples is {num_samples}, but only {np.count_nonzero(self.weights)} weights "
                "are above zero, to be drawn without replacement"
            )

    def __iter__(self) -> Iterator[int]:
        shares = self.weights / self.weights.sum()
        drawn = generator_of(self.generator).choice(
            len(shares), self.num_samples, self.replacement, shares
        )
        return iter(drawn.tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of ``batch_size`` indices of another sampler; the last may be shorter."""

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool = False):
        self.sampler = sampler
        self.batch_size = _positive("batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[Any]]:
        batch = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        full, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return full + (rest > 0 and not self.drop_last)
