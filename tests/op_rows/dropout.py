"""Rows of mytorch/ops/dropout.py; what is random is in tests/test_dropout.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import seeded
from tests.op_table import DTYPES, UNARY, Bad, OpCase, Shapes

IMAGES: tuple[Shapes, ...] = (((2, 3, 4, 2),), ((0, 3, 2, 2),))
SEQUENCES: tuple[Shapes, ...] = (((2, 3, 4),), ((3, 4),), ((0, 3, 2),))
VOLUMES: tuple[Shapes, ...] = (((2, 3, 1, 2, 2),), ((3, 1, 2, 2),))
MASKS = dict.fromkeys(DTYPES[:5], "torch multiplies integers by a mask")


def forms(name: str, shapes: tuple[Shapes, ...], bad: tuple[Bad, ...] = ()) -> list[OpCase]:
    """The rows of one kind of dropout: training with nothing dropped, evaluation, random."""

    def function(m: Any) -> Any:
        return getattr(m.nn.functional, name)

    wrong = Bad(lambda m: function(m)(m.zeros(2, 3, 4), 1.5), ValueError,
                f"{name}: p must be in .*, got 1.5")  # fmt: skip
    return [
        OpCase(f"{name} of nothing", lambda m, a: function(m)(a * 1, 0.0, True), np.copy, shapes,
               differs=MASKS, bad=(wrong, *bad)),
        OpCase(f"{name} in evaluation", lambda m, a: function(m)(a * 1, 0.5, False), np.copy,
               shapes),
        OpCase(f"{name} of everything", lambda m, a: function(m)(a * 1, 1.0, True), np.zeros_like,
               shapes, differs=MASKS),
        OpCase(f"{name} random", seeded(lambda m, a: function(m)(a * 1, 0.5, True)), None, shapes,
               torch=None),
        OpCase(f"{name} inplace", seeded(lambda m, a: function(m)(a * 1, 0.5, True, True)), None,
               shapes, torch=None),
    ]  # fmt: skip


def rank(name: str, message: str, torch: bool = True) -> tuple[Bad, ...]:
    """The wrong call with too few axes."""
    call = lambda m: getattr(m.nn.functional, name)(m.zeros(3), 0.5, True)  # noqa: E731
    return (Bad(call, ShapeError, message, torch),)


ROWS = [
    *forms("dropout", UNARY),
    *forms("dropout1d", SEQUENCES, rank("dropout1d", r"expects 2 or 3 axes, got shape \(3,\)")),
    *forms("dropout2d", IMAGES,
           rank("dropout2d", r"expects at least 2 axes, got shape \(3,\)", torch=False)),
    *forms("dropout3d", VOLUMES),
    *forms("alpha_dropout", UNARY),
    *forms("feature_alpha_dropout", IMAGES, rank("feature_alpha_dropout", "at least 2 axes")),
]  # fmt: skip
