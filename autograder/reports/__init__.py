"""All reports of a run, made from its records: tables for machines, pages for people.

- `scores.csv`: one line for each submission;
- `autolab/NAME.json`, `gradescope/NAME/results.json`: what these two services read;
- `students/NAME.md` and `.html`: what a student is to be shown;
- `overview.md` and `index.html`: the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.handout import regions
from autograder.handout.starter import HandoutError, marked_files, other_files
from autograder.records import Record, file_name, write_atomically
from autograder.reports import machines, overview, pages
from autograder.reports.text import Html, Markdown
from autograder.similarity import fingerprints


def given_out() -> set[str]:
    """Return the fingerprints of the code that students start from, as far as there is any."""
    try:
        texts = {name: regions.starter(parts) for name, parts in marked_files().items()}
        given = {name: text.encode() for name, text in texts.items()}
        return fingerprints({**other_files(), **given})
    except HandoutError:
        return set()


def write_reports(records: Sequence[Record], out: Path) -> None:
    """Write all reports of these records."""
    handout = given_out()
    ordered = sorted(records, key=lambda record: record.name)
    write_atomically(out / "scores.csv", machines.table(ordered))
    for record in ordered:
        name = file_name(record.name)
        write_atomically(out / "autolab" / f"{name}.json", machines.autolab(record) + "\n")
        result = machines.gradescope(record)
        write_atomically(out / "gradescope" / name / "results.json", result + "\n")
        for writer, suffix in ((Markdown(), "md"), (Html(), "html")):
            page = pages.student(record, writer)
            write_atomically(out / "students" / f"{name}.{suffix}", page)
    for writer, name in ((Markdown(), "overview.md"), (Html(), "index.html")):
        write_atomically(out / name, overview.page(ordered, handout, writer))
