"""Homework 1, problem 1: elementwise operations (elementwise_checks) and the autograd engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import AUTOGRAD, Arrays, Check, Mistake, Problem, Values
from autograder.hw1_autograder.elementwise_checks import NOT_SUMMED, elementwise_checks, numbers
from autograder.hw1_autograder.structure_checks import structure_checks

PROBLEMS = [
    Problem("1.1", "Addition", 0),
    Problem("1.1", "Subtraction", 5),
    Problem("1.1", "Multiplication", 5),
    Problem("1.1", "Division", 5),
    Problem("1.2", "Autograd", 25),
]
KEPT = (
    "a gradient is stored on a constant or on an intermediate result: only leaves that require one "
    "keep it (appendix A)"
)
OVERWRITTEN = "a gradient is stored with = where it should be added with += (AccumulateGrad)"

Steps = list[list[Any]]


def graph_check(
    name: str,
    points: float,
    steps: Steps,
    shapes: dict[str, tuple[int, ...]],
    wanted: str,
    mistakes: Sequence[Mistake] = (),
    *,
    none: str = "",
    passes: int = 1,
    ones: bool = False,
    limit: float | None = None,
    advice: str = "",
) -> Check:
    """Return a check of gradients through an expression.

    Args:
        steps: `[name, operator, left, right]`, the last being the output.
        shapes: of the leaves.
        wanted: the leaves that require a gradient, separated by blanks.
        none: the names that must have no gradient.
        passes: how many forward and backward passes run over the same leaves.
        ones: call backward() rather than hand a random gradient to the engine.
    """
    unwanted = none.split()
    leaves, last = wanted.split(), steps[-1][0]

    def draw(rng: np.random.Generator) -> Arrays:
        arrays = {n: numbers(rng, *shape) for n, shape in shapes.items()}
        if ones:
            return arrays
        shape = reference.evaluate(steps, arrays).shape
        return {**arrays, **{f"g{k}": numbers(rng, *shape) for k in range(passes)}}

    def expected(x: Arrays) -> Values:
        g = 1.0 if ones else sum(x[f"g{k}"] for k in range(passes))
        right = {f"{leaf}.grad": expression_gradient(steps, x, leaf, g) for leaf in leaves}
        return {
            last: reference.evaluate(steps, x),
            **right,
            **{f"{n}.grad": None for n in unwanted},
        }

    gradients = [*leaves, *unwanted]
    options = {"steps": steps, "requires": leaves, "gradients": gradients, "passes": passes}
    results = (draw, expected, options, mistakes, AUTOGRAD, limit, advice)
    place = "backward() and Function.apply, mytorch/autograd_engine.py"
    return Check("Autograd", name, points, "graph", *results, place=place)


def expression_gradient(steps: Steps, arrays: Arrays, leaf: str, cotangent: Any) -> np.ndarray:
    """Return the gradient by one leaf of sum(cotangent * the last step)."""
    return reference.derivative(lambda x: reference.evaluate(steps, x), arrays, leaf, cotangent)


EXAMPLE: Steps = [
    ["ab", "*", "a", "b"],
    ["d", "+", "a", "ab"],
    ["dc", "+", "d", "c"],
    ["e", "+", "dc", "three"],
]
DIAMOND: Steps = [
    ["y", "+", "a", "b"],
    ["u", "+", "y", "c"],
    ["v", "+", "y", "a"],
    ["z", "+", "u", "v"],
]
MIXED: Steps = [
    ["p", "*", "a", "b"],
    ["q", "/", "c", "d"],
    ["r", "-", "p", "q"],
    ["s", "/", "a", "c"],
    ["t", "-", "r", "s"],
]
CHAIN: Steps = [["x0", "+", "x", "y"]] + [[f"x{i + 1}", "+", f"x{i}", "y"] for i in range(149)]
DOUBLED: Steps = [["x0", "+", "x", "x"]] + [[f"x{i + 1}", "+", f"x{i}", f"x{i}"] for i in range(24)]
NUMBERS: Steps = [["u", "+", "x", 3], ["v", "*", 2, "u"], ["z", "/", "v", 4]]


def overwritten(gradients: Callable[[Arrays], dict[str, Any]]) -> Mistake:
    """Return the mistake of = for +=, given what the gradients of some leaves then are."""
    return Mistake(OVERWRITTEN, by_leaf(gradients))


def kept(gradients: Callable[[Arrays], dict[str, Any]]) -> Mistake:
    """Return the mistake of a gradient that is stored where none belongs."""
    return Mistake(KEPT, by_leaf(gradients))


def by_leaf(gradients: Callable[[Arrays], dict[str, Any]]) -> Callable[[Arrays, Values], Values]:
    """Turn inputs -> {leaf: gradient} into what a Mistake wants."""
    return lambda x, _: {f"{n}.grad": np.asarray(v) for n, v in gradients(x).items()}


EXPRESSION_CHECKS = [
    graph_check(
        "the handout's example, on other numbers: a.grad is 1 + b, c.grad is 1, b has none",
        3,
        EXAMPLE,
        {"a": (), "b": (), "c": (), "three": ()},
        "a c",
        [
            overwritten(lambda x: {"a": x["b"]}),
            overwritten(lambda x: {"a": 1.0}),
            kept(lambda x: {"b": x["a"]}),
        ],
        ones=True,
        none="b",
    ),
    graph_check(
        "only leaves that require a gradient keep one",
        2,
        EXAMPLE,
        {"a": (2, 3), "b": (2, 3), "c": (2, 3), "three": (2, 3)},
        "c",
        [kept(lambda x: {"three": x["g0"]}), kept(lambda x: {"d": x["g0"]})],
        none="a b three ab d dc e",
    ),
    graph_check(
        "a leaf that is used three times adds up its gradients",
        3,
        [["xx", "+", "x", "x"], ["z", "+", "xx", "x"]],
        {"x": (3, 4)},
        "x",
        [overwritten(lambda x: {"x": x["g0"]})],
    ),
    graph_check(
        "a node that is used twice passes on both of its gradients",
        3,
        DIAMOND,
        {"a": (3, 4), "b": (3, 4), "c": (3, 4)},
        "a b c",
        [
            Mistake(
                "a shared node passes on only one of its gradients, or a gradient is stored "
                "with = where it should be added with +=",
                by_leaf(lambda x: {"b": x["g0"]}),
            )
        ],
    ),
    graph_check(
        "- * / together, with an upstream gradient that is not uniform",
        3,
        MIXED,
        {"a": (3, 4), "b": (3, 4), "c": (3, 4), "d": (3, 4)},
        "a b c d",
    ),
    graph_check(
        "a second backward pass adds to the gradients of the first",
        2,
        [["z", "+", "x", "y"]],
        {"x": (3, 4), "y": (3, 4)},
        "x y",
        [overwritten(lambda x: {"x": x["g1"]})],
        passes=2,
    ),
    graph_check(
        "broadcast inputs get gradients of their own shape",
        2,
        [["y", "+", "a", "b"], ["z", "+", "y", "c"]],
        {"a": (3, 4), "b": (4,), "c": (3, 1)},
        "a b c",
        [Mistake(NOT_SUMMED, by_leaf(lambda x: {"b": x["g0"]}))],
    ),
    graph_check(
        "backward() starts from ones, whatever the shape of the output",
        1,
        [["z", "+", "x", "y"]],
        {"x": (2, 3), "y": (3,)},
        "x y",
        ones=True,
    ),
    graph_check("a chain of 150 additions", 0.5, CHAIN, {"x": (2,), "y": (2,)}, "x y"),
    graph_check("x = x + x, eight times", 0.5, DOUBLED[:8], {"x": (2,)}, "x"),
    graph_check(
        "x = x + x, 25 times",
        0,
        DOUBLED,
        {"x": (2,)},
        "x",
        limit=0.5,
        advice="Worth no points: a search that goes down every path anew takes 2**25 steps "
        "here. Visit the nodes in topological order, each once, and it takes 25.",
    ),
    graph_check(
        "Python numbers as operands: x + 3, 2 * x, x / 4",
        0,
        NUMBERS,
        {"x": (2,)},
        "x",
        advice="Worth no points: the operators can turn a number into a constant Tensor.",
    ),
]


CHECKS = [
    *elementwise_checks("Addition", (0, 0, 0, 0, 0)),
    *(
        check
        for problem in ("Subtraction", "Multiplication", "Division")
        for check in elementwise_checks(problem, (1, 2, 0.5, 1, 0.5))
    ),
    *EXPRESSION_CHECKS,
    *structure_checks(),
]
