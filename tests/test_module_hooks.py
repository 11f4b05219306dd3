"""Hooks on modules, compared with torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.tensor import Tensor


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def test_forward_hooks_see_and_may_replace_arguments_and_output() -> None:
    layer = nn.ReLU()
    seen: list[Any] = []
    before = layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
    after = layer.register_forward_hook(
        lambda module, args, output: seen.append((module is layer, output.data.tolist()))
    )
    twice = layer.register_forward_hook(lambda module, args, output: output + 1)
    assert layer(Tensor([-1.0, 3.0])).data.tolist() == [1.0, 7.0]
    assert seen == [(True, [0.0, 6.0])]
    for handle in (before, after, twice):
        handle.remove()
    assert layer(Tensor([-1.0, 3.0])).data.tolist() == [0.0, 3.0]


def make_pair(torch: Any) -> tuple[Any, Any]:
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2, dtype=torch.float64)
    theirs.weight.data = torch.tensor(ours.weight.data)
    theirs.bias.data = torch.tensor(ours.bias.data)
    return ours, theirs


@pytest.mark.filterwarnings("ignore:Full backward hook")  # torch says so where none requires grad
@pytest.mark.parametrize("needs", [True, False])
def test_backward_hooks_see_what_torchs_see(needs: bool) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ours, theirs = make_pair(torch)
    x = np.random.default_rng(0).normal(size=(4, 3))
    found = []
    for layer, tensor in (
        (ours, Tensor(x, requires_grad=needs)),
        (theirs, torch.tensor(x, requires_grad=needs)),
    ):
        seen: list[Any] = []
        layer.register_full_backward_hook(
            lambda module, gi, go, seen=seen: seen.append(
                [None if g is None else np.asarray(g.detach()) for g in (*gi, *go)]
            )
        )
        (layer(tensor) ** 2).sum().backward()
        found.append(seen)
    assert len(found[0]) == len(found[1]) == 1
    for mine, other in zip(found[0][0], found[1][0], strict=True):
        if other is None:
            assert mine is None
        else:
            np.testing.assert_allclose(mine, other, rtol=1e-12)


def test_a_backward_hook_may_replace_the_gradient_of_the_input() -> None:
    layer = nn.Tanh()
    with layer.register_full_backward_hook(lambda module, gi, go: (gi[0] * 0 + 5,)):
        x = Tensor([1.0, 2.0], requires_grad=True)
        layer(x).sum().backward()
    assert x.grad.data.tolist() == [5.0, 5.0]
    layer.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0]))
    with pytest.raises(ValueError, match=r"Tanh returned 2 gradient\(s\) for 1"):
        layer(x).sum().backward()


def test_hooks_leave_parameters_and_state_alone() -> None:
    layer = nn.Linear(2, 2)
    names = list(layer.state_dict())
    layer.register_forward_hook(lambda *args: None)
    assert list(layer.state_dict()) == names == ["weight", "bias"]


def test_outputs_that_are_no_floats_pass_a_watched_module_unchanged() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return x * 2, x.argmax(), 3

    seen: list[Any] = []
    module = Pair()
    module.register_full_backward_hook(lambda m, gi, go: seen.append((len(gi), len(go))))
    values, index, plain = module(Tensor([1.0, 2.0], requires_grad=True))
    assert not index.requires_grad and plain == 3
    values.sum().backward()
    assert seen == [(1, 3)]


# ------------------------------------------------------------------------------ all of torch's


def record(m: Any, seen: list[Any]) -> Any:
    """A layer whose hooks tell what they saw, in the order of their calls."""
    layer = m.nn.Tanh()

    def told(name: str) -> Any:
        return lambda module, *given: seen.append((name, len(given)))

    layer.register_forward_pre_hook(told("pre"))
    layer.register_forward_pre_hook(told("pre kwargs"), with_kwargs=True)
    layer.register_forward_pre_hook(told("pre first"), prepend=True)
    layer.register_forward_hook(told("post"))
    layer.register_forward_hook(told("post kwargs"), with_kwargs=True)
    layer.register_forward_hook(told("post first"), prepend=True, always_call=True)
    layer.register_full_backward_pre_hook(told("backward pre"))
    layer.register_full_backward_hook(told("backward"))
    layer.register_full_backward_hook(told("backward first"), prepend=True)
    return layer


def test_hooks_are_called_in_the_order_and_with_the_arguments_of_torchs(torch: Any) -> None:
    seen: list[Any] = []
    told = []
    for m in (mytorch, torch):
        seen.clear()
        record(m, seen)(m.tensor([1.0, 2.0], requires_grad=True)).sum().backward()
        told.append(list(seen))
    assert told[0] == told[1] and len(told[0]) == 9


def test_a_hook_that_is_always_called_sees_an_error_pass(torch: Any) -> None:
    for m in (mytorch, torch):
        seen: list[Any] = []
        with pytest.raises((TypeError, AttributeError)):
            record(m, seen)("no tensor")
        assert [name for name, _ in seen][-1] == "post first"
        layer = m.nn.Tanh()
        layer.register_forward_hook(lambda *args: 1 / 0, always_call=True)
        with (
            pytest.warns(UserWarning, match="silenced"),
            pytest.raises((TypeError, AttributeError)),
        ):
            layer("no tensor")


def test_hooks_may_change_keyword_arguments_and_gradients_of_outputs(torch: Any) -> None:
    grads = []
    for m in (mytorch, torch):

        class Scale(m.nn.Module):  # type: ignore[name-defined]
            def forward(self, x: Any, by: float = 1.0) -> Any:
                return x * by

        layer = Scale()
        layer.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
        )
        layer.register_full_backward_pre_hook(lambda module, go: (go[0] * 10,))
        x = m.tensor([1.0, 2.0], requires_grad=True)
        y = layer(x, by=2.0)
        y.sum().backward()
        grads.append((y.tolist(), x.grad.tolist()))
        layer.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
        with pytest.raises(RuntimeError):
            layer(x, by=2.0)
    assert grads[0] == grads[1] == ([3.0, 6.0], [30.0, 30.0])
    layer = nn.Tanh()
    layer.register_full_backward_pre_hook(lambda module, go: (go[0], go[0]))
    with pytest.raises(RuntimeError, match=r"Tanh returned 2 gradient\(s\) for 1 output"):
        layer(Tensor([1.0], requires_grad=True)).backward()
