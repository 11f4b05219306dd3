"""Homework 1: checks that students do not see. The handout comes without this file.

A hidden check earns nothing, and failing it takes its points away from its problem's. A student is
told its category alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checks import Check
from autograder.hw1_autograder.elementwise_checks import SIGNS, elementwise_checks
from autograder.hw1_autograder.loss_checks import loss_check
from autograder.hw1_autograder.sgd_checks import given_gradients
from autograder.hw1_autograder.test_autograd import graph_check
from autograder.hw1_autograder.test_mlp import network_check

OTHER_SHAPES = "arrays of other shapes"
OTHER_GRAPHS = "gradients through other expressions"
OTHER_SIZES = "networks of other sizes"
OTHER_BATCHES = "losses of other batches"
OTHER_RATES = "other rates and longer runs"

WIDE = [((2, 3, 4), (3, 1)), ((1, 4), (2, 3, 1)), ((2, 1, 1), (1, 3, 4)), ((), (2, 3))]


def other_shapes(problem: str) -> list[Check]:
    """Return checks of an operation on arrays of up to three axes, broadcast on both sides."""
    checks = elementwise_checks(problem, (0, 0, 0.5, 1, 0), WIDE)
    return [
        replace(check, hidden=OTHER_SHAPES, name=f"{check.name} (three axes)")
        for check in checks
        if check.points
    ]


def other_graph(seed: int) -> Check:
    """Return a check of an expression of ten steps over four leaves, one of them a constant."""
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c", "d"]
    steps: list[list[Any]] = []
    for number in range(10):
        left, right = rng.choice(names[-5:], 2)
        steps.append([f"s{number}", str(rng.choice(["+", "-", "*", "/"])), str(left), str(right)])
        names.append(f"s{number}")
    steps.append(["z", "+", "s9", "a"])
    shapes = {"a": (2, 3), "b": (3,), "c": (2, 1), "d": (2, 3)}
    name = f"an expression of eleven steps ({seed})"
    check = graph_check(name, 2, steps, shapes, "a b c", none="d")
    return replace(check, hidden=OTHER_GRAPHS)


def hidden_checks() -> list[Check]:
    """Return all hidden checks of homework 1."""
    wide = {"layers": [(7, 1), "ReLU"], "rows": 9}
    deep = {"layers": [(3, 6), "ReLU", (6, 6), "ReLU", (6, 2)], "rows": 5}
    lone = {"layers": [(6, 2)], "rows": 1}
    gradients = "0.weight.grad 0.bias.grad x.grad"
    two = "Linear-ReLU-Linear-ReLU Backward"
    hidden = {
        OTHER_SIZES: [
            network_check("Linear Backward", "one row of six", 1, lone, gradients, []),
            network_check("Linear-ReLU Backward", "one output", 0.5, wide, gradients, []),
            network_check(two, "five layers", 1, deep, gradients, []),
        ],
        OTHER_BATCHES: [
            loss_check("logits far below 0", 1, 4, 3e5, None, False),
            loss_check("a fraction of the loss", 1, 3, 2.0, -0.25, True),
        ],
        OTHER_RATES: [
            given_gradients("SGD Linear", "nine steps", 1, 9, 0.0),
            given_gradients("Momentum Linear-ReLU-Linear", "nine steps", 1, 9, 0.75),
        ],
    }
    problems = [problem for problem in SIGNS if problem != "Addition"]
    return [
        *(check for problem in problems for check in other_shapes(problem)),
        *(other_graph(seed) for seed in (1, 2)),
        *(replace(c, hidden=category) for category, checks in hidden.items() for c in checks),
    ]
