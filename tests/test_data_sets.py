"""Datasets and samplers: which rows, how batches are made, what is refused."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.errors import ShapeError
from mytorch.tensor import Tensor
from mytorch.utils import data

Pair = namedtuple("Pair", ("a", "b"))


class Squares(data.Dataset):
    def __init__(self, count: int):
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> int:
        if not 0 <= index < self.count:
            raise IndexError(index)
        return index * index


def test_datasets_are_joined_stacked_and_cut() -> None:
    joined = Squares(3) + Squares(2)
    assert [joined[i] for i in range(5)] == [0, 1, 4, 0, 1] and joined[-1] == 1
    assert len(joined) == 5
    for index in (5, -6):
        with pytest.raises(IndexError, match="of a dataset of 5 rows"):
            joined[index]
    stacked = data.StackDataset(Squares(3), Squares(3))
    assert stacked[2] == (4, 4) and len(stacked) == 3
    assert data.StackDataset(x=Squares(2), y=Squares(2))[1] == {"x": 1, "y": 1}
    part = data.Subset(Squares(9), [8, 2])
    assert [part[0], part[1], len(part)] == [64, 4, 2]
    with pytest.raises(ValueError, match=r"lengths must be equal, got \[2, 3\]"):
        data.StackDataset(Squares(2), Squares(3))
    with pytest.raises(ValueError, match="at least one"):
        data.ConcatDataset([])
    with pytest.raises(NotImplementedError, match="Dataset must define __getitem__"):
        data.Dataset()[0]


def test_a_subset_of_tensors_still_gives_whole_batches() -> None:
    whole = data.TensorDataset(np.arange(10.0), np.arange(10))
    part = data.Subset(data.Subset(whole, [9, 7, 5, 3, 1]), [0, 2, 4])
    batches = list(data.DataLoader(part, 2))
    assert [x.tolist() for x, _ in batches] == [[9, 5], [1]]
    assert hasattr(part, "fetch")


def test_a_random_split_has_every_row_once() -> None:
    parts = data.random_split(Squares(10), [5, 3, 2], generator=0)
    rows = [part[i] for part in parts for i in range(len(part))]
    assert sorted(rows) == [i * i for i in range(10)] and rows != sorted(rows)
    assert [len(part) for part in data.random_split(range(10), [0.5, 0.25, 0.25])] == [6, 2, 2]
    again = data.random_split(Squares(10), [5, 3, 2], generator=0)
    assert [part.indices for part in again] == [part.indices for part in parts]
    for lengths in ([5, 6], [0.5, 0.6], [1.5, -0.5]):
        with pytest.raises(ValueError, match="random_split: "):
            data.random_split(Squares(10), lengths)


# ------------------------------------------------------------------------------ samplers


def test_samplers_yield_what_they_say() -> None:
    rows = Squares(6)
    assert list(data.SequentialSampler(rows)) == list(range(6))
    once = data.RandomSampler(rows, generator=1)
    assert sorted(once) == list(range(6)) and len(once) == 6
    assert list(once) != list(once)
    more = list(data.RandomSampler(rows, num_samples=8, generator=1))
    assert sorted(more[:6]) == list(range(6)) and len(more) == 8
    drawn = list(data.RandomSampler(rows, replacement=True, num_samples=600, generator=1))
    assert set(drawn) == set(range(6)) and len(drawn) == 600
    assert sorted(data.SubsetRandomSampler([3, 5, 9], generator=1)) == [3, 5, 9]
    batches = data.BatchSampler(data.SequentialSampler(rows), 4)
    assert list(batches) == [[0, 1, 2, 3], [4, 5]] and len(batches) == 2
    assert list(data.BatchSampler(range(6), 4, drop_last=True)) == [[0, 1, 2, 3]]
    with pytest.raises(NotImplementedError, match="must define __iter__"):
        iter(data.Sampler())


def test_weights_are_the_shares_of_what_is_drawn() -> None:
    weights = [0.0, 1.0, 3.0, 0.0]
    drawn = np.array(list(data.WeightedRandomSampler(weights, 4000, generator=0)))
    counts = np.bincount(drawn, minlength=4)
    assert counts[0] == counts[3] == 0 and abs(counts[2] / 4000 - 0.75) < 0.03
    both = data.WeightedRandomSampler(Tensor(weights), 2, replacement=False, generator=0)
    assert sorted(both) == [1, 2]
    for wrong, count, message in (
        ([1.0, -1.0], 1, "not negative"),
        ([1.0, np.nan], 1, "finite"),
        ([0.0], 1, "not all be zero"),
        (weights, 0, "num_samples must be a positive integer"),
    ):
        with pytest.raises(ValueError, match=message):
            data.WeightedRandomSampler(wrong, count)
    with pytest.raises(ValueError, match="only 2 weights are above zero"):
        data.WeightedRandomSampler(weights, 3, replacement=False)


def test_numpys_global_seed_repeats_orders_without_a_generator() -> None:
    def orders() -> list[Any]:
        np.random.seed(7)
        loader = data.DataLoader(Squares(9), 3, shuffle=True)
        return [[batch.tolist() for batch in loader] for _ in range(2)]

    first = orders()
    assert orders() == first and first[0] != first[1]


# ------------------------------------------------------------------------------ loaders


def test_a_sampler_or_batch_sampler_says_which_rows() -> None:
    rows = Squares(10)
    loader = data.DataLoader(rows, 2, sampler=[9, 8, 7])
    assert [batch.tolist() for batch in loader] == [[81, 64], [49]] and len(loader) == 2
    loader = data.DataLoader(rows, batch_sampler=[[1], [2, 3]])
    assert [batch.tolist() for batch in loader] == [[1], [4, 9]] and len(loader) == 2
    loader = data.DataLoader(rows, None, sampler=[3, 1])
    assert list(loader) == [9, 1] and len(loader) == 2
    assert len(data.DataLoader(rows, 3, drop_last=True)) == 3


def test_rows_of_any_structure_are_collated() -> None:
    rows = [
        {"x": np.ones(2), "n": i, "f": 0.5, "flag": True, "name": "ab"[i], "pair": Pair(i, [i])}
        for i in (0, 1)
    ]
    batch = data.default_collate(rows)
    assert batch["x"].tolist() == [[1, 1], [1, 1]] and batch["n"].dtype == np.int64
    assert batch["f"].dtype == np.float64 and batch["flag"].dtype == bool
    assert batch["name"] == ["a", "b"] and type(batch["pair"]) is Pair
    assert batch["pair"].b[0].tolist() == [0, 1]
    assert data.default_collate([np.float32(1), np.float32(2)]).dtype == np.float32


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([np.ones(2), np.ones(3)], ShapeError, r"shapes \(2,\) and \(3,\) do not stack"),
        ([{"a": 1}, {"b": 1}], ValueError, "different keys"),
        ([(1, 2), (1,)], ValueError, "different lengths"),
        ([object(), object()], TypeError, "got object; give the loader a collate_fn"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        data.default_collate(rows)


def test_a_collate_fn_makes_the_batch() -> None:
    loader = data.DataLoader(Squares(5), 2, collate_fn=sum)
    assert list(loader) == [1, 13, 16]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shuffle": True, "sampler": [1]}, "sampler and shuffle exclude"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "batch_sampler excludes"),
        ({"batch_sampler": [[1]], "drop_last": True}, "batch_sampler excludes"),
        ({"batch_size": None, "drop_last": True}, "drop_last needs"),
        ({"num_workers": -1}, "num_workers must be at least 0"),
        ({"timeout": -1}, "timeout must be at least 0"),
        ({"prefetch_factor": 2}, "need num_workers above 0"),
        ({"persistent_workers": True}, "need num_workers above 0"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor must be a positive integer"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        data.DataLoader(Squares(3), **options)


def test_iterable_datasets_have_their_own_order() -> None:
    class Letters(data.IterableDataset):
        def __iter__(self) -> Any:
            return iter("abc")

    assert list(data.DataLoader(Letters(), 2)) == [["a", "b"], ["c"]]
    assert list(data.DataLoader(Letters() + Letters(), 6)) == [list("abcabc")]
    for options in ({"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}):
        with pytest.raises(ValueError, match="an order of its own: leave out"):
            data.DataLoader(Letters(), **options)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="use ChainDataset"):
        data.ConcatDataset([Letters()])


def test_a_generator_is_a_seed_or_a_generator() -> None:
    with pytest.raises(TypeError, match="got str"):
        data.DataLoader(Squares(3), generator="seed")
    assert mytorch.utils.data is data


# ------------------------------------------------------------------------------ whole batches


class Scaled(data.TensorDataset):
    def __getitem__(self, index: Any) -> Any:
        return (super().__getitem__(index)[0] * 100,)


class ScaledSubset(data.Subset):
    def __getitem__(self, index: Any) -> Any:
        return (super().__getitem__(index)[0] * 100,)


class Wrapped:
    def __init__(self, dataset: Any):
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return (self.dataset[index][0] * 100,)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset, name)


def test_a_class_that_says_what_a_row_is_is_asked_for_each() -> None:
    plain = data.TensorDataset(np.arange(4.0))
    for dataset in (Scaled(np.arange(4.0)), ScaledSubset(plain, range(4)), Wrapped(plain)):
        assert [x.tolist() for (x,) in data.DataLoader(dataset, 2)] == [[0, 100], [200, 300]]
    part = data.Subset(Scaled(np.arange(4.0)), [3, 1])
    assert [x.tolist() for (x,) in data.DataLoader(part, 2)] == [[300, 100]]


def test_batches_may_be_ranges_of_any_step() -> None:
    ranges = [range(0, 10, 2), range(4, -1, -1), range(-3, 0), range(3, 6)]
    for dataset in (data.TensorDataset(np.arange(10.0)), [(float(i),) for i in range(10)]):
        loader = data.DataLoader(dataset, batch_sampler=ranges)
        expected = [[0, 2, 4, 6, 8], [4, 3, 2, 1, 0], [7, 8, 9], [3, 4, 5]]
        assert [x.tolist() for (x,) in loader] == expected


def test_a_subset_follows_its_indices_and_refuses_masks_and_floats() -> None:
    dataset = data.TensorDataset(np.arange(10.0))
    for first, second in (([1, 2, 3], [7, 8]), (np.array([1, 2, 3]), np.array([7, 8]))):
        part = data.Subset(dataset, first)
        loader = data.DataLoader(part, 5)
        assert [x.tolist() for (x,) in loader] == [[1, 2, 3]]
        part.indices = second
        assert [x.tolist() for (x,) in loader] == [[7, 8]]
        part.indices[0] = 4
        assert [x.tolist() for (x,) in loader] == [[4, 8]]
    with pytest.raises(TypeError, match=r"got bool; of a mask take np\.flatnonzero"):
        data.Subset(dataset, np.arange(10) > 6)
    with pytest.raises(TypeError, match="must be integers, got float64"):
        list(data.DataLoader(dataset, 2, sampler=[0.9, 1.9]))


def test_a_generator_of_mytorch_moves_on_and_can_be_kept() -> None:
    generator = mytorch.Generator().manual_seed(3)
    splits = [data.random_split(range(9), [4, 5], generator=generator) for _ in range(2)]
    assert splits[0][0].indices != splits[1][0].indices
    dataset = data.TensorDataset(np.arange(30))

    def epoch(loader: Any) -> list[int]:
        return [row for (x,) in loader for row in x.tolist()]

    loader = data.DataLoader(dataset, 4, shuffle=True, generator=generator)
    first, state = epoch(loader), generator.get_state()
    second = epoch(loader)
    assert first != second and sorted(first) == sorted(second)
    other = mytorch.Generator()
    resumed = data.DataLoader(dataset, 4, shuffle=True, generator=other)
    other.set_state(state)
    assert epoch(resumed) == second
    sampler = data.RandomSampler(dataset, generator=mytorch.Generator().manual_seed(3))
    assert list(sampler) != list(sampler)
    assert sorted(epoch(data.DataLoader(dataset, generator=mytorch.default_generator))) == sorted(
        first
    )


def test_splits_refuse_what_is_no_length_and_share_out_a_single_row() -> None:
    for lengths in ([-2, 12], [5.5, 5.0]):
        with pytest.raises(ValueError, match="lengths must be integers, not negative"):
            data.random_split(range(10), lengths)
    assert [len(part) for part in data.random_split([5], [0.8, 0.2])] == [1, 0]
    assert [len(part) for part in data.random_split([5], [0, 1])] == [0, 1]


def test_nothing_can_be_drawn_from_no_rows() -> None:
    assert list(data.RandomSampler([])) == []
    with pytest.raises(ValueError, match="num_samples is 3, but there are no rows"):
        list(data.RandomSampler([], num_samples=3))


class Ending(Squares):
    def __getitem__(self, index: int) -> int:
        return next(iter(())) if index == 3 else index


def test_a_row_that_raises_stopiteration_does_not_end_the_epoch_silently() -> None:
    for workers in (0, 2):
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            list(data.DataLoader(Ending(6), 2, num_workers=workers))


def test_numpys_strings_are_strings() -> None:
    assert data.default_collate([np.str_("a"), np.str_("b")]) == ["a", "b"]
