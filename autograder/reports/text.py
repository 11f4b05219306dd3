"""Two writers of one document: Markdown and HTML. Whatever text they are given, they escape."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from autograder.report import printable

STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #cf222e; --some: #9a6700;
  --soft: #8881; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; --some: #d29922; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .some { color: var(--some); }
.good, .bad, .some { font-weight: 600; }
pre { background: var(--soft); padding: .6rem .8rem; overflow-x: auto; border-radius: .3rem;
  margin: .3rem 0 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .9rem; }
meter { width: 6rem; vertical-align: middle; } .share { white-space: nowrap; }
"""
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'"
WORDS = {"good": "passed", "bad": "failed", "some": "partly"}
PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~:$@\"'^=])")


class Writer(Protocol):
    """What a document is made of; every text given is escaped."""

    def document(self, title: str, parts: Sequence[str]) -> str:
        """Return the whole document."""

    def heading(self, text: str, mark: str = "") -> str:
        """Return a heading of a part; `mark` is good, bad or some."""

    def paragraph(self, text: str) -> str:
        """Return a paragraph."""

    def lines(self, lines: Sequence[str]) -> str:
        """Return lines as they are, in letters of one width."""

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        """Return a table; cells come from `cell`, `link`, `verdict` and `share`."""

    def cell(self, text: str) -> str:
        """Return the text of a cell."""

    def link(self, text: str, target: str) -> str:
        """Return a link to a file of the report."""

    def verdict(self, mark: str) -> str:
        """Return a word for good, bad or some."""

    def share(self, part: float) -> str:
        """Return a part of 1."""


class Html:
    """Writes HTML that runs nothing and loads nothing."""

    def document(self, title: str, parts: Sequence[str]) -> str:
        body = "\n".join(parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{NO_SCRIPTS}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{self.cell(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{self.cell(title)}</h1>\n{body}\n</body>\n</html>\n"
        )

    def heading(self, text: str, mark: str = "") -> str:
        return (
            f'<h2 class="{mark}">{self.cell(text)}</h2>' if mark else f"<h2>{self.cell(text)}</h2>"
        )

    def paragraph(self, text: str) -> str:
        return f"<p>{self.cell(text)}</p>"

    def lines(self, lines: Sequence[str]) -> str:
        return "<pre>" + "\n".join(map(self.cell, lines)) + "</pre>"

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        kinds = [' class="number"' if name.startswith("#") else "" for name in head]

        def line(tag: str, cells: Sequence[str]) -> str:
            inner = (f"<{tag}{k}>{c}</{tag}>" for k, c in zip(kinds, cells, strict=True))
            return f"<tr>{''.join(inner)}</tr>"

        names = [self.cell(name.removeprefix("#")) for name in head]
        lines = [line("th", names), *(line("td", row) for row in rows)]
        return "<table>\n" + "\n".join(lines) + "\n</table>"

    def cell(self, text: str) -> str:
        return html.escape(printable(text))

    def link(self, text: str, target: str) -> str:
        return f'<a href="{html.escape(quote(target))}">{self.cell(text)}</a>'

    def verdict(self, mark: str) -> str:
        return f'<span class="{mark}">{WORDS[mark]}</span>'

    def share(self, part: float) -> str:
        return f'<span class="share"><meter value="{part:.3f}"></meter> {part:.0%}</span>'


class Markdown:
    """Writes Markdown in which no text of a submission has a meaning."""

    def document(self, title: str, parts: Sequence[str]) -> str:
        return f"# {self.cell(title)}\n\n" + "\n\n".join(parts) + "\n"

    def heading(self, text: str, mark: str = "") -> str:
        return f"## {self.cell(text)}"

    def paragraph(self, text: str) -> str:
        return self.cell(text)

    def lines(self, lines: Sequence[str]) -> str:
        return "\n".join(f"    {printable(line)}" for line in lines)  # code: nothing ends it

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        names = [name.removeprefix("#") for name in head]
        rules = ["---:" if name.startswith("#") else "---" for name in head]
        return "\n".join(f"| {' | '.join(row)} |" for row in (names, rules, *rows))

    def cell(self, text: str) -> str:
        return PUNCTUATION.sub(r"\\\1", printable(text))

    def link(self, text: str, target: str) -> str:
        return f"[{self.cell(text)}](<{quote(target)}>)"

    def verdict(self, mark: str) -> str:
        return WORDS[mark] if mark != "bad" else f"**{WORDS[mark]}**"

    def share(self, part: float) -> str:
        return f"{part:.0%}"
