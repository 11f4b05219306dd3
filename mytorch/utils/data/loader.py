"""``DataLoader``: batches of a dataset."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from mytorch.utils.data.collate import default_collate, default_convert
from mytorch.utils.data.dataset import IterableDataset, as_indices, fetch_of
from mytorch.utils.data.random import generator_of, kept
from mytorch.utils.data.sampler import _positive
from mytorch.utils.data.workers import Workers

__all__ = ["DataLoader"]


class DataLoader:
    """Iterate over a dataset in batches.

    Args:
        dataset: anything with ``len`` and indexing by integers, or an ``IterableDataset``; one with
            a method ``fetch``, such as ``TensorDataset``, gives whole batches at once. Arrays that
            it returns become Tensors, of their own memory.
        batch_size: rows in a batch; the last one may be smaller. None: rows, not batches.
        shuffle: a new order each epoch.
        sampler: an iterable of indices, instead of ``shuffle``.
        batch_sampler: an iterable of lists of indices, instead of ``batch_size``, ``shuffle``,
            ``sampler`` and ``drop_last``.
        num_workers: processes that make the batches; 0: this one.
        collate_fn: makes a batch of a list of rows; default: ``default_collate``.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a batch of a worker; 0: for ever.
        worker_init_fn: called with the worker's number in each worker.
        multiprocessing_context: how processes are started: "fork", "spawn", "forkserver".
        generator: a ``np.random.Generator``, a ``mytorch.Generator`` or a seed for the order, and
            for the seeds of workers; it is the loader's own, so that no other random draw changes
            the order. Its state is what a checkpoint keeps. None: each epoch starts from a draw of
            NumPy's global generator.
        prefetch_factor: batches that each worker makes in advance; default 2.
        persistent_workers: keep the processes from one epoch to the next; those of an
            IterableDataset, which has come to its end in them, are started anew.
    Yields:
        a batch of the structure of a row; of a TensorDataset a tuple of Tensors (batch, …), dtype
        kept: copies when shuffled, else views of the dataset.
    Raises:
        ValueError: settings that are out of range or exclude each other, by name. An error in a
            worker is raised here, with the worker's traceback in its message.
    Source: torch.utils.data.DataLoader.

    >>> from mytorch.utils.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(np.arange(5)), batch_size=2)
    >>> [batch.tolist() for (batch,) in loader]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory: bool = False,
    ):
        self.dataset = dataset
        self.is_iterable = isinstance(dataset, IterableDataset)
        given = {
            "shuffle": bool(shuffle),
            "sampler": sampler is not None,
            "batch_sampler": batch_sampler is not None,
            "drop_last": bool(drop_last),
        }
        self._check_order(given, batch_size)
        self.batch_size = None if batch_size is None else _positive("batch_size", batch_size)
        if batch_sampler is not None:
            self.batch_size = None
        self.shuffle, self.drop_last = bool(shuffle), drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        for name, value in (("num_workers", num_workers), ("timeout", timeout)):
            if value < 0:
                raise ValueError(f"{name} must be at least 0, got {value}")
        if num_workers == 0 and (prefetch_factor is not None or persistent_workers):
            raise ValueError("prefetch_factor and persistent_workers need num_workers above 0")
        self.num_workers, self.timeout = int(num_workers), timeout
        self.prefetch_factor = (
            2 if prefetch_factor is None else _positive("prefetch_factor", prefetch_factor)
        )
        self.persistent_workers = persistent_workers
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.collate_fn = collate_fn
        self.generator = kept(generator)
        self._workers: Workers | None = None

    def _check_order(self, given: dict[str, bool], batch_size: int | None) -> None:
        """Raise ValueError where two arguments say differently which rows come in a batch."""
        named = [name for name, is_given in given.items() if is_given]
        if self.is_iterable and set(named) & {"shuffle", "sampler", "batch_sampler"}:
            raise ValueError(f"an IterableDataset has an order of its own: leave out {named[0]}")
        if given["sampler"] and given["shuffle"]:
            raise ValueError("sampler and shuffle exclude each other")
        if given["batch_sampler"] and (len(named) > 1 or batch_size != 1):
            raise ValueError("batch_sampler excludes batch_size, shuffle, sampler and drop_last")
        if batch_size is None and given["drop_last"]:
            raise ValueError("drop_last needs a batch_size")

    def __len__(self) -> int:
        """Return the number of batches (of an IterableDataset: if it has a length)."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)  # type: ignore[arg-type]
        count = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        if self.batch_size is None:
            return count
        full, rest = divmod(count, self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    # ------------------------------------------------------------------------------ requests

    def _requests(self, generator: np.random.Generator) -> Iterator[Any]:
        """Yield what each batch is made of: indices, or for an iterable dataset how many rows."""
        if self.is_iterable:
            while True:
                yield self.batch_size
        if self.batch_sampler is not None:
            yield from self.batch_sampler
            return
        if self.sampler is not None:
            yield from self._gathered(self.sampler)
            return
        count, size = len(self.dataset), self.batch_size
        order = generator.permutation(count) if self.shuffle else None
        if size is None:
            yield from range(count) if order is None else order.tolist()
            return
        for start in range(0, len(self) * size, size):
            stop = min(start + size, count)
            yield range(start, stop) if order is None else order[start:stop]

    def _gathered(self, indices: Iterable[Any]) -> Iterator[Any]:
        if self.batch_size is None:
            yield from indices
            return
        batch = []
        for index in indices:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    # ------------------------------------------------------------------------------ batches

    def __iter__(self) -> Iterator[Any]:
        generator = generator_of(self.generator)
        requests = self._requests(generator)
        fetcher = _Fetcher(self.collate_fn, self.batch_size is None and self.batch_sampler is None,
                           self.drop_last)  # fmt: skip
        if self.num_workers == 0:
            return self._here(fetcher(self.dataset), requests)
        seed = generator.spawn(1)[0].integers(2**31)  # this draws nothing from its stream
        return self._elsewhere(fetcher, requests, int(seed))

    @staticmethod
    def _here(fetch: Callable[[Any], Any], requests: Iterator[Any]) -> Iterator[Any]:
        for request in requests:
            try:
                batch = fetch(request)
            except StopIteration:
                return
            yield batch

    def _elsewhere(self, fetcher: Any, requests: Iterator[Any], seed: int) -> Iterator[Any]:
        workers, is_done = self._workers, False
        self._workers = None
        if workers is None:
            workers = Workers(
                self.num_workers,
                self.prefetch_factor,
                seed,
                self.timeout,
                self.dataset,
                fetcher,
                self.worker_init_fn,
                self.multiprocessing_context,
            )
        try:
            yield from workers.batches(requests)
            is_done = True
        finally:
            if is_done and self.persistent_workers and not self.is_iterable:
                self._workers = workers
            else:
                workers.close()

    def __del__(self) -> None:
        workers = getattr(self, "_workers", None)
        if workers is not None:
            workers.close()


class _Fetcher:
    """Makes of a dataset the function from a request to a batch; can be sent to a worker."""

    def __init__(self, collate: Callable[[list[Any]], Any] | None, by_row: bool, drop_last: bool):
        self.collate, self.by_row, self.drop_last = collate, by_row, drop_last

    def __call__(self, dataset: Any) -> Callable[[Any], Any]:
        """Return the function."""
        if isinstance(dataset, IterableDataset):
            rows = iter(dataset)
            return lambda count: self._taken(rows, count)
        return functools.partial(_not_ending, self._fetching(dataset))

    def _fetching(self, dataset: Any) -> Callable[[Any], Any]:
        if self.by_row:
            collate = self.collate or default_convert
            return lambda index: collate(dataset[index])
        fetch = None if self.collate else fetch_of(dataset)
        if fetch is not None:
            return lambda indices: default_convert(fetch(_as_index(indices)))
        collate = self.collate or default_collate
        return lambda indices: collate([dataset[index] for index in _as_integers(indices)])

    def _taken(self, rows: Iterator[Any], count: int | None) -> Any:
        """Return the next batch of an iterable dataset; StopIteration where there is none."""
        if count is None:
            return (self.collate or default_convert)(next(rows))
        batch = list(itertools.islice(rows, count))
        if not batch or (self.drop_last and len(batch) < count):
            raise StopIteration
        return (self.collate or default_collate)(batch)


def _not_ending(fetch: Callable[[Any], Any], request: Any) -> Any:
    """Return ``fetch(request)`` of a dataset that has indices: it cannot end by StopIteration."""
    try:
        return fetch(request)
    except StopIteration as error:
        raise RuntimeError("the dataset, or collate_fn, raised StopIteration") from error


def _as_index(indices: Any) -> Any:
    """Return a slice for neighbours, which is a view; else an array of indices."""
    if isinstance(indices, range) and indices.step == 1 and indices.start >= 0:
        return slice(indices.start, indices.stop)
    return as_indices(indices)


def _as_integers(indices: Any) -> list[int]:
    return indices.tolist() if isinstance(indices, np.ndarray) else list(indices)
