"""Sequences that are packed and padded, beside torch.nn.utils.rnn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mytorch import autograd
from mytorch.errors import ShapeError
from mytorch.nn.utils import rnn as packing
from mytorch.tensor import Tensor
from tests.test_recurrent import LENGTHS, compare

Z = np.zeros


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(12)


def both(torch: Any, call: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Return call(namespace of packing, maker of tensors) here and in torch."""
    return call(packing, Tensor), call(torch.nn.utils.rnn, torch.tensor)


def listed(packed: Any) -> list[Any]:
    return [None if part is None else part.tolist() for part in packed]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.booleans())
def test_packing_and_padding_are_torchs_for_all_lengths(lengths: list[int], is_left: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    data = [np.arange(2.0 * n).reshape(n, 2) + 100 * i for i, n in enumerate(lengths)]

    def call(u: Any, tensor: Any) -> Any:
        sequences = [tensor(x) for x in data]
        packed = u.pack_sequence(sequences, enforce_sorted=False)
        side = "left" if is_left else "right"
        padded = u.pad_sequence(sequences, padding_value=-1.0, padding_side=side)
        first = u.pad_sequence(sequences, True, padding_side=side)
        again, found = u.pad_packed_sequence(packed, True, 9.0)
        parts = u.unpad_sequence(again, found, True)
        singles = [*parts, *u.unpack_sequence(packed)]
        return listed(packed), [x.tolist() for x in (padded, first, again, found, *singles)]

    ours, theirs = both(torch, call)
    assert ours == theirs and ours[1][4:] == [x.tolist() for x in data] * 2


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_padded_batches_are_packed_run_and_padded_again_as_by_torch(
    torch: Any, rng: np.random.Generator, batch_first: bool, is_sorted: bool
) -> None:
    lengths = sorted(LENGTHS, reverse=True) if is_sorted else LENGTHS

    def run(u: Any, net: Any, x: Any) -> Any:
        packed = u.pack_padded_sequence(x, lengths, batch_first, is_sorted)
        assert (packed.sorted_indices is None) == is_sorted
        output, states = net(packed)
        padded, found = u.pad_packed_sequence(output, batch_first, -7.0, 8)
        assert found.tolist() == lengths
        return padded, states

    shape = (4, 6, 3) if batch_first else (6, 4, 3)
    compare(torch, lambda m: m.LSTM(3, 2, bidirectional=True), [rng.normal(size=shape)], run)


def test_vectors_and_integers_are_packed_as_well(torch: Any) -> None:
    def call(u: Any, tensor: Any) -> Any:
        packed = u.pack_sequence([tensor(np.array(x)) for x in ([1, 2, 3], [4, 5], [6])])
        assert packed.data.dtype in (np.dtype(np.int64), torch.int64)
        return listed(packed), [x.tolist() for x in u.unpack_sequence(packed)]

    ours, theirs = both(torch, call)
    assert ours == theirs
    assert ours[0] == [[1, 4, 6, 2, 5, 3], [3, 2, 1], None, None]


def test_gradients_pass_packing_and_padding(rng: np.random.Generator) -> None:
    sequences = [Tensor(rng.normal(size=(n, 2)), requires_grad=True) for n in (1, 3, 2)]

    def call(*own: Tensor) -> Any:
        packed = packing.pack_sequence(own, enforce_sorted=False)
        padded, lengths = packing.pad_packed_sequence(packed, padding_value=4.0)
        return [packed.data, *packing.unpad_sequence(padded, lengths), padded]

    assert autograd.gradcheck(lambda *own: tuple(call(*own)), sequences)


def test_a_packed_sequence_is_a_tuple_that_is_converted_like_a_tensor(torch: Any) -> None:
    packed = packing.pack_sequence([Tensor([[1.0], [2.0]]), Tensor([[3.0]])])
    data, sizes, order, inverse = packed
    assert isinstance(packed, tuple) and data is packed.data and order is inverse is None
    assert packed.to(np.float64) is packed is packed.cpu() and not packed.is_cuda
    assert packed.float().data.dtype == np.float32 and packed.half().data.dtype == np.float16
    assert packed.long().data.tolist() == [[1], [3], [2]] and packed.int().data.dtype == np.int32
    assert packed.float().double().batch_sizes is sizes
    made = packing.PackedSequence((data, sizes), sorted_indices=Tensor(np.array([1, 0])))
    assert made.unsorted_indices.tolist() == [1, 0]
    assert packing.invert_permutation(Tensor(np.array([2, 0, 1]))).tolist() == [1, 2, 0]
    assert set(packing.__all__) == set(torch.nn.utils.rnn.__all__)


BAD_PACKING: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "zero": (lambda u, t: u.pack_padded_sequence(t(Z((3, 2))), [3, 0]), "lengths must be from 1"),
    "negative": (lambda u, t: u.pack_padded_sequence(t(Z((3, 2))), [3, -1]), "lengths must be"),
    "rising": (lambda u, t: u.pack_padded_sequence(t(Z((3, 2))), [2, 3]), "enforce_sorted=False"),
    "count": (lambda u, t: u.pack_padded_sequence(t(Z((3, 2))), [3]), "2 sequences need 2 lengths"),
    "empty": (lambda u, t: u.pack_sequence([t(Z((2, 1))), t(Z((0, 1)))]), "lengths must be from 1"),
    "nothing": (lambda u, t: u.pad_sequence([]), "at least one"),
    "shapes": (lambda u, t: u.pad_sequence([t(Z((2, 1))), t(Z((2, 2)))]), "shapes may differ in"),
    "side": (lambda u, t: u.pad_sequence([t(Z(2))], padding_side="top"), "'left' or 'right'"),
    "total": (lambda u, t: u.pad_packed_sequence(u.pack_sequence([t(Z(3))]), total_length=2),
              "total_length is 2, but the longest sequence 3"),
    "unpad": (lambda u, t: u.unpad_sequence(t(Z((3, 2))), t(np.array([1]))), "need as many"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PACKING)
def test_bad_sequences_are_refused_as_by_torch(torch: Any, name: str) -> None:
    call, message = BAD_PACKING[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.nn.utils.rnn, torch.tensor)
    with pytest.raises(ValueError, match=message) as ours:
        call(packing, Tensor)
    assert isinstance(ours.value, theirs.type)


def test_lengths_that_are_no_integers_are_refused() -> None:
    with pytest.raises(TypeError, match="lengths must be integers, got float64"):
        packing.pack_padded_sequence(Tensor(np.zeros((3, 2))), [3.0, 1.0])
    with pytest.raises(ShapeError, match="expects at least 2 axes"):
        packing.pack_padded_sequence(Tensor(np.zeros(3)), [3])
    with pytest.raises(ShapeError, match="from 1 to 3"):  # torch reads what is behind the tensor
        packing.pack_padded_sequence(Tensor(np.zeros((3, 2))), [4, 1])
