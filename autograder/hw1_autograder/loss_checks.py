"""Homework 1, problem 2.3: cross-entropy, and training and evaluation with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import Arrays, Check, Mistake, Values
from autograder.hw1_autograder.networks import MLP, TALL, UPSTREAM, draw_network, plan
from autograder.hw1_autograder.sgd_checks import Training

PLACE = "cross_entropy, mytorch/nn/functional.py"
NO_LOG_SUM_EXP = (
    "the softmax is unstable: exp overflows (or log meets 0) with logits this large, unless the "
    "largest logit of the row is taken off first: the LogSumExp trick, appendix B.1"
)


WRONG_AXIS = "the softmax runs along the wrong axis: over the batch, where it should be the classes"


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
    if scale > 1:
        mistakes.insert(0, unstable(backward))
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
        place=PLACE,
    )


def unstable(backward: bool) -> Mistake:
    """Return the mistake of taking exp of the logits as they are."""

    def loss(x: Arrays, _: Values) -> Values:
        total = np.exp(x["z"]).sum(axis=1)
        return {"loss": np.mean(np.log(total) - x["z"][np.arange(len(x["z"])), x["labels"]])}

    def gradient(x: Arrays, _: Values) -> Values:
        e = np.exp(x["z"])
        return {"z.grad": (e / e.sum(axis=1, keepdims=True) - one_hot(x)) / len(x["z"])}

    return Mistake(NO_LOG_SUM_EXP, gradient if backward else loss)


def forward_mistakes() -> list[Mistake]:
    """Return what the loss often comes out as."""

    def loss(function: Callable[[Arrays, float], float]) -> Callable[[Arrays, Values], Values]:
        return lambda x, r: {"loss": np.asarray(function(x, float(r["loss"])))}

    def unlogged(x: Arrays, _: float) -> float:
        return -float(np.mean((x["z"] * one_hot(x)).sum(axis=1)))

    def bad(x: Arrays, right: float) -> float:
        return right * x["z"].shape[0]

    def over_batch(x: Arrays, _: float) -> float:
        p = softmax(x["z"].T).T
        return -float(np.mean((np.log(p) * one_hot(x)).sum(axis=1)))

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
        Mistake(WRONG_AXIS, loss(over_batch)),
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
        Mistake(
            WRONG_AXIS,
            grad(lambda x, r: (softmax(x["z"].T).T * one_hot(x).sum(0) - one_hot(x)) / rows(x)),
        ),
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
        place=PLACE,
    )


LAYERS_OF_MODES = ("first layer", "inner ReLU", "inner shift", "inner Linear")


def modes_check() -> Check:
    """Return the check that train() and eval() reach every layer."""

    def draw(rng: np.random.Generator) -> Arrays:
        arrays = draw_network(rng, TALL, "x", "labels")
        for place in ("outer", "inner"):
            for mode in ("training", "evaluation"):
                arrays[f"{place}.{mode}"] = rng.normal(0, 1, arrays["x"].shape)
        return arrays

    def loss(x: Arrays, outer: str, inner: str) -> np.ndarray:
        shifted = reference.relu(x["x"] + x[f"outer.{outer}"]) + x[f"inner.{inner}"]
        output = reference.network(["Linear"], x, shifted)
        return reference.cross_entropy(output, x["labels"])

    def expected(x: Arrays) -> Values:
        right: Values = {}
        for when, mode in (("eval()", "evaluation"), ("train()", "training")):
            for layer in LAYERS_OF_MODES:
                right[f"is_train of {layer} after {when}"] = mode == "training"
            right[f"loss after {when}"] = loss(x, mode, mode)
        return right

    not_inside = Mistake(
        "eval() stops at the first layers: it should reach the layers inside of them too",
        lambda x, _: {"loss after eval()": loss(x, "evaluation", "training")},
    )
    nowhere = Mistake(
        "eval() reaches no layer: each should have is_train False then",
        lambda x, _: {"loss after eval()": loss(x, "training", "training")},
    )
    return Check(
        "Train and Eval",
        "train() and eval() reach every layer",
        2,
        "modes",
        draw,
        expected,
        mistakes=[not_inside, nowhere],
        place="Module.train and Module.eval, mytorch/nn/module.py",
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
