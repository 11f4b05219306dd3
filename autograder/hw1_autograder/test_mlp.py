"""Homework 1, problem 2 (all but MNIST): Linear, ReLU, Sequential; SGD and losses follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import Arrays, Check, Mistake, Problem, Values
from autograder.hw1_autograder.loss_checks import loss_checks
from autograder.hw1_autograder.networks import (
    ONE_RELU,
    SQUARE,
    TALL,
    TWO_RELU,
    UPSTREAM,
    draw_network,
    plan,
)
from autograder.hw1_autograder.sgd_checks import sgd_checks

PROBLEMS = [
    Problem("2.1", "Linear Forward", 2),
    Problem("2.1", "Linear Backward", 8),
    Problem("2.1", "Linear-ReLU Forward", 1),
    Problem("2.1", "Linear-ReLU Backward", 1),
    Problem("2.1", "Linear-ReLU-Linear-ReLU Forward", 1),
    Problem("2.1", "Linear-ReLU-Linear-ReLU Backward", 2),
    Problem("2.2", "SGD Linear", 5),
    Problem("2.2", "SGD Linear-ReLU-Linear", 5),
    Problem("2.3", "Cross Entropy Forward", 4),
    Problem("2.3", "Cross Entropy Backward", 6),
    Problem("2.3", "Train and Eval", 5),
    Problem("2.4", "Momentum Linear", 3),
    Problem("2.4", "Momentum Linear-ReLU-Linear", 7),
]
MOST_DRAWS = 50
NO_BIAS = "Linear leaves out the bias"
NOT_TRANSPOSED = "the weight is not transposed: Linear computes x W^T + b, with W (out, in)"
BIAS_NOT_SUMMED = "the gradient of the bias is not summed over the batch (see unbroadcast)"
BIAS_WRONG_AXIS = (
    "the gradient of the bias is summed along the wrong axis: over the outputs, where it should be "
    "the batch (see unbroadcast)"
)
BIAS_MEAN = "the gradient of the bias is the mean over the batch, where it should be the sum"


def network_check(
    problem: str,
    name: str,
    points: float,
    net: dict[str, Any],
    report: str,
    mistakes: list[Mistake],
    change: Callable[[Arrays], Arrays] = lambda arrays: arrays,
) -> Check:
    """Return a check of a network's output or of gradients (`report`, separated by blanks)."""
    names, layers = report.split(), plan(net)
    backward = names != ["output"]

    def output(x: Arrays) -> np.ndarray:
        return reference.network(layers, x, x["x"])

    def draw(rng: np.random.Generator) -> Arrays:
        for _ in range(MOST_DRAWS):
            arrays = change(draw_network(rng, net, "x", *(["g"] if backward else [])))
            if np.count_nonzero(output(arrays)) * 3 >= output(arrays).size:
                break  # a network whose ReLUs stop nearly everything would show no mistake
        return arrays

    def expected(x: Arrays) -> Values:
        if not backward:
            return {"output": output(x)}
        return {n: reference.derivative(output, x, n.removesuffix(".grad"), x["g"]) for n in names}

    options = {"layers": layers, "report": names}
    place = "ReLU in mytorch/nn/functional.py, Linear in mytorch/nn/linear.py"
    if "ReLU" not in problem:
        place = "Linear.forward, mytorch/nn/linear.py"
    known = (draw, expected, options, mistakes)
    return Check(problem, name, points, "network", *known, place=place)


def with_exact_zeros(arrays: Arrays) -> Arrays:
    """Make the layer the identity on rows of small whole numbers, so that ReLU meets zeros."""
    weight = arrays["0.weight"]
    x = np.round(arrays["x"] * 1.5)
    x[0] = 0.0
    return {
        **arrays,
        "0.weight": np.eye(*weight.shape),
        "0.bias": np.zeros(len(weight)),
        "x": x,
    }


def linear_checks() -> list[Check]:
    """Return the checks of Linear alone."""
    forward = [
        Mistake(NO_BIAS, lambda x, _: {"output": x["x"] @ x["0.weight"].T}),
        Mistake(NOT_TRANSPOSED, lambda x, _: {"output": _product(x["x"], x["0.weight"])}),
    ]
    weight = [
        Mistake(
            "the gradient of the weight is transposed: it has the weight's shape, (out, in)",
            lambda _, r: {"0.weight.grad": r["0.weight.grad"].T},
        ),
        Mistake(UPSTREAM, lambda x, _: {"0.weight.grad": np.ones_like(x["g"]).T @ x["x"]}),
    ]
    bias = [
        Mistake(BIAS_NOT_SUMMED, lambda x, _: {"0.bias.grad": x["g"]}),
        Mistake(BIAS_WRONG_AXIS, lambda x, _: {"0.bias.grad": x["g"].sum(axis=1)}),
        Mistake(BIAS_MEAN, lambda x, _: {"0.bias.grad": x["g"].mean(axis=0)}),
    ]
    tall, one, to = "(5, 4) to (5, 3)", "one row", "as many outputs as inputs"
    by_x = [Mistake(NOT_TRANSPOSED, lambda x, _: {"x.grad": _product(x["g"], x["0.weight"].T)})]
    f, b = "Linear Forward", "Linear Backward"
    return [
        network_check(f, f"output, {tall}", 1, TALL, "output", forward),
        network_check(f, f"output, {one}", 0.5, {**TALL, "rows": 1}, "output", forward),
        network_check(f, f"output, {to}", 0.5, SQUARE, "output", forward),
        network_check(b, "gradient of the weight", 3, TALL, "0.weight.grad", weight),
        network_check(b, "gradient of the bias", 3, TALL, "0.bias.grad", bias),
        network_check(b, "gradient of the input", 2, SQUARE, "x.grad", by_x),
    ]


def _product(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return x @ weight if x.shape[1] == weight.shape[0] else np.empty(0)


def relu_checks() -> list[Check]:
    """Return the checks of Linear with ReLU."""
    one, two = "Linear-ReLU", "Linear-ReLU-Linear-ReLU"
    grads = "0.weight.grad 0.bias.grad x.grad"

    def not_stopped(x: Arrays, _: Values) -> Values:
        return {"x.grad": x["g"] @ x["0.weight"]}

    def positive_at_zero(x: Arrays, _: Values) -> Values:
        z = x["x"] @ x["0.weight"].T + x["0.bias"]
        return {"x.grad": (x["g"] * (z >= 0)) @ x["0.weight"]}

    def ones(x: Arrays, _: Values) -> Values:
        z = x["x"] @ x["0.weight"].T + x["0.bias"]
        return {"x.grad": (z > 0) @ x["0.weight"]}

    at_zero = Mistake("the gradient of ReLU at 0 is taken as 1: it is 0", positive_at_zero)
    backward = [
        Mistake("ReLU passes the gradient on where its input is negative", not_stopped),
        Mistake(UPSTREAM, ones),
    ]
    forward = [
        Mistake(
            "ReLU does nothing",
            lambda x, _: {"output": x["x"] @ x["0.weight"].T + x["0.bias"]},
        )
    ]
    return [
        network_check(f"{one} Forward", "output", 1, ONE_RELU, "output", forward),
        network_check(f"{one} Backward", "gradients", 0.5, ONE_RELU, grads, backward),
        network_check(
            f"{one} Backward",
            "gradient where ReLU's input is exactly 0",
            0.5,
            ONE_RELU,
            "x.grad",
            [at_zero, *backward],
            with_exact_zeros,
        ),
        network_check(f"{two} Forward", "output", 1, TWO_RELU, "output", []),
        network_check(
            f"{two} Backward", "gradients", 2, TWO_RELU, f"{grads} 2.weight.grad 2.bias.grad", []
        ),
    ]


CHECKS = [*linear_checks(), *relu_checks(), *sgd_checks(), *loss_checks()]
