"""Hooks on modules, compared with torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mytorch import nn
from mytorch.tensor import Tensor


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
