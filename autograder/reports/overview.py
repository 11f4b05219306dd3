"""The page of the class: scores, what most of it got wrong, and who shares code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from autograder.isolation import NAMES
from autograder.records import GRADED, CheckRecord, Record, file_name
from autograder.reports.text import Writer
from autograder.similarity import near_duplicates

BINS = 10
MOST_PAIRS = 50


def page(records: Sequence[Record], handout: Iterable[str], write: Writer) -> str:
    """Return the overview; `handout` are the fingerprints of the code that was given out."""
    graded = [record for record in records if record.status == GRADED]
    ungraded = [record for record in records if record.status != GRADED]
    parts = [write.paragraph(summary(graded, ungraded))]
    if ungraded:
        parts.append(write.heading("Not graded, by a fault on our side", "bad"))
        rows = [[write.cell(r.name), write.cell(r.reason)] for r in ungraded]
        parts.append(write.table(["Submission", "Reason"], rows))
    if graded:
        parts += [write.heading("Scores"), distribution(graded, write)]
        parts += [write.heading("Checks, the hardest first"), checks(graded, write)]
        parts += [write.heading("Submissions that share code"), *duplicates(graded, handout, write)]
        parts += [write.heading("Submissions"), submissions(graded, write)]
    return write.document("Homework 1: the class", parts)


def summary(graded: Sequence[Record], ungraded: Sequence[Record]) -> str:
    """Return what is to be said first."""
    text = f"{len(graded)} submissions graded, {len(ungraded)} not."
    if not graded:
        return text
    totals = sorted(record.total for record in graded)
    middle = (totals[(len(totals) - 1) // 2] + totals[len(totals) // 2]) / 2
    full = sum(record.is_full for record in graded)
    tiers = ", ".join(NAMES[tier].split(" (")[0] for tier in sorted({r.tier for r in graded}))
    return (
        f"{text} Mean {sum(totals) / len(totals):.1f}, median {middle:g} of {graded[0].most:g} "
        f"points; {full} have everything right. Isolation: {tiers}."
    )


def distribution(graded: Sequence[Record], write: Writer) -> str:
    """Return how many submissions have how many points."""
    most = max(record.most for record in graded) or 1.0
    counts = Counter(min(BINS - 1, int(BINS * record.total / most)) for record in graded)
    rows = []
    for number in reversed(range(BINS)):
        low, high = most * number / BINS, most * (number + 1) / BINS
        share = write.share(counts[number] / len(graded))
        rows.append([f"{low:g} to {high:g}", str(counts[number]), share])
    return write.table(["Points", "#Submissions", "Share"], rows)


def checks(graded: Sequence[Record], write: Writer) -> str:
    """Return the pass rate of each check, and what failed most often."""
    results: dict[tuple[str, str, str], list[CheckRecord]] = defaultdict(list)
    for record in graded:
        for problem in record.problems:
            for check in problem.checks:
                name = f"{check.name} [hidden]" if check.hidden else check.name
                results[problem.number, problem.name, name].append(check)
    rows = []
    for (number, problem, name), found in results.items():
        rate = sum(check.passed for check in found) / len(found)
        causes = Counter(check.cause for check in found if not check.passed)
        worst = [f"{text} ({count})" for text, count in causes.most_common(1)]
        cells = [write.cell(f"{number} {problem}"), write.cell(name), write.share(rate)]
        rows.append((rate, [*cells, write.cell("".join(worst))]))
    rows.sort(key=lambda row: row[0])
    head = ["Problem", "Check", "Passed", "Commonest mistake"]
    return write.table(head, [cells for _, cells in rows])


def duplicates(graded: Sequence[Record], handout: Iterable[str], write: Writer) -> list[str]:
    """Return the pairs of submissions that share much code."""
    prints = {record.name: record.fingerprints for record in graded}
    pairs = near_duplicates(prints, handout)
    text = (
        "Pairs that share at least half of the smaller one's code, the handout's own and what is "
        "common in the class left out. A reason to look, never a verdict."
    )
    if not pairs:
        return [write.paragraph(text), write.paragraph("None was found.")]
    rows = [
        [
            link(pair.first, write),
            link(pair.second, write),
            write.share(pair.share),
            f"{pair.common}",
        ]
        for pair in pairs[:MOST_PAIRS]
    ]
    return [write.paragraph(text), write.table(["One", "Other", "Shared", "#Places"], rows)]


def submissions(graded: Sequence[Record], write: Writer) -> str:
    """Return the list of submissions."""
    rows = [
        [
            link(record.name, write),
            f"{record.total:g}",
            write.share(record.total / (record.most or 1)),
        ]
        for record in graded
    ]
    return write.table(["Submission", "#Points", ""], rows)


def link(name: str, write: Writer) -> str:
    """Return a link to a student's page."""
    return write.link(name, f"students/{file_name(name)}.html")
