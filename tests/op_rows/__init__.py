"""The table of operations, one module a family: ``CASES`` has every row, and tests cross them all.

A row says how a user calls the operation (and torch's user), what NumPy computes, from which domain
inputs are drawn, the exact gradients at kinks and ties, and which bad calls raise what.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.op_table import OpCase

FAMILIES = sorted(module.name for module in pkgutil.iter_modules(__path__))

CASES: list[OpCase] = [
    row
    for family in FAMILIES
    for row in getattr(importlib.import_module(f"{__name__}.{family}"), "ROWS", ())
]
