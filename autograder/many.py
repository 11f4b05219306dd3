"""Grade many submissions: python -m autograder grade SUBMISSIONS/ --out REPORT/.

Each submission is graded by a process of its own (single.py), some at a time. What is known of a
submission is the record that this process writes; a run that is stopped, or killed, goes on with
`--resume` where records are missing. The reference solution is graded first and last: where it does
not score full, nothing that the run says of others is believed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autograder import archive, controls, records, seeds
from autograder.hw1_autograder import runner
from autograder.records import Record
from autograder.reports import write_reports
from autograder.single import DIGITS, UNGRADED_STATUS, Job
from autograder.supervisor import GraderError

SINGLE = Path(__file__).with_name("single.py")
PACKED = ("gz", "bz2", "xz", "zst")
SUFFIXES = (
    *(f".tar.{kind}" for kind in PACKED),
    *(".tar", ".tgz", ".tbz2", ".txz", ".zip", ".7z", ".rar"),
    *(f".{kind}" for kind in PACKED),
)
POLL = 0.02  # seconds between looks at the processes at work
PATIENCE = 5.0  # seconds that a process has to clean up after itself when the run is stopped
SLACK = 300.0  # seconds that one submission may take beyond what its checks may
CONTROL = "the reference solution"


@dataclass(frozen=True)
class Options:
    """What `grade` was asked for (see `--help`)."""

    submissions: Path
    out: Path
    reference: Path
    jobs: int
    min_tier: int = 1
    tier: int | None = None
    key_file: Path | None = None
    resume: bool = False
    timeout: float = 4.0
    only: tuple[str, ...] = ()
    digits: Path | None = None
    training: float = 1200.0


@dataclass
class Running:
    """A submission at work."""

    job: Job
    process: subprocess.Popen[str]
    deadline: float


def grade(options: Options) -> int:
    """Grade all submissions and write the reports; return the exit status.

    Raises:
        GraderError: nothing could be graded.
    """
    check_numbers(options)
    found = submissions(options)
    options.out.mkdir(parents=True, exist_ok=True)
    with held(options.out):
        return grade_all(options, found)


@contextlib.contextmanager
def held(out: Path) -> Iterator[None]:
    """Keep the report for this run alone.

    Raises:
        GraderError: another run has it.
    """
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GraderError(
                f"another run is writing to {out}: wait for its end, or name a new folder"
            ) from None
        yield


def grade_all(options: Options, found: dict[str, Path]) -> int:
    """Grade the submissions, between two controls."""
    key = course_key(options)
    isolated, told = controls.choose(options.tier, options.min_tier)
    isolated.close()
    for line in told:
        say(line)
    check_run(options, key, isolated.tier)
    base = Job(
        name=CONTROL,
        path=str(options.reference),
        record=str(options.out / "control.json"),
        key=key.hex(),
        tier=isolated.tier,
        timeout=options.timeout,
        only=options.only,
        digits=str(options.digits or ""),
        training=options.training,
    )
    control(base)
    jobs = [job_of(base, name, path, options.out) for name, path in found.items()]
    waiting = [job for job in jobs if not (options.resume and is_done(job))]
    if len(waiting) < len(jobs):
        say(f"{len(jobs) - len(waiting)} of {len(jobs)} submissions are graded already")
    run(waiting, options.jobs)
    late = [job for job in waiting if options.jobs > 1 and has_late_checks(job)]
    if late:
        say(f"{len(late)} had checks that ran out of time beside others: once more, alone")
        run(late, 1)
    control(base)
    return finish(options, [Path(job.record) for job in jobs])


def check_numbers(options: Options) -> None:
    """Raise GraderError where a problem is asked for that there is not, or not without digits."""
    known = {problem.number for problem in runner.PROBLEMS} | {DIGITS.number}
    unknown = [number for number in options.only if number not in known]
    if unknown:
        raise GraderError(f"--only: there is no problem {', '.join(unknown)}; {sorted(known)} are")
    if options.only == (DIGITS.number,) and options.digits is None:
        raise GraderError(f"--only {DIGITS.number} needs --digits: MNIST's four files")


def submissions(options: Options) -> dict[str, Path]:
    """Return the archives and folders to grade, by name.

    Raises:
        GraderError: there are none, or the report would lie among them.
    """
    if options.out.resolve().is_relative_to(options.submissions.resolve()):
        raise GraderError("--out must not lie in the folder of submissions")
    found: dict[str, Path] = {}
    for path in sorted(options.submissions.iterdir()):
        suffix = next((s for s in SUFFIXES if path.name.lower().endswith(s)), "")
        if path.name.startswith(".") or not (path.is_dir() or suffix or is_archive(path)):
            say(f"not a submission: {records.printable(path.name)}")
            continue
        name = path.name[: len(path.name) - len(suffix)] or path.name
        if name in found:
            say(f"two submissions of one name: {found[name].name!r} and {path.name!r}")
        found[path.name if name in found else name] = path
    if not found:
        raise GraderError(f"there is no archive in {options.submissions}")
    return found


def is_archive(path: Path) -> bool:
    """Whether a file is an archive whatever its name; one that cannot be read may be one."""
    try:
        return archive.looks_like_one(path)
    except OSError:
        return True


def course_key(options: Options) -> bytes:
    """Return the course key, from --key-file or from the report's own.

    Raises:
        GraderError: the key file cannot be used.
    """
    own = options.out / "course.key"
    try:
        if options.key_file is not None:
            return seeds.read_key(options.key_file)
        if own.exists():
            return seeds.read_key(own)
        say(f"no --key-file: a new course key is in {own}; a regrade needs it, and it is secret")
        return seeds.make_key(own)
    except seeds.KeyFileError as error:
        raise GraderError(str(error)) from None


def check_run(options: Options, key: bytes, tier: int) -> None:
    """Remember how this run grades; a run that goes on must grade as it began.

    Raises:
        GraderError: the folder holds another run's records.
    """
    place = options.out / "run.json"
    now: dict[str, Any] = {
        "assignment": "hw1",
        "key": seeds.key_name(key),
        "grader": own_digest(),
        "tier": tier,
        "timeout": options.timeout,
        "only": list(options.only),
        "digits": options.digits is not None,
    }
    if not (options.out / "records").exists():
        records.write_atomically(place, json.dumps(now, indent=1) + "\n")
        return
    if not options.resume:
        raise GraderError(
            f"{options.out} holds records already: go on with --resume, or name a new folder"
        )
    try:
        then = json.loads(place.read_text())
    except (OSError, ValueError):
        raise GraderError(f"{place} cannot be read: name a new folder") from None
    different = [name for name in now if then.get(name) != now[name]]
    if different:
        raise GraderError(
            f"the run in {options.out} was begun with another {', another '.join(different)}: "
            "go on as it began, or name a new folder"
        )


def own_digest() -> str:
    """Return a digest of the grader's own code."""
    files = sorted(SINGLE.parent.rglob("*.py"))
    return seeds.digest_of({str(f.relative_to(SINGLE.parent)): f.read_bytes() for f in files})[:16]


def job_of(base: Job, name: str, path: Path, out: Path) -> Job:
    """Return the job of one submission."""
    record = out / "records" / f"{records.file_name(name)}.json"
    return replace(base, name=name, path=str(path), record=str(record), source=source_of(path))


def source_of(path: Path) -> str:
    """Return what tells whether a submission has changed: of an archive the SHA-256.

    Of what cannot be read it is nothing, and the record will say so.
    """
    total = hashlib.sha256()
    if path.is_file():
        try:
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    total.update(chunk)
        except OSError:
            return ""
        return total.hexdigest()
    for file_path in sorted(path.rglob("*")):
        status = file_path.lstat()
        total.update(
            f"{file_path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="replace")
        )
    return total.hexdigest()


def is_done(job: Job) -> bool:
    """Whether there is a record of just this submission already."""
    record = records.load(Path(job.record))
    return record is not None and record.status == records.GRADED and record.source == job.source


def has_late_checks(job: Job) -> bool:
    """Whether a submission lost checks to the clock: its neighbours may have been the cause."""
    record = records.load(Path(job.record))
    return record is not None and records.was_late(record)


def control(base: Job) -> None:
    """Grade the reference solution as every other submission is.

    Raises:
        GraderError: it does not score full.
    """
    Path(base.record).unlink(missing_ok=True)
    run([base], 1, show=False)
    record = records.load(Path(base.record))
    if record is None or record.status == records.UNGRADED:
        raise GraderError(
            f"{CONTROL} could not be graded: {record.reason if record else 'no record'}"
        )
    if not record.is_full:
        failed = [f"{p.name}: {c.name}" for p in record.problems for c in p.checks if not c.passed]
        raise GraderError(
            f"{CONTROL} scores {record.total:g} of {record.most:g} here, so the scores of others "
            f"mean nothing. It fails {'; '.join(failed[:5])}"
        )
    say(f"control: {CONTROL} scores {record.total:g} of {record.most:g} in {record.seconds:.1f} s")


def run(jobs: Sequence[Job], at_once: int, show: bool = True) -> None:
    """Grade the jobs, `at_once` at a time; every one leaves a record."""
    from tqdm import tqdm

    waiting, running = list(jobs)[::-1], []
    with tqdm(total=len(jobs), unit="submission", disable=None if show else True) as bar:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    running.append(start(waiting.pop()))
                time.sleep(POLL)
                for one in [one for one in running if has_ended(one)]:
                    running.remove(one)
                    bar.update()
        finally:
            stop([one.process for one in running])


def stop(running: Sequence[subprocess.Popen[str]]) -> None:
    """End processes, which remove their folders first if they can."""
    for process in running:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start(job: Job) -> Running:
    """Start the process that grades a submission."""
    pipe = subprocess.PIPE
    command = [sys.executable, *python_options(), "-I", "-B", str(SINGLE)]
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    with contextlib.suppress(BrokenPipeError), process.stdin as job_input:
        job_input.write(json.dumps(asdict(job)))
    most = SLACK + 100 * job.timeout + (3 * job.training if job.digits else 0)
    return Running(job, process, time.monotonic() + most)


def python_options() -> list[str]:
    """Return the options of this Python that the others should have too."""
    return ["-O"] * sys.flags.optimize


def has_ended(one: Running) -> bool:
    """Whether a submission is done with; where its process has left no record, write one."""
    status = one.process.poll()
    late = status is None and time.monotonic() > one.deadline
    if status is None and not late:
        return False
    one.process.kill()
    with one.process:
        printed = one.process.stdout.read()
    if late or status not in (0, UNGRADED_STATUS):
        last = printed[-500:].strip().splitlines()[-1:]
        how = "took too long" if late else f"ended with status {status}"
        reason = f"the process that graded it {how}: {''.join(last) or 'without a word'}"
        record = Record(one.job.name, records.UNGRADED, reason=reason, source=one.job.source)
        records.save(record, Path(one.job.record))
    return True


def finish(options: Options, paths: Sequence[Path]) -> int:
    """Write the reports from the records; return the exit status."""
    graded = [record for record in map(records.load, paths) if record is not None]
    write_reports(graded, options.out)
    lost = [record for record in graded if record.status == records.UNGRADED]
    for record in lost:
        say(f"UNGRADED: {records.printable(record.name)}: {records.printable(record.reason)}")
    say(f"{len(graded) - len(lost)} graded, {len(lost)} ungraded: {options.out / 'index.html'}")
    return UNGRADED_STATUS if lost or len(graded) < len(paths) else 0


def say(text: str) -> None:
    """Tell the instructor."""
    print(text, flush=True)
