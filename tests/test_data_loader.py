"""TensorDataset and DataLoader: which rows come, in which order, and as what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mytorch.errors import ShapeError
from mytorch.tensor import Tensor
from mytorch.utils.data import DataLoader, TensorDataset


def loader(count: int, batch_size: int, **options: Any) -> DataLoader:
    """Return a loader of rows (i, -i) with labels i."""
    x = np.arange(count)[:, None] * np.array([1.0, -1.0])
    return DataLoader(TensorDataset(x, np.arange(count)), batch_size, **options)


def order(batches: DataLoader) -> list[int]:
    return [label for _, y in batches for label in y.tolist()]


# ------------------------------------------------------------------------------ rows


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("count", "batch_size", "drop_last", "sizes"),
    [
        (10, 3, False, [3, 3, 3, 1]),
        (10, 3, True, [3, 3, 3]),
        (9, 3, False, [3, 3, 3]),
        (9, 3, True, [3, 3, 3]),
        (2, 5, False, [2]),
        (2, 5, True, []),
        (0, 5, False, []),
        (0, 5, True, []),
        (3, 1, False, [1, 1, 1]),
    ],
)
def test_every_row_comes_once_in_batches_of_the_right_sizes(
    count: int, batch_size: int, drop_last: bool, sizes: list[int], shuffle: bool
) -> None:
    batches = loader(count, batch_size, drop_last=drop_last, shuffle=shuffle, generator=0)
    pairs = list(batches)
    assert [len(y) for _, y in pairs] == sizes and len(batches) == len(sizes)
    labels = [label for _, y in pairs for label in y.tolist()]
    assert len(set(labels)) == len(labels) == sum(sizes)
    if not shuffle:
        assert labels == list(range(sum(sizes)))
    for x, y in pairs:
        assert x.shape == (len(y), 2)
        assert np.array_equal(x.data, y.data[:, None] * np.array([1.0, -1.0]))


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_constant_tensors_of_the_members_dtypes(shuffle: bool) -> None:
    members = np.zeros((4, 2), np.float32), Tensor(np.zeros(4, np.uint8)), [1, 2, 3, 4]
    for batch in DataLoader(TensorDataset(*members), 2, shuffle=shuffle):
        assert [type(t).__name__ for t in batch] == ["Tensor"] * 3
        assert [t.dtype for t in batch] == [np.float32, np.uint8, np.int64]
        assert [t.shape for t in batch] == [(2, 2), (2,), (2,)]
        assert not any(t.requires_grad or t.grad_fn for t in batch)


def test_shuffled_batches_are_copies_and_others_views() -> None:
    x = np.arange(6.0)
    for shuffle in (True, False):
        for (batch,) in DataLoader(TensorDataset(x), 2, shuffle=shuffle):
            assert np.shares_memory(batch.data, x) == (not shuffle)


# ------------------------------------------------------------------------------ order


def test_order_is_reproducible_from_the_seed_and_new_in_every_epoch() -> None:
    first, second = loader(50, 7, shuffle=True, generator=3), loader(50, 7, shuffle=True)
    epochs = [order(first) for _ in range(3)]
    assert len({tuple(epoch) for epoch in epochs}) == 3
    again = loader(50, 7, shuffle=True, generator=np.random.default_rng(3))
    assert [order(again) for _ in range(3)] == epochs
    assert order(loader(50, 7, shuffle=True, generator=4)) != epochs[0] != order(second)


def test_order_neither_uses_nor_moves_numpys_global_generator() -> None:
    np.random.seed(0)
    expected = np.random.rand(2)
    np.random.seed(0)
    drawn = [np.random.rand()]
    first = order(loader(20, 4, shuffle=True, generator=1))
    drawn.append(np.random.rand())
    assert drawn == expected.tolist()
    np.random.seed(99)
    assert order(loader(20, 4, shuffle=True, generator=1)) == first


def test_the_state_of_the_generator_continues_the_order() -> None:
    batches = loader(20, 4, shuffle=True, generator=1)
    order(batches)
    state = batches.generator.bit_generator.state
    expected = order(batches)
    other = loader(20, 4, shuffle=True, generator=77)
    other.generator.bit_generator.state = state
    assert order(other) == expected


def test_two_loops_over_one_loader_do_not_disturb_each_other() -> None:
    batches = loader(6, 2, shuffle=True, generator=0)
    labels = [(a.tolist(), b.tolist()) for (_, a), (_, b) in zip(batches, batches, strict=True)]
    assert sorted(sum((a for a, _ in labels), [])) == list(range(6))
    assert sorted(sum((b for _, b in labels), [])) == list(range(6))


# ------------------------------------------------------------------------------ datasets


def test_a_dataset_is_indexed_by_numbers_slices_and_arrays() -> None:
    dataset = TensorDataset(np.arange(8.0).reshape(4, 2), np.arange(4))
    assert len(dataset) == 4
    assert [t.tolist() for t in dataset[1]] == [[2.0, 3.0], 1]
    assert [t.tolist() for t in dataset[2:]] == [[[4.0, 5.0], [6.0, 7.0]], [2, 3]]
    assert dataset[np.array([3, 0])][1].tolist() == [3, 0]
    with pytest.raises(IndexError):
        dataset[4]


def test_any_object_with_length_and_indexing_is_a_dataset() -> None:
    class Squares:
        def __len__(self) -> int:
            return 5

        def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
            return (Tensor(np.arange(5)[index] ** 2),)

    assert [batch.tolist() for (batch,) in DataLoader(Squares(), 3)] == [[0, 1, 4], [9, 16]]


def test_datasets_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        TensorDataset()
    with pytest.raises(ShapeError, match=r"got shapes \[\(2,\), \(3,\)\]"):
        TensorDataset(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError, match=r"got shapes \[\(\)\]"):
        TensorDataset(np.array(1.0))


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", True], ids=repr)
def test_bad_batch_sizes_are_refused(size: Any) -> None:
    with pytest.raises(ValueError, match=f"positive integer, got {size!r}"):
        DataLoader(TensorDataset(np.ones(2)), size)
