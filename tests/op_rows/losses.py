"""Rows of mytorch/ops/losses.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.errors import ArgumentError, DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_table import DTYPES, Bad, Kink, OpCase, Shapes, positive, real, unit

PAIRS: tuple[Shapes, ...] = (((), ()), ((3,), (3,)), ((2, 3), (2, 3)))
REDUCED: dict[str, Callable[[Any], Any]] = {"mean": np.mean, "sum": np.sum, "none": np.copy}
INTEGERS = DTYPES[:5]


def probability(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Between 0 and 1, away from both."""
    return rng.uniform(0.1, 0.9, shape)


def numbered(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Positive, different from row to row, so that weights differ."""
    return 1 + np.arange(float(np.prod(shape))).reshape(shape)


def loss(name: str, reference: Any, *args: Any, bad: tuple[Bad, ...] = (), **names: Any) -> Any:
    """The rows of a loss of two tensors, one for each reduction; ``args`` are its options."""
    options = dict(args)
    kept = {key: names.pop(key) for key in ("kinks",) if key in names}
    title = " ".join([name, *[f"{key}={value}" for key, value in options.items()]])
    shapes = names.pop("shapes", PAIRS)

    def row(reduction: str, **more: Any) -> OpCase:
        return OpCase(
            f"{title} {reduction}",
            lambda m, *x: getattr(m.nn.functional, name)(*x, reduction=reduction, **options),
            None if reference is None else lambda *x: REDUCED[reduction](reference(*x)),
            **{**names, **more},
        )

    return [
        row("mean", bad=bad, shapes=shapes),
        row("sum", shapes=shapes),
        row("none", shapes=(*shapes, tuple((0, 3) for _ in shapes[0])), **kept),
    ]


def bad_pair(name: str, torch: bool = False) -> tuple[Bad, ...]:
    """The wrong calls of every loss of two tensors of one shape."""
    return (
        Bad(lambda m: getattr(m.nn.functional, name)(*tensors(m, (3, 1), (3,))), ShapeError,
            r"input \(3, 1\) and target \(3,\) differ; .*unsqueeze", torch),
        Bad(lambda m: getattr(m.nn.functional, name)(*tensors(m, (3,), (3,)), reduction="avg"),
            ArgumentError, r"reduction must be one of .*, got 'avg'"),
    )  # fmt: skip


def of(name: str, error: type, message: str, *args: Any, torch: bool = True, **names: Any) -> Bad:
    """A wrong call of a loss on two vectors of ones, or on ``args``."""

    def call(m: Any) -> Any:
        return getattr(m.nn.functional, name)(*[m.tensor(np.array(x)) for x in given], **names)

    given = args or (np.ones(3), np.ones(3))
    return Bad(call, error, message, torch)


def huber(x: Any, y: Any, delta: float = 1.0) -> Any:
    """The definition."""
    d = np.abs(x - y)
    return np.where(d <= delta, d * d / 2, delta * (d - delta / 2))


def binary(x: Any, y: Any) -> Any:
    """The definition, of x / 2 and y / 2: the tests of dtypes double what they draw."""
    x, y = x / 2, y / 2
    return -y * np.log(x) - (1 - y) * np.log(1 - x)


def halved(name: str, **options: Any) -> Any:
    """The function of halves; see ``binary``."""
    return lambda m, a, b: getattr(m.nn.functional, name)(a / 2, b / 2, **options)


def ramp(m: Any, x: Any) -> Any:
    """The constants 0, 1, 2 in the dtype of x; where it is an integer, of x / 2."""
    return m.arange(3) * (x.detach() * 0 + 1) + x.detach() / 2 * 0


def normal(x: Any, y: Any, v: Any) -> Any:
    """The definition."""
    return (np.log(v) + (x - y) ** 2 / v) / 2


INTEGER_VARIANCE = dict.fromkeys(INTEGERS, "torch writes the loss into an integer tensor")
LOGITS = "binary_cross_entropy_with_logits"
TRIPLES: tuple[Shapes, ...] = tuple((*pair, pair[0]) for pair in PAIRS)

ROWS = [
    *loss("mse_loss", lambda x, y: (x - y) ** 2, kinks=(Kink((2.0, 2.0), (0, 0)),),
          bad=bad_pair("mse_loss")),
    OpCase("mse_loss weight",
           lambda m, a, b, w: m.nn.functional.mse_loss(a, b, weight=w),
           lambda x, y, w: (w * (x - y) ** 2).sum() / w.sum(), TRIPLES, (real, real, numbered),
           bad=(Bad(lambda m: m.nn.functional.mse_loss(
                    *tensors(m, (2, 3), (2, 3)), weight=m.zeros(3)), ShapeError,
                    r"weight \(3,\) must have the shape of input \(2, 3\)", torch=False),),
           differs=dict.fromkeys(INTEGERS, "torch has another way for weights, of integers too")),
    OpCase("mse_loss weight none",
           lambda m, a, b, w: m.nn.functional.mse_loss(a, b, weight=w, reduction="none"),
           lambda x, y, w: w * (x - y) ** 2, TRIPLES, (real, real, numbered),
           differs=dict.fromkeys(INTEGERS, "torch has another way for weights, of integers too")),
    *loss("l1_loss", lambda x, y: np.abs(x - y), bad=bad_pair("l1_loss"),
          kinks=(Kink(([2.0, 1.0], [2.0, 3.0]), ([0, -1], [0, 1]), [1.0, 1.0]),)),
    *loss("huber_loss", huber, bad=(
              *bad_pair("huber_loss"),
              of("huber_loss", ArgumentError, "delta must be positive, got 0.0", delta=0.0),
          ),
          kinks=(Kink(([1.0, -1.0, 1e3], [0.0, 0.0, 0.0]), ([1, -1, 1], [-1, 1, -1]), [1.0] * 3),)),
    *loss("huber_loss", lambda x, y: huber(x, y, 0.3), ("delta", 0.3),
          kinks=(Kink((0.3, 0.0), (0.3, -0.3)),)),
    OpCase("huber_loss weight", lambda m, a, b, w: m.nn.functional.huber_loss(a, b, weight=w),
           lambda x, y, w: np.mean(w * huber(x, y)), TRIPLES, (real, real, numbered),
           differs={"float16": "torch rounds in another order"},
           bad=(Bad(lambda m: m.nn.functional.huber_loss(
                    *tensors(m, (3,), (3,)), weight=m.zeros(2)), ShapeError,
                    r"weight \(2,\) does not broadcast to input \(3,\)"),)),
    *loss("smooth_l1_loss", huber, bad=(
              *bad_pair("smooth_l1_loss"),
              of("smooth_l1_loss", ArgumentError, "beta must be at least 0, got -1.0", beta=-1.0),
          ),
          kinks=(Kink(([1.0, -1.0, 9.0], [0.0, 0.0, 0.0]), ([1, -1, 1], [-1, 1, -1]), [1.0] * 3),)),
    *loss("smooth_l1_loss", lambda x, y: huber(x, y, 0.5) / 0.5, ("beta", 0.5),
          kinks=(Kink(([0.5, -0.5, 0.0], [0.0] * 3), ([1, -1, 0], [-1, 1, 0]), [1.0] * 3),)),
    *loss("smooth_l1_loss", lambda x, y: np.abs(x - y), ("beta", 0),
          kinks=(Kink((2.0, 2.0), (0, 0)),),
          differs=dict.fromkeys(INTEGERS, "torch takes l1_loss, also of integers")),
    OpCase("binary_cross_entropy", halved("binary_cross_entropy"),
           lambda x, y: binary(x, y).mean(), PAIRS, (probability,), bad=(
               *bad_pair("binary_cross_entropy", torch=True),
               of("binary_cross_entropy", ArgumentError, r"input must be in .* got 1.5; for logits",
                  [0.5, 1.5], [0.5, 0.5]),
               of("binary_cross_entropy", ArgumentError, "input must be .* got nan",
                  [0.5, np.nan], [0.5, 0.5]),
               of("binary_cross_entropy", ArgumentError, "target must be .* got 2.0",
                  [0.5, 0.5], [0.5, 2.0]),
               of("binary_cross_entropy", DtypeError, "got int64", [0, 1], [0, 1], torch=False),
           )),
    OpCase("binary_cross_entropy none", halved("binary_cross_entropy", reduction="none"),
           binary, (*PAIRS, ((0, 3), (0, 3))), (probability,),
           ),
    OpCase("binary_cross_entropy ends",  # where torch's 1e-12 is a float32, and dz/dt infinite
           halved("binary_cross_entropy", reduction="sum"), None, PAIRS, (probability,),
           torch=None,
           kinks=(Kink(([0.0, 2.0], [0.0, 2.0]), ([0, 0], [50, -50])),
                  Kink(([0.0, 2.0], [2.0, 0.0]), ([-5e11, 5e11], [50, -50])))),
    OpCase("binary_cross_entropy sum", halved("binary_cross_entropy", reduction="sum"),
           lambda x, y: binary(x, y).sum(), PAIRS, (probability,)),
    OpCase("binary_cross_entropy weight",
           lambda m, a, b: m.nn.functional.binary_cross_entropy(a / 2, b / 2, ramp(m, b)),
           lambda x, y: (np.arange(3) * binary(x, y)).mean(), PAIRS[1:], (probability,),
           bad=(Bad(lambda m: m.nn.functional.binary_cross_entropy(
                    *tensors(m, (3,), (3,)), m.zeros(2)), ShapeError,
                    r"weight \(2,\) does not broadcast to input \(3,\)"),)),
    *loss(LOGITS, lambda x, y: np.log(1 + np.exp(x)) - x * y, bad=bad_pair(LOGITS, torch=True),
          domain=(real, probability),
          kinks=(Kink(([-1e4, 1e4, 0.0], [1.0, 1.0, 1.0]), ([-1, 0, -0.5], [1e4, -1e4, 0]),
                      [1.0] * 3),)),
    OpCase(f"{LOGITS} weight",
           lambda m, a, b: getattr(m.nn.functional, LOGITS)(a, b, weight=ramp(m, b)),
           lambda x, y: (np.arange(3) * (np.log(1 + np.exp(x)) - x * y)).mean(), PAIRS[1:],
           (real, probability)),
    OpCase(f"{LOGITS} pos_weight",
           lambda m, a, b: getattr(m.nn.functional, LOGITS)(a, b, pos_weight=ramp(m, b)),
           lambda x, y: (
               np.arange(3) * y * np.log(1 + np.exp(-x)) + (1 - y) * np.log(1 + np.exp(x))).mean(),
           PAIRS[1:], (real, probability),
           bad=(Bad(lambda m: getattr(m.nn.functional, LOGITS)(
                    *tensors(m, (3,), (3,)), pos_weight=m.zeros(2)), ShapeError,
                    r"pos_weight \(2,\) does not broadcast to input \(3,\)"),)),
    OpCase("gaussian_nll_loss", lambda m, a, b, v: m.nn.functional.gaussian_nll_loss(a, b, v),
           lambda x, y, v: normal(x, y, v if v.ndim == x.ndim else v[..., None]).mean(),
           (*TRIPLES, ((2, 3), (2, 3), (2,)), ((2, 3), (2, 3), (2, 1))), (real, real, positive),
           bad=(
               of("gaussian_nll_loss", ArgumentError, "must not be negative, got -1.0",
                  np.ones(2), np.ones(2), [1.0, -1.0]),
               of("gaussian_nll_loss", ShapeError, r"var \(3,\) does not fit input \(2, 3\)",
                  np.ones((2, 3)), np.ones((2, 3)), np.ones(3)),
               of("gaussian_nll_loss", ShapeError, r"input \(2, 3\) and target \(3,\) differ",
                  np.ones((2, 3)), np.ones(3), np.ones((2, 3)), torch=False),
               of("gaussian_nll_loss", ValueError, "got 'avg'", np.ones(2), np.ones(2), np.ones(2),
                  reduction="avg"),
           ), differs=INTEGER_VARIANCE),
    OpCase("gaussian_nll_loss full",
           lambda m, a, b, v: m.nn.functional.gaussian_nll_loss(a, b, v, True, reduction="none"),
           lambda x, y, v: normal(x, y, v) + math.log(2 * math.pi) / 2,
           (*TRIPLES, ((0, 3), (0, 3), (0, 3))), (real, real, positive),
           differs=INTEGER_VARIANCE),
    OpCase("gaussian_nll_loss eps",
           lambda m, a, b, v: m.nn.functional.gaussian_nll_loss(a, b, v, eps=0.5, reduction="sum"),
           None, TRIPLES, (real, real, numbered), kinks=(Kink((1.0, 0.0, 0.0), (2, -2, -1)),),
           differs=INTEGER_VARIANCE),
    OpCase("gaussian_nll_loss number",
           lambda m, a, b: m.nn.functional.gaussian_nll_loss(a, b, 2.0),
           lambda x, y: normal(x, y, 2.0).mean(), PAIRS,
           differs=INTEGER_VARIANCE),
    *loss("poisson_nll_loss", lambda x, y: np.exp(x) - x * y, domain=(real, positive),
          bad=bad_pair("poisson_nll_loss")),
    *loss("poisson_nll_loss", lambda x, y: x - y * np.log(x + 1e-8), ("log_input", False),
          domain=(positive,)),
    OpCase("poisson_nll_loss full",
           lambda m, a, b: m.nn.functional.poisson_nll_loss(a, b, full=True, reduction="none"),
           lambda x, y: np.exp(x) - x * y + np.where(
               y > 1, y * np.log(y) - y + np.log(2 * np.pi * y) / 2, 0),
           PAIRS, (unit, positive), kinks=(Kink((0.0, 1.0), (0, 0)),)),
    OpCase("poisson_nll_loss of nothing",  # where torch's gradient is nan
           lambda m, a, b: m.nn.functional.poisson_nll_loss(a, b, full=True), None, PAIRS,
           (unit, positive), torch=None, kinks=(Kink((2.0, 0.0), (np.exp(2.0), -2)),)),
]  # fmt: skip
