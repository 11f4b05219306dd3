"""Marked regions of a solution: what a student is to write, between two comments.

    # handout: begin 1.1 Return a - b as a new Tensor, and save in ctx
    #     what backward will need.
    ctx.save_for_backward(a, b)
    return Tensor(a.data - b.data)
    # handout: end

The starter has `raise NotImplementedError("1.1: Return a - b …")` there. A region that begins with
`cut` (a helper, or a line of a constructor) leaves nothing. Regions can be put back, all or those
of some problems; all put back give the solution byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill

MARK = "# handout:"
BEGIN = re.compile(
    r"^(?P<indent> *)# handout: (?P<kind>begin|cut) (?P<problem>\d\.\d)(?P<hint>.*)$"
)
CONTINUED = re.compile(r"^ *#     (?P<hint>.*)$")
END = re.compile(r"^ *# handout: end$")
WIDTH = 100


class RegionError(Exception):
    """Markers that are not in order; the text names the file and the line."""


@dataclass(frozen=True)
class Region:
    """A marked part of a file.

    Attributes:
        problem: the number of the problem that it solves.
        source: its lines in the solution, markers and all.
        starter: the lines that the starter has instead.
    """

    problem: str
    source: tuple[str, ...]
    starter: tuple[str, ...]

    @property
    def code(self) -> tuple[str, ...]:
        """The solution's lines, without the markers and the hint."""
        inner = [line for line in self.source if MARK not in line]
        while inner and CONTINUED.match(inner[0]):
            inner.pop(0)
        return tuple(inner)


def split(name: str, text: str) -> list[str | Region]:
    """Return a file's lines, with each region as one element.

    Raises:
        RegionError: a region that does not end, ends without a beginning, lies in another, or
            whose marker cannot be read.
    """
    parts: list[str | Region] = []
    opened: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        bare = line.rstrip("\r\n")
        if MARK in line and not BEGIN.match(bare) and not END.match(bare):
            raise RegionError(f"{name}:{number}: this marker cannot be read: {bare.strip()}")
        if BEGIN.match(bare):
            if opened:
                raise RegionError(f"{name}:{number}: a region begins inside of another")
            opened = [line]
        elif END.match(bare):
            if not opened:
                raise RegionError(f"{name}:{number}: a region ends that has not begun")
            parts.append(region([*opened, line]))
            opened = []
        elif opened:
            opened.append(line)
        else:
            parts.append(line)
    if opened:
        raise RegionError(f"{name}: the region of {opened[0].strip()!r} does not end")
    return parts


def region(lines: Sequence[str]) -> Region:
    """Return the region of these lines, the first and the last of which are its markers."""
    match = BEGIN.match(lines[0].rstrip("\r\n"))
    if match is None:
        raise RegionError(f"no marker: {lines[0].strip()}")
    hint = match["hint"].strip()
    for line in lines[1:]:
        more = CONTINUED.match(line.rstrip("\r\n"))
        if more is None:
            break
        hint += " " + more["hint"].strip()
    if match["kind"] == "cut":
        return Region(match["problem"], tuple(lines), ())
    indent = match["indent"]
    room = WIDTH - len(indent) - 6
    rows = fill(f"{match['problem']}: {hint}", room, drop_whitespace=False).split("\n")
    texts = [f'{indent}    "{row}"\n'.replace("\\", "\\\\") for row in rows]
    starter = (f"{indent}raise NotImplementedError(\n", *texts, f"{indent})\n")
    return Region(match["problem"], tuple(lines), starter)


def starter(parts: Sequence[str | Region], solved: Callable[[Region], bool] | None = None) -> str:
    """Return the text that a student gets; regions that are `solved` are put back."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            is_solved = solved is not None and solved(part)
            text += "".join(part.source if is_solved else part.starter)
    return text


def put_back(text: str, parts: Sequence[str | Region]) -> str:
    """Return the solution, given the starter's text and the solution's regions.

    Raises:
        RegionError: the text is not the starter of these parts.
    """
    lines = text.splitlines(keepends=True)
    restored, at = [], 0
    for part in parts:
        expected = (part,) if isinstance(part, str) else part.starter
        if tuple(lines[at : at + len(expected)]) != tuple(expected):
            raise RegionError(f"line {at + 1} is not the starter's")
        at += len(expected)
        restored += [part] if isinstance(part, str) else part.source
    if at != len(lines):
        raise RegionError(f"line {at + 1} is more than the starter has")
    return "".join(restored)
