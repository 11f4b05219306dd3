"""Rows of mytorch/ops/cross_entropy.py, and of the homework's cross_entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from tests.op_rows.common import TARGET, lse
from tests.op_table import Bad, OpCase, real

IGNORED = np.array([2, -100, 0])
PIXELS = np.array([[0, 2, 1], [2, 2, 0]])  # of (2, 4, 3)
WEIGHT = np.array([0.5, 2.0, 1.0, 3.0])
ROWS_OF_TARGET = np.arange(3)


def picked(x: Any) -> Any:
    """-log p of the labels TARGET, for logits x."""
    return lse(x, 1) - x[ROWS_OF_TARGET, TARGET]


def weight(m: Any, x: Any) -> Any:
    """WEIGHT in the dtype of x, as a constant."""
    return m.tensor(WEIGHT) if "float64" in str(x.dtype) else m.tensor(WEIGHT.astype(np.float32))


def log_softmax(x: Any, axis: int = 1) -> Any:
    """The definition."""
    return x - lse(x, axis, True)


def distribution(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Probabilities along axis 1, or along the only one."""
    p = rng.uniform(0.2, 1.0, shape)
    return p / p.sum(1 if len(shape) > 1 else 0, keepdims=True)


def wrong(error: type, message: str, shape: tuple[int, ...], target: Any, torch: bool = True,
          **names: Any) -> Bad:  # fmt: skip
    """A wrong call of cross_entropy."""
    return Bad(
        lambda m: m.nn.functional.cross_entropy(
            m.tensor(np.ones(shape)), m.tensor(np.array(target)),
            **{key: value(m) if callable(value) else value for key, value in names.items()}),
        error, message, torch,
    )  # fmt: skip


def by_class(name: str, reference: Any) -> list[OpCase]:
    """The rows of nll_loss and of cross_entropy; ``reference`` gives -log p for x (N, C, …)."""

    def call(m: Any, x: Any, target: np.ndarray, **names: Any) -> Any:
        return getattr(m.nn.functional, name)(x, m.tensor(target), **names)

    def weighted(x: Any) -> Any:
        w = WEIGHT[TARGET]
        return (w * reference(x)[ROWS_OF_TARGET, TARGET]).sum() / w.sum()

    half = {"float16": "torch has no weights of another dtype, and rounds more"}
    return [
        OpCase(name, lambda m, x: call(m, x, TARGET),
               lambda x: reference(x)[ROWS_OF_TARGET, TARGET].mean(), (((3, 4),), ((3, 3),))),
        OpCase(f"{name} sum", lambda m, x: call(m, x, TARGET, reduction="sum"),
               lambda x: reference(x)[ROWS_OF_TARGET, TARGET].sum(), (((3, 4),),)),
        OpCase(f"{name} none", lambda m, x: call(m, x, TARGET, reduction="none"),
               lambda x: reference(x)[ROWS_OF_TARGET, TARGET], (((3, 4),),)),
        OpCase(f"{name} ignored", lambda m, x: call(m, x, IGNORED),
               lambda x: (reference(x)[0, 2] + reference(x)[2, 0]) / 2, (((3, 4),),)),
        OpCase(f"{name} ignore_index", lambda m, x: call(m, x, TARGET, ignore_index=2),
               lambda x: reference(x)[1, 0], (((3, 4),),)),
        OpCase(f"{name} ignored none", lambda m, x: call(m, x, IGNORED, reduction="none"),
               lambda x: np.array([reference(x)[0, 2], 0, reference(x)[2, 0]]), (((3, 4),),)),
        OpCase(f"{name} weight", lambda m, x: call(m, x, TARGET, weight=weight(m, x)), weighted,
               (((3, 4),),), differs=half),
        OpCase(f"{name} weight none",
               lambda m, x: call(m, x, IGNORED, weight=weight(m, x), reduction="none"),
               lambda x: np.array([reference(x)[0, 2], 0, reference(x)[2, 0] / 2]), (((3, 4),),),
               differs=half),
        OpCase(f"{name} places",
               lambda m, x: call(m, x, PIXELS),
               lambda x: np.take_along_axis(reference(x), PIXELS[:, None], 1).mean(),
               (((2, 4, 3),),)),
        OpCase(f"{name} places none",
               lambda m, x: call(m, x, PIXELS[..., None], reduction="none", weight=weight(m, x)),
               lambda x: np.take_along_axis(reference(x), PIXELS[:, None, :, None], 1)[:, 0]
               * WEIGHT[PIXELS][..., None], (((2, 4, 3, 1),),), differs=half),
        OpCase(f"{name} one", lambda m, x: call(m, x, np.array(2)),
               lambda x: reference(x[None])[0, 2], (((4,),),)),
        OpCase(f"{name} one none", lambda m, x: call(m, x, np.array(2), reduction="none"),
               lambda x: reference(x[None])[0, 2], (((4,),),)),
    ]  # fmt: skip


ROWS = [
    *by_class("nll_loss", np.negative),
    *by_class("cross_entropy", lambda x: -log_softmax(x)),
    OpCase("cross_entropy smoothed",
           lambda m, x: m.nn.functional.cross_entropy(x, m.tensor(TARGET), label_smoothing=0.2),
           lambda x: (0.8 * picked(x) - 0.2 * log_softmax(x).mean(1)).mean(), (((3, 4),),),
           bad=(
               wrong(ArgumentError, r"must be in \[0, 1\], got 1.5", (3, 4), TARGET,
                     label_smoothing=1.5),
               wrong(ValueError, "reduction must be one of .* got 'avg'", (3, 4), TARGET,
                     reduction="avg"),
               wrong(IndexError, r"target\[1, 2\] is 4, but the logits have classes 0 to 3",
                     (2, 4, 3), [[0, 1, 2], [0, 1, 4]]),
               wrong(ShapeError, r"need a target of shape \(2, 3\), got \(2, 4\)", (2, 4, 3),
                     np.zeros((2, 4), int)),
               wrong(ShapeError, r"expects logits of shape \(N, C\), got \(\)", (), 0),
               wrong(ShapeError, r"weight has shape \(3,\); it needs one .* 4 classes", (3, 4),
                     TARGET, weight=lambda m: m.zeros(3)),
               wrong(DtypeError, "input is float64 but weight is float32", (3, 4), TARGET,
                     weight=lambda m: m.tensor(np.ones(4, np.float32))),
               wrong(RuntimeError, "ignore_index=0 needs labels", (3, 4), np.ones((3, 4)),
                     ignore_index=0),
               Bad(lambda m: m.nn.functional.cross_entropy(
                       m.tensor([[1, 2]]), m.tensor([[0.5, 0.5]])), DtypeError, "floating", False),
           )),
    OpCase("cross_entropy smoothed places",
           lambda m, x: m.nn.functional.cross_entropy(
               x, m.tensor(PIXELS), weight(m, x), ignore_index=1, label_smoothing=0.3,
               reduction="none"),
           None, (((2, 4, 3),),), differs={"float16": "torch has no float32 weights for it"}),
    OpCase("cross_entropy smoothed mean",
           lambda m, x: m.nn.functional.cross_entropy(
               x, m.tensor(IGNORED), weight(m, x), label_smoothing=0.3),
           None, (((3, 4),),), differs={"float16": "torch has no float32 weights for it"}),
    OpCase("cross_entropy probabilities", lambda m, x, p: m.nn.functional.cross_entropy(x, p),
           lambda x, p: -(p * log_softmax(x)).sum(1).mean(), (((3, 4), (3, 4)), ((2, 4, 3),) * 2),
           (real, distribution)),
    OpCase("cross_entropy probabilities none",
           lambda m, x, p: m.nn.functional.cross_entropy(x, p, reduction="none"),
           lambda x, p: -(p * log_softmax(x)).sum(1), (((3, 4),) * 2, ((2, 4, 3),) * 2,
                                                       ((0, 3),) * 2), (real, distribution)),
    OpCase("cross_entropy probabilities of one",
           lambda m, x, p: m.nn.functional.cross_entropy(x, p),
           lambda x, p: -(p * log_softmax(x, 0)).sum(), (((4,),) * 2,), (real, distribution)),
    OpCase("cross_entropy probabilities weight",
           lambda m, x, p: m.nn.functional.cross_entropy(
               x, p, weight(m, x), label_smoothing=0.1, reduction="mean"),
           lambda x, p: -(WEIGHT * (0.9 * p + 0.025) * log_softmax(x)).sum(1).mean(),
           (((3, 4),) * 2,), (real, distribution),
           differs={"float16": "torch has no float32 weights for it"}),
]  # fmt: skip
