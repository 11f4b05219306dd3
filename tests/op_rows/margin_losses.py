"""Rows of mytorch/ops/margin_losses.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from tests.op_rows.common import TARGET
from tests.op_rows.losses import REDUCED, bad_pair
from tests.op_rows.similarity import cosine, length
from tests.op_table import DTYPES, Bad, Kink, OpCase, Shapes, nonzero, real

SIGNS = np.array([1, -1, 1])
LISTS = np.array([[3, 0, -1, 1], [-1, 2, 2, 2], [1, 1, 2, -1]])  # labels up to the first -1
FIRST_ORDER = {
    "second": "torch has no second derivative",
    "float16": "torch has no float16 here",
}
INTEGERS_STAY = dict.fromkeys(DTYPES[:5], "torch keeps integers; here the margin is a float")


def rows(name: str, shapes: tuple[Shapes, ...], call: Any, reference: Any,
         bad: tuple[Bad, ...] = (), **names: Any) -> list[OpCase]:  # fmt: skip
    """The rows of one loss for each reduction; ``call(function, m, *tensors)`` gives the rest."""

    def row(reduction: str) -> OpCase:
        def function(m: Any) -> Callable[..., Any]:
            return lambda *args, **more: getattr(m.nn.functional, name)(
                *args, **more, reduction=reduction
            )

        first = {**names, "bad": bad} if reduction == "mean" else names
        return OpCase(f"{name} {reduction}", lambda m, *x: call(function(m), m, *x),
                      lambda *x: REDUCED[reduction](reference(*x)), shapes, **first)  # fmt: skip

    return [row(reduction) for reduction in REDUCED]


def positive_part(x: Any) -> Any:
    """max(x, 0)."""
    return np.maximum(x, 0)


def distance(x: Any, y: Any, p: float = 2.0) -> Any:
    """That of pairwise_distance."""
    return length(x - y + 1e-6, p)[..., 0]


def multi_margin(x: Any, p: int = 1, margin: float = 1.0) -> Any:
    """The definition, for the labels TARGET."""
    excess = positive_part(margin - np.take_along_axis(x, TARGET[:, None], 1) + x) ** p
    np.put_along_axis(excess, TARGET[:, None], 0, 1)
    return excess.mean(1)


def multilabel(x: Any) -> Any:
    """The definition, for the labels LISTS."""
    losses = np.zeros(len(x))
    for i, labels in enumerate(([3, 0], [], [1, 1, 2])):
        others = [j for j in range(x.shape[1]) if j not in labels]
        losses[i] = sum(positive_part(1 - x[i, t] + x[i, j]) for t in labels for j in others)
    return losses / x.shape[1]


def soft(x: Any, t: Any) -> Any:
    """The terms of multilabel_soft_margin_loss."""
    return t * np.log(1 + np.exp(-x)) + (1 - t) * np.log(1 + np.exp(x))


def wrong(name: str, error: type, message: str, *arrays: Any, torch: bool = True,
          **names: Any) -> Bad:  # fmt: skip
    """A wrong call of a loss."""
    return Bad(lambda m: getattr(m.nn.functional, name)(
        *[m.tensor(np.array(x)) for x in arrays], **names), error, message, torch)  # fmt: skip


X, T = np.ones((3, 4)), TARGET

ROWS = [
    *rows("hinge_embedding_loss", (((3,),),),
          lambda f, m, x: f(x, m.tensor(SIGNS)),
          lambda x: np.where(SIGNS > 0, x, positive_part(1 - x)),
          differs=INTEGERS_STAY, bad=bad_pair("hinge_embedding_loss")),
    OpCase("hinge_embedding_loss margin",
           lambda m, x: m.nn.functional.hinge_embedding_loss(
               x, m.tensor([0, -1, 1]), 0.5, reduction="none"),
           lambda x: np.array([x[0] + positive_part(0.5 - x[0]), positive_part(0.5 - x[1]), x[2]]),
           (((3,),),), kinks=(Kink(([0.5, 0.5, 0.5],), ([0, -1, 1],), [1.0] * 3),),
           differs=INTEGERS_STAY),
    *rows("soft_margin_loss", (((3,),),),
          lambda f, m, x: f(x, m.tensor(SIGNS)),
          lambda x: np.log(1 + np.exp(-SIGNS * x)),
          bad=(*bad_pair("soft_margin_loss"),
               wrong("soft_margin_loss", DtypeError, "got int64", [1, 2], [1, 1], torch=False))),
    OpCase("soft_margin_loss tails",
           lambda m, x: m.nn.functional.soft_margin_loss(x, m.tensor(SIGNS), reduction="sum"),
           None, (((3,),),), kinks=(Kink(([-1e4, 0.0, 1e4],), ([-1, 0.5, 0],)),),
           torch=None),  # torch's exponential overflows
    *rows("margin_ranking_loss", (((3,), (3,), (3,)), ((2, 3), (1, 3), (2, 1)), ((), (), ())),
          lambda f, m, x, y, t: f(x, y, t, 0.5),
          lambda x, y, t: positive_part(0.5 - t * (x - y)), domain=(real, real, nonzero),
          bad=(
              wrong("margin_ranking_loss", ShapeError, r"equally many axes, got shapes \[\(3, 4\)",
                    X, np.ones(3), np.ones(3)),
              wrong("margin_ranking_loss", ShapeError, r"shapes \(3,\) and \(2,\)", np.ones(3),
                    np.ones(3), np.ones(2)),
              wrong("margin_ranking_loss", ArgumentError, "got 'avg'", *np.ones((3, 3)),
                    reduction="avg"),
          )),
    OpCase("margin_ranking_loss tie",
           lambda m, x, y, t: m.nn.functional.margin_ranking_loss(x, y, t),
           lambda x, y, t: positive_part(-t * (x - y)).mean(), (((3,),) * 3,),
           kinks=(Kink((2.0, 2.0, 1.0), (-1, 1, 0)),)),
    *rows("cosine_embedding_loss", (((3, 4), (3, 4)),),
          lambda f, m, x, y: f(x, y, m.tensor([1, -1, -1]), 0.1),
          lambda x, y: np.where([True, False, False], 1 - cosine(x, y),
                                positive_part(cosine(x, y) - 0.1)),
          bad=(
              wrong("cosine_embedding_loss", ShapeError, r"got \(3, 4\), \(3, 4\) and \(2,\)",
                    X, X, np.ones(2)),
              wrong("cosine_embedding_loss", ShapeError, r"got \(3, 4\), \(2, 4\)",
                    X, X[:2], np.ones(3)),
          )),
    OpCase("cosine_embedding_loss of one",
           lambda m, x, y: m.nn.functional.cosine_embedding_loss(x, y, m.tensor(-1)),
           lambda x, y: positive_part(cosine(x, y)), (((4,), (4,)),)),
    *rows("triplet_margin_loss", (((2, 3),) * 3, ((3,),) * 3),
          lambda f, m, a, p, n: f(a, p, n, 0.5),
          lambda a, p, n: positive_part(distance(a, p) - distance(a, n) + 0.5),
          bad=(
              wrong("triplet_margin_loss", ArgumentError, "margin must be positive, got 0.0", X, X,
                    X, margin=0.0),
              wrong("triplet_margin_loss", ShapeError, "equally many axes", X, X, X[0]),
          )),
    OpCase("triplet_margin_loss swap",
           lambda m, a, p, n: m.nn.functional.triplet_margin_loss(a, p, n, p=1.0, swap=True),
           lambda a, p, n: positive_part(
               distance(a, p, 1) - np.minimum(distance(a, n, 1), distance(p, n, 1)) + 1).mean(),
           (((5, 3),) * 3,)),
    *rows("triplet_margin_with_distance_loss", (((2, 3),) * 3, ((3,),) * 3),
          lambda f, m, a, p, n: f(a, p, n, distance_function=lambda x, y: (x - y).abs().sum(-1)),
          lambda a, p, n: positive_part(np.abs(a - p).sum(-1) - np.abs(a - n).sum(-1) + 1)),
    OpCase("triplet_margin_with_distance_loss default",
           lambda m, a, p, n: m.nn.functional.triplet_margin_with_distance_loss(a, p, n, swap=True),
           lambda a, p, n: positive_part(
               distance(a, p) - np.minimum(distance(a, n), distance(p, n)) + 1).mean(),
           (((5, 3),) * 3,),
           bad=(wrong("triplet_margin_with_distance_loss", ArgumentError, "got -1.0", X, X, X,
                      margin=-1.0),)),
    *rows("multi_margin_loss", (((3, 4),), ((3, 3),)), lambda f, m, x: f(x, m.tensor(TARGET)),
          multi_margin, differs=FIRST_ORDER,
          bad=(
              wrong("multi_margin_loss", BoundsError, r"target\[2\] is 4", X, [0, 1, 4]),
              wrong("multi_margin_loss", ArgumentError, "p must be 1 or 2, got 3", X, T, p=3),
              wrong("multi_margin_loss", ShapeError, r"target of shape \(3,\), got \(2,\)", X,
                    T[:2]),
              wrong("multi_margin_loss", ShapeError, r"\(N, C\) or \(C,\), got \(3, 4, 1\)",
                    X[..., None], T[:, None]),
          )),
    OpCase("multi_margin_loss tie", lambda m, x: m.nn.functional.multi_margin_loss(
               x, m.tensor([0])), None, (((1, 2),),), kinks=(Kink(([[1.0, 0.0]],), (0,)),),
           differs=FIRST_ORDER),
    OpCase("multi_margin_loss p 2", lambda m, x: m.nn.functional.multi_margin_loss(
               x, m.tensor(TARGET), 2, 0.5), lambda x: multi_margin(x, 2, 0.5).mean(),
           (((3, 4),),), differs=FIRST_ORDER),
    OpCase("multi_margin_loss weight", lambda m, x: m.nn.functional.multi_margin_loss(
               x, m.tensor(TARGET), weight=x.detach()[0] * 0 + 3, reduction="sum"),
           lambda x: 3 * multi_margin(x).sum(), (((3, 4),),), differs=FIRST_ORDER),
    OpCase("multi_margin_loss of one", lambda m, x: m.nn.functional.multi_margin_loss(
               x, m.tensor(2), reduction="none"), lambda x: multi_margin(np.stack([x] * 3))[0],
           (((4,),),), differs=FIRST_ORDER),
    *rows("multilabel_margin_loss", (((3, 4),),), lambda f, m, x: f(x, m.tensor(LISTS)),
          multilabel, differs=FIRST_ORDER,
          bad=(
              wrong("multilabel_margin_loss", BoundsError, r"target\[1, 0\] is 4", X,
                    [[0, 1, 2, 3], [4, 0, 0, 0], [0, 0, 0, 0]]),
              wrong("multilabel_margin_loss", ShapeError, "differ", X, LISTS[0]),
              wrong("multilabel_margin_loss", DtypeError, "integer labels, got float64", X, X,
                    torch=False),
              wrong("multilabel_margin_loss", ShapeError, r"got \(3, 4, 1\)", X[..., None],
                    LISTS[..., None]),
          )),
    OpCase("multilabel_margin_loss of one", lambda m, x: m.nn.functional.multilabel_margin_loss(
               x, m.tensor(LISTS[0]), reduction="none"),
           lambda x: multilabel(np.stack([x] * 3))[0], (((4,),),), differs=FIRST_ORDER),
    *rows("multilabel_soft_margin_loss", (((3,), (3,)), ((2, 3), (2, 3))),
          lambda f, m, x, t: f(x, t), lambda x, t: soft(x, t).mean(-1),
          bad=(*bad_pair("multilabel_soft_margin_loss")[:1],
               wrong("multilabel_soft_margin_loss", IndexError, r"\(…, C\), got \(\)", 1.0, 1.0))),
    OpCase("multilabel_soft_margin_loss weight",
           lambda m, x, t: m.nn.functional.multilabel_soft_margin_loss(x, t, t.detach()[0] * 0 + 2),
           lambda x, t: 2 * soft(x, t).mean(), (((2, 3), (2, 3)),)),
]  # fmt: skip
