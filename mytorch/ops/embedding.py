"""Tables of vectors looked up by integers, and one-hot vectors (torch.nn.functional)."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from mytorch.ops.common import check_tensors
from mytorch.ops.cross_entropy import first_wrong
from mytorch.ops.pointwise import masked
from mytorch.ops.registry import operation

__all__ = ["AddRows", "Embedding"]


class Embedding(Function):
    """y = w[indices], rows of w (V, D);  dL/dw has dL/dy added up at indices.

    Where ``keep``, a boolean array of the shape of indices, is False nothing flows back. ``counts``
    divides what flows back to each row, None for no division.
    """

    on_arrays = True

    @staticmethod
    def forward(
        ctx: Any, w: Any, indices: np.ndarray, keep: np.ndarray | None = None, counts: Any = None
    ) -> Any:
        ctx.indices, ctx.keep, ctx.counts, ctx.rows = indices, keep, counts, w.data.shape[0]
        return w.new(w.data[indices])

    @staticmethod
    def _flowing(ctx: Any, x: Any) -> Any:
        """Return what flows of x, which has the shape of y."""
        if ctx.keep is not None:
            x = masked(x, ctx.keep[..., None])
        return x if ctx.counts is None else x / ctx.counts[ctx.indices][..., None]

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        grad = Embedding._flowing(ctx, grad_output)
        if ctx.bare:
            return _added_rows(grad, ctx.indices, ctx.rows), None, None, None
        return AddRows.apply(grad, ctx.indices, ctx.rows), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        if ctx.bare:
            return Embedding._flowing(ctx, tangent[ctx.indices])
        return Embedding._flowing(ctx, Embedding.apply(tangent, ctx.indices))


class AddRows(Function):
    """Zeros (rows, D) with a (…, D) added at the rows ``indices`` (…);  dL/da = dL/dy[indices]."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any, indices: np.ndarray, rows: int) -> Any:
        ctx.indices, ctx.rows = indices, rows
        return a.new(_added_rows(a.data, indices, rows))

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        if ctx.bare:
            return grad_output[ctx.indices], None, None
        return Embedding.apply(grad_output, ctx.indices), None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Any, *_: Any) -> Any:
        if ctx.bare:
            return _added_rows(tangent, ctx.indices, ctx.rows)
        return AddRows.apply(tangent, ctx.indices, ctx.rows)


def _added_rows(x: np.ndarray, indices: np.ndarray, rows: int) -> np.ndarray:
    """Return zeros (rows, D) with x (…, D) added at ``indices`` (…): flat, where add.at is fast."""
    width = x.shape[-1]
    result = np.zeros(rows * width, x.dtype)
    places = indices.reshape(-1, 1) * width + np.arange(width)
    np.add.at(result, places.reshape(-1), x.reshape(-1))
    return result.reshape(rows, width)


# ------------------------------------------------------------------------------ the functions


def _indices(name: str, input: Any, rows: int) -> np.ndarray:
    """Return the indices as int64, a copy, or say which of them is no row."""
    indices = input.data
    if indices.dtype.kind not in "iu":
        raise DtypeError(f"{name}: expects integer indices, got {indices.dtype}; use .long()")
    wrong = (indices < 0) | (indices >= rows)
    if wrong.any():
        place, index = first_wrong(wrong, indices)
        raise BoundsError(f"{name}: input[{place}] is {index}, but weight has rows 0 to {rows - 1}")
    return indices.astype(np.int64)


def _table(
    name: str, input: Any, weight: Any, padding_idx: int | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the indices, and which are not padding, None for all."""
    check_tensors(name, input, weight)
    shape = weight.data.shape
    if len(shape) != 2:
        raise ShapeError(f"{name}: expects weight of shape (V, D), got {shape}")
    indices = _indices(name, input, shape[0])
    if padding_idx is None:
        return indices, None
    if not -shape[0] <= padding_idx < shape[0]:
        raise BoundsError(f"{name}: padding_idx {padding_idx} is no row of weight {shape}")
    return indices, indices != padding_idx % shape[0]


def _renormalized(weight: Any, indices: np.ndarray, max_norm: float | None, p: float) -> None:
    """Scale the rows that are looked up to a norm of at most ``max_norm``, in place."""
    if max_norm is None:
        return
    rows = np.unique(indices)
    lengths = np.linalg.norm(weight.data[rows], p, axis=1)
    long = lengths > max_norm
    if long.any():
        weight.data[rows[long]] *= (max_norm / (lengths[long] + 1e-7))[:, None]
        weight.mark_changed()


@operation("functional")
def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Return weight[input], a row for each index (torch.nn.functional.embedding).

    Args:
        input (Tensor): (…), integers in [0, V); weight (Tensor): (V, D).
        padding_idx: the row that gets no gradient.
        max_norm: first scale the rows that are looked up to a norm of at most this, in place.
        norm_type: p of that norm.
        scale_grad_by_freq: divide a row's gradient by how often it is looked up.
        sparse: has no effect; gradients are dense.
    Returns:
        Tensor: (…, D).
    Raises:
        BoundsError (an IndexError): an index outside [0, V); ShapeError, DtypeError.
    """
    indices, keep = _table("embedding", input, weight, padding_idx)
    _renormalized(weight, indices, max_norm, norm_type)
    counts = None
    if scale_grad_by_freq:
        counts = np.bincount(indices.reshape(-1), minlength=weight.data.shape[0])
        counts = counts.astype(weight.data.dtype)
    return Embedding.apply(weight, indices, keep, counts)


@operation("functional")
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """Return the mean, sum or largest of weight[input] over each bag (torch's embedding_bag).

    Args:
        input (Tensor): (B, N), each row a bag; or (N,), bag b beginning at ``offsets[b]``.
        offsets (Tensor): (B,), rising from 0; with ``include_last_offset`` also the end.
        mode: "mean", "sum" or "max". A bag of nothing gives 0.
        per_sample_weights (Tensor): of the shape of input, what its rows are multiplied by; "sum".
        padding_idx: the row that is left out; others as ``embedding``.
    Returns:
        Tensor: (B, D).
    """
    name = "embedding_bag"
    if mode not in ("mean", "sum", "max"):
        raise ArgumentError(f"{name}: mode must be 'mean', 'sum' or 'max', got {mode!r}")
    indices, keep = _table(name, input, weight, padding_idx)
    bags, count = _bags(name, indices, offsets, include_last_offset)
    if per_sample_weights is not None:
        if mode != "sum":
            raise ArgumentError(f"{name}: per_sample_weights go with mode='sum', not {mode!r}")
        if per_sample_weights.data.shape != indices.shape:
            raise ShapeError(
                f"{name}: per_sample_weights {per_sample_weights.data.shape} must have the shape "
                f"of input {indices.shape}"
            )
    kept = slice(None) if keep is None else keep.reshape(-1)
    flat, bags = input.new(indices.reshape(-1)[kept]), bags[kept]
    rows = embedding(flat, weight, None, max_norm, norm_type, scale_grad_by_freq)
    if mode == "max":
        return _largest(rows, bags, count)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.reshape(-1)[kept].unsqueeze(-1)
    result = AddRows.apply(rows, bags, count)
    if mode == "sum":
        return result
    sizes = np.maximum(np.bincount(bags, minlength=count), 1).astype(rows.data.dtype)
    return result / rows.new(sizes[:, None])


def _bags(
    name: str, indices: np.ndarray, offsets: Any, include_last: bool
) -> tuple[np.ndarray, int]:
    """Return the bag of each index, as one axis, and how many bags there are."""
    if indices.ndim == 2:
        if offsets is not None:
            raise ArgumentError(f"{name}: offsets go with input (N,), not {indices.shape}")
        return np.repeat(np.arange(len(indices)), indices.shape[1]), len(indices)
    if indices.ndim != 1 or offsets is None or offsets.data.ndim != 1:
        raise ArgumentError(
            f"{name}: expects input (B, N), or input (N,) and offsets (B,); got {indices.shape}"
        )
    starts = offsets.data.astype(np.int64)
    ends = [] if include_last else [indices.size]
    bounds = np.append(starts, ends).astype(np.int64)
    if bounds[0] != 0 or (np.diff(bounds) < 0).any() or bounds[-1] != indices.size:
        raise ArgumentError(
            f"{name}: offsets must rise from 0 to at most {indices.size}, got {starts.tolist()}"
        )
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)), len(bounds) - 1


def _largest(rows: Any, bags: np.ndarray, count: int) -> Any:
    """Return the largest of the rows of each bag, (count, D); bags (N,) rise. Ties: the first."""
    sizes = np.bincount(bags, minlength=count)
    places = np.arange(sizes.max(initial=0)) + (np.cumsum(sizes) - sizes)[:, None]  # (count, most)
    inside = np.arange(places.shape[1]) < sizes[:, None]
    x = np.where(inside[..., None], rows.data[np.where(inside, places, 0)], -np.inf)
    first = np.take_along_axis(places, x.argmax(1), 1)  # (count, D), rows
    columns = np.arange(rows.data.shape[1])
    empty = sizes == 0
    picked = rows[rows.new(np.where(empty[:, None], 0, first)), rows.new(columns)]
    return masked(picked, ~empty[:, None]) if empty.any() else picked


@operation("functional")
def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Return (…, C) with 1 at each label of input (…) and 0 elsewhere, int64 and constant.

    Args:
        num_classes: C; -1 for the largest label + 1.
    Raises:
        BoundsError (an IndexError): a label outside [0, C), or no label to take C from;
        DtypeError: labels that are no integers.
    Source: torch.nn.functional.one_hot.
    """
    labels = input.data
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"one_hot: expects integer labels, got {labels.dtype}; use .long()")
    if num_classes == -1:
        if not labels.size:
            raise BoundsError("one_hot: no labels to take num_classes from; give num_classes")
        num_classes = int(labels.max()) + 1
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        place, label = first_wrong(wrong, labels)
        raise BoundsError(
            f"one_hot: input[{place}] is {label}, but the classes are 0 to {num_classes - 1}"
        )
    result = np.zeros((labels.size, max(num_classes, 0)), np.int64)
    result[np.arange(labels.size), labels.reshape(-1)] = 1
    return input.new(result.reshape(*labels.shape, result.shape[1]))
