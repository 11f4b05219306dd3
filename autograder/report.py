"""What is printed: safe text from submissions, colours, scoreboard, summary, and the scoreline."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from autograder.checks import Problem, Verdict, earned, outcome
from autograder.supervisor import Fault

WIDTH = 78
SHOWN_OUTPUT = 12
COLOURS = {"green": "32", "red": "31", "yellow": "33", "bold": "1"}
SAFE_SEQUENCE = re.compile(r"\x1b\[[0-9;]{0,16}m|\x1b\[0?K")
OPEN_SEQUENCE = re.compile(r"\x1b(\[[0-9;?]{0,16})?$")
ANY_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b.?|\x9b")


def printable(text: str) -> str:
    """Return one line of text with every character that is not printable escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(text: str, prefix: str = "      | ", most: int = SHOWN_OUTPUT) -> list[str]:
    """Return what a submission printed as lines that can be mistaken for nobody else's."""
    lines = re.split(r"\r\n|\n", text.rstrip("\n"))
    shown = [prefix + printable(line[:200]) for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"{prefix}… ({len(lines) - most} more lines)")
    return shown


def harmless(text: str) -> tuple[str, str]:
    """Return text fit for a terminal as it comes, and a tail to put before what comes next.

    Line feeds, carriage returns, tabs, colours and erase-to-end-of-line stay; every other
    control or format character goes.
    """
    tail = OPEN_SEQUENCE.search(text)
    held = tail.group() if tail else ""
    text = text[: len(text) - len(held)]

    def sift(match: re.Match[str]) -> str:
        return match.group() if SAFE_SEQUENCE.fullmatch(match.group()) else ""

    parts = ANY_SEQUENCE.sub(sift, text)
    kept = (c for c in parts if c.isprintable() or c in "\n\r\t\x1b")
    return "".join(kept), held


class Screen:
    """Prints to standard output, in colour on a terminal (unless NO_COLOR is set)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.coloured = (
            self.stream.isatty()
            and "NO_COLOR" not in os.environ
            and os.environ.get("TERM") != "dumb"
        )

    def paint(self, text: str, colour: str) -> str:
        """Return the text in a colour, where colours are shown."""
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m" if self.coloured else text

    def line(self, text: str = "") -> None:
        """Print one line at once."""
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), file=self.stream, flush=True)

    def title(self, text: str) -> None:
        """Print a title in its frame."""
        rule = "*" * (len(text) + 8)
        for row in (rule, f"*   {text}   *", rule):
            self.line(self.paint(row, "bold"))

    def problem(self, problem: Problem, verdicts: Sequence[Verdict]) -> None:
        """Print one problem's line, and below it what failed and why."""
        points = earned(problem, verdicts)
        word = outcome(problem, verdicts)
        colour = {"PASSED": "green", "PARTLY": "yellow", "FAILED": "red"}[word]
        label = f"{problem.number} {problem.name} "
        score = f"{points:g}/{problem.points:g}"
        self.line(f"{label:.<60} {score:>7}  {self.paint(word, colour)}")
        told: tuple[str, ...] = ()
        for verdict in verdicts:
            if not verdict.passed:
                self.failure(verdict, known=verdict.lines[:2] == told and not verdict.output)
                told = verdict.lines[:2]

    def failure(self, verdict: Verdict, known: bool = False) -> None:
        """Print what a failed check cost, how the answer differs, and what was printed.

        What is `known`, as it was just told of another check, is not told again.
        """
        points = verdict.check.points
        cost = f"-{points:g}" if points else "no points"
        mark = self.paint("x" if points else "i", "red" if points else "yellow")
        self.line(f"  {mark} {verdict.check.name} ({cost})")
        for text in verdict.lines if not known else ("as above",):
            for row in textwrap.wrap(printable(text), WIDTH) or [""]:
                self.line(f"      {row}")
        if verdict.output.strip():
            self.line("      the submission printed:")
            for row in quoted(verdict.output):
                self.line(row)


def scoreline(scores: dict[str, float]) -> str:
    """Return the line of JSON that Autolab reads; it must be the last of standard output."""
    return json.dumps({"scores": {n: int(s) if s == int(s) else s for n, s in scores.items()}})


def fault_lines(fault: Fault, what: str) -> list[str]:
    """Explain a fault to the student."""
    if fault.kind == "raised":
        return [f"{what} raised {fault.text}", *(f"at {line}" for line in fault.lines)]
    if fault.kind == "time":
        return [f"{what} did not come back: {fault.text} (a loop without end?)"]
    if fault.kind == "died":
        return [f"{what} ended the process: {fault.text}"]
    if fault.kind == "space":
        return [f"{what} was stopped: {fault.text}"]
    if fault.kind == "channel":
        return [f"{what} disturbed the grader's channel: {fault.text}"]
    return [fault.text]
