"""Each wrong or hostile submission loses points in its own problem and nowhere unrelated."""

from __future__ import annotations

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import (  # noqa: E402
    CLOSURES_SOLUTION,
    FUSED_SOLUTION,
    MUTANTS,
    SIMPLE_SOLUTION,
    SLOW,
    Mutant,
    complete,
)
from seeded import SEEDED  # noqa: E402

from autograder.checks import Verdict, earned  # noqa: E402
from autograder.grading import Grading, Settings  # noqa: E402
from autograder.hw1_autograder import runner  # noqa: E402
from autograder.hw1_autograder.hidden_checks import hidden_checks  # noqa: E402

# Advice (worth no points) is left out where it takes time.
CHECKS = [*(check for check in runner.CHECKS if check.limit is None), *hidden_checks()]
ALL = [*MUTANTS, *SEEDED]
FEW = [p for p in runner.PROBLEMS if p.name in ("Subtraction", "Multiplication", "Division")]
SOLUTIONS = [SIMPLE_SOLUTION, FUSED_SOLUTION, CLOSURES_SOLUTION]
Result = tuple[set[str], list[Verdict]]


def graded(submission: Path, seed: int, slow: bool = False) -> Result:
    """Return the problems that lost points, and all verdicts (`slow`: of a few problems only)."""
    settings = Settings(submission, seed, timeout=1.0 if slow else 3.0)
    problems = FEW if slow else runner.PROBLEMS
    results = list(Grading(settings, isolate=False).run(problems, CHECKS))
    lost = {p.name for p, verdicts in results if earned(p, verdicts) < p.points}
    return lost, [v for _, verdicts in results for v in verdicts]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> dict[str, Future[Result]]:
    """The grading of every mutant, two at a time."""
    folder = tmp_path_factory.mktemp("mutants")

    def grade(number: int, mutant: Mutant) -> Result:
        return graded(mutant.make(folder / str(number)), 1, mutant in SLOW)

    with ThreadPoolExecutor(2) as pool:
        return {mutant.name: pool.submit(grade, n, mutant) for n, mutant in enumerate(ALL)}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.name)
def test_correct_solutions_in_different_styles_score_full(
    solution: Path, seed: int, tmp_path: Path
) -> None:
    lost, verdicts = graded(complete(solution, tmp_path / "submission"), seed)
    assert [(v.check.name, v.lines) for v in verdicts if not v.passed] == []
    assert not lost
    assert sum(v.points for v in verdicts) == 90


def test_there_are_eighty_seeded_mutants_each_a_different_change() -> None:
    plain = [m for m in ALL if m in SEEDED or not m.hostile]
    assert len(plain) >= 80
    assert len({m.name for m in ALL}) == len(ALL)
    assert len({(m.file, m.old, m.new) for m in plain}) == len(plain)


@pytest.mark.parametrize("mutant", ALL, ids=lambda m: m.name.replace(" ", "-"))
def test_a_wrong_submission_loses_points_where_it_is_wrong_only(mutant: Mutant, results) -> None:
    lost, verdicts = results[mutant.name].result()
    must = mutant.loses & {p.name for p in FEW} if mutant in SLOW else mutant.loses
    assert must <= lost, f"{must - lost} kept all points"
    assert lost <= mutant.loses | mutant.may, f"{lost - mutant.loses - mutant.may} lost points"
    told = "\n".join(line for v in verdicts for line in v.lines)
    assert mutant.says in told, told


def test_every_known_mistake_is_told_of_some_mutant(results) -> None:
    hints = {mistake.hint for check in CHECKS for mistake in check.mistakes}
    told = {v.mistake for future in results.values() for v in future.result()[1]}
    assert sorted(hints - told) == []


def test_most_of_a_problem_is_kept_when_one_part_of_it_is_wrong(results) -> None:
    _, verdicts = results["gradients overwrite"].result()
    points = sum(v.points for v in verdicts if v.check.problem == "Autograd")
    assert 5 <= points < 20
