"""One system doing one piece of work, in a process of its own that waits for its turns.

    python -m benchmarks.worker WORK SYSTEM

Answers lines on standard input with one line of JSON each: ``check N`` with the numbers of N steps,
``time S`` with the seconds (or bytes) of a step, measured over about S seconds.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

from benchmarks.systems import describe
from benchmarks.work import Step, Work
from benchmarks.works import WORKS


def timed(work: Work, step: Step, seconds: float) -> float:
    """Return the cost of one step, divided by what it does."""
    if work.measures:
        return step() / work.per
    calls, start = 0, time.perf_counter()
    while True:
        step()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / calls / work.per


def main(name: str, system: str) -> None:
    """Prepare, say so, and answer until standard input ends."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        work = WORKS[name]
        step = work.systems[system]()
        _say(answers, {"ready": describe(system)})
        for line in sys.stdin:
            command, _, argument = line.partition(" ")
            if command == "check":
                result: Any = [step() for _ in range(int(argument))]
            else:
                result = timed(work, step, float(argument))
            _say(answers, result)


def _say(stream: Any, answer: Any) -> None:
    stream.write(json.dumps(answer) + "\n")
    stream.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
