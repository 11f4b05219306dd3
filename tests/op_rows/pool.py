"""Rows of mytorch/ops/pool.py, pooling.py and adaptive.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import DtypeError, ShapeError
from mytorch.ops.pooling import WindowSpread
from mytorch.ops.windows import windows_on
from tests.op_rows.common import tensors
from tests.op_table import DTYPES, Bad, Kink, OpCase, Shapes, positive

NAN, INF = np.nan, np.inf


def pool(name: str, what: str, *arguments: Any, **options: Any) -> OpCase:
    """The row of a pooling with these arguments, after the shapes; see ``OpCase`` for the rest."""
    shapes, *numbers = arguments
    row = {key: options.pop(key) for key in ("bad", "kinks", "differs", "domain") if key in options}
    return OpCase(
        f"{name} {what}",
        lambda m, a: getattr(m.nn.functional, name)(a, *numbers, **options),
        None,
        shapes,
        **row,
    )


def wrong(
    name: str,
    shape: tuple[int, ...],
    *numbers: Any,
    message: str,
    torch: bool = True,
    **options: Any,
) -> Bad:
    """A wrong call of a pooling of ones."""
    call = lambda m: getattr(m.nn.functional, name)(*tensors(m, shape), *numbers, **options)  # noqa: E731
    return Bad(call, ShapeError, message, torch)


def ones(m: Any, name: str, dtype: Any, *numbers: Any) -> Any:
    """A pooling of ones of this dtype."""
    return getattr(m.nn.functional, name)(m.tensor(np.ones((1, 4, 4), dtype)), *numbers)


def tiled(x: np.ndarray) -> np.ndarray:
    """The images in tiles of 2 by 2, on the last two axes."""
    *others, height, width = x.shape
    x = x[..., : height // 2 * 2, : width // 2 * 2].reshape(*others, height // 2, 2, width // 2, 2)
    return x.swapaxes(-3, -2)


def halves(x: np.ndarray) -> np.ndarray:
    """The larger of each two neighbours of signals."""
    return np.maximum(x[..., :-1:2], x[..., 1::2])


def unpooled(m: Any, a: Any) -> Any:
    """The maxima of 2 by 2 put back where they were."""
    values, indices = m.nn.functional.max_pool2d(a, 2, return_indices=True)
    return m.nn.functional.max_unpool2d(values, indices, 2, output_size=a.shape[-2:])


def images(*shapes: tuple[int, ...]) -> tuple[Shapes, ...]:
    """The shapes of one operand each."""
    return tuple((shape,) for shape in shapes)


MANY = images((2, 3, 4, 6), (3, 5, 5), (0, 3, 4, 4), (1, 1, 2, 2), (2, 1, 2, 3))
INTEGERS = dict.fromkeys(
    ("uint8", "int16", "int32", "int64"), "torch pools integers in 1-d with return_indices alone"
)
TIES = (
    Kink(([[[3.0, 1, 2, 2], [3, 3, 2, 2]]],), ([[[5, 0, 7, 0], [0, 0, 0, 0]]],), [[[5, 7]]]),
    Kink(([[[NAN, 1, 2, INF], [3, NAN, NAN, 2]]],), ([[[0, 0, 0, 0], [0, 5, 7, 0]]],), [[[5, 7]]]),
    Kink(([[[-INF, -INF, 2, 2], [-INF, -INF, 2, 3]]],), ([[[5, 0, 0, 0], [0, 0, 0, 7]]],),
         [[[5, 7]]]),
)  # fmt: skip
MARGIN = (Kink(([[[-INF, -INF], [-INF, -INF]]],), ([[[8, 0], [0, 0]]],), [[[8.0]]]),)

ROWS = [
    OpCase("max_pool2d", lambda m, a: m.max_pool2d(a, 2), lambda x: tiled(x).max((-2, -1)), MANY,
           kinks=TIES,
           bad=(
               wrong("max_pool2d", (5, 5), 2, message=r"\(N, C, H, W\) or \(C, H, W\), got \(5, 5"),
               wrong("max_pool2d", (2, 0, 5, 5), 2, message="only the batch may be empty"),
               wrong("max_pool2d", (1, 5, 5), 6, message="larger than the input"),
               wrong("max_pool2d", (1, 5, 5), 0, message="kernel_size must be at least 1"),
               wrong("max_pool2d", (1, 5, 5), (2, 2, 2), message="3 numbers for 2 axes"),
               wrong("max_pool2d", (1, 5, 5), 2, 0, message="stride must be at least 1"),
               wrong("max_pool2d", (1, 5, 5), 2, padding=2, message="more than half"),
               wrong("max_pool2d", (1, 5, 5), 2, padding=-1, message="padding must be at least 0"),
               wrong("max_pool2d", (1, 5, 5), 2, dilation=0, message="dilation must be at least 1"),
               Bad(lambda m: ones(m, "max_pool2d", bool, 2), DtypeError, "booleans", torch=False),
           )),
    pool("max_pool2d", "overlapping", images((2, 2, 5, 6), (1, 3, 3)), 3, (1, 2)),
    pool("max_pool2d", "padding", images((2, 2, 4, 5), (1, 2, 2)), 3, 2, 1, kinks=MARGIN),
    pool("max_pool2d", "ceil", images((2, 2, 5, 6), (1, 1, 2)), 2, 3, 1, ceil_mode=True),
    pool("max_pool2d", "gaps", images((1, 2, 7, 8)), 2, 3),
    pool("max_pool2d", "dilation", images((1, 2, 6, 7)), (2, 3), 1, 1, (2, 3)),
    pool("max_pool2d", "indices", images((2, 2, 5, 6), (2, 4, 3), (0, 2, 4, 4)), 3, 2, 1, 1, True,
         return_indices=True),
    pool("max_pool2d", "indices at margin", images((1, 3, 3)), 3, 2, 1, return_indices=True,
         kinks=MARGIN),
    pool("max_pool2d", "indices ties", images((1, 2, 4)), 2, return_indices=True, kinks=TIES),
    OpCase("max_pool1d", lambda m, a: m.max_pool1d(a, 2), halves,
           images((2, 3, 6), (3, 5), (0, 3, 4)), differs=INTEGERS,
           kinks=(Kink(([[[2.0, 2, 1, NAN]]],), ([[[5, 0, 0, 7]]],), [[[5, 7]]]),),
           bad=(
               wrong("max_pool1d", (5,), 2, message=r"\(N, C, L\) or \(C, L\), got \(5,\)"),
               wrong("max_pool1d", (2, 5), 6, message="larger than the input"),
               wrong("max_pool1d", (2, 5), 2, padding=2, message="more than half"),
           )),
    pool("max_pool1d", "all", images((2, 3, 9), (1, 8)), 3, 2, 1, 2, True, differs=INTEGERS),
    pool("max_pool1d", "indices", images((2, 3, 9), (1, 8)), 3, 2, 1, 2, True, return_indices=True),
    OpCase("max_unpool2d", unpooled, None, images((2, 3, 4, 4), (1, 5, 4)),
           differs=dict.fromkeys(DTYPES[1:5], "torch refuses integers")),
    OpCase("max_unpool1d", lambda m, a: m.nn.functional.max_unpool1d(
               a, m.tensor(np.array([[[0, 3], [2, 1]]])), 2, 2), None, images((1, 2, 2)),
           bad=(
               Bad(lambda m: m.nn.functional.max_unpool1d(*tensors(m, (1, 2), (1, 3)), 2),
                   ShapeError, "of the shape of input"),
               Bad(lambda m: m.nn.functional.max_unpool1d(
                   m.tensor(np.ones((1, 2))), m.tensor(np.array([[0, 9]])), 2),
                   ShapeError, "an index is outside"),
           )),
    OpCase("avg_pool2d", lambda m, a: m.nn.functional.avg_pool2d(a, 2),
           lambda x: tiled(x).mean((-2, -1)), MANY,
           bad=(
               wrong("avg_pool2d", (1, 5, 5), 6, message="larger than the input"),
               wrong("avg_pool2d", (1, 5, 5), 2, padding=2, message="more than half"),
               wrong("avg_pool2d", (1, 5, 5), 2, 0, message="stride must be at least 1"),
               wrong("avg_pool2d", (1, 5, 5), 2, divisor_override=0, message="must not be 0"),
               Bad(lambda m: ones(m, "avg_pool2d", bool, 2), DtypeError, "not for bool",
                   torch=False),
           )),
    pool("avg_pool2d", "all", images((2, 2, 5, 6), (1, 3, 3)), 3, (2, 1), 1, True),
    pool("avg_pool2d", "without pad", images((2, 2, 5, 6), (1, 3, 3)), 3, 2, (1, 0), True, False),
    pool("avg_pool2d", "divisor", images((2, 2, 5, 6)), 3, 1, 1, divisor_override=5),
    pool("avg_pool1d", "plain", images((2, 3, 6), (3, 5), (0, 3, 4)), 2),
    pool("avg_pool1d", "all", images((2, 3, 6), (1, 5)), 3, 2, 1, True, False),
    OpCase("window spread", lambda m, a: WindowSpread.apply(
               a, windows_on((3,), (2,), (1,), (1,), (0,), (2,))),
           lambda x: np.stack([x[..., 0], x.sum(-1), x[..., 1]], -1), images((2, 3, 2)),
           torch=None),
    pool("lp_pool2d", "", images((2, 3, 4, 5), (1, 3, 3)), 2, 2, domain=(positive,),
         kinks=(Kink(([[[0.0, 0], [0, 0]]],), ([[[0, 0], [0, 0]]],), [[[2]]]),),
         bad=(wrong("lp_pool2d", (1, 3, 3), 2, 4, message="larger than the input"),)),
    pool("lp_pool2d", "odd", images((2, 3, 4, 5)), 3, (2, 3), 1, True, domain=(positive,)),
    pool("lp_pool1d", "", images((2, 3, 4), (1, 3)), 1.5, 2, domain=(positive,)),
    pool("adaptive_avg_pool2d", "", images((2, 3, 5, 7), (3, 4, 6), (2, 2, 2, 2), (0, 1, 5, 5)),
         (2, 3),
         bad=(
             wrong("adaptive_avg_pool2d", (5, 5), 2, message=r"\(C, H, W\), got \(5, 5\)"),
             wrong("adaptive_avg_pool2d", (1, 5, 5), -1, message="output_size must be at least 0"),
             wrong("adaptive_avg_pool2d", (1, 5, 5), (1, 2, 3), message="3 numbers for 2"),
             wrong("adaptive_avg_pool2d", (1, 0, 5), 2, message="only the batch may be empty"),
             Bad(lambda m: ones(m, "adaptive_avg_pool2d", np.int64, 2), DtypeError,
                 "expects a floating", torch=False),
         )),
    pool("adaptive_avg_pool2d", "none", images((2, 3, 4, 5)), (None, 1)),
    pool("adaptive_avg_pool1d", "", images((2, 3, 7), (3, 6), (1, 2, 2)), 3),
    pool("adaptive_max_pool2d", "", images((2, 3, 5, 7), (3, 4, 6), (2, 2, 2, 2)), (2, 3)),
    pool("adaptive_max_pool2d", "indices", images((2, 3, 5, 7), (3, 4, 6)), (None, 3),
         return_indices=True),
    pool("adaptive_max_pool2d", "ties", images((1, 2, 4)), (1, 2), kinks=TIES),
    pool("adaptive_max_pool1d", "", images((2, 3, 7), (3, 6), (1, 2, 2)), 3),
    pool("adaptive_max_pool1d", "indices", images((2, 3, 7), (3, 6)), 3, return_indices=True),
]  # fmt: skip
