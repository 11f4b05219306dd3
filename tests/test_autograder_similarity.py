"""Copies are found whatever they are called, and independent solutions are not accused."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import CLOSURES_SOLUTION, FUSED_SOLUTION, SIMPLE_SOLUTION  # noqa: E402

from autograder.similarity import GRAM, WINDOW, fingerprints, near_duplicates, tokens, winnow

SOLUTIONS = {
    path.name: {f"{n}{p.name}": p.read_bytes() for n, p in enumerate(sorted(path.rglob("*.py")))}
    for path in (SIMPLE_SOLUTION, FUSED_SOLUTION, CLOSURES_SOLUTION)
}


def disguised(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the same code with other names, comments and layout, in other files."""
    changed = {}
    for name, content in files.items():
        text = re.sub(r"\b(grad|arg|node|param|layer|self)\b", r"my_\1", content.decode())
        text = re.sub(r'"""[^"]*"""', '"""Mine."""', text).replace("\n\n", "\n\n# my own work\n")
        changed[f"other_{name}"] = text.encode()
    return changed


def test_a_disguised_copy_is_found() -> None:
    prints = {name: fingerprints(files) for name, files in SOLUTIONS.items()}
    prints["copy"] = fingerprints(disguised(SOLUTIONS["solution"]))
    (pair,) = near_duplicates(prints)
    assert (pair.first, pair.second) == ("copy", "solution")
    assert pair.share > 0.8


def test_independent_solutions_are_not_accused() -> None:
    assert near_duplicates({name: fingerprints(files) for name, files in SOLUTIONS.items()}) == []


def test_the_handouts_own_code_does_not_count() -> None:
    given = fingerprints(SOLUTIONS["solution"])
    prints = {"one": given, "other": set(given)}
    assert near_duplicates(prints)
    assert near_duplicates(prints, given) == []


def test_what_much_of_the_class_has_does_not_count() -> None:
    given = fingerprints(SOLUTIONS["solution"])
    own = {str(n): given | {f"mark {n} {i}" for i in range(30)} for n in range(10)}
    assert near_duplicates(own) == []


def test_copies_are_told_however_many_there_are() -> None:
    given = fingerprints(SOLUTIONS["solution"])
    pairs = near_duplicates({str(number): given for number in range(10)})
    assert len(pairs) == 45 and all(pair.share == 1 for pair in pairs)
    assert near_duplicates({"one": set(), "other": set()}) == []


def test_every_run_of_tokens_that_is_long_enough_is_found() -> None:
    common = [f"t{i}" for i in range(GRAM + WINDOW - 1)]
    for before, after in ((0, 0), (3, 11), (40, 2)):
        one = [f"a{i}" for i in range(before)] + common + [f"b{i}" for i in range(after)]
        other = [f"c{i}" for i in range(after)] + common + [f"d{i}" for i in range(before)]
        assert winnow(one) & winnow(other)


def test_names_numbers_texts_comments_and_docstrings_do_not_tell_code_apart() -> None:
    one = tokens('def f(x):\n    """Doc."""\n    return x + 1  # why\n')
    other = tokens("def  g( value ):\n    return value + 2.5\n")
    assert one == other == ["def", "v", "(", "v", ")", ":", "return", "v", "+", "0"]


def test_code_that_cannot_be_read_is_read_as_far_as_it_goes() -> None:
    assert tokens("x = (1,\n") == ["v", "=", "(", "0", ","]
    assert fingerprints({"a.py": b"\xff\x00'''", "b.txt": b"x = 1"}) == set()
