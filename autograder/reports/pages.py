"""The page of one student: what was earned, what failed, why, and what to do about it."""

from __future__ import annotations

from autograder.isolation import NAMES
from autograder.records import UNGRADED, CheckRecord, ProblemRecord, Record
from autograder.report import quoted
from autograder.reports.text import Writer

OUTCOMES = {True: "good", False: "bad"}


def student(record: Record, write: Writer) -> str:
    """Return the page of a submission."""
    title = f"Homework 1: {record.name}"
    if record.status == UNGRADED:
        text = (
            "This submission is not graded yet, by a fault on our side. It has not cost any points."
        )
        return write.document(title, [write.paragraph(text)])
    parts = [write.paragraph(f"{record.total:g} of {record.most:g} points.")]
    if record.notes:
        parts += [write.heading("What was found in the archive"), write.lines(record.notes)]
    parts.append(write.table(["Problem", "#Points", ""], [row(p, write) for p in record.problems]))
    same = common_fault(record)
    if same:
        parts += [write.heading("Why there are no points", "bad"), write.lines(same)]
    for problem in record.problems if not same else ():
        parts += explanation(problem, write)
    parts.append(
        write.paragraph(
            f"Files {record.digest[:16]}… graded in {record.seconds:.1f} s, isolated by "
            f"{NAMES[record.tier].split(' (')[0]}. The same files get the same inputs in a regrade."
        )
    )
    return write.document(title, parts)


def common_fault(record: Record) -> tuple[str, ...]:
    """Return the explanation that all checks have in common, none where they differ."""
    checks = [check for problem in record.problems for check in problem.checks]
    first = {check.lines[:1] for check in checks}
    if len(first) != 1 or any(check.passed for check in checks):
        return ()
    longest = [line for line in checks[0].lines if not line.startswith(("where:", "inputs:"))]
    output = quoted(checks[0].output, prefix="| ") if checks[0].output.strip() else []
    return (*longest, *output)


def mark_of(problem: ProblemRecord) -> str:
    """Return good, some or bad."""
    if all(check.passed for check in problem.checks if check.points or not problem.points):
        return "good"
    return "some" if problem.earned else "bad"


def row(problem: ProblemRecord, write: Writer) -> list[str]:
    """Return a problem's line in the table."""
    name = write.cell(f"{problem.number} {problem.name}")
    return [name, f"{problem.earned:g}/{problem.points:g}", write.verdict(mark_of(problem))]


def explanation(problem: ProblemRecord, write: Writer) -> list[str]:
    """Return what failed in a problem, and why."""
    parts = []
    failed = [check for check in problem.checks if not check.passed]
    for check in (check for check in failed if not check.hidden):
        parts.append(write.paragraph(f"{check.name} ({cost(check)})"))
        lines = list(check.lines)
        if check.output.strip():
            lines += ["it printed:", *quoted(check.output, prefix="| ")]
        parts.append(write.lines(lines))
    for category in dict.fromkeys(check.hidden for check in failed if check.hidden):
        lost = sum(check.points for check in failed if check.hidden == category)
        parts.append(write.paragraph(f"Hidden checks failed: {category} (-{lost:g})"))
    heading = write.heading(f"{problem.number} {problem.name}", mark_of(problem))
    return [heading, *parts] if parts else []


def cost(check: CheckRecord) -> str:
    """Return what a failed check cost, in words."""
    lost = check.points - check.earned
    return f"-{lost:g}" if lost else "advice, costs nothing"
