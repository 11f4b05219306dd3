"""The rows of the table of modules, one file for each family of ``mytorch/nn``."""

from __future__ import annotations

from tests.module_rows import activations, layers, losses, norms
from tests.module_table import BadModule, ModuleCase

FAMILIES = (activations, layers, losses, norms)
CASES: list[ModuleCase] = [case for family in FAMILIES for case in family.CASES]
BAD: list[BadModule] = [bad for family in FAMILIES for bad in family.BAD]
