"""One record for each submission: what its grading came to, and what all reports are made of.

A record is a JSON file that is written whole or not at all. Points are added up in one place,
`ProblemRecord.earned` and `Record.total`, so that no two reports can disagree.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autograder.checks import Problem, Verdict
from autograder.report import printable

FORMAT = 1
GRADED, UNGRADED = "graded", "ungraded"
MAX_FILE_NAME = 120
LATE = "it does not come back in time"
CAUSES = (
    (r"raised (\w+)", r"it raises \1"),
    (r"did not come back", LATE),
    (r"ended the process", "it ends the process"),
    (r"disturbed the grader", "it disturbs the grader's channel"),
    (r"was stopped", "it writes too much"),
    (r"^not run", "it was not run any more"),
    (r"no answer came", "an answer is missing"),
    (r"expected shape", "a shape is wrong"),
    (r"expected", "another wrong answer"),
)


@dataclass(frozen=True)
class CheckRecord:
    """What one check came to; `cause` puts failures of one kind in the same words."""

    name: str
    points: float
    passed: bool
    earned: float
    hidden: str = ""
    cause: str = ""
    lines: tuple[str, ...] = ()
    output: str = ""


@dataclass(frozen=True)
class ProblemRecord:
    """One problem's checks."""

    number: str
    name: str
    points: float
    checks: tuple[CheckRecord, ...] = ()

    @property
    def earned(self) -> float:
        """The points of the problem: those of its checks, never below 0."""
        return round(max(0.0, sum(check.earned for check in self.checks)), 6)


@dataclass(frozen=True)
class Record:
    """One submission's grading.

    Attributes:
        name: the submission's, as its file is called.
        status: GRADED, or UNGRADED where the grader's side failed; `reason` says how.
        source: what tells whether the file has changed since.
        digest: SHA-256 of the files that were taken; the seed of the inputs comes from it.
        notes: what the archive's reader had to say.
        fingerprints: of the code, for finding near-duplicates.
    """

    name: str
    status: str
    assignment: str = "hw1"
    reason: str = ""
    source: str = ""
    digest: str = ""
    tier: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    problems: tuple[ProblemRecord, ...] = ()
    fingerprints: tuple[str, ...] = field(default=(), repr=False)

    @property
    def total(self) -> float:
        """The points of all problems that were graded."""
        return round(sum(problem.earned for problem in self.problems), 6)

    @property
    def most(self) -> float:
        """The points that could be earned."""
        return round(sum(problem.points for problem in self.problems), 6)

    @property
    def is_full(self) -> bool:
        """Whether everything that has points was right."""
        worth = [c for p in self.problems for c in p.checks if c.points]
        return self.status == GRADED and bool(worth) and all(c.passed for c in worth)


def was_late(record: Record) -> bool:
    """Whether a check has failed because it did not come back in time."""
    checks = [check for problem in record.problems for check in problem.checks]
    return any(check.cause == LATE and not check.passed for check in checks)


def problem_record(problem: Problem, verdicts: Sequence[Verdict]) -> ProblemRecord:
    """Return the record of a problem's verdicts."""
    checks = tuple(
        CheckRecord(
            name=verdict.check.name,
            points=verdict.check.points,
            passed=verdict.passed,
            earned=verdict.points,
            hidden=verdict.check.hidden,
            cause="" if verdict.passed else cause(verdict.mistake, verdict.lines),
            lines=tuple(printable(line) for line in verdict.lines),
            output=verdict.output,
        )
        for verdict in verdicts
    )
    return ProblemRecord(problem.number, problem.name, problem.points, checks)


def cause(mistake: str, lines: Sequence[str]) -> str:
    """Return why a check failed, in words that are the same for all who failed alike."""
    if mistake:
        return mistake
    first = printable(lines[0]) if lines else ""
    for pattern, words in CAUSES:
        if match := re.search(pattern, first):
            return match.expand(words)[:80]
    return first[:80] or "a wrong answer"


def save(record: Record, path: Path) -> None:
    """Write a record, whole or not at all."""
    write_atomically(path, json.dumps({"format": FORMAT, **asdict(record)}, indent=1) + "\n")


def load(path: Path) -> Record | None:
    """Return the record in a file; None where there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") == FORMAT:
            problems = tuple(_problem(problem) for problem in values.pop("problems"))
            lists = {name: tuple(values.pop(name)) for name in ("notes", "fingerprints")}
            return Record(problems=problems, **lists, **values)
    return None


def _problem(values: dict[str, Any]) -> ProblemRecord:
    checks = [{**check, "lines": tuple(check["lines"])} for check in values.pop("checks")]
    return ProblemRecord(**values, checks=tuple(CheckRecord(**check) for check in checks))


def write_atomically(path: Path, text: str) -> None:
    """Write a text file that has its name only when every byte is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def file_name(name: str) -> str:
    """Return a submission's name as a file's that is safe everywhere; no two have the same."""
    safe = quote(name, safe="@+", errors="surrogateescape")
    if safe.startswith(".") or len(safe) > MAX_FILE_NAME:
        mark = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        safe = f"{safe[: MAX_FILE_NAME - 20].lstrip('.')}%{mark}"
    return safe
