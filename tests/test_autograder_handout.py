"""The starter: nothing of the solution is in it, it works, and solving its parts earns theirs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import SIMPLE_SOLUTION  # noqa: E402
from test_autograder_mutants import graded  # noqa: E402

from autograder.handout import leaks, regions, starter  # noqa: E402
from autograder.hw1_autograder import runner  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
MARKED = starter.marked_files()
PROBLEMS = ("1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5")
PLAIN_STEP = """        for param in self.params:
            param.data = param.data - self.lr * param.grad.data
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The starter, made by the command."""
    out = tmp_path_factory.mktemp("handout") / "my homework"
    command = [sys.executable, "-B", "-m", "autograder", "handout", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "no line of the solution is in them" in done.stdout
    return out


def code(*lines: str) -> str:
    """Return lines as a file."""
    return "".join(f"{line}\n" for line in lines)


GOOD = code(
    "def f(x):",
    '    """Doc."""',
    "    # handout: begin 1.1 Say what",
    "    #     is to be done.",
    "    y = x + 1",
    "    return y",
    "    # handout: end",
    "# handout: cut 1.2",
    "HELP = 3",
    "# handout: end",
)


def test_a_region_becomes_its_hint_and_what_is_cut_leaves_nothing() -> None:
    parts = regions.split("f.py", GOOD)
    text = regions.starter(parts)
    assert text == code(
        "def f(x):",
        '    """Doc."""',
        "    raise NotImplementedError(",
        '        "1.1: Say what is to be done."',
        "    )",
    )
    with pytest.raises(NotImplementedError, match="1.1: Say what is to be done."):
        namespace: dict = {}
        exec(text, namespace)
        namespace["f"](1)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_regions_put_back_give_the_source_byte_for_byte(newline: str) -> None:
    source = GOOD.replace("\n", newline)
    parts = regions.split("f.py", source)
    assert regions.put_back(regions.starter(parts), parts) == source
    assert regions.starter(parts, lambda region: True) == source
    some = regions.starter(parts, lambda region: region.problem == "1.2")
    assert "HELP" in some and "x + 1" not in some


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("    # handout: end\n", ""), "f.py:7: a region begins inside"),
        (lambda text: text[: text.rindex("# handout: end")], "does not end"),
        (lambda text: text + "# handout: end\n", "f.py:11: a region ends that has not begun"),
        (lambda text: text.replace("begin 1.1", "begin"), "f.py:3: this marker cannot be read"),
        (lambda text: text.replace("handout: end", "handout: End", 1), "f.py:7: this marker"),
        (lambda text: text.replace("# handout: cut", "x = 1  # handout: cut"), "cannot be read"),
    ],
)
def test_markers_that_are_not_in_order_stop_it(change, told: str) -> None:
    with pytest.raises(regions.RegionError, match=told):
        regions.split("f.py", change(GOOD))


def test_a_solution_with_broken_markers_makes_no_starter(tmp_path: Path) -> None:
    solution = tmp_path / "solution"
    shutil.copytree(SIMPLE_SOLUTION, solution)
    path = solution / "mytorch" / "optim" / "sgd.py"
    text = path.read_text()
    path.write_text(text[: text.rindex("        # handout: end")])
    with pytest.raises(starter.HandoutError, match="sgd.py: the region of .* does not end"):
        starter.make(tmp_path / "out", solution)
    path.write_text(re.sub(r" *# handout.*\n", "", text))
    with pytest.raises(starter.HandoutError, match="sgd.py has no region"):
        starter.make(tmp_path / "out", solution)
    path.write_text(text)
    (solution / "mytorch" / "nn" / "module.py").write_text("# handout: end\n")
    with pytest.raises(starter.HandoutError, match="module.py has a marker"):
        starter.make(tmp_path / "out", solution)
    assert not (tmp_path / "out").exists()


def test_the_starter_holds_what_the_homework_needs_and_no_more(made: Path) -> None:
    names = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert {*starter.MARKED, "HANDOUT.md", "grade.sh", "create_tarball.sh", "setup.cfg"} <= names
    assert "autograder/hw1_autograder/runner.py" in names
    assert not [name for name in names if "hidden" in name or "handout/" in name]
    assert not [name for name in names if name.endswith((".pyc", ".key", ".npz"))]
    for name in starter.MARKED:
        text = (made / name).read_text()
        assert "raise NotImplementedError(" in text and "handout:" not in text
    functional = (made / "mytorch/nn/functional.py").read_text()
    assert "return tensor.Tensor(a.data + b.data)" in functional, "Add is the worked example"
    assert os.access(made / "grade.sh", os.X_OK)


def test_signatures_and_docstrings_stay(made: Path) -> None:
    for name in starter.MARKED:
        solution = (SIMPLE_SOLUTION / name).read_text()
        text = (made / name).read_text()
        inside = [part for part in MARKED[name] if isinstance(part, regions.Region)]
        cut = {line.rstrip("\n") for part in inside for line in part.code}
        for line in solution.splitlines():
            if line.lstrip().startswith(("def ", "class ", '"""')) and line not in cut:
                assert line in text, f"{name}: {line}"


def test_making_it_twice_gives_the_same_files(made: Path, tmp_path: Path) -> None:
    for name in starter.make(tmp_path / "again"):
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes()
    with pytest.raises(starter.HandoutError, match="is not empty"):
        starter.make(tmp_path / "again")


def test_every_module_of_the_starter_imports_cleanly(made: Path) -> None:
    modules = [
        ".".join(path.relative_to(made).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((made / "mytorch").rglob("*.py"))
        if path.name != "__main__.py"
    ]
    statement = f"import {', '.join(['hw1.mnist', *modules])}"
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", statement], cwd=made, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def test_the_untouched_starter_scores_nought_and_tells_what_to_do(made: Path) -> None:
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["./grade.sh", "1"], cwd=made, env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout.splitlines()[-1])["scores"]
    assert scores == {problem.name: 0 for problem in runner.PROBLEMS}
    told = " ".join(done.stdout.split())
    assert "NotImplementedError: 1.1: Return a - b as a new Tensor" in told
    assert "NotImplementedError: 1.2: " in told
    assert told.count("Return a - b as a new Tensor") == 1, "it is told once"
    packed = subprocess.run(["./create_tarball.sh"], cwd=made, env=environment, capture_output=True)
    assert packed.returncode == 0, packed.stderr
    (made / "handin.tar").unlink()


def solved_up_to(problem: str, folder: Path) -> Path:
    """Write the starter with the problems up to one solved, as a student would have them then."""
    starter.make_code(folder, solved=lambda region: region.problem <= problem)
    if problem in ("2.2", "2.3"):  # there is no momentum yet
        path = folder / "mytorch" / "optim" / "sgd.py"
        before, after = path.read_text().split('        """Move every parameter once."""\n')
        path.write_text(f'{before}        """Move."""\n{PLAIN_STEP}')
    return folder


@pytest.mark.parametrize("problem", ["0.0", *PROBLEMS[:-1]])
def test_solving_problems_up_to_one_passes_exactly_those(problem: str, tmp_path: Path) -> None:
    lost, verdicts = graded(solved_up_to(problem, tmp_path / "submission"), 3)
    assert lost == {p.name for p in runner.PROBLEMS if p.number > problem and p.points}
    points = {v.check.problem: 0.0 for v in verdicts}
    for verdict in verdicts:
        points[verdict.check.problem] += max(0.0, verdict.points)
    assert {name for name, earned in points.items() if name in lost and earned} == set()


LINE = "grad_a, grad_b = grad_output.data * b.data, grad_output.data * a.data"
PLANTS = [
    ("mytorch/nn/loss.py", f"# {LINE}\n", "mytorch/nn/loss.py:17: a line of the solution"),
    ("mytorch/nn/loss.py", f"def f():\n    {LINE}\n", "loss.py:18: a statement of the solution"),
    ("mytorch/nn/loss.py", LINE.replace(" ", "  ") + "  # mine\n", "a line of the solution"),
    ("HANDOUT.md", f"\n    {LINE}\n", "HANDOUT.md:"),
    ("HANDOUT.md", f"\nWrite `{LINE}`.\n", "HANDOUT.md:"),
    ("autograder/reference.py", "# handout: begin 1.1\n", "reference.py:92: a marker"),
    ("mytorch/__pycache__/tensor.cpython-311.pyc", "x", "it has no business in a starter"),
    ("course.key", "0" * 64, "course.key: it has no business"),
    (".git/HEAD", "ref", ".git/HEAD: it has no business"),
    ("autograder/hw1_autograder/hidden_checks.py", "", "hidden_checks.py: it has no business"),
    ("mytorch/tensor.py.orig", "", "tensor.py.orig: it has no business"),
]


@pytest.mark.parametrize(("name", "text", "told"), PLANTS, ids=[told for *_, told in PLANTS])
def test_what_is_planted_is_found(made: Path, tmp_path: Path, name, text, told) -> None:
    assert leaks.leaks(made, MARKED) == []
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    path = copy / name
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + text)
    found = leaks.leaks(copy, MARKED)
    assert any(told in line for line in found), found


@pytest.mark.parametrize("name", starter.MARKED)
def test_a_region_that_is_left_in_is_found(made: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    parts = MARKED[name]
    first = next(part for part in parts if isinstance(part, regions.Region) and part.starter)
    (copy / name).write_text(regions.starter(parts, lambda region: region is first))
    found = leaks.leaks(copy, MARKED)
    assert any(f"{name}:" in line and "of the solution" in line for line in found), found


def test_a_starter_that_would_leak_is_not_made(tmp_path: Path, monkeypatch) -> None:
    written = tmp_path / "HANDOUT.md"
    written.write_text(f"Write {LINE}\n")
    monkeypatch.setattr(starter, "WRITTEN", {"HANDOUT.md": str(written)})
    with pytest.raises(starter.HandoutError, match=r"HANDOUT.md:1: a line of the solution"):
        starter.make(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_written_handout_names_every_problem_its_points_and_real_files(
    made: Path,
) -> None:
    text = (made / "HANDOUT.md").read_text()
    rows = re.findall(r"^\| (\d\.\d) .*\| `(\S+)`.* \| (\d+)( each)? \|$", text, re.MULTILINE)
    assert [number for number, *_ in rows] == list(PROBLEMS)
    assert sum(int(points) * (3 if each else 1) for *_, points, each in rows) == 100
    assert all((made / file).is_file() for _, file, *_ in rows)
    for number in PROBLEMS:
        assert f"### {number} " in text
    for problem in runner.PROBLEMS:
        worth = sum(p.points for p in runner.PROBLEMS if p.number == problem.number)
        row = next(row for row in rows if row[0] == problem.number)
        assert worth == int(row[2]) * (3 if row[3] else 1)
