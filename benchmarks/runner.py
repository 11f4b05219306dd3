"""Runs the systems side by side: each in a process of its own, taking turns, A B C A B C …"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.systems import missing
from benchmarks.work import SYSTEMS, Work

__all__ = ["PINS", "Result", "Worker", "run"]

ROOT = Path(__file__).resolve().parents[1]
#: variables that fix the kernels or threads of a BLAS; no side runs with them
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
REST = 0.25  # seconds after a turn: idle threads of OpenMP spin for a while before they sleep


@dataclass
class Result:
    """What came of one piece of work."""

    work: Work
    costs: dict[str, list[float]] = field(default_factory=dict)  # by system, one for each round
    about: dict[str, Any] = field(default_factory=dict)  # by system: version, libraries
    left_out: dict[str, str] = field(default_factory=dict)  # by system: why

    def median(self, system: str) -> float:
        """Return the median cost over the rounds."""
        return statistics.median(self.costs[system])

    def ratio(self, other: str) -> float | None:
        """Return MyTorch's cost divided by ``other``'s, the median of the rounds' ratios."""
        if other not in self.costs or "mytorch" not in self.costs:
            return None
        pairs = zip(self.costs["mytorch"], self.costs[other], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


class Worker:
    """A process that does one system's work when it is told to."""

    def __init__(self, work: str, system: str):
        environment = {k: v for k, v in os.environ.items() if k not in PINS}
        environment["PYTHONPATH"] = str(ROOT)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", work, system],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.about = self._answer()["ready"]

    def ask(self, command: str, argument: float) -> Any:
        """Return the answer to ``check N`` or ``time S``."""
        assert self._process.stdin
        self._process.stdin.write(f"{command} {argument}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout and self._process.stderr
        line = self._process.stdout.readline()
        if not line:
            lines = self._process.stderr.read().strip().splitlines() or ["no message"]
            raise RuntimeError(f"a worker ended: {lines[-1]}")
        return json.loads(line)

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate()


def run(
    work: Work,
    *,
    systems: Sequence[str] = SYSTEMS,
    rounds: int = 7,
    seconds: float = 0.5,
    tell: Callable[[str], None] = lambda _: None,
) -> Result:
    """Time every system at ``work``, in ``rounds`` turns of about ``seconds`` each."""
    result = Result(work)
    workers: dict[str, Worker] = {}
    try:
        for system in [system for system in systems if system in work.systems]:
            lacking = missing(system)
            if lacking:
                result.left_out[system] = f"{lacking} is not installed"
                continue
            workers[system] = Worker(work.name, system)
            result.about[system] = workers[system].about
            workers[system].ask("time", seconds / 2)  # caches, compilation, memory: not counted
        for turn in range(rounds):
            tell(f"{work.name}: round {turn + 1} of {rounds}")
            for system, worker in workers.items():
                time.sleep(REST)
                result.costs.setdefault(system, []).append(worker.ask("time", seconds))
    finally:
        for worker in workers.values():
            worker.close()
    return result
