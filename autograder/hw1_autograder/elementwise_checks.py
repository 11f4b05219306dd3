"""Homework 1, problem 1.1: the elementwise operations, called directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import AUTOGRAD, Arrays, Check, Mistake, Values

SIGNS = {"Addition": "+", "Subtraction": "-", "Multiplication": "*", "Division": "/"}
CLASSES = {
    "Addition": ["Add"],
    "Subtraction": ["Sub"],
    "Multiplication": ["Mult", "Mul"],
    "Division": ["Div"],
}
BROADCASTS = [((3, 4), (4,)), ((2, 1), (1, 3)), ((4,), (3, 4)), ((2, 3), ())]

UPSTREAM = "backward does not multiply by grad_output, the gradient that comes from above"
SWAPPED = "backward returns the gradients in the wrong order: the first belongs to a"
NOT_SUMMED = (
    "a gradient is not summed back to the shape of the input that was broadcast (see unbroadcast)"
)
AVERAGED = (
    "a gradient is averaged over the axes that broadcasting put in front, where it should be summed"
)
WRONG_AXIS = (
    "a gradient is summed along the wrong axis: the axes that broadcasting put in front are the "
    "first ones (see unbroadcast)"
)


def numbers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return numbers of either sign between 0.5 and 2 in size (so that they can divide)."""
    return np.asarray(rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def apply(sign: str, arrays: Arrays) -> np.ndarray:
    """Return `a sign b`."""
    return np.asarray(reference.OPERATORS[sign](arrays["a"], arrays["b"]))


def both_gradients(sign: str, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of sum(g * (a sign b)) by a and by b."""
    g = arrays["g"]
    first, second = (
        reference.derivative(lambda x: apply(sign, x), arrays, n, g) for n in ("a", "b")
    )
    return first, second


def pair(rng: np.random.Generator, shapes: Any, with_g: bool) -> Arrays:
    """Draw a, b and the upstream gradient g."""
    a, b = shapes
    arrays = {"a": numbers(rng, *a), "b": numbers(rng, *b)}
    if with_g:
        arrays["g"] = numbers(rng, *np.broadcast_shapes(a, b))
    return arrays


def cases_of(x: Arrays) -> list[tuple[str, Arrays]]:
    """Return the arrays of each case of a check, and what its values' names end in.

    A check has one case, a and b, or several: a0 and b0, a1 and b1, …
    """
    cases = []
    for end in (name[1:] for name in x if name.startswith("a")):
        single = {name[0]: array for name, array in x.items() if name[1:] == end}
        shapes = f", {single['a'].shape} with {single['b'].shape}"
        cases.append((shapes if end else "", single))
    return cases


def of_each_case(
    function: Callable[[Arrays, Values], Values],
) -> Callable[[Arrays, Values], Values]:
    """Turn a function of one case, and of what is right in it, into one of all cases."""

    def of_all(x: Arrays, right: Values) -> Values:
        values: Values = {}
        for end, single in cases_of(x):
            own = {n.removesuffix(end): v for n, v in right.items() if n.endswith(end)}
            values |= {f"{n}{end}": v for n, v in function(single, own).items()}
        return values

    return of_all


def named(gradients: tuple[Any, Any]) -> Values:
    """Name the gradients as the worker's program does."""
    return {"gradient of a": gradients[0], "gradient of b": gradients[1]}


def forward_mistakes(sign: str) -> list[Mistake]:
    """Return what is often done wrong in forward."""
    wrong: list[tuple[str, Callable[[Any, Any], Any]]] = [
        ("forward computes b - a", lambda a, b: b - a),
        ("forward computes b / a", lambda a, b: b / a),
        ("forward computes a + b", lambda a, b: a + b),
        ("forward computes a * b", lambda a, b: a * b),
        ("forward rounds down (// where / is meant)", lambda a, b: a // b),
    ]

    def mistake(hint: str, function: Callable[[Any, Any], Any]) -> Mistake:
        return Mistake(hint, lambda x, _: {"output": function(x["a"], x["b"])})

    return [mistake(hint, function) for hint, function in wrong]


def backward_mistakes(sign: str) -> list[Mistake]:
    """Return what is often done wrong in backward."""

    def ignored(x: Arrays, right: Values) -> Values:
        return named(both_gradients(sign, {**x, "g": np.ones_like(x["g"])}))

    def unsummed(x: Arrays, right: Values) -> Values:
        wide = {n: np.broadcast_to(x[n], x["g"].shape).copy() for n in ("a", "b")}
        return named(both_gradients(sign, {**wide, "g": x["g"]}))

    def over_front(reduce: Callable[[np.ndarray, int], np.ndarray]) -> Any:
        """Return the mistake of `reduce(gradient, axes in front)` where axes were put in front."""

        def wrong(x: Arrays, right: Values) -> Values:
            values = {}
            for name, g in unsummed(x, right).items():
                extra = g.ndim - x[name[-1]].ndim
                values[name] = reduce(g, extra) if extra else right[name]
            return values

        return wrong

    def other_sign(x: Arrays, right: Values) -> Values:
        return {"gradient of b": -right["gradient of b"]}

    def not_squared(x: Arrays, right: Values) -> Values:
        return {"gradient of b": right["gradient of b"] * x["b"]}

    mistakes = [
        Mistake(SWAPPED, lambda _, r: named((r["gradient of b"], r["gradient of a"]))),
        Mistake(UPSTREAM, ignored),
        Mistake(NOT_SUMMED, unsummed),
        Mistake(WRONG_AXIS, over_front(lambda g, _: g.sum(axis=-1))),
        Mistake(AVERAGED, over_front(lambda g, extra: g.mean(axis=tuple(range(extra))))),
        Mistake("the gradient of b has the wrong sign", other_sign),
    ]
    if sign == "/":
        hint = "the gradient of b divides by b where it should divide by b squared"
        mistakes.append(Mistake(hint, not_squared))
    return mistakes


def in_place_mistakes(sign: str) -> list[Mistake]:
    """Return what the inputs are after an operation that writes its result into one."""
    hint = "forward changes its input in place: make a new array for the result"
    return [
        Mistake(hint, lambda x, _, name=name: {f"{name} afterwards": apply(sign, x)})
        for name in ("a", "b")
    ]


def elementwise_checks(
    problem: str, points: tuple[float, ...], broadcasts: Any = BROADCASTS
) -> list[Check]:
    """Return the checks of one operation, worth the points in order."""
    sign = SIGNS[problem]
    options = {"names": CLASSES[problem]}

    def forward(x: Arrays) -> Values:
        return {"output": apply(sign, x)}

    def backward(x: Arrays) -> Values:
        return named(both_gradients(sign, x))

    def intact(x: Arrays) -> Values:
        return {"a afterwards": x["a"], "b afterwards": x["b"], **backward(x)}

    def check(name: str, worth: float, shapes: Any, right: Any, mistakes: list[Mistake]) -> Check:
        def draw(rng: np.random.Generator) -> Arrays:
            if shapes is same:
                return pair(rng, same[rng.integers(len(same))], with_g=right is not forward)
            drawn = [pair(rng, each, with_g=right is not forward) for each in shapes]
            return {f"{n}{i}": array for i, x in enumerate(drawn) for n, array in x.items()}

        def expected(x: Arrays) -> Values:
            return of_each_case(lambda single, _: right(single))(x, {})

        method = "forward" if right is forward else "backward"
        place = f"{' or '.join(CLASSES[problem])}.{method}, mytorch/nn/functional.py"
        known = [Mistake(m.hint, of_each_case(m.wrong)) for m in mistakes]
        how = (draw, expected, options, known, AUTOGRAD)
        return Check(problem, name, worth, "elementwise", *how, place=place)

    same = [((3, 4), (3, 4)), ((4, 2), (4, 2)), ((2, 3, 2), (2, 3, 2))]
    ahead, back = forward_mistakes(sign), backward_mistakes(sign)
    return [
        check("forward, equal shapes", points[0], same, forward, ahead),
        check("backward, equal shapes", points[1], same, backward, back),
        check("forward, broadcast shapes", points[2], broadcasts, forward, ahead),
        check("backward, broadcast shapes", points[3], broadcasts, backward, back),
        check(
            "forward and backward leave the inputs as they were",
            points[4],
            same,
            intact,
            in_place_mistakes(sign),
        ),
    ]
