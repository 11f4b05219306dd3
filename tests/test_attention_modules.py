"""MultiheadAttention, the layers of transformers and their stacks beside torch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.tensor import Tensor

TIGHT = {"rtol": 1e-9, "atol": 1e-10}
L, S, N, E, H = 5, 4, 3, 8, 2


@pytest.fixture(scope="module")
def torch() -> Any:
    """PyTorch, or a visible skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def parts(result: Any) -> list[Any]:
    """The tensors of a result."""
    found = result if isinstance(result, tuple) else (result,)
    return [part for part in found if part is not None]


def arrays_of(tensors: Any) -> list[np.ndarray]:
    return [t.data if isinstance(t, Tensor) else t.detach().numpy() for t in tensors]


def both(torch: Any, build: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The same module of both libraries, with one state, which went both ways through a dict."""
    mine, theirs = build(mytorch.nn), build(torch.nn).double()
    numbers = rng()
    for parameter in theirs.parameters():
        parameter.data.copy_(torch.tensor(numbers.normal(size=tuple(parameter.shape)) / 2))
    state = theirs.state_dict()
    assert {k: tuple(v.shape) for k, v in mine.state_dict().items()} == {
        k: tuple(v.shape) for k, v in state.items()
    }
    assert list(mine.state_dict()) == list(state)
    mine.load_state_dict({name: value.numpy() for name, value in state.items()})
    back = {name: torch.tensor(value.data) for name, value in mine.state_dict().items()}
    theirs.load_state_dict(back)
    return mine, theirs


def outcome(module: Any, call: Any, inputs: list[Any]) -> list[np.ndarray]:
    """Outputs, then gradients of inputs and parameters, for a cotangent that is not uniform."""
    found = parts(call(module, *inputs))
    numbers = rng()
    total = 0
    for part in found:
        cotangent = numbers.normal(size=tuple(part.shape))
        total = total + (part * type(inputs[0])(cotangent)).sum()
    total.backward()
    leaves = [*inputs, *module.parameters()]
    grads = [np.zeros(tuple(x.shape)) if x.grad is None else arrays_of([x.grad])[0] for x in leaves]
    return [*arrays_of(found), *grads]


def check(torch: Any, build: Any, call: Any, shapes: Any, training: bool = True) -> None:
    """``call(module, library, *inputs)`` gives the same of both libraries."""
    mine, theirs = both(torch, build)
    numbers = rng()
    arrays = [numbers.normal(size=shape) for shape in shapes]
    ours = [Tensor(x, requires_grad=True) for x in arrays]
    others = [torch.tensor(x, requires_grad=True) for x in arrays]
    mine.train(training)
    theirs.train(training)
    one = outcome(mine, lambda module, *xs: call(module, mytorch, *xs), ours)
    torch.Tensor.__call__ = None  # noqa: B010 - not used: a tensor is made by torch.tensor below
    two = outcome(theirs, lambda module, *xs: call(module, torch, *xs), others)
    assert len(one) == len(two)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, **TIGHT)
