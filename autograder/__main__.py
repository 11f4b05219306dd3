"""The instructor's commands: python -m autograder {grade,report,tiers,handout} --help."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder import controls, isolation, processes, records
from autograder.command import finish, folder, seconds
from autograder.supervisor import GraderError

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = parser().parse_args(argv)
    processes.protect()
    return finish(lambda: options.run(options))


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    grading = commands.add_parser("grade", help="grade a folder of submissions and write reports")
    add_grade(grading)
    report = commands.add_parser("report", help="write the reports of a run anew")
    report.add_argument("out", type=folder, metavar="REPORT", help="a folder that `grade` made")
    report.set_defaults(run=rewrite)
    handout = commands.add_parser("handout", help="make the students' starter")
    handout.add_argument("out", type=Path, metavar="OUT", help="a new folder")
    handout.set_defaults(run=make_handout)
    tiers = commands.add_parser("tiers", help="tell which isolation this machine offers")
    tiers.set_defaults(run=tell_tiers)
    return root


def add_grade(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `grade`."""
    add = command.add_argument
    add("submissions", type=folder, metavar="SUBMISSIONS", help="a folder of tar archives")
    add("--out", type=Path, required=True, metavar="REPORT", help="where records and reports go")
    add(
        "--jobs",
        type=positive,
        default=os.cpu_count() or 1,
        help="submissions at a time (%(default)s)",
    )
    add("--min-tier", type=tier, default=1, help="refuse less isolation than this (T1)")
    add("--tier", type=tier, help="this isolation, and not the highest that there is")
    add("--key-file", type=Path, help="the course key (default: a new one, in REPORT/course.key)")
    add("--resume", action="store_true", help="go on where an earlier run was stopped")
    add("--timeout", type=seconds, default=4.0, help="seconds that one check may take (4)")
    add("--only", type=numbers, default=(), help="problems to grade, such as 1.1,2.3 (all)")
    add("--digits", type=folder, help="MNIST's four files; without them 2.5 is not graded")
    add("--training", type=seconds, default=1200.0, help="seconds that mnist() may take (1200)")
    add("--reference", type=folder, default=ROOT, help="a solution that must score full (this one)")
    command.set_defaults(run=grade)


def grade(options: argparse.Namespace) -> int:
    """Grade a folder of submissions."""
    from autograder import many  # it needs tqdm, and no other command does

    values = {name: value for name, value in vars(options).items() if name != "run"}
    try:
        return many.grade(many.Options(**values))
    except isolation.IsolationError as error:
        raise GraderError(str(error)) from None


def rewrite(options: argparse.Namespace) -> int:
    """Write the reports of a run anew from its records."""
    from autograder.reports import write_reports

    place = options.out / "records"
    if not place.is_dir():
        raise GraderError(f"{options.out} is no folder that `grade` made: it has no records")
    found = [records.load(path) for path in sorted(place.glob("*.json"))]
    write_reports([record for record in found if record is not None], options.out)
    print(f"{options.out / 'index.html'}")
    return 0


def make_handout(options: argparse.Namespace) -> int:
    """Make the starter, and see that it gives nothing away."""
    from autograder.handout.starter import HandoutError, make

    try:
        names = make(options.out)
    except HandoutError as error:
        raise GraderError(str(error)) from None
    print("\n".join(names))
    print(f"{options.out}: {len(names)} files. Checked: no line of the solution is in them; with")
    print("its regions put back, every marked file is the solution's, byte for byte.")
    return 0


def tell_tiers(options: argparse.Namespace) -> int:
    """Try every tier and tell what came of it."""
    for number in isolation.NAMES:
        try:
            isolated, told = controls.choose(number, 0)
            isolated.close()
        except isolation.IsolationError as error:
            told = str(error).splitlines()[:1]
        print("\n".join(told))
    return 0


def tier(text: str) -> int:
    """Read a tier: T0 to T3."""
    if not re.fullmatch("[Tt]?[0-3]", text):
        raise argparse.ArgumentTypeError("a tier from T0 to T3 is wanted")
    return int(text[-1])


def positive(text: str) -> int:
    """Read a number from 1 on."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("a number from 1 on is wanted")
    return value


def numbers(text: str) -> tuple[str, ...]:
    """Read problem numbers, separated by commas."""
    found = tuple(text.split(","))
    if not all(re.fullmatch(r"[12]\.[1-5]", number) for number in found):
        raise argparse.ArgumentTypeError("problems such as 1.1,2.3 are wanted")
    return found


if __name__ == "__main__":
    sys.exit(main())
