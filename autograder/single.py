"""Grade one submission in a process of its own: `python -I -B single.py`, the job on its input.

This process is trusted: it holds the course key, reads the archive, judges, and writes the record.
The submission's code runs in workers that it starts. It ends with status 0 when the record tells of
a grading, and with 3 when it tells why there could be none.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

if "autograder" not in sys.modules:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import autograder  # noqa: F401

    sys.path.pop(0)

from autograder import archive, isolation, processes, records, seeds, similarity  # noqa: E402
from autograder.checks import Problem  # noqa: E402
from autograder.digits import GENERATED, MNIST, DigitsError, read_digits  # noqa: E402
from autograder.grading import Grading, Settings  # noqa: E402
from autograder.hw1_autograder import runner, test_mnist  # noqa: E402
from autograder.hw1_autograder.hidden_checks import hidden_checks  # noqa: E402
from autograder.records import CheckRecord, ProblemRecord, Record  # noqa: E402
from autograder.supervisor import GraderError  # noqa: E402

UNGRADED_STATUS = 3
FINGERPRINT_SECONDS = 10.0
DIGITS = Problem("2.5", "MNIST", test_mnist.POINTS)


@dataclass(frozen=True)
class Job:
    """What is to be graded, and how.

    Attributes:
        name, path, source: the submission's (records.py).
        record: the file to write.
        key: the course key, in hexadecimal digits.
        tier: of the isolation.
        timeout: seconds for a check.
        only: the numbers of the problems to grade, none for all.
        digits: a folder with the files of MNIST; without it problem 2.5 is not graded.
        training: seconds that mnist() may take.
    """

    name: str
    path: str
    record: str
    key: str
    tier: int
    timeout: float
    source: str = ""
    only: tuple[str, ...] = ()
    digits: str = ""
    training: float = 1200.0
    assignment: str = "hw1"


def problems_of(job: Job) -> list[Problem]:
    """Return the problems that a job grades without training."""
    return [p for p in runner.PROBLEMS if not job.only or p.number in job.only]


def grade(job: Job) -> Record:
    """Grade a submission; whatever it does costs points, and whatever fails on our side raises.

    Raises:
        GraderError, IsolationError, OSError: it could not be graded.
    """
    start = time.monotonic()
    record = Record(job.name, records.GRADED, job.assignment, source=job.source, tier=job.tier)
    try:
        found = archive.read(Path(job.path))
    except archive.ArchiveError as error:
        found = archive.Contents(lines=[f"the archive cannot be used: {error}"])
    digest = seeds.digest_of(found.files)
    with submitted(found.files, job.tier) as (folder, isolated):
        seed = seeds.seed(bytes.fromhex(job.key), job.assignment, digest)
        settings = Settings(folder, seed, job.timeout, isolated)
        checks = [*runner.CHECKS, *hidden_checks()]
        problems = [
            records.problem_record(problem, verdicts)
            for problem, verdicts in Grading(settings).run(problems_of(job), checks)
        ]
        if job.digits and (not job.only or DIGITS.number in job.only):
            problems.append(grade_digits(folder, job, isolated))
    return replace(
        record,
        digest=digest,
        notes=tuple(found.lines),
        problems=tuple(problems),
        fingerprints=fingerprints(found.files),
        seconds=round(time.monotonic() - start, 2),
    )


def fingerprints(files: dict[str, bytes]) -> tuple[str, ...]:
    """Return the fingerprints of the code; none for code that is made to keep a reader busy."""
    try:
        with archive.alarm(FINGERPRINT_SECONDS):
            return tuple(sorted(similarity.fingerprints(files)))
    except archive.ArchiveError:
        return ()


@contextmanager
def submitted(files: dict[str, bytes], tier: int) -> Iterator[tuple[Path, isolation.Isolation]]:
    """Lay a submission's files out for a worker of the tier, and remove them afterwards."""
    isolated = isolation.make(tier)
    try:
        with tempfile.TemporaryDirectory(prefix="mytorch-submission-") as place:
            folder = Path(place).resolve() / "submission"
            archive.write(files, folder)
            isolated.give(folder)
            if isolated.uid is not None:
                folder.parent.chmod(0o711)
            yield folder, isolated
    finally:
        isolated.close()


def grade_digits(folder: Path, job: Job, isolated: isolation.Isolation) -> ProblemRecord:
    """Train the submission's mnist() and count here what its model gets right.

    Raises:
        GraderError: there are no digits.
    """
    try:
        digits = read_digits(Path(job.digits), MNIST)
    except DigitsError:
        try:
            digits = read_digits(Path(job.digits), GENERATED)
        except DigitsError as error:
            raise GraderError(f"--digits: {error}") from None
    result = test_mnist.train(folder, digits, job.training, isolated)
    points = 0.0 if result.test is None else test_mnist.points(result.test, digits.source)
    lines = [*result.problems]
    if result.test is None and not lines:
        lines.append("mnist() must call the module's train(model, ...) or validate(model, ...)")
    none, full = test_mnist.SCALE[digits.source]
    lines.append(
        f"{digits.source}: measured on the test images {test_mnist.percent(result.test)}; no "
        f"points up to {none:.0%}, all from {full:.0%} on"
    )
    passed = points == DIGITS.points
    cause = "" if passed else "the accuracy is too low"
    name = f"accuracy on {digits.source}"
    check = CheckRecord(name, DIGITS.points, passed, points, "", cause, tuple(lines))
    return ProblemRecord(DIGITS.number, DIGITS.name, DIGITS.points, (check,))


def main() -> int:
    """Grade the job on standard input and write its record; return the exit status."""
    processes.protect()
    processes.end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that folders are removed
    values = json.load(sys.stdin)
    job = Job(**{**values, "only": tuple(values["only"])})
    try:
        record = grade(job)
    except (GraderError, isolation.IsolationError, OSError, MemoryError) as error:
        reason = f"{type(error).__name__}: {error}"
        record = Record(job.name, records.UNGRADED, job.assignment, reason, job.source)
    records.save(record, Path(job.record))
    return 0 if record.status == records.GRADED else UNGRADED_STATUS


if __name__ == "__main__":
    sys.exit(main())
