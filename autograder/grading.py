"""One submission's grading: every check of every problem, in fresh workers."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from autograder.checks import Check, Problem, Verdict, failed, judge
from autograder.isolation import LAPTOP, Isolation
from autograder.report import fault_lines
from autograder.supervisor import Answer, Fault, Worker

SLOW_CHECKS = 2  # after so many time-outs, the other checks get less time,
SHORT = 0.5  # at least so many seconds
LOADING = 8.0  # seconds that an import may take at least: NumPy's is part of it
LOST = 60  # after so many times it went on checks that failed, none of the others is run either
BUDGET = 6  # after so many times the limit of one check, none of the others is run


@dataclass(frozen=True)
class Settings:
    """What is graded, and how: the folder, the seed of the inputs, seconds for a check."""

    submission: Path
    seed: int
    timeout: float = 10.0
    isolation: Isolation = LAPTOP


class Grading:
    """It holds the worker, and what is known of the submission.

    Args:
        isolate: give each group of problems (1.1, 1.2, 2.1, …) a fresh worker; else one serves
            all, as long as it is well.
    """

    def __init__(self, settings: Settings, isolate: bool = True) -> None:
        self.settings, self.isolate = settings, isolate
        self.worker: Worker | None = None
        self.fatal: Fault | None = None  # why the submission cannot be imported at all
        self.slow = 0
        self.waited = 0.0  # seconds spent on checks that did not come back
        self.lost = 0.0  # seconds spent on checks that failed, with starting workers for them
        self.warms = True  # whether modules are imported ahead
        self.spared = False  # whether a kill from outside has been forgiven

    def run(
        self, problems: Sequence[Problem], checks: Sequence[Check]
    ) -> Iterator[tuple[Problem, list[Verdict]]]:
        """Yield every problem with the verdicts of its checks.

        Raises:
            GraderError: no worker can be started, or one cannot be ended.
        """
        try:
            for _, group in groupby(problems, lambda problem: problem.number):
                members = list(group)
                verdicts = self.verdicts([p.name for p in members], checks)
                for problem in members:
                    yield problem, [verdicts[id(c)] for c in checks if c.problem == problem.name]
                if self.isolate:
                    self.end()
        finally:
            self.end()

    def verdicts(self, names: Sequence[str], checks: Sequence[Check]) -> dict[int, Verdict]:
        """Run the checks of some problems, hidden ones last; the verdicts by the check's id.

        They share a worker, and what it was given stays in its memory: a report that quotes the
        submission on a visible check could tell of a hidden one that came before.
        """
        own = [check for check in checks if check.problem in names]
        return {id(check): self.check(check) for check in sorted(own, key=lambda c: bool(c.hidden))}

    def check(self, check: Check) -> Verdict:
        """Run one check, in a fresh worker if there is none or the last one is dead."""
        settings = self.settings
        if self.lost >= LOST * settings.timeout:
            return failed(check, {}, [f"not run: {self.lost:.0f} s went on checks that failed"])
        if self.waited >= BUDGET * settings.timeout:
            return failed(check, {}, [f"not run: {self.waited:.0f} s went on checks without end"])
        key = zlib.crc32(f"{check.problem}: {check.name}".encode())
        inputs = check.inputs(np.random.default_rng([settings.seed, key]))
        limit = min(check.limit or settings.timeout, settings.timeout)
        if self.slow >= SLOW_CHECKS:
            limit = min(limit, max(SHORT, settings.timeout / 8))
        answer = self.ask(check, inputs, limit)
        if answer.fault is not None and answer.fault.killed and not self.spared:
            self.spared = True  # memory may have run out by a neighbour's doing: once more
            self.fatal = None
            answer = self.ask(check, inputs, limit)
        if answer.fault is None:
            return judge(check, inputs, answer.values, answer.output)
        if self.fatal is not None:
            return failed(check, {}, fault_lines(self.fatal, "importing mytorch"), answer.output)
        self.slow += answer.fault.kind == "time" and check.limit is None
        return failed(check, inputs, fault_lines(answer.fault, "the check"), answer.output)

    def ask(self, check: Check, inputs: dict[str, np.ndarray], limit: float) -> Answer:
        """Run a check's program; a submission that cannot be imported is not asked again."""
        start = time.monotonic()
        if self.fatal is None and (self.worker is None or not self.worker.alive):
            self.start()
        if self.worker is None or self.fatal is not None:
            return Answer({}, self.fatal, "")
        asked = time.monotonic()
        answer = self.worker.ask(check.program, inputs, dict(check.options), limit)
        if answer.fault is not None:
            self.lost += time.monotonic() - start
            self.waited += time.monotonic() - asked if answer.fault.kind == "time" else 0
        return answer

    def start(self) -> None:
        """Start a worker and import the submission: what every check stands on, then the rest.

        The rest is imported ahead of the checks, which have less time; where that ends the worker,
        the fault is left to the checks that need it.
        """
        limit = max(LOADING, 2 * self.settings.timeout)
        self.worker = Worker(self.settings.submission, self.settings.isolation)
        self.fatal = self.worker.ask("load", {}, {}, limit).fault
        if self.fatal is None and self.warms:
            self.worker.ask("warm", {}, {}, limit)
            if not self.worker.alive:
                self.warms = False
                self.start()

    def end(self) -> None:
        """End the worker.

        Raises:
            GraderError: it has left processes that cannot be ended.
        """
        if self.worker is not None:
            self.worker.end()
