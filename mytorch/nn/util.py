"""Packed sequences as homework 3 has them; torch's are in ``mytorch/nn/utils/rnn.py``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

import mytorch.nn.utils.rnn as torchs
from mytorch.tensor import Tensor, wrap

__all__ = ["PackedSequence", "pack_sequence", "unpack_sequence"]


class PackedSequence:
    """Sequences of different lengths in one matrix: the rows of each step, the longest first.

    Args:
        data (Tensor): (sum of lengths, K), the rows of the first step, then of the second, …
        sorted_indices (np.ndarray): (B,), which sequence is the longest, the second longest, …
        batch_sizes (np.ndarray): (T,), how many sequences last until each step.

    Iterating gives the three in this order. Source: homework 3.
    """

    def __init__(self, data: Tensor, sorted_indices: np.ndarray, batch_sizes: np.ndarray):
        self.data = data
        self.sorted_indices = sorted_indices
        self.batch_sizes = batch_sizes

    def __iter__(self) -> Iterator[Tensor | np.ndarray]:
        yield from (self.data, self.sorted_indices, self.batch_sizes)

    def __repr__(self) -> str:
        return (
            f"PackedSequence(data={self.data!r}, sorted_indices={self.sorted_indices}, "
            f"batch_sizes={self.batch_sizes})"
        )


def pack_sequence(sequence: Sequence[Tensor]) -> PackedSequence:
    """Return sequences (T_i, K) in any order packed; differentiable.

    Raises:
        ShapeError: no sequences, one without a step, or another K.
    """
    data, batch_sizes, order, _ = torchs.pack_sequence(sequence, enforce_sorted=False)
    assert order is not None  # it was sorted
    return PackedSequence(data, order.data, batch_sizes.data)


def unpack_sequence(ps: PackedSequence) -> list[Tensor]:
    """Return the sequences (T_i, K) in their original order; differentiable."""
    packed = torchs.PackedSequence(ps.data, wrap(ps.batch_sizes), wrap(ps.sorted_indices))
    return torchs.unpack_sequence(packed)
