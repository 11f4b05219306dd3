"""Connectionist temporal classification: the loss of a sequence of labels without alignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from mytorch.ops.common import check_tensors, float_data
from mytorch.ops.cross_entropy import check_reduction, first_wrong
from mytorch.ops.joining import Cat
from mytorch.ops.losses import reduced
from mytorch.ops.pointwise import where
from mytorch.ops.reduce import LogSumExp
from mytorch.ops.registry import operation
from mytorch.variable import Variable

__all__ = ["Steps"]

NEVER = -1e30  # the logarithm of a probability of 0: finite, since inf - inf would be nan


class Steps(Function):
    """y_0, y_1, … = x[0], x[1], …: one gradient for all, where indexing has one for each."""

    on_arrays = True

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return tuple(a.new(step) for step in a.data)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (np.stack(grads),)

    @staticmethod
    def jvp(ctx: Any, tangent: Any) -> Any:
        return tuple(tangent[place] for place in range(len(tangent)))


@operation("functional")
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """Return -log of the probability of all paths that read as the targets.

    A path has a symbol for each step; it reads as its symbols without repetitions, then without
    blanks. Math: with l = (blank, l_1, blank, …, l_S, blank) the paths that have come to l_s at
    step t have a_t(s) = p_t(l_s) (a_t-1(s) + a_t-1(s - 1) + a_t-1(s - 2) if l_s is neither blank
    nor l_s-2), computed in logarithms. The loss is -log of what has come to the last two.

    Args:
        log_probs (Tensor): (T, N, C), or (T, C): logarithms of probabilities, as of log_softmax.
        targets (Tensor): (N, S), integers in [0, C), padded at will; or (sum of target_lengths,).
        input_lengths, target_lengths (Tensor): (N,), or as tuples: the steps and labels that count.
        blank: the class of the blank.
        reduction: "mean" divides each loss by its target_length (0 counts as 1) first.
        zero_infinity: take 0 for the loss of a target that no path reads as; else it is infinite.
            It has no gradient either way.
    Raises:
        ShapeError, DtypeError; ArgumentError: lengths that do not fit; BoundsError: a wrong label.
    Source: torch.nn.functional.ctc_loss; Graves et al. 2006, ICML.
    """
    check_reduction("ctc_loss", reduction)
    check_tensors("ctc_loss", log_probs, targets)
    x = float_data("ctc_loss", log_probs)
    if x.dtype == np.float16:
        raise DtypeError("ctc_loss: not for float16; convert with .float()")
    if x.ndim not in (2, 3):
        raise ShapeError(f"ctc_loss: expects log_probs (T, N, C) or (T, C), got {x.shape}")
    batch = log_probs if x.ndim == 3 else log_probs.unsqueeze(1)
    steps, count, classes = batch.data.shape
    if not 0 <= blank < classes:
        raise ArgumentError(f"ctc_loss: blank {blank} is no class of 0 to {classes - 1}")
    times = _lengths("input_lengths", input_lengths, count, steps)
    sizes = _lengths("target_lengths", target_lengths, count, None)
    losses = -_log_likelihood(batch, _padded(targets, sizes, x.ndim, classes), times, sizes, blank)
    impossible = losses.data > -NEVER / 2
    if impossible.any():
        losses = where(losses.new(impossible), 0.0 if zero_infinity else np.inf, losses)
    if reduction == "mean":
        losses = losses / losses.new(np.maximum(sizes, 1).astype(x.dtype))
    return reduced(losses if x.ndim == 3 else losses.reshape(()), reduction)


def _lengths(argument: str, given: Any, count: int, most: int | None) -> np.ndarray:
    """Return lengths (N,) as integers."""
    lengths = np.atleast_1d(given.data if isinstance(given, Variable) else np.asarray(given))
    if lengths.dtype.kind not in "iu" or lengths.shape != (count,):
        raise ArgumentError(
            f"ctc_loss: {argument} must be {count} integers, one for each sequence, got {given}"
        )
    if (lengths < 0).any() or (most is not None and (lengths > most).any()):
        limit = "" if most is None else f" and at most {most}"
        raise ArgumentError(
            f"ctc_loss: {argument} must be at least 0{limit}, got {lengths.tolist()}"
        )
    return lengths.astype(np.int64)


def _padded(targets: Any, sizes: np.ndarray, ndim: int, classes: int) -> np.ndarray:
    """Return the labels as (N, S), with 0 beyond their sizes."""
    labels = targets.data
    longest = int(sizes.max(initial=0))
    inside = np.arange(longest) < sizes[:, None]  # (N, S)
    result = np.zeros(inside.shape, np.int64)
    if labels.ndim == 1 and (ndim == 3 or labels.size == sizes.sum()):
        if labels.size != sizes.sum():
            raise ArgumentError(
                f"ctc_loss: {labels.size} targets do not fit target_lengths {sizes.tolist()}"
            )
        result[inside] = labels
    else:
        table = labels if labels.ndim == 2 else labels[None]
        if table.shape[0] != len(sizes) or table.shape[1] < longest:
            raise ArgumentError(
                f"ctc_loss: targets {labels.shape} do not fit target_lengths {sizes.tolist()}"
            )
        result[inside] = table[:, :longest][inside]
    wrong = (result < 0) | (result >= classes)
    if wrong.any():
        place, label = first_wrong(wrong, result)
        raise BoundsError(
            f"ctc_loss: targets[{place}] is {label}, but the classes are 0 to {classes - 1}"
        )
    return result


def _log_likelihood(
    log_probs: Any, labels: np.ndarray, times: np.ndarray, sizes: np.ndarray, blank: int
) -> Any:
    """Return the logarithm of the probability of each target, (N,)."""
    steps, count, _ = log_probs.data.shape
    states = np.full((count, 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    dtype, width = log_probs.data.dtype, states.shape[1]
    jumps = np.full(states.shape, NEVER, dtype)  # whether s is reached from s - 2
    jumps[:, 2:][(states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])] = 0
    jumps, edge = log_probs.new(jumps), log_probs.new(np.full((count, 2), NEVER, dtype))
    time = np.arange(steps)[:, None, None]
    emitted = Steps.apply(log_probs[time, np.arange(count)[:, None], states]) if steps else ()
    start = np.full(states.shape, NEVER, dtype)
    start[:, 0] = 0
    paths = log_probs.new(start)
    for t, symbols in enumerate(emitted):
        near = Cat.apply(1, edge[:, :1], paths[:, :-1])
        far = Cat.apply(1, edge[:, :width], paths[:, : max(width - 2, 0)]) + jumps
        ways = Cat.apply(0, paths.unsqueeze(0), near.unsqueeze(0), far.unsqueeze(0))
        moved = LogSumExp.apply(ways, 0) + symbols
        running = t < times
        paths = moved if running.all() else where(paths.new(running[:, None]), moved, paths)
    rows = np.arange(count)
    ends = [paths[rows, 2 * sizes], paths[rows, np.maximum(2 * sizes - 1, 0)]]
    ends[1] = where(paths.new(sizes > 0), ends[1], NEVER)
    return LogSumExp.apply(Cat.apply(0, *[end.unsqueeze(0) for end in ends]), 0)
