"""What can be loaded: by index (``Dataset``), or one after the other (``IterableDataset``).

A dataset may have a method ``fetch(indices)`` that returns a whole batch at once, of Tensors or
arrays, given a slice or an array of integers; ``TensorDataset`` has one, and so has a ``Subset`` of
it. Others are asked for each row, and so is a subclass that changes what a row is.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.tensor import Tensor
from mytorch.utils.data.random import generator_of

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "as_indices",
    "fetch_of",
    "random_split",
]


class Dataset:
    """Rows by their index: a subclass defines ``__getitem__`` and ``__len__``.

    ``first + second`` is a ``ConcatDataset``. Source: torch.utils.data.Dataset.
    """

    def __getitem__(self, index: Any) -> Any:
        """Return the row at ``index``."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


def fetch_of(dataset: Any) -> Any:
    """Return the dataset's ``fetch``; None if it has none, or only one that does not know its rows.

    A class that overrides ``__getitem__`` says what a row is; a ``fetch`` that it inherits does not
    know of it.
    """
    for cls in type(dataset).__mro__:
        if "fetch" in cls.__dict__:
            return getattr(dataset, "fetch", None)
        if "__getitem__" in cls.__dict__:
            return None
    return None


def as_indices(indices: Any) -> np.ndarray:
    """Return indices as an int64 array.

    Raises:
        TypeError: they are no integers; a mask has to be turned into places first.
    """
    array = np.asarray(indices.data if isinstance(indices, Tensor) else indices)
    if array.size and array.dtype.kind not in "iu":
        hint = "; of a mask take np.flatnonzero(mask)" if array.dtype.kind == "b" else ""
        raise TypeError(f"indices of rows must be integers, got {array.dtype}{hint}")
    return array.astype(np.int64, copy=False)


class IterableDataset(Dataset):
    """Rows one after the other: a subclass defines ``__iter__``.

    With several workers each iterates by itself; ``get_worker_info()`` tells it which share is its
    own. Source: torch.utils.data.IterableDataset.
    """

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__()")

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset):
    """Arrays or Tensors of the same length, indexed together.

    Args:
        tensors: each of shape (N, …); not copied.
    Raises:
        ShapeError: lengths that differ, or a 0-d member; ValueError: no member.
    """

    def __init__(self, *tensors: Any):
        if not tensors:
            raise ValueError("TensorDataset: expects at least one array")
        self.arrays = tuple(t.data if isinstance(t, Tensor) else np.asarray(t) for t in tensors)
        shapes = [array.shape for array in self.arrays]
        if any(not shape for shape in shapes) or len({shape[0] for shape in shapes}) != 1:
            raise ShapeError(f"TensorDataset: first sizes must be equal, got shapes {shapes}")

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The members as Tensors, which share their memory."""
        return tuple(map(_constant, self.arrays))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """Return the entries at ``index`` (an int, slice or index array) of every member.

        A slice shares the dataset's memory, as in NumPy; an index array copies.
        """
        return tuple(_constant(np.asarray(array[index])) for array in self.arrays)

    fetch = __getitem__


def _constant(array: np.ndarray) -> Tensor:
    """Return a Tensor around ``array`` without the copy that the constructor makes."""
    return Tensor.zeros(0).new(array)


class StackDataset(Dataset):
    """Datasets of the same length side by side: rows are tuples, or dicts of named datasets."""

    def __init__(self, *datasets: Any, **named: Any):
        if bool(datasets) == bool(named):
            raise ValueError("StackDataset: expects datasets, or datasets by name")
        self.datasets: Any = datasets or named
        lengths = {len(each) for each in (datasets or named.values())}
        if len(lengths) > 1:
            raise ValueError(f"StackDataset: lengths must be equal, got {sorted(lengths)}")

    def __len__(self) -> int:
        return len(next(iter(self.datasets.values() if self._named else self.datasets)))

    @property
    def _named(self) -> bool:
        return isinstance(self.datasets, dict)

    def __getitem__(self, index: int) -> Any:
        if self._named:
            return {name: each[index] for name, each in self.datasets.items()}
        return tuple(each[index] for each in self.datasets)


class ConcatDataset(Dataset):
    """Datasets one behind the other."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: expects at least one dataset")
        if any(isinstance(each, IterableDataset) for each in self.datasets):
            raise TypeError("ConcatDataset: an IterableDataset has no indices; use ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(map(len, self.datasets)))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} of a dataset of {len(self)} rows")
        index %= len(self)
        number = bisect.bisect_right(self.cumulative_sizes, index)
        return self.datasets[number][index - (self.cumulative_sizes[number - 1] if number else 0)]


class ChainDataset(IterableDataset):
    """Iterable datasets one behind the other."""

    def __init__(self, datasets: Iterable[Any]):
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(map(len, self.datasets))


class Subset(Dataset):
    """Some rows of a dataset.

    Args:
        dataset: whose rows; indices (Sequence[int]): which, in this order.
    Raises:
        TypeError: an array of indices that are no integers, such as a mask.
    """

    def __init__(self, dataset: Any, indices: Any):
        if isinstance(indices, (np.ndarray, Tensor)):
            indices = as_indices(indices)
        self.dataset = dataset
        self.indices = indices

    @property
    def fetch(self) -> Any:
        """The dataset's ``fetch``, of these rows; AttributeError while the dataset has none."""
        fetch = fetch_of(self.dataset)
        if fetch is None:
            raise AttributeError(f"{type(self.dataset).__name__} has no fetch")
        return lambda chosen: fetch(as_indices(self._chosen(chosen)))

    def _chosen(self, chosen: Any) -> Any:
        """Return the indices at ``chosen``, a slice or an array of integers."""
        if isinstance(chosen, slice) or isinstance(self.indices, np.ndarray):
            return self.indices[chosen]
        return [self.indices[each] for each in chosen.tolist()]

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (list, tuple, np.ndarray)):
            return self.dataset[[self.indices[each] for each in index]]
        return self.dataset[self.indices[index]]


def random_split(dataset: Any, lengths: Sequence[float], generator: Any = None) -> list[Subset]:
    """Return parts of a dataset, drawn at random, that have no row in common.

    Args:
        lengths: of the parts, adding up to the dataset's; or shares of it, adding up to 1: then
            what the rounding leaves is given out one by one.
        generator: as of DataLoader.
    Raises:
        ValueError: lengths that are no lengths, or do not add up.
    Source: torch.utils.data.random_split.
    """
    count = len(dataset)
    sizes = [int(length) for length in lengths]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        if any(not 0 <= share <= 1 for share in lengths):
            raise ValueError(f"random_split: shares must be in [0, 1], got {list(lengths)}")
        sizes = [math.floor(count * share) for share in lengths]
        for position in range(count - sum(sizes)):
            sizes[position % len(sizes)] += 1
    elif min(sizes, default=0) < 0 or sizes != list(lengths):
        raise ValueError(f"random_split: lengths must be integers, not negative: {list(lengths)}")
    if sum(sizes) != count:
        raise ValueError(f"random_split: lengths {list(lengths)} of a dataset of {count} rows")
    order = generator_of(generator).permutation(count)
    ends = list(itertools.accumulate(sizes))
    return [
        Subset(dataset, order[end - size : end].tolist())
        for end, size in zip(ends, sizes, strict=True)
    ]
