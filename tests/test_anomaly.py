"""Anomaly mode: errors in backward name the line of the forward pass; and errors give advice."""

from __future__ import annotations

import asyncio
import inspect
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import grad_mode, nn
from mytorch.autograd.gradients import gradients
from mytorch.autograd_engine import Function
from mytorch.errors import DtypeError, GraphError, ShapeError
from mytorch.grad_mode import detect_anomaly
from mytorch.tensor import Tensor

HERE = Path(__file__).name


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def line() -> int:
    """Return the number of the line that this is called from."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


class Poison(Function):
    """The identity, with ``value`` for a gradient."""

    value = np.nan

    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data.copy())

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        return grad_output * 0.0 + Poison.value


# --------------------------------------------------------------------- the first nan or infinity


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "inf")])
def test_the_line_that_made_the_first_nan_is_named(value: float, kind: str) -> None:
    Poison.value = value
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = x * 3.0
        z, number = Poison.apply(y), line()
        loss = (z * 2.0).sum()
        with pytest.raises(GraphError) as caught:
            loss.backward()
    message = str(caught.value)
    assert f"Poison.backward made the first {kind}" in message
    assert "in the gradient of argument 0" in message
    assert f"{HERE}:{number} in test_the_line_that_made" in message
    assert message.endswith(": z, number = Poison.apply(y), line().")
    assert x.grad is None


def test_the_operation_with_a_gradient_beyond_its_domain_is_named_not_those_it_spoils() -> None:
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        root, number = x**0.5, line()
        loss = (root * 2.0 + 1.0).exp().sum()
        with pytest.raises(GraphError, match=rf"Pow.backward made .*{HERE}:{number} in"):
            loss.backward()


def test_the_line_is_the_users_not_the_librarys() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    model[0].weight.data[0, 0] = np.nan  # its forward makes nan, hence its gradient too

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, x: Any) -> Any:
            return self.inner(x).exp()

    with detect_anomaly():
        output = Net()(Tensor([[1.0, 1.0]]))
        with pytest.raises(GraphError, match=rf"{HERE}:\d+ in forward: return self.inner\(x\)"):
            output.sum().backward()


def test_a_users_file_beside_the_package_is_no_part_of_it() -> None:
    name = str(Path(mytorch.__file__).parent) + "_experiments/train.py"  # begins with its path
    names: dict[str, Any] = {"Poison": Poison, "x": leaf(1.0)}
    with detect_anomaly():
        exec(compile("\n\ny = Poison.apply(x)", name, "exec"), names)
        with pytest.raises(GraphError, match=r"_experiments/train.py:3 in <module>\."):
            names["y"].backward()


def test_a_nan_that_was_brought_in_is_no_operations_fault() -> None:
    x = leaf(1.0)
    with detect_anomaly():
        (x * 2.0).backward(Tensor([np.nan]))
    assert np.isnan(x.grad.item())


def test_a_nan_in_one_of_several_gradients_names_the_argument() -> None:
    x, y = leaf(1.0), leaf(0.0)
    with detect_anomaly():
        z = x / y  # dz/dx is 1/0
        with pytest.raises(GraphError, match="Div.backward made the first inf .* argument 0"):
            z.backward()


def test_second_derivatives_are_watched_too() -> None:
    x = leaf(0.0)
    with detect_anomaly():
        y = (x**1.5).sum()
        y.backward(create_graph=True)  # 1.5 x**0.5, whose derivative at 0 is infinite
        with pytest.raises(GraphError, match="made the first inf"):
            x.grad.backward()


def test_finite_training_passes_in_anomaly_mode() -> None:
    model = nn.Linear(3, 2)
    with detect_anomaly():
        nn.CrossEntropyLoss()(model(Tensor(np.ones((4, 3)))), Tensor([0, 1, 0, 1])).backward()
    assert np.isfinite(model.weight.grad.data).all()


def test_an_empty_gradient_is_finite() -> None:
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    with detect_anomaly():
        (x * 2.0).sum().backward()
    assert x.grad.shape == (0, 3)


# ------------------------------------------------------------------------------- on and off


def test_it_is_off_by_default_and_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Poison.value = np.nan
    looks: list[int] = []
    monkeypatch.setattr(grad_mode, "calling_line", lambda: looks.append(1) or "a line")
    checks: list[int] = []
    monkeypatch.setattr("mytorch.graph_walk._check_finite", lambda *_: checks.append(1))
    x = leaf(1.0)
    y = Poison.apply(x * 2.0)
    y.backward()
    assert np.isnan(x.grad.item()) and not looks and not checks
    assert "trace" not in y.grad_fn.__dict__
    with detect_anomaly():
        (x * 2.0).backward()
    assert len(looks) == 1 and len(checks) == 2  # the product; the product and the leaf


def test_forward_outside_tells_the_operation_and_how_to_see_the_line() -> None:
    Poison.value = np.nan
    y = Poison.apply(leaf(1.0))
    with (
        detect_anomaly(),
        pytest.raises(GraphError, match=r"Poison.backward .* forward pass in detect_anomaly\(\)"),
    ):
        y.backward()


def test_backward_outside_is_not_watched() -> None:
    Poison.value = np.nan
    x = leaf(1.0)
    with detect_anomaly():
        y = Poison.apply(x)
    y.backward()
    assert np.isnan(x.grad.item())


def test_it_nests_survives_errors_and_decorates() -> None:
    with detect_anomaly():
        with detect_anomaly():
            pass
        assert grad_mode.is_anomaly_mode()
    assert not grad_mode.is_anomaly_mode()
    with pytest.raises(ZeroDivisionError), detect_anomaly():
        _ = 1 / 0
    assert not grad_mode.is_anomaly_mode()

    @detect_anomaly()
    def inside() -> bool:
        return grad_mode.is_anomaly_mode()

    assert inside() and not grad_mode.is_anomaly_mode()


def test_every_thread_and_task_has_its_own() -> None:
    seen: dict[str, bool] = {}
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.update(thread=grad_mode.is_anomaly_mode()))
        thread.start()
        thread.join(30)

    async def watched(ready: asyncio.Event, done: asyncio.Event) -> None:
        with detect_anomaly():
            ready.set()
            await done.wait()

    async def main() -> None:
        ready, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(watched(ready, done))
        await ready.wait()
        seen["task"] = grad_mode.is_anomaly_mode()
        done.set()
        await task

    asyncio.run(main())
    assert seen == {"thread": False, "task": False}


# ------------------------------------------------------------------------ other errors, with lines


def test_a_change_in_place_names_the_line_of_the_operation_that_saved_the_tensor() -> None:
    with detect_anomaly():
        y = leaf(1.0, 2.0) * 1.0
        z, number = y * y, line()
        y.add_(1.0)
        with pytest.raises(GraphError) as caught:
            z.backward()
    message = str(caught.value)
    assert "a tensor of shape (2,) that Mul saved for backward was changed in place" in message
    assert f"It was called at {__file__}:{number} in test_a_change_in_place" in message
    assert "z, number = y * y, line()" in message


def test_without_anomaly_mode_the_change_names_the_operation_and_its_cure() -> None:
    y = leaf(1.0) * 1.0
    z = y * y
    y.add_(1.0)
    with pytest.raises(GraphError, match=r"Mul saved .*clone\(\).* after backward\(\)\.$"):
        z.backward()


def test_a_freed_graph_a_wrong_shape_and_a_wrong_count_name_the_line_too() -> None:
    class Answer(Function):
        value: Any = None

        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a.new(a.data + b.data)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return Answer.value

    x = leaf(1.0)
    with detect_anomaly():
        y, number = x * x, line()
        y.backward()
        with pytest.raises(GraphError, match=rf"second time.*{HERE}:{number} in"):
            y.backward()
        z, number = Answer.apply(x, x), line()
        Answer.value = Tensor([1.0])
        with pytest.raises(TypeError, match=rf"returned 1 gradient.*{HERE}:{number} in"):
            z.backward()
        Answer.value = (Tensor([1.0, 1.0]), Tensor([1.0]))
        with pytest.raises(ShapeError, match=rf"shape \(2,\) for .* \(1,\).*{HERE}:{number} in"):
            z.backward()


# ------------------------------------------------------------------------- errors say what to do


def _freed() -> None:
    y = leaf(1.0) ** 2
    y.backward()
    y.backward()


def _integers() -> None:
    Tensor(np.arange(3), requires_grad=True)


def _integer_gradient() -> None:
    leaf(1.0).backward(Tensor(np.array([1])))


def _in_place_dtype() -> None:
    t = Tensor(np.arange(3))
    t += 0.5


def _missing_unbroadcast() -> None:
    class Plus(Function):
        @staticmethod
        def forward(ctx: Any, a: Any, b: Any) -> Any:
            return a.new(a.data + b.data)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            return grad_output, grad_output

    Plus.apply(leaf(1.0, 2.0), leaf(1.0)).backward()


ADVICE: dict[str, tuple[Any, type[Exception], str]] = {
    "freed graph": (_freed, GraphError, r"retain_graph=True.*run the forward pass again"),
    "no graph": (
        lambda: Tensor([1.0]).backward(),
        GraphError,
        r"requires_grad=True, outside no_gr",
    ),
    "no graph to hook": (
        lambda: Tensor([1.0]).register_hook(print),
        GraphError,
        "requires_grad=True, outside no_grad",
    ),
    "no grad to retain": (
        lambda: Tensor([1.0]).retain_grad(),
        GraphError,
        "requires_grad=True, outside no_grad",
    ),
    "no graph for grad": (
        lambda: gradients(Tensor(1.0), leaf(1.0)),
        GraphError,
        "no output requires grad.*requires_grad=True",
    ),
    "no requires_grad": (
        lambda: (leaf(1.0) * 2).requires_grad_(False),
        GraphError,
        r"result of Mul.*tensor\.detach\(\)",
    ),
    "not a scalar": (lambda: leaf(1.0, 2.0).item(), ShapeError, r"has 2; use tolist\(\), or sum"),
    "no truth value": (lambda: bool(leaf(1.0, 2.0)), ShapeError, r"has 2; use t\.data\.any\(\)"),
    "not a scalar for grad": (
        lambda: gradients(leaf(1.0, 2.0), leaf(1.0)),
        ShapeError,
        r"shape \(2,\) needs a grad_output of that shape",
    ),
    "integers": (_integers, DtypeError, r"this one is int64; .*tensor\.double\(\)"),
    "integer gradient": (_integer_gradient, DtypeError, r"int64; .*gradient\.astype\(np\.float64"),
    "in place dtype": (_in_place_dtype, DtypeError, r"in int64; .*tensor\.astype\(np\.float64\)"),
    "gradient shape": (
        lambda: leaf(1.0).backward(Tensor([1.0, 2.0])),
        ShapeError,
        r"gradient has shape \(2,\), the tensor \(1,\)",
    ),
    "numpy": (lambda: leaf(1.0).numpy(), GraphError, r"use tensor\.detach\(\)\.numpy\(\)"),
    "unbroadcast": (_missing_unbroadcast, ShapeError, r"summed back by unbroadcast\("),
}


@pytest.mark.parametrize("name", ADVICE)
def test_errors_say_what_to_do(name: str) -> None:
    function, error, message = ADVICE[name]
    with pytest.raises(error, match=message):
        function()


def test_finite_gradients_that_add_up_to_infinity_are_told() -> None:
    x = Tensor([1.0], requires_grad=True)
    y = x * 1.0
    with (
        detect_anomaly(),
        np.errstate(over="ignore"),
        pytest.raises(GraphError, match="arrived at Mul, each of them finite, add up"),
    ):
        (y * 1e308 + y * 1e308).backward()


def test_a_hook_that_makes_a_nan_is_told() -> None:
    x = Tensor([1.0], requires_grad=True)
    x.register_hook(lambda g: g * float("nan"))
    with detect_anomaly(), pytest.raises(GraphError, match="or a hook there made it so"):
        (x * 2.0).backward()
