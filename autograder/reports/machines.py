"""Reports for machines: a table of scores, and what Autolab and Gradescope read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from autograder.records import UNGRADED, ProblemRecord, Record
from autograder.report import printable, scoreline
from autograder.reports.pages import cost

FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def table(records: Sequence[Record]) -> str:
    """Return the scores as CSV: a line for each submission, a column for each problem.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    names = list(dict.fromkeys(p.name for record in records for p in record.problems))
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["submission", "status", "total", "of", *names, "reason"])
    for record in records:
        scores = {problem.name: f"{problem.earned:g}" for problem in record.problems}
        graded = record.status != UNGRADED
        totals = [f"{record.total:g}", f"{record.most:g}"] if graded else ["", ""]
        cells = [cell(record.name), record.status, *totals, *(scores.get(n, "") for n in names)]
        writer.writerow([*cells, cell(record.reason)])
    return output.getvalue()


def cell(text: str) -> str:
    """Return a text that no spreadsheet runs."""
    plain = printable(text)
    return f"'{plain}" if plain.lstrip().startswith(FORMULA) else plain


def autolab(record: Record) -> str:
    """Return the line that Autolab reads; for an ungraded submission one without scores."""
    if record.status == UNGRADED:
        return json.dumps({"scores": {}, "ungraded": record.reason})
    return scoreline({problem.name: problem.earned for problem in record.problems})


def gradescope(record: Record) -> str:
    """Return the results.json that Gradescope reads."""
    if record.status == UNGRADED:
        text = "This submission is not graded yet, by a fault on our side."
        return json.dumps({"output": text, "visibility": "visible", "tests": []}, indent=1)
    return json.dumps(
        {
            "score": record.total,
            "execution_time": record.seconds,
            "output": "\n".join(record.notes),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": [test(problem) for problem in record.problems],
        },
        indent=1,
    )


def test(problem: ProblemRecord) -> dict[str, object]:
    """Return a problem as one of Gradescope's tests."""
    lines = []
    for check in problem.checks:
        if check.passed:
            continue
        if check.hidden:
            lines.append(f"hidden check failed: {check.hidden} (-{check.points:g})")
            continue
        lines += [f"{check.name} ({cost(check)})", *(f"    {line}" for line in check.lines)]
    return {
        "number": problem.number,
        "name": problem.name,
        "score": problem.earned,
        "max_score": problem.points,
        "status": "passed" if problem.earned == problem.points else "failed",
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": "visible",
    }
