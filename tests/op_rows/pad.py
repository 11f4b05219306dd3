"""Rows of mytorch/ops/pad.py and sparse.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from tests.op_rows.common import tensors
from tests.op_table import UNARY, Bad, Kink, OpCase, with_axis

LAST: Any = (((2, 3, 4),), ((2, 4),), ((0, 2, 3),))


def wrong(*arguments: Any, message: str, error: Any = ShapeError, shape: Any = (1, 2, 3)) -> Bad:
    """A wrong call of pad, of ones."""
    return Bad(lambda m: m.nn.functional.pad(*tensors(m, shape), *arguments), error, message)


def padded(mode: str) -> Any:
    """NumPy's padding of the last axis, 2 before and 1 after."""
    return lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(2, 1)], mode)


def row(mode: str, what: str, sizes: tuple[int, ...], reference: Any, *shapes: Any) -> OpCase:
    """The row of a mode with these sizes."""
    call = lambda m, a: m.nn.functional.pad(a, sizes, mode)  # noqa: E731
    return OpCase(f"pad {mode}{what}", call, reference, shapes)


ROWS = [
    OpCase("pad", lambda m, a: m.nn.functional.pad(a, (2, 1)), padded("constant"),
           with_axis(UNARY),
           bad=(
               wrong((1,), message="two integers for each"),
               wrong((1,) * 8, message=r"last axes of \(1, 2, 3\), got 8"),
               wrong((-1, -3), message=r"\(-1, -3\) takes more than axis 2"),
               wrong((1.0, 1.0), message="tuple of integers", error=TypeError),
               wrong(1, message="tuple of integers", error=TypeError),
               wrong((1, 1), "mirror", message="not 'mirror'", error=NotImplementedError),
               wrong((3, 0), "reflect", message="axis 2 .*at most 2"),
               wrong((0, 4), "circular", message="at most 3"),
               wrong((1, 1), "replicate", shape=(1, 2, 0), message="axis 2"),
               wrong((1, 1), "reflect", 1.0, message="takes no value"),
               wrong((1, 1), "reflect", shape=(3,), message="do not fit",
                     error=NotImplementedError),
               wrong((1, 1), "reflect", shape=(1, 1, 3, 3), message="2 numbers",
                     error=NotImplementedError),
           )),
    OpCase("pad nothing", lambda m, a: m.nn.functional.pad(a, ()), np.copy),
    OpCase("pad value", lambda m, a: m.nn.functional.pad(a, (1, 0, 2, 1), value=7),
           lambda x: np.pad(x, [(2, 1), (1, 0)], constant_values=7), (((2, 3),), ((0, 3),))),
    OpCase("pad negative", lambda m, a: m.nn.functional.pad(a, (-1, 2, 1, -1)),
           lambda x: np.pad(x[:-1, 1:], [(1, 0), (0, 2)]), (((2, 3),), ((1, 1),))),
    OpCase("pad negative value", lambda m, a: m.nn.functional.pad(a, (-1, 2), "constant", 7.0),
           None, (((2, 3),),),
           kinks=(Kink(([1.0, 2.0],), ([0, 4],), [4.0, 5, 6]),)),
    row("reflect", "", (2, 1), padded("reflect"), *LAST),
    row("replicate", "", (2, 1), padded("edge"), *LAST),
    row("circular", "", (2, 1), padded("wrap"), *LAST),
    row("reflect", " images", (1, 2, 3, 0), None, ((2, 1, 4, 3),), ((1, 5, 4),)),
    row("replicate", " images", (1, 4, 3, 0), None, ((2, 1, 4, 3),), ((1, 1, 2),)),
    row("circular", " images", (1, 3, 4, 0), None, ((2, 1, 4, 3),), ((1, 5, 4),)),
    row("reflect", " negative", (-1, 2), None, ((1, 2, 4),)),
    row("replicate", " negative", (3, -2), None, ((1, 2, 4),)),
    row("circular", " negative", (-1, 2), None, ((1, 2, 4),)),
    row("replicate", " volumes", (1,) * 6, None, ((1, 1, 2, 1, 2),)),
]  # fmt: skip
