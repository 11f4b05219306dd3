"""The table of operations, one module a family: ``CASES`` has every row, and tests cross them all.

A row says how a user calls the operation (and torch's user), what NumPy computes, from which domain
inputs are drawn, the exact gradients at kinks and ties, and which bad calls raise what.
"""

from __future__ import annotations

from tests.op_rows import (
    elementary,
    homework,
    index,
    linalg,
    pointwise,
    reduce,
    shape,
    softmax,
)
from tests.op_table import OpCase

CASES: list[OpCase] = [
    row
    for family in (
        homework,
        pointwise,
        elementary,
        reduce,
        softmax,
        linalg,
        shape,
        index,
    )
    for row in family.ROWS
]
