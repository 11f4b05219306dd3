"""Grade homework 1 (all but MNIST): python3 ./autograder/hw1_autograder/runner.py [--help]

The submission's code runs in worker processes; this one never imports it. It draws the inputs,
knows what is right, and compares. See autograder/README.md.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if "autograder" not in sys.modules:
    sys.path.insert(0, str(ROOT))
    import autograder  # noqa: F401

    sys.path.pop(0)  # nothing else may come from there: it is often the submission itself

from autograder.checks import earned  # noqa: E402
from autograder.command import finish, folder, seconds, seed  # noqa: E402
from autograder.grading import Grading, Settings  # noqa: E402
from autograder.hw1_autograder import test_autograd, test_mlp  # noqa: E402
from autograder.isolation import NAMES  # noqa: E402
from autograder.processes import protect  # noqa: E402
from autograder.report import Screen, scoreline  # noqa: E402

PROBLEMS = [*test_autograd.PROBLEMS, *test_mlp.PROBLEMS]
CHECKS = [*test_autograd.CHECKS, *test_mlp.CHECKS]
HOMEWORK_POINTS = 100


def show(settings: Settings, screen: Screen, summarize: bool) -> None:
    """Grade, print, and end on the scoreline."""
    if not summarize:
        screen.title("Homework 1: autograd and MLPs")
        screen.line(f"submission: {settings.submission}")
        screen.line(f"isolation: {NAMES[settings.isolation.tier]}")
        screen.line(f"inputs drawn from --seed {settings.seed} (anew in each run)\n")
    scores: dict[str, float] = {}
    for problem, verdicts in Grading(settings).run(PROBLEMS, CHECKS):
        scores[problem.name] = earned(problem, verdicts)
        if not summarize:
            screen.problem(problem, verdicts)
    total, most = sum(scores.values()), sum(p.points for p in PROBLEMS)
    colour = "green" if total == most else "yellow" if total else "red"
    screen.line("" if not summarize else "Homework 1: autograd and MLPs")
    screen.line(screen.paint(f"Total score: {total:g}/{HOMEWORK_POINTS}", "bold"))
    screen.line(
        screen.paint(f"{total:g} of the {most:g} points of problems 1.1 to 2.4", colour)
        + f"; the other {HOMEWORK_POINTS - most:g} are MNIST's: ./grade.sh m\n"
    )
    screen.line("Summary:")
    screen.line(
        json.dumps({p.name: f"{scores[p.name]:g}/{p.points:g}" for p in PROBLEMS}, indent=1)
    )
    screen.line(scoreline(scores))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 whenever grading worked, whatever the score."""
    parser = argparse.ArgumentParser(description="Grade homework 1 (all but MNIST).")
    add = parser.add_argument
    add("-s", "--summarize", action="store_true", help="print the summary only")
    add("--submission", type=folder, default=ROOT, help="the folder with mytorch/ and hw1/")
    add("--timeout", type=seconds, default=10.0, help="seconds that one check may take (10)")
    add("--seed", type=seed, help="repeat the inputs of an earlier run")
    options = parser.parse_args(argv)
    number = secrets.randbits(32) if options.seed is None else options.seed
    settings = Settings(options.submission, number, options.timeout)
    return finish(lambda: show(settings, Screen(), options.summarize))


if __name__ == "__main__":
    protect()
    sys.exit(main())
