"""Datasets and batches (torch.utils.data)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.tensor import Tensor

__all__ = ["DataLoader", "TensorDataset"]


class TensorDataset:
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

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """Return the entries at ``index`` (an int, slice or index array) of every member.

        A slice shares the dataset's memory, as in NumPy; an index array copies.
        """
        return tuple(_constant(np.asarray(array[index])) for array in self.arrays)


def _constant(array: np.ndarray) -> Tensor:
    """Return a Tensor around ``array`` without the copy that the constructor makes."""
    return Tensor.zeros(0).new(array)


class DataLoader:
    """Iterate over a dataset in batches.

    Args:
        dataset: a TensorDataset, or anything with ``len`` and indexing by slices and index arrays.
        batch_size: rows in a batch; the last one may be smaller.
        shuffle: a new order each epoch.
        drop_last: leave out a last batch that is not full.
        generator: a ``np.random.Generator`` or a seed for the order; it is the loader's own, so
            that no other random draw changes the order. Its state is what a checkpoint keeps.
    Yields:
        tuple[Tensor, …]: (batch, …) of each member, dtype kept; copies when shuffled, else views
            of the dataset.
    Raises:
        ValueError: a batch size that is no positive integer.

    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch.tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        generator: np.random.Generator | int | None = None,
    ):
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = np.random.default_rng(generator)

    def __len__(self) -> int:
        """Return the number of batches."""
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        count = len(self.dataset)
        order = self.generator.permutation(count) if self.shuffle else None
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            stop = min(start + self.batch_size, count)
            yield self.dataset[slice(start, stop) if order is None else order[start:stop]]
