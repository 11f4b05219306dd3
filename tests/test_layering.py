"""Who may import whom inside mytorch, read from the sources, and tried in fresh processes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A module or package, and the modules or packages that it may import while it is being imported.
# The longest name that fits a module counts. Imports inside functions are free: they happen later.
BASE = (
    *("mytorch.errors", "mytorch.dtypes", "mytorch.grad_mode", "mytorch.quiet"),
    *("mytorch.size", "mytorch.devices", "mytorch.generator"),
)
WALK = (*BASE, "mytorch.variable", "mytorch.context", "mytorch.graph_walk", "mytorch.custom")
ENGINE = (*WALK, "mytorch.autograd_engine")
OPERATIONS = (*ENGINE, "mytorch.ops")
FUNCTIONAL = (*OPERATIONS, "mytorch.nn.functional")
METHODS = (
    *("mytorch.methods", "mytorch.in_place", "mytorch.conversions"),
    *("mytorch.printing", "mytorch.hooks"),
)
TENSOR = (*FUNCTIONAL, *METHODS, "mytorch.tensor")
MAY_IMPORT = {
    "mytorch.errors": (),
    "mytorch.dtypes": (),
    "mytorch.grad_mode": (),
    "mytorch.quiet": (),
    "mytorch.size": (),
    "mytorch.devices": (),
    "mytorch.generator": ("mytorch.devices",),
    "mytorch.memory": (),
    "mytorch.variable": BASE,
    "mytorch.context": (*BASE, "mytorch.variable"),
    "mytorch.graph_walk": (*BASE, "mytorch.variable"),
    "mytorch.custom": (*BASE, "mytorch.variable", "mytorch.context"),
    "mytorch.forward_mode": ENGINE,
    "mytorch.hooks": (),
    "mytorch.autograd_engine": WALK,
    "mytorch.ops": OPERATIONS,
    "mytorch.nn.functional": OPERATIONS,
    "mytorch.linalg": OPERATIONS,
    "mytorch.special": OPERATIONS,
    "mytorch.methods": FUNCTIONAL,
    "mytorch.in_place": (*FUNCTIONAL, "mytorch.methods"),
    "mytorch.conversions": (*FUNCTIONAL, "mytorch.in_place"),
    "mytorch.printing": BASE,
    "mytorch.tensor": TENSOR,
    "mytorch.creation": TENSOR,
    "mytorch.random": (*TENSOR, "mytorch.creation"),
    "mytorch.numpy_rules": TENSOR,
    "mytorch.numpy_linalg": (*TENSOR, "mytorch.numpy_rules"),
    "mytorch.numpy_protocol": (*TENSOR, "mytorch.numpy_rules", "mytorch.numpy_linalg"),
    "mytorch.serialization": (*TENSOR, "mytorch.serialization"),
    "mytorch.nn": (*TENSOR, "mytorch.nn"),
    "mytorch.autograd": (*TENSOR, "mytorch.forward_mode", "mytorch.autograd"),
    "mytorch.profiler": ENGINE,
    "mytorch.model_summary": (*TENSOR, "mytorch.random", "mytorch.nn", "mytorch.profiler"),
    "mytorch.optim": (*TENSOR, "mytorch.optim"),
    "mytorch.utils": (*TENSOR, "mytorch.utils"),
    "mytorch.datasets": ("mytorch.datasets",),
    "mytorch": ("mytorch",),  # the package itself: it gathers the others' names
}
THIRD_PARTY = {"numpy"}


def all_modules() -> dict[str, Path]:
    """Return the source file of every module of mytorch, by name."""
    modules = {}
    for path in sorted((ROOT / "mytorch").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


MODULES = all_modules()


def import_nodes(body: list[ast.stmt]):
    """Yield the import statements that run when the module is imported."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from import_nodes(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for field in ("body", "handlers", "orelse", "finalbody", "cases"):
                yield from import_nodes(getattr(node, field, []))


def imported(name: str, source: str, is_package: bool) -> set[str]:
    """Return the dotted names that a module imports; of mytorch, the exact modules."""
    found = set()
    package = name.split(".") if is_package else name.split(".")[:-1]
    for node in import_nodes(ast.parse(source).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        base = node.module or ""
        if node.level:
            parts = package[: len(package) - node.level + 1]
            base = ".".join([*parts, base] if base else parts)
        for alias in node.names:
            full = f"{base}.{alias.name}"
            found.add(full if full in MODULES else base)
    return found


def imports_of(name: str) -> set[str]:
    path = MODULES[name]
    return imported(name, path.read_text(encoding="utf-8"), path.name == "__init__.py")


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def rule_of(name: str) -> str | None:
    """Return the row of MAY_IMPORT that holds for a module, None where only the root's would."""
    fitting = [row for row in MAY_IMPORT if is_within(name, row)]
    best = max(fitting, key=len)
    return best if best != "mytorch" or name == "mytorch" else None


def test_the_reader_sees_every_form_of_import_and_none_inside_functions():
    source = """
import mytorch.tensor as t, os
from mytorch.ops import common
from . import loss
from .linear import Linear
from ..errors import ShapeError
try:
    import requests
except ImportError:
    import json
if TYPE_CHECKING:
    import matplotlib
class A:
    import csv
def f():
    import tqdm
"""
    assert imported("mytorch.nn.module", source, is_package=False) == {
        *("mytorch.tensor", "os", "mytorch.ops.common", "mytorch.nn.loss", "mytorch.nn.linear"),
        *("mytorch.errors", "requests", "json", "csv"),
    }


def test_every_module_has_a_place_in_the_table():
    lost = [name for name in MODULES if rule_of(name) is None]
    assert not lost, f"add a row to MAY_IMPORT (and to CONTRIBUTING.md's map) for {lost}"


def test_modules_import_only_what_their_layer_may():
    wrong = []
    for name in MODULES:
        allowed = MAY_IMPORT[rule_of(name) or "mytorch"]
        for target in imports_of(name):
            inside = is_within(target, "mytorch") and target != name
            if inside and not any(is_within(target, package) for package in allowed):
                wrong.append(f"{name} imports {target}")
    assert not wrong


def test_modules_import_no_third_party_but_numpy():
    known = {*sys.stdlib_module_names, *THIRD_PARTY, "mytorch"}
    wrong = [
        f"{name} imports {target}: import it in the function that uses it"
        for name in MODULES
        for target in imports_of(name)
        if target.split(".")[0] not in known
    ]
    assert not wrong


def test_no_import_cycle_at_module_level():
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join([*path, name])}"
        if name in done:
            return
        for target in sorted(imports_of(name) & MODULES.keys() - {name}):
            visit(target, (*path, name))
        done.add(name)

    for name in MODULES:
        visit(name, ())


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_every_module_can_be_the_first_one_imported(name):
    command = [sys.executable, "-W", "error", "-c", f"import {name}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


LATER = """
import sys, mytorch
from mytorch import nn
loaded = {"mytorch.nn.layers", "mytorch.optim", "mytorch.autograd", "mytorch.profiler"}
assert not loaded & set(sys.modules), loaded & set(sys.modules)
assert {"Linear", "functional", "utils"} <= set(dir(nn)), dir(nn)
assert nn.Linear is nn.layers.Linear and nn.init.zeros_ and nn.utils.rnn
assert mytorch.optim.SGD and mytorch.autograd.grad and mytorch.profiler.profile and mytorch.summary
names = {}
exec("from mytorch.nn import *; from mytorch import *", names)
assert names["Conv2d"] is nn.Conv2d and names["functional"].relu and names["summary"]
for module in (mytorch, nn):
    assert set(module.__all__) <= set(dir(module))
    try:
        module.Lineer
    except AttributeError as error:
        assert str(error) == f"module '{module.__name__}' has no attribute 'Lineer'"
    else:
        raise AssertionError("a name that does not exist")
"""


def test_what_is_above_the_tensors_is_imported_when_it_is_asked_for():
    command = [sys.executable, "-W", "error", "-c", LATER]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
