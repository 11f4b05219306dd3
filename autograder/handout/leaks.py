"""The check that a starter gives nothing of the solution away.

Two ways of looking: by syntax tree, no statement that the solution has in its regions alone may
stand in the starter. By tokens, no line from inside a region may stand anywhere in any file of the
starter, in a comment or a text either. And no file may be there that has no business there:
compiled code, keys, history, hidden checks.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.handout.regions import MARK, Region

LEAST_TOKENS = 6  # shorter lines, such as `return out`, tell nothing
LEAST_NODES = 12  # nor do such small statements in other files
FORBIDDEN_NAMES = (
    *("__pycache__", ".git", ".hg", ".svn", ".venv", ".pytest_cache", ".hypothesis", "records"),
    *("hidden_checks.py", "handout", "solution", "many.py", "single.py", "seeds.py", "course.key"),
)
FORBIDDEN_SUFFIXES = (".pyc", ".pyo", ".so", ".key", ".pem", ".orig", ".rej", ".patch", ".npz", "~")
SKIPPED = (
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
    *(tokenize.ENDMARKER, tokenize.ENCODING),
)


def leaks(folder: Path, marked: Mapping[str, Sequence[str | Region]]) -> list[str]:
    """Return what a starter gives away, in lines that name the place.

    Args:
        folder: the starter.
        marked: the solution's files with regions, by name.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found.append(f"{name}: a link leads out of the starter")
        elif set(path.relative_to(folder).parts) & set(FORBIDDEN_NAMES) or name.endswith(
            FORBIDDEN_SUFFIXES
        ):
            found.append(f"{name}: it has no business in a starter")
    found += tree_leaks(folder, marked)
    found += token_leaks(folder, marked)
    return found


# ---- by syntax tree -----------------------------------------------------------------------------


def tree_leaks(folder: Path, marked: Mapping[str, Sequence[str | Region]]) -> Iterator[str]:
    """Yield the statements of the starter that the solution has in its regions alone."""
    secret: set[str] = set()
    for parts in marked.values():
        secret |= secret_statements(parts)
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        for node in statements(path.read_text(encoding="utf-8")):
            large = len(list(ast.walk(node))) >= LEAST_NODES
            if (large or name in marked) and ast.dump(node) in secret:
                shown = ast.unparse(node).splitlines()[0]
                yield f"{name}:{node.lineno}: a statement of the solution: {shown}"


def secret_statements(parts: Sequence[str | Region]) -> set[str]:
    """Return the statements, as dumped trees, that stand in regions and nowhere else."""
    inside: set[int] = set()
    line = 1
    for part in parts:
        size = 1 if isinstance(part, str) else len(part.source)
        inside |= set(range(line, line + size)) if isinstance(part, Region) else set()
        line += size
    dumped: dict[bool, set[str]] = {True: set(), False: set()}
    for node in statements("".join(p if isinstance(p, str) else "".join(p.source) for p in parts)):
        dumped[node.lineno in inside].add(ast.dump(node))
    return dumped[True] - dumped[False]


def statements(text: str) -> Iterator[ast.stmt]:
    """Yield every statement of a module."""
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt))


# ---- by tokens ----------------------------------------------------------------------------------


def token_leaks(folder: Path, marked: Mapping[str, Sequence[str | Region]]) -> Iterator[str]:
    """Yield the places where a line of a region stands in the starter, or a marker does."""
    given = {
        row
        for parts in marked.values()
        for row in rows("".join(part for part in parts if isinstance(part, str)))
    }
    secret: dict[tuple[str, ...], str] = {}
    for parts in marked.values():
        for part in (part for part in parts if isinstance(part, Region)):
            for line in part.code:
                row = next(iter(rows(line.strip() + "\n")), ())
                if len(row) >= LEAST_TOKENS and row not in given:
                    secret[row] = f"problem {part.problem}: {line.strip()}"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if MARK in line:
                yield f"{name}:{number}: a marker"
            for row in rows(line.strip().lstrip("#> `*-") + "\n"):
                if told := next((t for s, t in secret.items() if contains(row, s)), None):
                    yield f"{name}:{number}: a line of the solution ({told})"


def rows(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the tokens of each line, without comments and layout."""
    for line in text.splitlines():
        found = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(line.strip() + "\n").readline):
                if token.type not in SKIPPED and token.string:
                    found.append(token.string)
        except (tokenize.TokenError, SyntaxError, IndentationError):
            pass  # an open bracket: what came before it counts
        if found:
            yield tuple(found)


def contains(row: Sequence[str], secret: Sequence[str]) -> bool:
    """Whether a line's tokens hold another's, one after the other."""
    size = len(secret)
    return any(tuple(row[i : i + size]) == secret for i in range(len(row) - size + 1))
