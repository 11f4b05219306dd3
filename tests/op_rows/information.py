"""Rows of mytorch/ops/information.py."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from tests.op_rows.common import tensors
from tests.op_rows.losses import probability
from tests.op_table import BINARY, DTYPES, Bad, Kink, OpCase, real, with_axis

DIVERGENCE = lambda x, y: y * (np.log(y) - x)  # noqa: E731
INTEGERS = DTYPES[:5]


def quiet(call: Any) -> Any:
    """Return ``call`` without torch's warning about the mean."""

    def silent(*args: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(*args)

    return silent


def xlogy(p: Any, q: Any) -> Any:
    """p log q, where p is not 0."""
    return p * np.log(q)


def distribution(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Probabilities that sum to 1 along the last axis."""
    p = rng.uniform(0.2, 1.0, shape)
    return p / p.sum(-1, keepdims=True)


def bad_of(name: str, *others: Any) -> tuple[Bad, ...]:
    """The wrong calls of an operation on distributions."""

    def call(m: Any, p: Any, **names: Any) -> Any:
        return getattr(m.special, name)(m.tensor(np.array(p)), *map(m.tensor, others), **names)

    return (
        Bad(lambda m: call(m, [0.5, -0.5]), ValueError, "p holds probabilities, and -0.5", False),
        Bad(lambda m: call(m, [0.5, 0.5], base=1), ValueError, "base must be more than 1", False),
        Bad(lambda m: call(m, [1, 0]), DtypeError, "expects a floating tensor", False),
    )  # fmt: skip


ROWS = [
    OpCase("entropy of zeros", lambda m, p: m.special.entropy(p), None, with_axis(),
           (distribution,), torch=lambda t, p: t.special.entr(p).sum(-1),
           kinks=(Kink(([0.0, 1.0],), ([np.inf, -1],)),),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating")),
    OpCase("entropy", lambda m, a: m.special.entropy(a), lambda x: -xlogy(x, x).sum(-1),
           with_axis(), (distribution,), torch=lambda t, a: t.special.entr(a).sum(-1),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating"), bad=bad_of("entropy")),
    OpCase("entropy bits", lambda m, a: m.special.entropy(a, 0, base=2),
           lambda x: -(x * np.log2(x)).sum(0), with_axis(), (probability,),
           torch=lambda t, a: t.special.entr(a).sum(0) / np.log(2),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating")),
    OpCase("entropy all", lambda m, a: m.special.entropy(a, None),
           lambda x: -xlogy(x, x).sum(), domain=(probability,),
           torch=lambda t, a: t.special.entr(a).sum(),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating")),
    OpCase("cross_entropy_of", lambda m, p, q: m.special.cross_entropy_of(p, q),
           lambda p, q: -xlogy(p, q).sum(-1), (((3,), (3,)), ((2, 3), (3,)), ((0, 3), (1, 3))),
           (distribution,), torch=lambda t, p, q: -t.xlogy(p, q).sum(-1),
           kinks=(Kink(([0.0, 1.0], [1.0, 0.0]), ([0, np.inf], [0, -np.inf])),),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating"),
           bad=(*bad_of("cross_entropy_of", [0.5, 0.5]),
                Bad(lambda m: m.special.cross_entropy_of(m.tensor([0.5, 0.5]),
                                                         m.tensor([1.5, -0.5])),
                    ValueError, "q holds probabilities, and -0.5 is none", False))),
    OpCase("kl_divergence", lambda m, p, q: m.special.kl_divergence(p, q),
           lambda p, q: xlogy(p, p / q).sum(-1), (((3,), (3,)), ((2, 3), (3,)), ((0, 3), (1, 3))),
           (distribution,), torch=lambda t, p, q: (t.xlogy(p, p) - t.xlogy(p, q)).sum(-1),
           kinks=(Kink(([0.5, 0.5], [0.5, 0.5]), ([1, 1], [-1, -1])),),
           differs=dict.fromkeys(INTEGERS, "a distribution is floating"),
           bad=bad_of("kl_divergence", [0.5, 0.5])),
    OpCase("cross_entropy_of zeros", lambda m, p, q: m.special.cross_entropy_of(p, q), None,
           (((3,), (3,)),), (distribution,), torch=None,  # torch's gradient is nan: 0 / 0
           kinks=(Kink(([0.0, 1.0], [0.0, 1.0]), ([0, 0], [0, -1])),)),
    OpCase("kl_divergence of zeros", lambda m, p, q: m.special.kl_divergence(p, q, base=2), None,
           (((3,), (3,)),), (distribution,), torch=None,
           kinks=(Kink(([0.0, 2.0], [0.0, 2.0]), ([0, np.log2(np.e)], [0, -np.log2(np.e)])),
                  Kink(([0.0, 2.0], [1.0, 2.0]), ([-np.inf, np.log2(np.e)],
                                                  [0, -np.log2(np.e)])))),
    OpCase("kl_div", lambda m, x, y: m.nn.functional.kl_div(x, y),
           lambda x, y: DIVERGENCE(x, y).mean(), BINARY[:-2], (real, probability),
           torch=quiet(lambda t, x, y: t.nn.functional.kl_div(x, y)),
           bad=(Bad(lambda m: m.nn.functional.kl_div(*tensors(m, (2, 3), (2, 2)), reduction="sum"),
                    ShapeError, r"kl_div: shapes \(2, 3\) and \(2, 2\)"),
                Bad(lambda m: m.nn.functional.kl_div(m.tensor([1]), m.tensor([1]), reduction="sum"),
                    DtypeError, "expects a floating tensor, got int64"),
                Bad(lambda m: m.nn.functional.kl_div(*tensors(m, (2,), (2,)), reduction="avg"),
                    ValueError, "'batchmean'.*got 'avg'"))),
    OpCase("kl_div sum", lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="sum"),
           lambda x, y: DIVERGENCE(x, y).sum(), BINARY, (real, probability)),
    OpCase("kl_div none", lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="none"),
           DIVERGENCE, BINARY, (real, probability),
           kinks=(Kink(([0.0, -2.0], [1.0, 0.5]), ([-1, -0.5], [1, 3 - np.log(2)]), [1.0] * 2),)),
    OpCase("kl_div of zeros",  # where torch's gradients are nan
           lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="sum"), None, (((3,), (3,)),),
           (real, probability), torch=None,
           kinks=(Kink(([-np.inf, -2.0], [0.0, 0.0]), ([0, 0], [0, -np.inf])),)),
    OpCase("kl_div batchmean", lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="batchmean"),
           lambda x, y: DIVERGENCE(x, y).sum() / (len(x) if np.ndim(x) else 1), BINARY[:-2],
           (real, probability)),
    OpCase("kl_div log_target",
           lambda m, x, y: m.nn.functional.kl_div(x, y, reduction="none", log_target=True),
           lambda x, y: np.exp(y) * (y - x), BINARY),
]  # fmt: skip
