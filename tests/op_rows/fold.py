"""Rows of mytorch/ops/fold.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import Bad, OpCase

BOOLEANS = {"bool": "torch moves booleans; here only floats, as the other integers there"}


def wrong(name: str, shape: tuple[int, ...], *numbers: Any, message: str, **options: Any) -> Bad:
    """A wrong call, of ones."""
    return Bad(
        lambda m: getattr(m.nn.functional, name)(*tensors(m, shape), *numbers, **options),
        ShapeError,
        message,
    )


def blocks(x: np.ndarray) -> np.ndarray:
    """Columns of 2 by 2 side by side."""
    n, c, h, w = x.shape
    tiles = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 3, 5, 2, 4)
    return tiles.reshape(n, c * 4, h * w // 4)


ROWS = [
    OpCase("unfold", lambda m, a: m.nn.functional.unfold(a, 2, stride=2), blocks,
           (((2, 3, 4, 6),), ((0, 3, 4, 4),), ((1, 1, 2, 2),)), differs=BOOLEANS,
           bad=(
               wrong("unfold", (3, 5, 5), 6, message=r"kernel \(6, 6\).*image \(5, 5\)"),
               wrong("unfold", (3, 5, 5), 2, stride=0, message="stride must be at least 1"),
               wrong("unfold", (3, 5, 5), 2, padding=-1, message="padding must be at least 0"),
           )),
    OpCase("unfold all", lambda m, a: m.nn.functional.unfold(a, (2, 3), (2, 1), (1, 2), (1, 3)),
           None, (((2, 2, 4, 5),), ((3, 4, 5),)), differs=BOOLEANS),
    OpCase("fold", lambda m, a: m.nn.functional.fold(a, (4, 5), 2), None,
           (((2, 8, 12),), ((4, 12),), ((0, 4, 12),)), differs=BOOLEANS,
           bad=(
               wrong("fold", (1, 3, 16), (5, 5), 2, message=r"\(N, C \* 4, 16\), got \(1, 3, 16\)"),
               wrong("fold", (1, 4, 15), (5, 5), 2, message=r"got \(1, 4, 15\)"),
               wrong("fold", (1, 1, 4, 16), (5, 5), 2, message=r"got \(1, 1, 4, 16\)"),
           )),
    OpCase("fold all", lambda m, a: m.nn.functional.fold(a, (4, 5), (2, 3), (2, 1), (1, 2), (1, 3)),
           None, (((2, 12, 12),),), differs=BOOLEANS),
]  # fmt: skip
