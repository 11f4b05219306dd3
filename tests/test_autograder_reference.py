"""The grader's own idea of what is right agrees with difference quotients and with formulas."""

from __future__ import annotations

import numpy as np
import pytest

from autograder import reference
from autograder.checks import (
    AUTOGRAD,
    LAYERS,
    Check,
    Mistake,
    Tolerance,
    Verdict,
    earned,
    judge,
)
from autograder.hw1_autograder import runner
from autograder.hw1_autograder.hidden_checks import hidden_checks
from autograder.hw1_autograder.networks import MLP, draw_network, plan


def central_difference(function, arrays, name, cotangent, step=1e-6):
    """Return the gradient of sum(cotangent * function) by a difference quotient."""
    result = np.empty(arrays[name].shape)
    for index in np.ndindex(result.shape):
        outputs = []
        for sign in (1, -1):
            moved = arrays[name].copy()
            moved[index] += sign * step
            outputs.append(np.sum(cotangent * function({**arrays, name: moved})))
        result[index] = (outputs[0] - outputs[1]) / (2 * step)
    return result


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
@pytest.mark.parametrize("shapes", [((3,), (3,)), ((2, 3), (3,)), ((2, 1), ()), ((), (2, 2))])
def test_derivatives_of_operators_agree_with_a_difference_quotient(sign, shapes, rng):
    arrays = {n: np.asarray(rng.uniform(0.5, 2, s)) for n, s in zip("ab", shapes, strict=True)}
    steps = [["z", sign, "a", "b"]]

    def function(x):
        return reference.evaluate(steps, x)

    g = rng.normal(size=np.broadcast_shapes(*shapes))
    for name in "ab":
        exact = reference.derivative(function, arrays, name, g)
        assert exact.shape == arrays[name].shape
        np.testing.assert_allclose(
            exact, central_difference(function, arrays, name, g), rtol=1e-6, atol=1e-8
        )


def test_derivatives_of_a_network_agree_with_a_difference_quotient(rng):
    arrays = draw_network(rng, MLP, "x", "labels")

    def loss(x):
        return reference.cross_entropy(reference.network(plan(MLP), x, x["x"]), arrays["labels"])

    for name in (*reference.parameter_names(arrays), "x"):
        exact = reference.derivative(loss, arrays, name)
        np.testing.assert_allclose(
            exact, central_difference(loss, arrays, name, 1.0), rtol=1e-5, atol=1e-8
        )


def test_cross_entropy_is_minus_the_mean_log_softmax(rng):
    z, labels = rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        reference.cross_entropy(z, labels), -np.mean(np.log(p[np.arange(6), labels]))
    )
    gradient = reference.derivative(
        lambda x: reference.cross_entropy(x["z"], labels), {"z": z}, "z"
    )
    np.testing.assert_allclose(gradient, (p - np.eye(4)[labels]) / 6, atol=1e-15)


def test_cross_entropy_of_huge_logits_is_finite_and_exact():
    z = np.array([[1e4, -1e4], [-1e4, 1e4]])
    labels = np.array([0, 0])
    assert reference.cross_entropy(z, labels) == 1e4
    gradient = reference.derivative(
        lambda x: reference.cross_entropy(x["z"], labels), {"z": z}, "z"
    )
    np.testing.assert_array_equal(gradient, [[0, 0], [-0.5, 0.5]])


def test_relu_has_derivative_zero_at_zero():
    x = {"x": np.array([-1.0, 0.0, 2.0])}
    gradient = reference.derivative(lambda a: reference.relu(a["x"]), x, "x")
    np.testing.assert_array_equal(gradient, [0, 0, 1])


def test_momentum_follows_the_handouts_recurrence():
    weights = reference.sgd({"w": np.array(1.0)}, lambda k, w: {"w": np.array(2.0)}, 3, 0.1, 0.5)
    v1, v2, v3 = -0.2, -0.3, -0.35
    np.testing.assert_allclose(weights["w"], 1 + v1 + v2 + v3)


def test_points_add_up_to_what_each_problem_is_worth():
    for problem in runner.PROBLEMS:
        worth = sum(c.points for c in runner.CHECKS if c.problem == problem.name)
        assert worth == problem.points
    assert sum(problem.points for problem in runner.PROBLEMS) == 90
    names = [(check.problem, check.name) for check in runner.CHECKS]
    assert len(set(names)) == len(names)


def test_hidden_checks_only_take_away_and_have_names_of_their_own():
    hidden = hidden_checks()
    problems = {problem.name: problem.points for problem in runner.PROBLEMS}
    assert all(0 < check.points <= problems[check.problem] for check in hidden)
    names = [(check.problem, check.name) for check in (*runner.CHECKS, *hidden)]
    assert len(set(names)) == len(names)
    problem = next(p for p in runner.PROBLEMS if p.name == "Subtraction")
    mine = [c for c in (*runner.CHECKS, *hidden) if c.problem == problem.name]
    assert earned(problem, [Verdict(c, True) for c in mine]) == 5
    assert earned(problem, [Verdict(c, not c.hidden) for c in mine]) == 3.5
    assert earned(problem, [Verdict(c, False) for c in mine]) == 0


def as_sent(values):
    """Return values as the channel brings them: arrays for NumPy's scalars."""
    return {n: np.asarray(v) if isinstance(v, np.generic) else v for n, v in values.items()}


@pytest.mark.parametrize(
    "check", [*runner.CHECKS, *hidden_checks()], ids=lambda c: f"{c.problem}-{c.name}"
)
def test_no_known_mistake_is_taken_for_right(check, rng):
    inputs = check.inputs(rng)
    right = check.expected(inputs)
    assert judge(check, inputs, as_sent(right)).passed
    for mistake in check.mistakes:
        with np.errstate(all="ignore"):
            answer = as_sent({**right, **mistake.wrong(inputs, right)})
        verdict = judge(check, inputs, answer)
        if not verdict.passed:
            assert any("This is what comes out when" in line for line in verdict.lines), (
                mistake.hint,
                verdict.lines,
            )


def check_of(right, **more):
    """Return a check whose right answer is given."""
    return Check("P", "c", 1, "p", lambda rng: {}, lambda x: {"v": right}, **more)


@pytest.mark.parametrize(
    "got",
    [np.nan, np.inf, 1.1, None, True, "1.0"],
)
def test_anything_but_the_right_number_fails(got):
    value = np.array(got) if isinstance(got, float) else got
    assert not judge(check_of(np.array(1.0)), {}, {"v": value}).passed
    assert not judge(check_of(np.array(1.0)), {}, {}).passed


def test_true_is_not_one_and_shapes_must_be_equal():
    assert not judge(check_of(True), {}, {"v": 1}).passed
    assert judge(check_of(True), {}, {"v": True}).passed
    assert not judge(check_of(np.ones((2, 3))), {}, {"v": np.ones((1, 2, 3))}).passed
    assert not judge(check_of(np.ones((2, 3))), {}, {"v": np.ones(())}).passed
    assert judge(check_of(np.ones((2, 3))), {}, {"v": np.ones((2, 3), np.float32)}).passed


def test_tolerances_are_those_of_the_contract():
    right = np.array([1000.0, 1.0, 0.0])
    assert AUTOGRAD.close(right + 9e-8, right).all()
    assert not AUTOGRAD.close(right + 2e-7, right).any()
    assert list(LAYERS.close(right + 9e-6, right)) == [True, True, False]
    assert not Tolerance(0, 0).close(np.array([np.nan]), np.array([np.nan])).any()


def test_the_first_wrong_number_is_named_with_its_index_and_the_known_mistake():
    right = np.arange(6.0).reshape(2, 3)
    mistake = Mistake("the sign is wrong", lambda x, r: {"v": -r["v"]})
    verdict = judge(check_of(right, mistakes=[mistake]), {"x": np.zeros((4, 5))}, {"v": -right})
    told = "\n".join(verdict.lines)
    assert "v[0, 1]: expected 1, got -1 (5 of 6 numbers differ)" in told
    assert "This is what comes out when the sign is wrong" in told
    assert "inputs: x (4, 5)" in told
