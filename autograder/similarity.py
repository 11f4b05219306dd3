"""Finding submissions that share code: winnowing of tokens (Schleimer, Wilkerson, Aiken, 2003).

Names, numbers and texts are replaced by one letter for each kind, so that renaming hides nothing;
comments, docstrings and layout do not count. Of every run of `WINDOW` hashes of `GRAM` tokens the
smallest is kept: any run of GRAM + WINDOW - 1 tokens that two submissions share is found.
"""

from __future__ import annotations

import hashlib
import io
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

GRAM, WINDOW = 18, 10
MAX_SOURCE = 1 << 19  # bytes of Python that are looked at
LEAST = 12  # shared fingerprints that a pair needs
ALIKE = 0.5  # share of the smaller one's fingerprints that is told
COMMON = 0.3  # what so many of the class have in common is nobody's
SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Pair:
    """Two submissions that share `share` of the smaller one's own code."""

    first: str
    second: str
    share: float
    common: int


def tokens(source: str) -> list[str]:
    """Return the tokens of Python code, without what is easily changed; up to a syntax error."""
    found: list[str] = []
    line_starts = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in SKIPPED:
                line_starts = line_starts or token.type in (tokenize.NEWLINE, tokenize.INDENT)
                continue
            if token.type == tokenize.STRING:
                if not line_starts:  # else it is a docstring
                    found.append("s")
            elif token.type == tokenize.NUMBER:
                found.append("0")
            elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                found.append("v")
            else:
                found.append(token.string)
            line_starts = False
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        pass
    return found


def fingerprints(files: Mapping[str, bytes]) -> set[str]:
    """Return the fingerprints of the Python files of a submission."""
    kept: set[str] = set()
    left = MAX_SOURCE
    for name in sorted(files):
        if not name.endswith(".py") or len(files[name]) > left:
            continue
        left -= len(files[name])
        kept |= winnow(tokens(files[name].decode("utf-8", "replace")))
    return kept


def winnow(found: Sequence[str]) -> set[str]:
    """Return the smallest hash of every window over the hashes of all runs of GRAM tokens."""
    hashes = [
        hashlib.blake2b(" ".join(found[i : i + GRAM]).encode(), digest_size=6).hexdigest()
        for i in range(len(found) - GRAM + 1)
    ]
    count = max(1, len(hashes) - WINDOW + 1)
    return {min(hashes[i : i + WINDOW]) for i in range(count)} if hashes else set()


def near_duplicates(
    submissions: Mapping[str, Iterable[str]], handout: Iterable[str] = ()
) -> list[Pair]:
    """Return the pairs that share much code of their own, the most alike first.

    Fingerprints of the handout, and those that a large part of the class has, do not count; but
    where all are the same, it is told however many have them.
    """
    given = set(handout)
    own = {name: set(prints) - given for name, prints in submissions.items()}
    holders: dict[str, list[str]] = defaultdict(list)
    for name in sorted(own):
        for mark in own[name]:
            holders[mark].append(name)
    most = max(5, COMMON * len(own))
    common = {mark for mark, names in holders.items() if len(names) > most}
    shared: Counter[tuple[str, str]] = Counter()
    for mark, names in holders.items():
        if mark not in common:
            shared.update(combinations(names, 2))
    pairs = identical(own)
    same = {(pair.first, pair.second) for pair in pairs}
    for (first, second), count in shared.items():
        smaller = min(len(own[first] - common), len(own[second] - common))
        if (first, second) not in same and count >= LEAST and count / smaller >= ALIKE:
            pairs.append(Pair(first, second, count / smaller, count))
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.common, pair.first, pair.second))


def identical(own: Mapping[str, set[str]]) -> list[Pair]:
    """Return the pairs whose own code is all the same."""
    groups: dict[frozenset[str], list[str]] = defaultdict(list)
    for name in sorted(own):
        groups[frozenset(own[name])].append(name)
    return [
        Pair(first, second, 1.0, len(prints))
        for prints, names in groups.items()
        if len(prints) >= LEAST
        for first, second in combinations(names, 2)
    ]
