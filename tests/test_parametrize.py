"""Parameters that modules compute: nn.utils.parametrize and parametrizations, beside torch's."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn, optim
from mytorch.errors import ShapeError
from mytorch.nn.utils import parametrizations, parametrize, weight_norm
from mytorch.tensor import Tensor

TIGHT = {"rtol": 1e-9, "atol": 1e-10}
X = np.random.default_rng(3).normal(size=(5, 3))


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


class Positive(nn.Module):
    """exp of the original."""

    def forward(self, x: Any) -> Any:
        return x.exp()

    def right_inverse(self, x: Any) -> Any:
        return x.log()


class Symmetric(nn.Module):
    """The upper triangle, on both sides."""

    def forward(self, x: Any) -> Any:
        return x.triu() + x.triu(1).transpose(0, 1)


class Row(nn.Module):
    def forward(self, x: Any) -> Any:
        return x[0]


CASES = {
    "weight_norm": lambda m: m.nn.utils.parametrizations.weight_norm(m.nn.Linear(3, 4)),
    "weight_norm 1": lambda m: m.nn.utils.parametrizations.weight_norm(
        m.nn.Linear(3, 4), "weight", 1
    ),
    "weight_norm None": lambda m: m.nn.utils.parametrizations.weight_norm(
        m.nn.Linear(3, 4), dim=None
    ),
    "spectral_norm": lambda m: m.nn.utils.parametrizations.spectral_norm(m.nn.Linear(3, 4)),
    "spectral_norm 1": lambda m: m.nn.utils.parametrizations.spectral_norm(
        m.nn.Linear(3, 4), "weight", 2, dim=1
    ),
    "spectral_norm bias": lambda m: m.nn.utils.parametrizations.spectral_norm(
        m.nn.Linear(3, 4), "bias"
    ),
    "both": lambda m: m.nn.utils.parametrizations.weight_norm(
        m.nn.utils.parametrizations.spectral_norm(m.nn.Linear(3, 4)), "bias"
    ),
}


def array(tensor: Any) -> np.ndarray:
    return (tensor.data if isinstance(tensor, Tensor) else tensor.detach().numpy()).copy()


def steps(m: Any, module: Any, modes: tuple[bool, ...] = (True, True, False)) -> list[Any]:
    """Outputs, gradients and state over some steps of gradient descent."""
    seen = []
    for training in modes:
        module.train(training).zero_grad()
        (module(m.tensor(X)) ** 2).sum().backward()
        seen += [array(p.grad) for p in module.parameters()]
        for parameter in module.parameters():
            parameter.data -= 0.01 * parameter.grad.data
        seen += [array(tensor) for tensor in module.state_dict().values()]
    return seen


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_parametrizations_train_as_torchs_under_the_same_names(torch: Any, make: Any) -> None:
    mine, theirs = make(mytorch), make(torch).double()
    ours = {k: tuple(v.shape) for k, v in mine.state_dict().items()}
    others = {k: tuple(v.shape) for k, v in theirs.state_dict().items()}
    assert ours == others and list(ours) == list(others) and repr(mine) == repr(theirs)
    mine.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    for one, two in zip(steps(mytorch, mine), steps(torch, theirs), strict=True):
        np.testing.assert_allclose(one, two, **TIGHT)


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
@pytest.mark.parametrize("copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_parametrized_module_is_copied_and_pickled(make: Any, copier: Any) -> None:
    module = make(mytorch)
    copied = copier(module)
    assert type(copied).__name__ == "ParametrizedLinear" and isinstance(copied, nn.Linear)
    for one, two in zip(steps(mytorch, module), steps(mytorch, copied), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_tensor_keeps_its_value_and_is_assigned_through_right_inverse() -> None:
    layer = nn.Linear(3, 2)
    layer.weight.data[...] = np.abs(layer.weight.data) + 0.1
    before, parameter = layer.weight.data.copy(), layer.weight
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    assert parametrize.register_parametrization(layer, "weight", Positive()) is layer
    np.testing.assert_allclose(layer.weight.data, before, **TIGHT)
    assert layer.parametrizations.weight.original is parameter
    layer(Tensor(X)).sum().backward()
    optimizer.step()
    assert not np.allclose(layer.weight.data, before) and (layer.weight.data > 0).all()
    state = layer.state_dict()["parametrizations.weight.original"]
    layer.weight = Tensor(before)
    np.testing.assert_allclose(state.data, np.log(before), **TIGHT)  # in the same memory
    with pytest.raises(ShapeError, match=r"expected original 0 of shape \(2, 3\), got \(1, 3\)"):
        layer.weight = Tensor(before[:1])
    np.testing.assert_allclose(layer.weight.data, before, **TIGHT)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]


@pytest.mark.parametrize("leave", [True, False])
def test_removing_leaves_the_computed_or_the_original_value(torch: Any, leave: bool) -> None:
    kept = []
    for m in (mytorch, torch):

        class Twice(m.nn.Module):  # type: ignore[name-defined]
            def forward(self, x: Any) -> Any:
                return 2 * x

        layer = m.nn.Linear(2, 2)
        with m.no_grad():
            layer.weight.fill_(1.5)
        p = m.nn.utils.parametrize
        p.register_parametrization(layer, "weight", Twice())
        p.register_parametrization(layer, "weight", Twice())
        assert layer.weight.tolist() == [[6.0, 6.0], [6.0, 6.0]]
        p.remove_parametrizations(layer, "weight", leave)
        assert isinstance(layer.weight, m.nn.Parameter) and type(layer) is m.nn.Linear
        kept.append((layer.weight.tolist(), list(layer.state_dict()), repr(layer)))
    assert kept[0] == kept[1]


def test_a_chain_several_tensors_and_a_buffer_are_parametrized() -> None:
    layer = nn.Linear(3, 3)
    for each in (Symmetric(), Positive()):
        parametrize.register_parametrization(layer, "weight", each)
    weight = layer.weight.data
    assert np.array_equal(weight, weight.T) and (weight > 0).all()
    assert "(0): Symmetric()" in repr(layer) and "(1): Positive()" in repr(layer)
    parametrize.register_parametrization(layer, "bias", Positive(), unsafe=True)
    assert parametrize.is_parametrized(layer, "bias") and parametrize.is_parametrized(layer)
    parametrize.remove_parametrizations(layer, "weight")
    assert not parametrize.is_parametrized(layer, "weight") and parametrize.is_parametrized(layer)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    norm = parametrize.register_parametrization(nn.BatchNorm1d(2), "running_var", Positive())
    assert "parametrizations.running_var.original" in dict(norm.named_buffers())
    assert norm.running_var.tolist() == [1.0, 1.0]


def test_states_of_the_older_weight_norm_can_be_loaded() -> None:
    old, new = weight_norm(nn.Linear(3, 2)), parametrizations.weight_norm(nn.Linear(3, 2))
    new.load_state_dict(old.state_dict())
    np.testing.assert_allclose(new(Tensor(X)).data, old(Tensor(X)).data, **TIGHT)
    removed = parametrize.remove_parametrizations(new, "weight")
    np.testing.assert_allclose(removed(Tensor(X)).data, old(Tensor(X)).data, **TIGHT)


def test_what_cannot_be_parametrized_is_refused_and_nothing_is_changed(torch: Any) -> None:
    register, remove = parametrize.register_parametrization, parametrize.remove_parametrizations
    layer = nn.Linear(2, 2)
    for call, message in (
        (lambda: register(layer, "scale", Positive()), "no parameter or buffer 'scale'"),
        (lambda: register(layer, "weight", Row()), r"is float64 \(2, 2\), but Row makes"),
        (lambda: remove(layer, "weight"), "Linear has none of 'weight'"),
        (lambda: parametrizations.spectral_norm(layer, n_power_iterations=0), "at least 1, got 0"),
        (lambda: parametrizations.spectral_norm(layer, "scale"), "no parameter 'scale'"),
        (
            lambda: remove(parametrizations.weight_norm(nn.Linear(2, 2)), "weight", False),
            "computed of 2 tensors",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="expects a Module, not a int"):
        register(layer, "weight", 3)
    with pytest.raises(IndexError):
        parametrizations.spectral_norm(layer, dim=5)
    assert list(layer.state_dict()) == ["weight", "bias"] and type(layer) is nn.Linear
    register(layer, "weight", Symmetric())
    with pytest.raises(RuntimeError, match="Symmetric has no right_inverse"):
        layer.weight = Tensor(np.eye(2))
