"""What a check is, and how an answer is judged and explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]
Values = dict[str, Any]


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from what is right: atol + rtol * (|right|, or the largest one)."""

    rtol: float
    atol: float
    by_largest: bool = False

    def close(self, got: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return where `got` is finite and close enough (arrays of one shape)."""
        got, right = got.astype(np.float64), right.astype(np.float64)
        size = np.abs(right)
        if self.by_largest and size.size:
            size = size.max()
        with np.errstate(invalid="ignore", over="ignore"):
            return np.isfinite(got) & (np.abs(got - right) <= self.atol + self.rtol * size)


SHOWN_INPUTS = 6
AUTOGRAD = Tolerance(rtol=1e-10, atol=1e-10, by_largest=True)
LAYERS = Tolerance(rtol=1e-5, atol=1e-8)


@dataclass(frozen=True)
class Mistake:
    """A mistake that is often made, as a function that makes it: what it would answer.

    Attributes:
        hint: what the student is told.
        wrong: (inputs, what is right) -> those of the values that would come out wrong.
    """

    hint: str
    wrong: Callable[[Arrays, Values], Values]


@dataclass(frozen=True)
class Check:
    """One thing that a submission must do, worth some of its problem's points.

    Attributes:
        problem: the problem's name in the scoreline.
        name: what is checked, in words.
        points: its share; 0 for advice that costs nothing.
        program: what the worker runs (programs.py), with `options`.
        inputs: draws the arrays that the worker is given.
        expected: inputs -> what is right, an array or a plain value by name.
        mistakes: what to compare a wrong answer with, the likeliest first.
        tolerance: for arrays.
        limit: a time limit of its own in seconds, below the general one.
        advice: what to tell if it fails by no known mistake.
        place: the operation that is checked, and where to find it.
        hidden: the category that students are told of a hidden check, and all that they are told.
            It earns nothing, and failing it takes its points away.
    """

    problem: str
    name: str
    points: float
    program: str
    inputs: Callable[[np.random.Generator], Arrays]
    expected: Callable[[Arrays], Values]
    options: Mapping[str, Any] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()
    tolerance: Tolerance = LAYERS
    limit: float | None = None
    advice: str = ""
    place: str = ""
    hidden: str = ""


@dataclass(frozen=True)
class Problem:
    """One line of the scoreboard: its number and title, its name in the scoreline, its points."""

    number: str
    name: str
    points: float


@dataclass(frozen=True)
class Verdict:
    """What a check came to; `lines` explain a failure, `mistake` is its known cause if there is."""

    check: Check
    passed: bool
    lines: tuple[str, ...] = ()
    output: str = ""
    mistake: str = ""

    @property
    def points(self) -> float:
        """What it adds to the problem's points; a hidden check can only take away."""
        if self.check.hidden:
            return 0.0 if self.passed else -self.check.points
        return self.check.points if self.passed else 0.0


def earned(problem: Problem, verdicts: Sequence[Verdict]) -> float:
    """Return the points of a problem, never below 0."""
    return max(0.0, sum(v.points for v in verdicts))


def outcome(problem: Problem, verdicts: Sequence[Verdict]) -> str:
    """Return PASSED, PARTLY or FAILED; advice that costs nothing does not count."""
    if all(v.passed for v in verdicts if v.check.points or not problem.points):
        return "PASSED"
    return "PARTLY" if earned(problem, verdicts) else "FAILED"


def judge(check: Check, inputs: Arrays, got: Values, output: str = "") -> Verdict:
    """Compare the worker's values with what is right."""
    right = _arrays(check.expected(inputs))
    wrong = [n for n in right if not _equal(got.get(n, _MISSING), right[n], check.tolerance)]
    if not wrong:
        return Verdict(check, True)
    name = wrong[0]
    lines = [explain(name, got.get(name, _MISSING), right[name], check.tolerance)]
    if len(wrong) > 1:
        lines.append(f"also wrong: {', '.join(wrong[1:5])}{', …' if len(wrong) > 5 else ''}")
    mistake = recognise(check, inputs, got, right)
    if mistake:
        lines.append(f"This is what comes out when {mistake}")
    elif any(isinstance(v, np.ndarray) and not np.isfinite(v).all() for v in got.values()):
        lines.append("The answer holds NaN or infinity: an overflow, or a division of 0 by 0")
    return failed(check, inputs, lines, output, mistake)


def failed(
    check: Check, inputs: Arrays, lines: Sequence[str], output: str = "", mistake: str = ""
) -> Verdict:
    """Return the verdict of a failed check, with its place and its inputs' shapes.

    Its advice follows, unless the mistake is known already.
    """
    shapes = [f"{name} {array.shape}" for name, array in inputs.items()]
    more = ["…"] if len(shapes) > SHOWN_INPUTS else []
    tail = [f"where: {check.place}"] if check.place else []
    tail += [f"inputs: {', '.join(shapes[:SHOWN_INPUTS] + more)}"] if shapes else []
    if check.advice and not mistake:
        tail.append(check.advice)
    return Verdict(check, False, (*lines, *tail), output, mistake)


def explain(name: str, got: Any, right: Any, tolerance: Tolerance) -> str:
    """Say in one line how a value differs from what is right."""
    if got is _MISSING:
        return f"{name}: no answer came"
    if not isinstance(right, np.ndarray) or not isinstance(got, np.ndarray):
        return f"{name}: expected {_short(right)}, got {_short(got)}"
    if got.shape != right.shape:
        return f"{name}: expected shape {right.shape}, got shape {got.shape}"
    index = tuple(int(i) for i in np.argwhere(~tolerance.close(got, right))[0])
    written = f"[{', '.join(map(str, index))}]" if index else ""
    place = f"{name}, at {written}" if written and "," in name else f"{name}{written}"
    told = f"{place}: expected {float(right[index]):.10g}, got {float(got[index]):.10g}"
    count = int(np.sum(~tolerance.close(got, right)))
    return told if right.size == 1 else f"{told} ({count} of {right.size} numbers differ)"


def recognise(check: Check, inputs: Arrays, got: Values, right: Values) -> str:
    """Return the hint of the first known mistake that answers just like this, else nothing."""
    for mistake in check.mistakes:
        with np.errstate(all="ignore"):
            wrong = _arrays(mistake.wrong(inputs, right))
        differs = any(not _equal(wrong[n], right[n], check.tolerance) for n in wrong)
        same = all(_alike(got.get(n, _MISSING), wrong[n], check.tolerance) for n in wrong)
        if differs and same:
            return mistake.hint
    return ""


def _arrays(values: Values) -> Values:
    return {n: np.asarray(v) if isinstance(v, np.generic) else v for n, v in values.items()}


def _equal(got: Any, right: Any, tolerance: Tolerance) -> bool:
    if isinstance(right, np.ndarray):
        if not isinstance(got, np.ndarray) or got.shape != right.shape:
            return False
        return bool(tolerance.close(got, right).all())
    return type(got) is type(right) and got == right


def _alike(got: Any, wrong: Any, tolerance: Tolerance) -> bool:
    """Whether a wrong answer is that of a mistake: infinities and NaN may be each other."""
    if not isinstance(wrong, np.ndarray) or not isinstance(got, np.ndarray):
        return _equal(got, wrong, tolerance)
    if got.shape != wrong.shape or not np.array_equal(np.isfinite(got), np.isfinite(wrong)):
        return False
    finite = np.isfinite(wrong)
    return bool(tolerance.close(got[finite], wrong[finite]).all())


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return str(value)[:200] or "nothing"


_MISSING = object()
