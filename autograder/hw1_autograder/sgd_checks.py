"""Homework 1, problems 2.2 and 2.4: SGD without and with momentum; whole steps of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder import reference
from autograder.checks import Arrays, Check, Mistake, Values
from autograder.hw1_autograder.networks import MLP, TALL, draw_network, plan

STEP = "SGD.step, mytorch/optim/sgd.py"
NO_MOMENTUM = "the momentum is lost: kept nowhere, or set back to 0 in each step"
UPHILL = "the step has the wrong sign: it goes up the gradient"

Update = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def given_gradients(problem: str, name: str, points: float, steps: int, momentum: float) -> Check:
    """Return a check of SGD on gradients that are handed to it (two parameters of one shape)."""
    lr = 0.125 if momentum else 0.25
    shape = (3, 2)

    def draw(rng: np.random.Generator) -> Arrays:
        arrays = {f"w{i}": rng.normal(0, 1, shape) for i in (0, 1)}
        for step in range(steps):
            arrays.update({f"g{step}.{i}": rng.normal(0, 1, shape) for i in (0, 1)})
        return arrays

    def run(x: Arrays, update: Update) -> Values:
        values = {}
        for i in (0, 1):
            w, v = x[f"w{i}"], np.zeros(shape)
            for step in range(steps):
                w, v = update(w, v, x[f"g{step}.{i}"])
            values[f"w{i}"] = w
        return values

    def expected(x: Arrays) -> Values:
        return run(x, lambda w, v, g: (w + momentum * v - lr * g, momentum * v - lr * g))

    def mistake(hint: str, update: Update) -> Mistake:
        return Mistake(hint, lambda x, _: run(x, update))

    options = {"steps": steps, "lr": lr, "momentum": momentum}
    mistakes = [mistake(hint, update) for hint, update in update_mistakes(lr, momentum)]
    return Check(problem, name, points, "update", draw, expected, options, mistakes, place=STEP)


def update_mistakes(lr: float, beta: float) -> list[tuple[str, Update]]:
    """Return what SGD's step often does wrong: (w, v, g) -> the next w and v."""

    def wrong_sign_of_v(w: Any, v: Any, g: Any) -> Any:
        v = beta * v + lr * g
        return w + v, v

    def subtracted(w: Any, v: Any, g: Any) -> Any:
        v = beta * v - lr * g
        return w - v, v

    def damped(w: Any, v: Any, g: Any) -> Any:
        v = beta * v - (1 - beta) * lr * g
        return w + v, v

    def nesterov(w: Any, v: Any, g: Any) -> Any:
        v = beta * v - lr * g
        return w + beta * v - lr * g, v

    def sign_of_beta(w: Any, v: Any, g: Any) -> Any:
        v = -beta * v - lr * g
        return w + v, v

    return [
        (NO_MOMENTUM, lambda w, v, g: (w - lr * g, v)),
        (UPHILL, wrong_sign_of_v),
        (UPHILL, subtracted),
        ("the learning rate is left out", lambda w, v, g: (w + beta * v - g, beta * v - g)),
        ("step() changes nothing: change the parameters' own data", lambda w, v, g: (w, v)),
        ("the gradient is weighted by 1 - momentum: here it is v = momentum*v - lr*g", damped),
        ("the step is Nesterov's: here it is w = w + v", nesterov),
        ("the momentum term has the wrong sign: v = momentum*v - lr*g", sign_of_beta),
    ]


def flags_check(problem: str, points: float, momentum: float) -> Check:
    """Return the check that parameters stay leaves, outside of any graph, after steps."""
    lr = 0.1

    def draw(rng: np.random.Generator) -> Arrays:
        return {n: rng.normal(0, 1, (3,)) for n in ("w0", "g0.0", "g1.0", "x", "g")}

    def expected(x: Arrays) -> Values:
        flags = {f"w0.{n}": True for n in ("requires_grad", "is_leaf", "is_parameter")}
        moved = reference.sgd(
            {"w0": x["w0"]}, lambda step, _: {"w0": x[f"g{step}.0"]}, 2, lr, momentum
        )
        node = {"type of w0": "Tensor", "w0.grad_fn": "None"}
        return {**flags, **node, **moved, "gradient of w0 + x": x["g"]}

    recorded = Mistake(
        "step() adds to the graph: work on .data there, so that no operation is recorded",
        lambda *_: {"w0.grad_fn": "BackwardFunction"},
    )
    no_leaf = Mistake(
        "step() puts the result of an operation in a parameter's place: change its .data instead",
        lambda *_: {"w0.is_leaf": False},
    )
    return Check(
        problem,
        "parameters stay leaves: step() adds nothing to the graph",
        points,
        "update",
        draw,
        expected,
        {"steps": 2, "lr": lr, "momentum": momentum},
        [no_leaf, recorded],
        place=STEP,
    )


@dataclass(frozen=True)
class Training:
    """Steps of training of a network: by cross-entropy (`loss`) or from given gradients g.

    Attributes:
        evaluate: the output in evaluation mode, on further inputs, is wanted too.
    """

    net: dict[str, Any]
    momentum: float = 0.0
    steps: int = 3
    loss: bool = False
    evaluate: bool = False
    lr: float = 0.05

    def draw(self, rng: np.random.Generator) -> Arrays:
        """Draw parameters, and a batch for each step."""
        goal = "labels" if self.loss else "g"
        names = [f"{kind}{k}" for k in range(self.steps) for kind in ("x", goal)]
        return draw_network(rng, self.net, *names, *(["x"] if self.evaluate else []))

    def gradients(self, x: Arrays, step: int, weights: Arrays) -> Arrays:
        """Return the parameters' gradients on the batch of a step."""

        def objective(arrays: Arrays) -> np.ndarray:
            output = reference.network(plan(self.net), arrays, x[f"x{step}"])
            if self.loss:
                return reference.cross_entropy(output, x[f"labels{step}"])
            return np.sum(x[f"g{step}"] * output)

        return {n: reference.derivative(objective, weights, n) for n in weights}

    def right(self, x: Arrays) -> Values:
        """Return the parameters afterwards, and the output in evaluation if it is wanted."""
        return self.run(x, self.lr, self.momentum)

    def run(self, x: Arrays, lr: float, momentum: float, keep: bool = False) -> Values:
        """Train; `keep` is the mistake of adding each step's gradients to those before."""
        total: Arrays = {}

        def gradients(step: int, weights: Arrays) -> Arrays:
            for n, g in self.gradients(x, step, weights).items():
                total[n] = total[n] + g if keep and n in total else g
            return total

        start = {n: x[n] for n in reference.parameter_names(x)}
        weights = reference.sgd(start, gradients, self.steps, lr, momentum)
        if not self.evaluate:
            return weights
        output = reference.network(plan(self.net), weights, x["x"])
        return {"output in evaluation": output, "output a second time": output, **weights}

    def mistakes(self) -> list[Mistake]:
        """Return what often goes wrong."""
        kept = "zero_grad() leaves the last step's gradients in place"
        lr, beta = self.lr, self.momentum
        return [
            Mistake(kept, lambda x, _: self.run(x, lr, beta, keep=True)),
            Mistake(UPHILL, lambda x, _: self.run(x, -lr, beta)),
            Mistake(NO_MOMENTUM, lambda x, _: self.run(x, lr, 0.0)),
        ]

    def check(self, problem: str, name: str, points: float) -> Check:
        """Return the check of all this."""
        options = {
            "layers": plan(self.net),
            "lr": self.lr,
            "momentum": self.momentum,
            "steps": self.steps,
            "parameters": True,
        }
        known = (self.draw, self.right, options, self.mistakes())
        return Check(problem, name, points, "training", *known, place=f"zero_grad() and {STEP}")


def sgd_checks() -> list[Check]:
    """Return the checks of SGD without and with momentum."""
    one, two = "SGD Linear", "SGD Linear-ReLU-Linear"
    first, second = "Momentum Linear", "Momentum Linear-ReLU-Linear"
    steps = "three steps of training"
    return [
        given_gradients(one, "one step on given gradients", 2, 1, 0.0),
        Training(TALL).check(one, steps, 2),
        flags_check(one, 1, 0.0),
        given_gradients(two, "three steps on given gradients", 2, 3, 0.0),
        Training(MLP).check(two, steps, 3),
        given_gradients(first, "four steps on given gradients", 2, 4, 0.9),
        Training(TALL, 0.9).check(first, steps, 1),
        given_gradients(second, "six steps, another momentum", 2, 6, 0.5),
        Training(MLP, 0.9, 4).check(second, "four steps of training", 4),
        flags_check(second, 1, 0.9),
    ]
