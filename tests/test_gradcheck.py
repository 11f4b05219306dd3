"""gradcheck and gradgradcheck: what they accept, what they refuse, and how they report it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, ShapeError
from mytorch.tensor import Tensor
from tests.op_rows import CASES

BOTH = pytest.mark.parametrize("check", [gradcheck, gradgradcheck])
MODES = pytest.mark.parametrize("fast_mode", [False, True])


def leaf(*shape: int, seed: int = 0) -> Tensor:
    """Random numbers in (0.5, 2), at which nothing below has a kink."""
    return Tensor(np.random.default_rng(seed).uniform(0.5, 2.0, shape), requires_grad=True)


def square(backward: Any, jvp: Any = None) -> Any:
    """Return x**2 with a planted rule: ``backward(x, g)`` returns the gradient."""

    def forward(ctx: Any, a: Any) -> Any:
        ctx.save_for_backward(a)
        return a.new(a.data**2)

    def rule(ctx: Any, g: Any) -> Any:
        return backward(ctx.saved_tensors[0], g)

    names = {"forward": staticmethod(forward), "backward": staticmethod(rule)}
    if jvp is not None:
        names["jvp"] = staticmethod(lambda ctx, t: jvp(ctx.saved_tensors[0], t))
    return type("Square", (Function,), names).apply


def product(backward: Any) -> Any:
    """Return x * y, for operands that broadcast, with a planted rule ``backward(x, y, g)``."""

    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a.new(a.data * b.data)

    def rule(ctx: Any, g: Any) -> Any:
        return backward(*ctx.saved_tensors, g)

    names = {"forward": staticmethod(forward), "backward": staticmethod(rule)}
    return type("Product", (Function,), names).apply


# ---------------------------------------------------------------------------- what is right

ROWS = ["add", "div", "matmul", "pow", "tanh", "softmax", "cross_entropy", "where", "cat", "sum"]
ROWS += ["slice duplicates", "max", "linear", "expand"]
GOOD = [case for case in CASES if case.name in ROWS]


@MODES
@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.name)
def test_operations_of_the_table_pass_in_both_modes_and_orders(case: Any, fast_mode: bool) -> None:
    for shapes in case.shapes:
        arrays = case.draw(np.random.default_rng(1), shapes)
        inputs = [Tensor(x, requires_grad=True) for x in arrays]
        assert gradcheck(case.output, inputs, fast_mode=fast_mode, check_forward_ad=True)
        assert gradgradcheck(case.output, inputs, fast_mode=fast_mode, check_fwd_over_rev=True)


def test_the_rows_above_are_in_the_table() -> None:
    assert len(GOOD) == len(ROWS)


@BOTH
def test_constants_and_other_values_are_passed_on(check: Any) -> None:
    scale, labels = Tensor(np.full(3, 2.0, np.float32)), Tensor(np.array([0, 2]))

    def loss(x: Any, factor: Any, target: Any, options: Any, w: Any) -> Any:
        assert options == {"power": 3} and factor is scale and target is labels
        return F.cross_entropy((x ** options["power"] * factor) @ w, target)

    assert check(loss, (leaf(2, 3), scale, labels, {"power": 3}, leaf(3, 3, seed=1)))


@BOTH
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1, 2)])
def test_0d_and_empty_inputs_are_fine(check: Any, shape: tuple[int, ...]) -> None:
    for fast_mode in (False, True):
        assert check(lambda x: x.exp() * x, leaf(*shape), fast_mode=fast_mode)
        assert check(lambda x: (x * x).sum(), leaf(*shape), fast_mode=fast_mode)


@BOTH
def test_several_outputs_are_checked_and_integer_ones_ignored(check: Any) -> None:
    def outputs(x: Any) -> Any:
        return [x.argmax(), x * x, "text", x > 1, x.sum().exp(), Tensor([1.0])]

    assert check(outputs, leaf(3))
    with pytest.raises(GradcheckError, match="output 4 at .* input 0") as caught:
        wrong = square(lambda x, g: g * x)
        check(lambda x: [*outputs(x)[:4], wrong(x)], leaf(3))
    assert caught.value.worst.output == 4


@BOTH
def test_one_tensor_may_be_given_twice_and_need_not_be_a_leaf(check: Any) -> None:
    x = leaf(2)
    doubled = x * 2.0
    assert check(lambda a, b: a * b * b, (doubled, doubled))


@BOTH
def test_it_works_inside_no_grad_and_leaves_inputs_and_global_random_state_alone(
    check: Any,
) -> None:
    x = leaf(2, 3)
    data, copy, state = x.data, x.data.copy(), repr(np.random.get_state())
    with mytorch.no_grad():
        assert check(lambda a: a.sigmoid() * a, x)
        assert not mytorch.is_grad_enabled()
    assert x.data is data and x.grad is None and x.version == 0
    np.testing.assert_array_equal(x.data, copy)
    assert repr(np.random.get_state()) == state


def test_a_function_that_writes_to_its_input_cannot_reach_the_callers() -> None:
    x = leaf(3)
    copy = x.data.copy()

    def function(a: Any) -> Any:
        result = a.exp()
        a.data += 1.0
        return result

    assert gradcheck(function, x)
    np.testing.assert_array_equal(x.data, copy)


def test_large_and_small_numbers_raise_no_false_alarm() -> None:
    for scale in (1e-6, 1e3, 1e8, 1e12):
        x = Tensor(np.array([1.0, -2.0, 3.0]) * scale, requires_grad=True)
        assert gradcheck(lambda a: a * a, x)
        assert gradcheck(lambda a: (a * 3.0).sum(), x)
    big = leaf(4)
    assert gradcheck(lambda a: a * 1e-3 + 1e9, big)


def test_a_function_that_differentiates_inside_is_checked_with_recording_on() -> None:
    def penalty(x: Any) -> Any:
        from mytorch.autograd.gradients import gradients

        (slope,) = gradients((x**3).sum(), x, create_graph=True)
        return slope.sum() * x

    assert gradcheck(penalty, leaf(3)) and gradgradcheck(penalty, leaf(3))


# --------------------------------------------------------------------------- planted mistakes

WRONG_FIRST = {
    "2.001 for 2": lambda x, g: g * x * 2.001,
    "right for uniform cotangents only": lambda x, g: g.mean() * x * 2.0,
    "sum for mean of cotangents": lambda x, g: g.sum() * x * 2.0,
    "not linear in g": lambda x, g: g * g * x * 2.0,
    "right for positive cotangents only": lambda x, g: g.relu() * x * 2.0,
    "nothing": lambda x, g: None,
    "wrong in one element": lambda x, g: g * x * Tensor(2.0 + 1e-3 * np.eye(2, 3)),
    "nan": lambda x, g: g * x * np.nan,
}


@BOTH
@MODES
@pytest.mark.parametrize("name", WRONG_FIRST)
def test_wrong_derivatives_are_caught(check: Any, fast_mode: bool, name: str) -> None:
    function = square(WRONG_FIRST[name])
    with pytest.raises(
        GradcheckError, match=rf"{check.__name__}: backward of output 0 .* is wrong"
    ):
        check(function, leaf(2, 3), fast_mode=fast_mode)
    assert check(function, leaf(2, 3), fast_mode=fast_mode, raise_exception=False) is False
    right = square(lambda x, g: g * x * 2.0)
    assert check(right, leaf(2, 3), fast_mode=fast_mode)


def test_torchs_tolerances_let_the_planted_factor_pass() -> None:
    planted = square(WRONG_FIRST["2.001 for 2"])
    assert gradcheck(planted, leaf(2, 3), rtol=1e-3, atol=1e-5)
    assert not gradcheck(planted, leaf(2, 3), raise_exception=False)


@MODES
@pytest.mark.parametrize(
    "backward",
    [
        lambda x, g: g * x.detach() * 2.0,
        lambda x, g: g.detach() * x * 2.0,
        lambda x, g: x.new(g.data * x.data * 2.0),
    ],
    ids=["x detached", "g detached", "on arrays"],
)
def test_a_wrong_second_derivative_is_caught_by_gradgradcheck(
    backward: Any, fast_mode: bool
) -> None:
    function = square(backward)
    assert gradcheck(function, leaf(2, 3), fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="backward of the gradient of input 0"):
        gradgradcheck(function, leaf(2, 3), fast_mode=fast_mode)


def test_the_name_of_a_grad_output_is_told() -> None:
    with pytest.raises(GradcheckError, match=r"with respect to grad_outputs\[0\] at \("):
        gradgradcheck(square(lambda x, g: g.detach() * x * 2.0), leaf(2, 3))


@BOTH
def test_a_missing_unbroadcast_is_refused_by_the_engine_where_shapes_differ(check: Any) -> None:
    missing = product(lambda x, y, g: (g * y, g * x))
    assert check(missing, (leaf(2, 3), leaf(2, 3)))
    with pytest.raises(ShapeError, match=r"Product.backward .* unbroadcast\("):
        check(missing, (leaf(2, 3), leaf(3)))


@BOTH
@MODES
def test_a_missing_unbroadcast_is_caught_where_shapes_happen_to_agree(
    check: Any, fast_mode: bool
) -> None:
    wrong_axis = product(
        lambda x, y, g: (g * y, (g * x).sum(1))
    )  # of a square: sum(0) fits as well
    with pytest.raises(GradcheckError, match="with respect to input 1"):
        check(wrong_axis, (leaf(3, 3), leaf(3, seed=1)), fast_mode=fast_mode)
    first_row = product(lambda x, y, g: (g * y, (g * x)[:1]))
    with pytest.raises(GradcheckError, match="with respect to input 1"):
        check(first_row, (leaf(3, 2), leaf(1, 2, seed=1)), fast_mode=fast_mode)


@MODES
def test_a_wrong_forward_rule_is_caught_when_asked_for(fast_mode: bool) -> None:
    function = square(lambda x, g: g * x * 2.0, jvp=lambda x, t: t * x * 2.001)
    assert gradcheck(function, leaf(2, 3), fast_mode=fast_mode)
    with pytest.raises(GradcheckError, match="jvp of output 0 at .* is wrong"):
        gradcheck(function, leaf(2, 3), check_forward_ad=True, fast_mode=fast_mode)


# ---------------------------------------------------------------------------------- reports


def test_the_worst_element_is_reported_with_all_that_is_known() -> None:
    factors = np.full((2, 3), 2.0)
    factors[0, 1], factors[1, 2] = 2.001, 2.5
    x, y = leaf(4), leaf(2, 3, seed=1)
    wrong = square(lambda a, g: g * a * Tensor(factors))
    with pytest.raises(GradcheckError) as caught:
        gradcheck(lambda x, k, y: (x.sum(), wrong(y)), (x, 7, y))
    worst = caught.value.worst
    assert (worst.input, worst.output) == (2, 1)
    assert worst.input_index == worst.output_index == (1, 2)
    value = y.data[1, 2]
    assert worst.analytic == pytest.approx(2.5 * value, rel=1e-12)
    assert worst.numeric == pytest.approx(2 * value, rel=1e-8)
    assert worst.absolute_error == pytest.approx(0.5 * value, rel=1e-6)
    assert worst.relative_error == pytest.approx(0.25, rel=1e-6)
    message = str(caught.value)
    for part in (
        "backward of output 1 at (1, 2) with respect to input 2 at (1, 2) is wrong",
        f"analytic {2.5 * value:.6g}"[:-1],
        f"numeric {2 * value:.6g}"[:-1],
        "relative error 0.25",
        "2 of 36 elements",
    ):
        assert part in message


def test_of_several_wrong_pairs_the_worst_is_reported() -> None:
    slightly, badly = square(WRONG_FIRST["2.001 for 2"]), square(lambda x, g: g * x * 3.0)
    for order in ((slightly, badly, slightly), (badly, slightly, slightly)):
        with pytest.raises(GradcheckError) as caught:
            gradcheck(
                lambda *xs, order=order: [f(x) for f, x in zip(order, xs, strict=True)],
                (leaf(2), leaf(2), leaf(2)),
            )
        worst = caught.value.worst
        assert worst.input == worst.output == order.index(badly)


def test_indices_of_0d_tensors_are_empty_and_random_directions_have_none() -> None:
    wrong = square(WRONG_FIRST["2.001 for 2"])
    with pytest.raises(GradcheckError, match=r"output 0 at \(\) .* input 0 at \(\)") as caught:
        gradcheck(wrong, leaf())
    assert caught.value.worst.input_index == ()
    with pytest.raises(GradcheckError, match="random cotangent .* fast_mode=False") as caught:
        gradcheck(wrong, leaf(2), fast_mode=True)
    assert (caught.value.worst.input_index, caught.value.worst.output_index) == (None, None)


def test_an_error_that_only_mixed_cotangents_show_says_so() -> None:
    with pytest.raises(GradcheckError, match="is backward linear in grad_output") as caught:
        gradcheck(square(WRONG_FIRST["not linear in g"]), leaf(2, 3))
    assert caught.value.worst.output_index is None
    assert caught.value.worst.input_index is not None


def test_where_numeric_is_zero_the_relative_error_is_infinite() -> None:
    with pytest.raises(GradcheckError) as caught:
        gradcheck(square(lambda x, g: g * x * 2.0 + 1.0), Tensor([0.0], requires_grad=True))
    assert caught.value.worst.relative_error == np.inf


# --------------------------------------------------------------------------------- refusals


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_low_precision_is_refused_with_advice(check: Any, dtype: Any) -> None:
    x = Tensor(np.ones(3, dtype), requires_grad=True)
    with pytest.raises(
        DtypeError, match=rf"{check.__name__}: input 1 is {np.dtype(dtype)}.* x\.double\(\)"
    ):
        check(lambda a, b: a * b, (leaf(3), x))
    assert check(lambda a, b: a * b, (leaf(3), x.double()))


def test_a_function_that_computes_in_low_precision_is_refused() -> None:
    with pytest.raises(DtypeError, match="output 0 is float32.* float64 throughout"):
        gradcheck(lambda x: x.float() * 2, leaf(3))


@BOTH
def test_inputs_of_which_none_requires_grad_are_refused(check: Any) -> None:
    for inputs in (Tensor([1.0]), (), (np.ones(2), 3)):
        with pytest.raises(ValueError, match="no input requires grad.*requires_grad=True"):
            check(lambda *args: args[0], inputs)


@BOTH
def test_a_function_without_tensors_to_check_is_refused(check: Any) -> None:
    with pytest.raises(TypeError, match="must return a Tensor or a tuple of them, not float"):
        check(lambda x: 1.0, leaf(2))
    with pytest.raises(ValueError, match="no output is floating"):
        check(lambda x: x > 1, leaf(2))


@BOTH
def test_a_function_that_is_not_deterministic_is_told(check: Any) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(GradcheckError, match="not deterministic: output 0 differs by"):
        check(lambda x: x * rng.normal(), leaf(3))
    with pytest.raises(GradcheckError, match="backward is not deterministic: the gradient of inpu"):
        check(square(lambda x, g: g * x * (2.0 + 1e-9 * rng.normal())), leaf(3))
    with pytest.raises(GradcheckError, match="shapes of the outputs change between calls"):
        check(lambda x: x.expand(int(rng.integers(1, 1000)), 3), leaf(3))
    with pytest.raises(GradcheckError, match="shapes of the outputs change between calls"):
        check(lambda x: x[x >= 1.0], Tensor([1.0, 2.0], requires_grad=True))
    assert gradcheck(lambda x: x + 1e-13 * rng.normal(), leaf(3), nondet_tol=1e-11, atol=1e-5)


def test_values_that_are_not_finite_are_told() -> None:
    with pytest.raises(GradcheckError, match="output 0 is not finite here; choose inputs inside"):
        gradcheck(lambda x: x.log(), Tensor([0.0, 1.0], requires_grad=True))
    with pytest.raises(GradcheckError, match="numeric nan"):  # the edge of the domain
        gradcheck(lambda x: x**0.5, Tensor([0.0, 1.0], requires_grad=True))


def test_a_function_of_other_tensors_than_its_inputs_is_refused() -> None:
    weight = leaf(3)
    with pytest.raises(GradcheckError, match="do not depend on the inputs.*which are copies"):
        gradcheck(lambda _: weight * weight, weight)
    assert gradcheck(lambda x: x.detach() * 0.0 + 1.0, leaf(3))  # a constant has derivative zero
    with pytest.raises(GradcheckError, match="analytic 0, numeric 1"):
        gradcheck(lambda x: x.detach() * 1.0, leaf(3))


def test_grad_outputs_must_fit() -> None:
    x = leaf(2, 3)
    assert gradgradcheck(lambda a: a.exp(), x, leaf(2, 3, seed=1))
    with pytest.raises(
        ShapeError, match=r"grad_outputs\[0\] has shape \(3,\), its output \(2, 3\)"
    ):
        gradgradcheck(lambda a: a.exp(), x, leaf(3))
    with pytest.raises(ValueError, match="2 grad_outputs for 1 floating output"):
        gradgradcheck(lambda a: a.exp(), x, (leaf(2, 3), leaf(2, 3)))


# ----------------------------------------------------------------------------------- torch


@pytest.mark.parametrize("fast_mode", [False, True])
def test_torchs_checker_has_the_same_opinion(fast_mode: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")

    def planted(factor: float) -> tuple[Any, Any]:
        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x**2

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return g * ctx.saved_tensors[0] * factor

        return Square.apply, square(lambda x, g: g * x * factor)

    x = leaf(2, 3)
    y = torch.tensor(x.data, requires_grad=True)
    for factor, expected in ((2.0, True), (2.001, False), (2.1, False)):
        theirs, ours = planted(factor)
        options = {"rtol": 1e-5, "atol": 1e-7, "raise_exception": False, "fast_mode": fast_mode}
        assert torch.autograd.gradcheck(theirs, y, **options) is expected
        assert gradcheck(ours, x, **options) is expected
