"""Grade homework 1 (all but MNIST): python3 ./autograder/hw1_autograder/runner.py [--help]

The submission's code runs in worker processes; this one never imports it. It draws the inputs,
knows what is right, and compares. See autograder/README.md.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if "autograder" not in sys.modules:
    sys.path.insert(0, str(ROOT))
    import autograder  # noqa: F401

    sys.path.pop(0)  # nothing else may come from there: it is often the submission itself

import numpy as np  # noqa: E402

from autograder.checks import Check, Problem, Verdict, failed, judge  # noqa: E402
from autograder.command import finish, folder, seconds, seed  # noqa: E402
from autograder.hw1_autograder import test_autograd, test_mlp  # noqa: E402
from autograder.report import Screen, fault_lines, scoreline  # noqa: E402
from autograder.supervisor import Fault, Worker  # noqa: E402

PROBLEMS = [*test_autograd.PROBLEMS, *test_mlp.PROBLEMS]
CHECKS = [*test_autograd.CHECKS, *test_mlp.CHECKS]
HOMEWORK_POINTS = 100
SLOW_CHECKS = 2  # after so many time-outs, the other checks get less time


@dataclass(frozen=True)
class Settings:
    """What is graded, and how: the folder, the seed of the inputs, seconds for a check."""

    submission: Path
    seed: int
    timeout: float = 10.0


class Grading:
    """One submission's grading: it holds the worker, and what is known of the submission.

    Args:
        isolate: give every problem a fresh worker (else one serves all, as long as it is well).
    """

    def __init__(self, settings: Settings, isolate: bool = True) -> None:
        self.settings, self.isolate = settings, isolate
        self.worker: Worker | None = None
        self.fatal: Fault | None = None  # why the submission cannot be imported at all
        self.slow = 0

    def run(
        self, problems: Sequence[Problem] = PROBLEMS, checks: Sequence[Check] = CHECKS
    ) -> Iterator[tuple[Problem, list[Verdict]]]:
        """Yield every problem with the verdicts of its checks.

        Raises:
            GraderError: no worker can be started.
        """
        try:
            for problem in problems:
                yield problem, [self.check(c) for c in checks if c.problem == problem.name]
                if self.isolate:
                    self.end()
        finally:
            self.end()

    def check(self, check: Check) -> Verdict:
        """Run one check, in a fresh worker if there is none or the last one is dead."""
        key = zlib.crc32(f"{check.problem}: {check.name}".encode())
        inputs = check.inputs(np.random.default_rng([self.settings.seed, key]))
        worker = self.ready()
        if isinstance(worker, Fault):
            return failed(check, {}, fault_lines(worker, "importing mytorch"))
        limit = min(check.limit or self.settings.timeout, self.settings.timeout)
        if self.slow >= SLOW_CHECKS:
            limit = min(limit, max(1.0, self.settings.timeout / 5))
        answer = worker.ask(check.program, inputs, dict(check.options), limit)
        if answer.fault is None:
            return judge(check, inputs, answer.values, answer.output)
        self.slow += answer.fault.kind == "time" and check.limit is None
        return failed(check, inputs, fault_lines(answer.fault, "the check"), answer.output)

    def ready(self) -> Worker | Fault:
        """Return a worker that has imported the submission, or why that cannot be."""
        if self.fatal is not None:
            return self.fatal
        if self.worker is None or not self.worker.alive:
            self.worker = Worker(self.settings.submission)
            self.fatal = self.worker.ask("load", {}, {}, 2 * self.settings.timeout).fault
        return self.fatal or self.worker

    def end(self) -> None:
        """End the worker."""
        if self.worker is not None:
            self.worker.end()


def show(settings: Settings, screen: Screen, summarize: bool) -> None:
    """Grade, print, and end on the scoreline."""
    if not summarize:
        screen.title("Homework 1: autograd and MLPs")
        screen.line(f"submission: {settings.submission}")
        screen.line(f"inputs drawn from --seed {settings.seed} (anew in each run)\n")
    scores: dict[str, float] = {}
    for problem, verdicts in Grading(settings).run():
        scores[problem.name] = sum(v.points for v in verdicts)
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
    sys.exit(main())
