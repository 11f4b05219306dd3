"""Make the student's starter: python -m autograder handout OUT/.

It holds the solution without its marked regions, the local grader without what is the
instructor's alone, the scripts of the front door, the loader of MNIST, and the written handout.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autograder.handout import regions
from autograder.handout.leaks import leaks
from autograder.handout.regions import Region

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SOLUTION = HERE / "solution"
MARKED = (
    "mytorch/nn/functional.py",
    "mytorch/tensor.py",
    "mytorch/autograd_engine.py",
    "mytorch/nn/linear.py",
    "mytorch/nn/activations.py",
    "mytorch/nn/sequential.py",
    "mytorch/optim/sgd.py",
    "hw1/mnist.py",
)
FRONT_DOOR = (
    "grade.sh",
    "create_tarball.sh",
    "scripts/environment.py",
    "scripts/find_python.sh",
    "scripts/tarball.py",
    "data/README.md",
    "LICENSE",
)
LOADER = "mytorch/datasets"
GRADER = (
    *("__init__", "channel", "checks", "command", "confine", "digits", "fetch", "finder"),
    *("grading", "isolation", "library", "linux", "probe", "processes", "programs", "reference"),
    *("report", "seccomp", "supervisor", "visible", "worker"),
)
HOMEWORK = (
    *("__init__", "elementwise_checks", "structure_checks", "networks", "sgd_checks"),
    *("loss_checks", "test_autograd", "test_mlp", "test_mnist", "runner"),
)
WRITTEN = {"HANDOUT.md": "HANDOUT.md", "setup.cfg": "starter_setup.cfg"}

Marked = Mapping[str, Sequence[str | Region]]


class HandoutError(Exception):
    """No starter can be made, or it would give something away; the text says what."""


def marked_files(solution: Path = SOLUTION) -> dict[str, list[str | Region]]:
    """Return the solution's marked files, split at their regions.

    Raises:
        HandoutError: a file is missing or has no region, or its markers are not in order.
    """
    found = {}
    for name in MARKED:
        path = solution / name
        try:
            found[name] = regions.split(name, path.read_bytes().decode("utf-8"))
        except OSError as error:
            raise HandoutError(f"the solution lacks {name}: {error}") from None
        except regions.RegionError as error:
            raise HandoutError(str(error)) from None
        if not any(isinstance(part, Region) for part in found[name]):
            raise HandoutError(f"{name} has no region: what is the student to write there?")
    return found


def other_files(solution: Path = SOLUTION) -> dict[str, bytes]:
    """Return the solution's other files, which a student gets as they are.

    Raises:
        HandoutError: one of them has a marker.
    """
    found = {}
    for path in sorted(solution.rglob("*.py")):
        name = path.relative_to(solution).as_posix()
        if name not in MARKED:
            found[name] = path.read_bytes()
            if regions.MARK.encode() in found[name]:
                raise HandoutError(f"{name} has a marker, and is not among the marked files")
    return found


def make_code(
    folder: Path, solution: Path = SOLUTION, solved: Callable[[Region], bool] | None = None
) -> Marked:
    """Write the student's code into a folder; regions that are `solved` stay in.

    Raises:
        HandoutError: the solution's markers are not in order.
    """
    marked = marked_files(solution)
    texts = {name: regions.starter(parts, solved).encode() for name, parts in marked.items()}
    for name, content in {**other_files(solution), **texts}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return marked


def make(out: Path, solution: Path = SOLUTION) -> list[str]:
    """Make the whole starter and return its files' names.

    Raises:
        HandoutError: the folder is not empty, the markers are not in order, or the starter would
            give something away: then the folder is removed.
    """
    if out.exists() and any(out.iterdir()):
        raise HandoutError(f"{out} is not empty")
    marked = make_code(out, solution)
    grader = [f"autograder/{name}.py" for name in GRADER]
    homework = [f"autograder/hw1_autograder/{name}.py" for name in HOMEWORK]
    loader = [p.relative_to(ROOT).as_posix() for p in sorted((ROOT / LOADER).glob("*.py"))]
    for name in (*FRONT_DOOR, *loader, *grader, *homework):
        copy(ROOT / name, out / name)
    for name, source in WRITTEN.items():
        copy(HERE / source, out / name)
    found = [*leaks(out, marked), *lost(out, solution, marked)]
    if found:
        shutil.rmtree(out)
        raise HandoutError("the starter would give something away:\n  " + "\n  ".join(found))
    return [p.relative_to(out).as_posix() for p in sorted(out.rglob("*")) if p.is_file()]


def copy(source: Path, target: Path) -> None:
    """Copy a file with its mode."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def lost(out: Path, solution: Path, marked: Marked) -> list[str]:
    """Return the files that do not become the solution again when the regions are put back."""
    wrong = []
    for name, parts in marked.items():
        try:
            whole = regions.put_back((out / name).read_bytes().decode("utf-8"), parts)
        except regions.RegionError as error:
            wrong.append(f"{name}: {error}")
            continue
        if whole.encode() != (solution / name).read_bytes():
            wrong.append(f"{name}: with its regions put back it is not the solution")
    return wrong
