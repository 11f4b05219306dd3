"""Each wrong or hostile submission loses points in its own problem and nowhere unrelated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import MUTANTS, SIMPLE_SOLUTION, SLOW, Mutant  # noqa: E402

from autograder.checks import Verdict  # noqa: E402
from autograder.hw1_autograder import runner  # noqa: E402

# Advice (worth no points) is left out where it takes time.
CHECKS = [check for check in runner.CHECKS if check.limit is None]


FEW = [p for p in runner.PROBLEMS if p.name in ("Subtraction", "Multiplication", "Division")]


def graded(submission: Path, seed: int, slow: bool = False) -> tuple[set[str], list[Verdict]]:
    """Return the problems that lost points, and all verdicts (`slow`: of a few problems only)."""
    settings = runner.Settings(submission, seed, timeout=1.0 if slow else 20.0)
    problems = FEW if slow else runner.PROBLEMS
    results = list(runner.Grading(settings, isolate=False).run(problems, CHECKS))
    lost = {p.name for p, verdicts in results if sum(v.points for v in verdicts) < p.points}
    return lost, [v for _, verdicts in results for v in verdicts]


@pytest.mark.parametrize("seed", range(3))
def test_a_simple_solution_in_the_handouts_style_scores_full(seed: int) -> None:
    lost, verdicts = graded(SIMPLE_SOLUTION, seed)
    assert [(v.check.name, v.lines) for v in verdicts if not v.passed] == []
    assert not lost
    assert sum(v.points for v in verdicts) == 90


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name.replace(" ", "-"))
def test_a_wrong_submission_loses_points_where_it_is_wrong_only(
    mutant: Mutant, tmp_path: Path
) -> None:
    slow = mutant in SLOW
    lost, verdicts = graded(mutant.make(tmp_path / "submission"), 1, slow)
    must = mutant.loses & {p.name for p in FEW} if slow else mutant.loses
    assert must <= lost, f"{must - lost} kept all points"
    assert lost <= mutant.loses | mutant.may, f"{lost - mutant.loses - mutant.may} lost points"
    told = "\n".join(line for v in verdicts for line in v.lines)
    assert mutant.says in told, told


def test_most_of_a_problem_is_kept_when_one_part_of_it_is_wrong(tmp_path: Path) -> None:
    overwriting = next(m for m in MUTANTS if m.name == "gradients overwrite")
    _, verdicts = graded(overwriting.make(tmp_path / "submission"), seed=1)
    earned = sum(v.points for v in verdicts if v.check.problem == "Autograd")
    assert 10 <= earned < 20
