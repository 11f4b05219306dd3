"""The benchmarks run, and their systems do the same work: nothing here is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import headline
from benchmarks.runner import Result
from benchmarks.systems import missing
from benchmarks.work import SYSTEMS
from benchmarks.works import WORKS

ROOT = Path(__file__).resolve().parents[1]
# The longest chains do what the short ones do, and an epoch what its step does, a second or more.
LONG = {"chain-5", "chain-6", "mnist-epoch"}
COMPARED = [work for work in WORKS.values() if not work.measures and work.name not in LONG]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("work", COMPARED, ids=lambda work: work.name)
def test_every_system_computes_the_same_numbers(work) -> None:
    found = {}
    for system in work.systems:
        if system != "floor" and not missing(system):
            step = work.systems[system]()
            found[system] = [step() for _ in range(4)]
    assert len(found) >= 2 or len(work.systems) == 2, "nothing to compare with: install torch"
    for system, numbers in found.items():
        expected = pytest.approx(found["mytorch"], rel=work.tolerance, abs=work.tolerance)
        assert numbers == expected, system


def test_a_training_step_learns() -> None:
    step = WORKS["mlp-20"].systems["mytorch"]()
    losses = [step() for _ in range(60)]
    assert sum(losses[-8:]) < 0.8 * sum(losses[:8])  # so that a wrong gradient shows in them


def test_the_command_prints_ratios_and_writes_json_and_a_plot(tmp_path: Path) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "ratios.png"
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "add-off", "add-backward"]
    command += ["--json", str(figures), "--plot", str(picture)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "MyTorch / hand-written NumPy" in done.stdout and "| work | MyTorch |" in done.stdout
    works = json.loads(figures.read_text(encoding="utf-8"))["works"]
    assert [work["name"] for work in works] == ["add-off", "add-backward"]
    assert all(len(costs) == 3 and min(costs) > 0 for costs in works[0]["costs"].values())
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_ratios_are_taken_within_a_round_and_judged_by_the_goal() -> None:
    result = Result(WORKS["add-off"])
    result.costs = {"mytorch": [1.0, 10.0, 3.0], "torch": [2.0, 20.0, 2.0]}
    assert result.ratio("torch") == 0.5 and result.ratio("jax") is None
    assert "0.50, wanted at most 1.00: yes" in headline(result)
    result.left_out = {"jax": "jax is not installed"}
    assert "JAX jit" in headline(result) and "left out: jax is not installed" in headline(result)


def test_an_unknown_name_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "mlp-20" in done.stderr
    assert set(SYSTEMS) >= {system for work in WORKS.values() for system in work.systems}
