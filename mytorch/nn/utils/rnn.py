"""Sequences of different lengths: padded into one tensor, or packed without gaps (nn.utils.rnn).

A packed batch holds the first elements of all sequences, then the second elements of those that
have one, and so on, the longest sequence first: for a recurrent network the rows of each step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.index import Assign
from mytorch.ops.joining import cat, members_of
from mytorch.tensor import Tensor, wrap

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """A packed batch: what ``pack_sequence`` and ``pack_padded_sequence`` return.

    Attributes:
        data (Tensor): (sum of lengths, …); batch_sizes (Tensor): int64, for each step how many
            sequences last so long.
        sorted_indices (Tensor | None): which sequence of the batch comes first, second, …;
            unsorted_indices (Tensor | None): its inverse. None: they came in this order.
    Source: torch.nn.utils.rnn.PackedSequence.
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Any = None,
        sorted_indices: Any = None,
        unsorted_indices: Any = None,
    ) -> PackedSequence:
        """Make one of its parts, or of the pair (data, batch_sizes) as first argument."""
        if batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **names: Any) -> PackedSequence:
        """Return this batch with its data converted as by ``Tensor.to``, or itself."""
        data = self.data.to(*args, **names)
        return self if data is self.data else self._replace(data=data)

    def cpu(self) -> PackedSequence:
        """Return this batch, which is on the CPU."""
        return self

    def float(self) -> PackedSequence:
        """Return this batch with data of float32."""
        return self.to(np.float32)

    def double(self) -> PackedSequence:
        """Return this batch with data of float64."""
        return self.to(np.float64)

    def half(self) -> PackedSequence:
        """Return this batch with data of float16."""
        return self.to(np.float16)

    def long(self) -> PackedSequence:
        """Return this batch with data of int64."""
        return self.to(np.int64)

    def int(self) -> PackedSequence:
        """Return this batch with data of int32."""
        return self.to(np.int32)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU: never."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the inverse of a permutation of 0, 1, …; of None None."""
    return None if permutation is None else wrap(np.argsort(permutation.data))


# ------------------------------------------------------------------------------ packing


def layout_of(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return step and sequence of each packed row, and the batch sizes, for falling ``lengths``."""
    lasts = np.arange(lengths[0])[:, None] < lengths  # (steps, sequences)
    steps, sequences = lasts.nonzero()
    return steps, sequences, lasts.sum(1)


def order_of(lengths: np.ndarray) -> np.ndarray:
    """Return which sequence is the longest, the second longest, …; of equal ones the first."""
    return np.argsort(-lengths, kind="stable")


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Return the sequences of a padded batch, packed.

    Args:
        input (Tensor): (T, B, …), or (B, T, …) if ``batch_first``.
        lengths: B integers from 1 to T, a list or a Tensor.
        enforce_sorted: they must be falling; else they are sorted here.
    Raises:
        ShapeError: another number of lengths, or one that is not in [1, T], or not falling.
    Source: torch.nn.utils.rnn.pack_padded_sequence.
    """
    name = "pack_padded_sequence"
    check_tensors(name, input)
    sizes = _integers(name, lengths)
    if input.ndim < 2:
        raise ShapeError(f"{name}: expects at least 2 axes, got shape {input.shape}")
    batch, longest = input.shape[:2] if batch_first else input.shape[1::-1]
    if sizes.shape != (batch,):
        raise ShapeError(f"{name}: {batch} sequences need {batch} lengths, got shape {sizes.shape}")
    if not batch or sizes.min() < 1 or sizes.max() > longest:
        raise ShapeError(
            f"{name}: lengths must be from 1 to {longest}, the length that input is padded to, "
            f"got {sizes.tolist()}"
        )
    order = None if enforce_sorted else order_of(sizes)
    if order is not None:
        sizes = sizes[order]
    elif (np.diff(sizes) > 0).any():
        raise ShapeError(
            f"{name}: lengths must be falling, got {sizes.tolist()}; sort the sequences, or pass "
            "enforce_sorted=False"
        )
    steps, sequences, batch_sizes = layout_of(sizes)
    if order is not None:
        sequences = order[sequences]
    data = input[(sequences, steps) if batch_first else (steps, sequences)]
    return PackedSequence(data, wrap(batch_sizes), None if order is None else wrap(order))


def _integers(name: str, lengths: Any) -> np.ndarray:
    array = np.asarray(lengths.data if isinstance(lengths, Tensor) else lengths)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name}: lengths must be integers, got {array.dtype}")
    return array.astype(np.int64)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return a packed batch padded, in its original order, and the lengths.

    Args:
        padding_value: what stands after the end of a sequence; total_length: how long to pad them,
            by default as the longest is.
    Returns:
        (T, B, …), or (B, T, …) if ``batch_first``; (B,), int64.
    Raises:
        ValueError: total_length is too short.
    Source: torch.nn.utils.rnn.pad_packed_sequence.
    """
    sizes = sequence.batch_sizes.data
    total = len(sizes) if total_length is None else total_length
    if total < len(sizes):
        raise ValueError(
            f"pad_packed_sequence: total_length is {total}, but the longest sequence {len(sizes)}"
        )
    lasts = np.arange(sizes[0]) < sizes[:, None]  # (steps, sequences)
    lengths = lasts.sum(0)
    steps, sequences = lasts.nonzero()
    if sequence.sorted_indices is not None and sequence.unsorted_indices is not None:
        sequences = sequence.sorted_indices.data[sequences]
        lengths = lengths[sequence.unsorted_indices.data]
    shape = (total, int(sizes[0]))
    padded = _filled(sequence.data, (steps, sequences), shape, batch_first, padding_value)
    return padded, wrap(lengths)


def _filled(
    rows: Tensor,
    places: tuple[np.ndarray, np.ndarray],
    shape: tuple[int, int],
    batch_first: bool,
    value: float,
) -> Tensor:
    """Return ``value`` in (T, B, …), or in (B, T, …), but for ``rows`` at (step, sequence)."""
    first, second = (1, 0) if batch_first else (0, 1)
    full = np.full((shape[first], shape[second], *rows.shape[1:]), value, rows.dtype)
    return Assign.apply(wrap(full), rows, (places[first], places[second]))


# ------------------------------------------------------------------------------ padding


def pad_sequence(
    sequences: Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return sequences (L, …) of any lengths in one tensor (T, B, …) or (B, T, …), padded.

    Args:
        padding_value: what fills the rest; padding_side: "right" puts it behind, "left" in front.
    Raises:
        ShapeError: no sequences, or sequences that differ in more than their length.
    Source: torch.nn.utils.rnn.pad_sequence.
    """
    members = members_of("pad_sequence", list(sequences))
    shapes = [member.shape for member in members]
    if padding_side not in ("left", "right"):
        raise ShapeError(f"pad_sequence: padding_side is 'left' or 'right', not {padding_side!r}")
    if () in shapes or len({shape[1:] for shape in shapes}) > 1:
        raise ShapeError(f"pad_sequence: shapes may differ in their first axis, got {shapes}")
    lengths = np.array([len(member) for member in members])
    total = int(lengths.max())
    steps = np.concatenate([np.arange(length) for length in lengths])
    if padding_side == "left":
        steps += np.repeat(total - lengths, lengths)
    places = steps, np.repeat(np.arange(len(members)), lengths)
    rows = cat([member.to(members[0].dtype) for member in members])
    return _filled(rows, places, (total, len(members)), batch_first, padding_value)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Any, batch_first: bool = False
) -> list[Tensor]:
    """Return the sequences of a padded batch, as a list: what ``pad_sequence`` has padded.

    Args and errors as of ``pack_padded_sequence``; a length may also be 0, or larger than T.
    """
    sizes = _integers("unpad_sequence", lengths)
    sequences = padded_sequences.unbind(0 if batch_first else 1)
    if sizes.shape != (len(sequences),):
        raise ShapeError(
            f"unpad_sequence: {len(sequences)} sequences need as many lengths, got shape "
            f"{sizes.shape}"
        )
    return [each[: max(size, 0)] for each, size in zip(sequences, sizes.tolist(), strict=True)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Return sequences (L, …) packed (torch.nn.utils.rnn.pack_sequence).

    Args:
        enforce_sorted: their lengths must be falling; else they are sorted here.
    Raises:
        ShapeError: as of ``pad_sequence`` and ``pack_padded_sequence``.
    """
    members = members_of("pack_sequence", list(sequences))
    padded = pad_sequence(members)
    lengths = [len(member) for member in members]
    return pack_padded_sequence(padded, lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences of a packed batch in their original order, as a list."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
