"""Rows of mytorch/ops/ctc.py."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from tests.op_rows.cross_entropy import log_softmax
from tests.op_table import Bad, OpCase

TARGETS = np.array([[1, 2], [2, 2]])
OTHERS = np.array([[0, 2], [2, 2]])  # for blank 1
TIMES, SIZES = np.array([4, 3]), np.array([2, 2])


def read(path: tuple[int, ...], blank: int) -> list[int]:
    """What a path reads as."""
    return [symbol for symbol, _ in itertools.groupby(path) if symbol != blank]


def brute_force(x: Any, targets: Any, times: Any, sizes: Any, blank: int = 0) -> Any:
    """-log of the sum over all paths, tried one by one, of logits x (T, N, C)."""
    log_p = log_softmax(x, 2)
    losses = np.zeros(len(times))
    for n, (steps, size) in enumerate(zip(times, sizes, strict=True)):
        wanted = list(targets[n][:size])
        total = sum(
            np.exp(sum(log_p[t, n, symbol] for t, symbol in enumerate(path)))
            for path in itertools.product(range(x.shape[2]), repeat=steps)
            if read(path, blank) == wanted
        )
        losses[n] = -np.log(total)
    return losses


def call(targets: Any, times: Any, sizes: Any, **options: Any) -> Any:
    """The loss of logits, through log_softmax: torch's gradient presumes it."""
    return lambda m, x: m.nn.functional.ctc_loss(
        m.log_softmax(x, -1), m.tensor(targets), m.tensor(times), m.tensor(sizes), **options
    )


def wrong(error: type, message: str, *args: Any, shape: tuple[int, ...] = (4, 2, 3),
          torch: bool = True, dtype: Any = float, **options: Any) -> Bad:  # fmt: skip
    """A wrong call."""
    return Bad(lambda m: m.nn.functional.ctc_loss(
        m.tensor(np.zeros(shape, dtype)), *[m.tensor(np.array(x)) for x in args], **options),
        error, message, torch)  # fmt: skip


LOGITS = (((4, 2, 3),),)
DIFFERS = {"second": "torch has none"}
EVERY = [TARGETS, TIMES, SIZES]

ROWS = [
    OpCase("ctc_loss", call(*EVERY), lambda x: (brute_force(x, *EVERY) / SIZES).mean(), LOGITS,
           differs=DIFFERS,
           bad=(
               wrong(ValueError, "got 'avg'", *EVERY, reduction="avg"),
               wrong(ShapeError, r"\(T, N, C\) or \(T, C\), got \(4,\)", *EVERY, shape=(4,)),
               wrong(DtypeError, "floating", *EVERY, dtype=int),
               wrong(DtypeError, "not for float16", *EVERY, dtype=np.float16),
               wrong(ArgumentError, "blank 3 is no class of 0 to 2", *EVERY, blank=3),
               wrong(ArgumentError, r"input_lengths must be at least 0 and at most 4, got \[5, 3\]",
                     TARGETS, [5, 3], SIZES),
               wrong(ArgumentError, "target_lengths must be at least 0, got", TARGETS, TIMES,
                     [-1, 2]),
               wrong(ArgumentError, "input_lengths must be 2 integers", TARGETS, [4], SIZES),
               wrong(ArgumentError, "input_lengths must be 2 integers", TARGETS, [4.0, 3.0], SIZES),
               wrong(ArgumentError, r"targets \(2, 2\) do not fit target_lengths \[3, 2\]", TARGETS,
                     TIMES, [3, 2]),
               wrong(ArgumentError, "3 targets do not fit", [1, 2, 2], TIMES, SIZES),
               wrong(BoundsError, r"targets\[1, 0\] is 3, but the classes are 0 to 2",
                     [[1, 2], [3, 1]], TIMES, SIZES, torch=False),  # torch reads beyond its array
           )),
    OpCase("ctc_loss none", call(OTHERS, TIMES, SIZES, reduction="none", blank=1),
           lambda x: brute_force(x, OTHERS, TIMES, SIZES, 1), LOGITS,
           differs=DIFFERS),
    OpCase("ctc_loss sum", call(np.array([1, 2]), TIMES, np.array([2, 0]), reduction="sum"),
           lambda x: brute_force(x, [[1, 2], []], TIMES, [2, 0]).sum(), LOGITS, differs=DIFFERS),
    OpCase("ctc_loss of one", call(TARGETS[0], np.array(3), np.array(2)),
           lambda x: brute_force(x[:, None], TARGETS[:1], [3], [2])[0] / 2, (((4, 3),),),
           differs=DIFFERS),
    OpCase("ctc_loss of nothing", call(np.zeros((2, 0), int), TIMES, np.array([0, 0])),
           lambda x: brute_force(x, [[], []], TIMES, [0, 0]).mean(), LOGITS, differs=DIFFERS),
    OpCase("ctc_loss impossible", call(TARGETS, np.array([2, 2]), SIZES, zero_infinity=True),
           lambda x: brute_force(x[:, :1], TARGETS[:1], [2], [2])[0] / 4, LOGITS, differs=DIFFERS),
]  # fmt: skip
