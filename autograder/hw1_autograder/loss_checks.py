"""Homework 1, problem 2.3: cross-entropy, and training and evaluation with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import Arrays, Check, Mistake, Values
from autograder.hw1_autograder.networks import MLP, TALL, UPSTREAM, draw_network, plan
from autograder.hw1_autograder.sgd_checks import Training

NO_LOG_SUM_EXP = (
    "With logits this large, exp overflows (or log meets 0) unless the largest logit of the row "
    "is taken off first: the LogSumExp trick, appendix B.1."
)


def softmax(z: np.ndarray) -> np.ndarray:
    """Return the softmax of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def one_hot(x: Arrays) -> np.ndarray:
    """Return the labels as rows of 0 and 1."""
    return np.eye(x["z"].shape[1])[x["labels"]]


def loss_check(
    name: str, points: float, rows: int, scale: float, g: float | None, backward: bool
) -> Check:
    """Return a check of the loss, or (`backward`) of the logits' gradient from upstream g."""

    def draw(rng: np.random.Generator) -> Arrays:
        z = rng.normal(0, 1, (rows, 5)) * scale
        arrays = {"z": z, "labels": rng.integers(0, 5, rows)}
        return arrays if g is None else {**arrays, "g": np.array(g)}

    def expected(x: Arrays) -> Values:
        def loss(a: Arrays) -> np.ndarray:
            return reference.cross_entropy(a["z"], x["labels"])

        if not backward:
            return {"loss": loss(x)}
        return {"z.grad": reference.derivative(loss, x, "z", 1.0 if g is None else g)}

    problem = "Cross Entropy Backward" if backward else "Cross Entropy Forward"
    mistakes = backward_mistakes() if backward else forward_mistakes()
    options = {"gradient": backward}
    return Check(
        problem,
        name,
        points,
        "cross_entropy",
        draw,
        expected,
        options,
        mistakes,
        advice=NO_LOG_SUM_EXP if scale > 1 else "",
    )


def forward_mistakes() -> list[Mistake]:
    """Return what the loss often comes out as."""

    def loss(function: Callable[[Arrays, float], float]) -> Callable[[Arrays, Values], Values]:
        return lambda x, r: {"loss": np.asarray(function(x, float(r["loss"])))}

    def unlogged(x: Arrays, _: float) -> float:
        return -float(np.mean((x["z"] * one_hot(x)).sum(axis=1)))

    def bad(x: Arrays, right: float) -> float:
        return right * x["z"].shape[0]

    return [
        Mistake("the loss is the sum over the batch: divide by N, the number of rows", loss(bad)),
        Mistake(
            "the loss has the wrong sign: it is minus the log-probability",
            loss(lambda x, right: -right),
        ),
        Mistake(
            "the mean is taken over all N * C numbers, not over the N rows",
            loss(lambda x, right: right / x["z"].shape[1]),
        ),
        Mistake("the logits are used without LogSoftmax", loss(unlogged)),
    ]


def backward_mistakes() -> list[Mistake]:
    """Return what the gradient of the logits often comes out as."""

    def grad(function: Callable[[Arrays, np.ndarray], np.ndarray]) -> Any:
        return lambda x, right: {"z.grad": function(x, right["z.grad"])}

    def rows(x: Arrays) -> int:
        return x["z"].shape[0]

    def unscaled(x: Arrays, right: np.ndarray) -> np.ndarray:
        return right / x.get("g", np.array(1.0))

    return [
        Mistake("the gradient lacks the 1/N of the mean", grad(lambda x, r: r * rows(x))),
        Mistake("the gradient is divided by N twice", grad(lambda x, r: r / rows(x))),
        Mistake("the gradient has the wrong sign: it is softmax - one_hot", grad(lambda x, r: -r)),
        Mistake(
            "the one-hot labels are not subtracted from the softmax",
            grad(lambda x, r: softmax(x["z"]) / rows(x)),
        ),
        Mistake(UPSTREAM, grad(unscaled)),
    ]


def linear_loss_check() -> Check:
    """Return the check of the parameters' gradients under the loss."""
    layers = plan(TALL)

    def draw(rng: np.random.Generator) -> Arrays:
        return draw_network(rng, TALL, "x", "labels")

    def expected(x: Arrays) -> Values:
        def loss(a: Arrays) -> np.ndarray:
            output = reference.network(layers, a, x["x"])
            return reference.cross_entropy(output, x["labels"])

        names = reference.parameter_names(x)
        return {f"{n}.grad": reference.derivative(loss, x, n) for n in names}

    mistakes = [
        Mistake(
            "the gradient lacks the 1/N of the mean",
            lambda x, r: {n: g * len(x["x"]) for n, g in r.items()},
        ),
        Mistake(
            "the gradient has the wrong sign: it is softmax - one_hot",
            lambda x, r: {n: -g for n, g in r.items()},
        ),
    ]
    return Check(
        "Cross Entropy Backward",
        "gradients of a Linear layer under the loss",
        2,
        "linear_cross_entropy",
        draw,
        expected,
        {"layers": layers},
        mistakes,
    )


def modes_check() -> Check:
    """Return the check that train() and eval() reach every layer."""

    def expected(_: Arrays) -> Values:
        return {
            f"is_train of {layer} after {when}": when == "train()"
            for when in ("eval()", "train()")
            for layer in ("Linear", "inner ReLU", "inner Linear")
        }

    return Check(
        "Train and Eval", "train() and eval() reach every layer", 2, "modes", lambda _: {}, expected
    )


def loss_checks() -> list[Check]:
    """Return the checks of cross-entropy, and of training and evaluation with it."""
    return [
        loss_check("loss of 6 rows", 2, 6, 1.0, None, False),
        loss_check("loss of one row", 1, 1, 1.0, None, False),
        loss_check("logits of the size of 10,000", 1, 6, 1e4, None, False),
        loss_check("gradient of the logits", 2, 6, 1.0, None, True),
        loss_check("gradient of 2.5 times the loss", 1, 6, 1.0, 2.5, True),
        loss_check("gradient of logits of the size of 10,000", 1, 6, 1e4, None, True),
        linear_loss_check(),
        modes_check(),
        Training(MLP, steps=4, loss=True, evaluate=True).check(
            "Train and Eval", "output in evaluation after four steps of training", 3
        ),
    ]
