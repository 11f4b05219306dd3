"""Forward mode: every row of the table, by its own rule and by the one derived from backward."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from mytorch.autograd import hvp, jacfwd, jacrev, jvp, value_and_grad, vjp
from mytorch.autograd_engine import Function
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor
from tests.op_rows import CASES
from tests.op_table import OpCase, Shapes
from tests.test_operations import at

ROWS = [pytest.param(case, id=case.name) for case in CASES if case.smooth]


def with_a_rule(base: type = Function) -> list[type]:
    """Return the operations that state their own rule of forward mode."""
    found = [cls for cls in base.__subclasses__() if "jvp" in cls.__dict__]
    return found + [each for cls in base.__subclasses__() for each in with_a_rule(cls)]


RULED = [cls for cls in with_a_rule() if cls.__module__.startswith("mytorch.")]


def slope(call: Any, arrays: list[np.ndarray], steps: list[np.ndarray]) -> np.ndarray:
    """The central difference of ``call`` at ``arrays`` along ``steps``."""
    h = 1e-5
    above = call(*[Tensor(x + h * d) for x, d in zip(arrays, steps, strict=True)]).data
    below = call(*[Tensor(x - h * d) for x, d in zip(arrays, steps, strict=True)]).data
    return (above - below) / (2 * h)


def check_tangent(case: OpCase, shapes: Shapes) -> None:
    rng = np.random.default_rng(20)
    arrays = case.draw(rng, shapes)
    steps = [rng.normal(size=x.shape) for x in arrays]
    value, tangent = jvp(case.output, tuple(arrays), tuple(steps))
    np.testing.assert_array_equal(value, case.output(*map(Tensor, arrays)).data)
    assert np.shape(tangent) == np.shape(value)
    np.testing.assert_allclose(tangent, slope(case.output, arrays, steps), rtol=1e-6, atol=1e-8)
    for constant in range(len(arrays) if len(arrays) > 1 else 0):  # one operand without tangent

        def partial(*others: Any, constant: int = constant) -> Any:
            full = list(others)
            full.insert(constant, Tensor(arrays[constant]))
            return case.output(*full)

        rest = [x for i, x in enumerate(arrays) if i != constant]
        directions = [d for i, d in enumerate(steps) if i != constant]
        _, tangent = jvp(partial, tuple(rest), tuple(directions))
        np.testing.assert_allclose(tangent, slope(partial, rest, directions), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", ROWS)
def test_tangent_equals_central_difference(case: OpCase) -> None:
    for shapes in case.shapes:
        with at(shapes):
            check_tangent(case, shapes)


@pytest.mark.parametrize("case", ROWS)
def test_the_rule_derived_from_backward_gives_the_same(
    case: OpCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for operation in RULED:
        monkeypatch.setattr(operation, "jvp", None)
    for shapes in case.shapes:
        with at(shapes):
            check_tangent(case, shapes)


def small(case: OpCase) -> list[Shapes]:
    """Return the shapes of a row that are neither empty nor large."""
    return [shapes for shapes in case.shapes if 0 < np.prod(sum(shapes, ())) <= 40]


@pytest.mark.parametrize("case", ROWS)
def test_forward_and_reverse_nest_in_any_order(case: OpCase) -> None:
    for shapes in small(case):
        with at(shapes):
            check_nesting(case, shapes)


def check_nesting(case: OpCase, shapes: Shapes) -> None:
    rng = np.random.default_rng(21)
    arrays = tuple(case.draw(rng, shapes))
    steps = tuple(rng.normal(size=x.shape) for x in arrays)
    weights = rng.normal(size=case.output(*map(Tensor, arrays)).shape)
    numbers = tuple(range(len(arrays)))

    def scalar(*tensors: Any) -> Any:
        return (case.output(*tensors) * weights).sum()

    gradient = value_and_grad(scalar, numbers)
    _, (_, forward_over_reverse) = jvp(lambda *x: gradient(*x), arrays, steps)
    _, reverse_over_forward = value_and_grad(
        lambda *x: jvp(scalar, x, tuple(map(Tensor, steps)))[1], numbers
    )(*arrays)
    (_, slopes), pullback = vjp(lambda *x: gradient(*x), *arrays)
    reverse_over_reverse = pullback((np.zeros(()), steps))
    h = 1e-5
    above = gradient(*[x + h * d for x, d in zip(arrays, steps, strict=True)])[1]
    below = gradient(*[x - h * d for x, d in zip(arrays, steps, strict=True)])[1]
    for one, two, three, high, low in zip(
        forward_over_reverse, reverse_over_forward, reverse_over_reverse, above, below, strict=True
    ):
        np.testing.assert_allclose(one, (high - low) / (2 * h), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(two, one, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(three, one, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", ROWS)
def test_third_derivatives_equal_central_differences(case: OpCase) -> None:
    for shapes in small(case):
        with at(shapes):
            check_third(case, shapes)


def check_third(case: OpCase, shapes: Shapes) -> None:
    rng = np.random.default_rng(22)
    arrays = tuple(case.draw(rng, shapes))
    steps = tuple(rng.normal(size=x.shape) for x in arrays)
    weights = rng.normal(size=case.output(*map(Tensor, arrays)).shape)
    numbers = tuple(range(len(arrays)))

    def along(function: Any) -> Any:
        return lambda *x: jvp(function, x, steps)[1]

    def scalar(*tensors: Any) -> Any:
        return (case.output(*tensors) * weights).sum()

    second = along(along(scalar))  # forward over forward
    _, third = value_and_grad(second, numbers)(*arrays)
    h = 1e-4
    for number, gradient in enumerate(third):
        direction = rng.normal(size=arrays[number].shape)
        above, below = list(arrays), list(arrays)
        above[number] = arrays[number] + h * direction
        below[number] = arrays[number] - h * direction
        wanted = (second(*map(Tensor, above)).item() - second(*map(Tensor, below)).item()) / (2 * h)
        scale = max(1.0, abs(wanted))
        assert (direction * gradient).sum() == pytest.approx(wanted, rel=1e-5, abs=1e-5 * scale)


def test_levels_are_not_confused() -> None:
    # d/dx [x * d/dy (x + y)] at 1 is 1: the inner derivative must not see the outer tangent
    def outer(x: Any) -> Any:
        inner = jvp(lambda y: x + y, (Tensor(2.0),), (Tensor(1.0),))[1]
        return x * inner

    assert jvp(outer, (1.0,), (1.0,))[1] == 1.0


def test_tangents_of_an_ended_derivative_are_not_used_again() -> None:
    kept: list[Any] = []

    def leaky(x: Any) -> Any:
        kept.append(x)
        return x * 2

    jvp(leaky, (Tensor(1.0),), (Tensor(5.0),))
    assert jvp(lambda x: x + kept[0], (1.0,), (1.0,))[1] == 1.0


def test_a_function_may_have_several_outputs_and_structures() -> None:
    def function(pair: Any, scale: Any) -> Any:
        return {"sum": pair[0] + pair[1], "scaled": [pair[0] * scale]}

    value, tangent = jvp(function, ((1.0, 2.0), 3.0), ((1.0, 0.0), 10.0))
    assert value == {"sum": 3.0, "scaled": [3.0]}
    assert tangent == {"sum": 1.0, "scaled": [13.0]}


def test_an_output_that_does_not_depend_has_a_zero_tangent() -> None:
    _, tangent = jvp(lambda x: (Tensor([1.0, 2.0]), x.detach()), (3.0,), (1.0,))
    assert tangent[0].tolist() == [0.0, 0.0] and tangent[1] == 0.0


def test_bad_tangents_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"tangent of shape \(3,\) for a primal of \(2,\)"):
        jvp(lambda x: x, (np.ones(2),), (np.ones(3),))
    with pytest.raises(ValueError, match="structures differ"):
        jvp(lambda x: x, (np.ones(2),), (np.ones(2), np.ones(2)))
    with pytest.raises(TypeError, match="tuple of arguments"):
        jvp(lambda x: x, np.ones(2), np.ones(2))
    with pytest.raises(TypeError, match="give floats"):
        jvp(lambda x: x, (np.arange(2),), (np.ones(2),))


def test_an_operation_without_a_rule_works_through_jacfwd() -> None:
    class Cube(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            ctx.save_for_backward(a)
            return a.new(a.data**3)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            (a,) = ctx.saved_tensors
            return grad_output * a * a * 3

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(jacfwd(Cube.apply)(x), np.diag(3 * x**2))
    np.testing.assert_allclose(jacfwd(jacrev(Cube.apply))(x)[1, 1, 1], 12.0)


def test_only_these_operations_have_no_rule_of_their_own() -> None:
    stack, without = [Function], set()
    while stack:
        for cls in stack.pop().__subclasses__():
            stack.append(cls)
            if cls.jvp is None and cls.__module__.startswith("mytorch."):
                without.add(cls.__name__)
    of_others = {"_OnlyOnce", "_Watch"}  # they run what has rules
    loops = {"GRULayer", "LSTMLayer", "ReLULayer", "Recurrence", "TanhLayer"}  # written in cells
    assert without == of_others | loops


def test_values_taken_as_arrays_are_refused_instead_of_losing_their_tangent() -> None:
    for function in (
        lambda x: np.asarray(x) * 2 + x,
        lambda x: Tensor(np.array([x * x, x])).sum(),
        lambda x: np.allclose(x, 1.0),
    ):
        with pytest.raises(GraphError, match="has a tangent"):
            jvp(function, (2.0,), (1.0,))


class _Identity(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


class _OnArrays(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x, None)
        return x.new(x.data**2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        x, nothing = ctx.saved_tensors
        assert nothing is None
        return grad.new(2 * x.data * grad.data)


def test_a_function_that_returns_its_input_keeps_the_tangent() -> None:
    tangent = jvp(lambda x: _Identity.apply(x) * 3 + x, (np.ones(2),), (np.ones(2),))[1]
    assert tangent.tolist() == [4.0, 4.0]


def test_a_backward_on_arrays_is_refused_instead_of_giving_zero() -> None:
    with pytest.raises(GraphError, match="_OnArrays.backward computes on arrays"):
        jvp(_OnArrays.apply, (np.ones(2),), (np.ones(2),))


def test_forward_mode_frees_its_graphs_without_the_garbage_collector() -> None:
    x = Tensor(np.ones(3), requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        found: list[Any] = []

        def function(t: Any) -> Any:
            y = t.exp()
            found.append(weakref.ref(y))
            return (y * t).sum()

        hvp(function, (x,), (Tensor(np.ones(3)),))
        assert [each() for each in found] == [None] * len(found)
    finally:
        gc.enable()
