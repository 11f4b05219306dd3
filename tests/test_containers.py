"""Sequential, lists and dicts of modules and parameters, beside torch's; the rest of Module."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn, optim
from mytorch.tensor import Tensor


def keys(module: Any) -> list[str]:
    return list(module.state_dict())


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def build(m: Any) -> dict[str, Any]:
    """The same modules here and in torch."""
    linear, relu, sequential = m.Linear, m.ReLU, m.Sequential
    named = sequential(OrderedDict([("first", linear(2, 3)), ("act", relu())]))
    cut = sequential(linear(2, 3), relu(), linear(3, 4))
    grown = sequential(linear(2, 2)).append(relu()).extend([linear(2, 3), linear(3, 1)])
    grown.insert(1, linear(2, 2))
    del grown[2]
    changed = sequential(linear(2, 3), relu())
    changed[0] = linear(2, 5)
    shared = linear(2, 2)
    return {
        "named": named,
        "sliced": cut[1:],
        "grown": grown,
        "changed": changed,
        "joined": sequential(linear(1, 2)) + sequential(linear(2, 1)),
        "list": m.ModuleList([linear(1, 2), relu()]).extend([linear(2, 2)]),
        "list slice": m.ModuleList([linear(1, 2), linear(2, 2), linear(2, 1)])[1:],
        "dict": m.ModuleDict({"a": linear(1, 2), "b": relu()}),
        "shared": sequential(shared, relu(), shared),
        "nested": sequential(m.ModuleDict({"x": sequential(linear(1, 1))})),
    }


def test_state_dict_keys_and_shapes_are_torchs(torch: Any) -> None:
    ours, theirs = build(nn), build(torch.nn)
    for name in ours:
        mine, other = ours[name].state_dict(), theirs[name].state_dict()
        assert {k: tuple(v.shape) for k, v in mine.items()} == {
            k: tuple(v.shape) for k, v in other.items()
        }, name
        assert list(mine) == list(other), name
        assert len(list(ours[name].parameters())) == len(list(theirs[name].parameters()))
        assert [n for n, _ in ours[name].named_modules()] == [
            n for n, _ in theirs[name].named_modules()
        ]


def test_a_sequential_is_indexed_sliced_and_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert model[-1] is model[2] and len(model[:2]) == 2
    x = Tensor(np.ones((1, 2)))
    np.testing.assert_array_equal(model[2](model[:2](x)).data, model(x).data)
    taken = model.pop(1)
    assert isinstance(taken, nn.ReLU) and keys(model) == [
        *("0.weight", "0.bias", "1.weight", "1.bias")
    ]
    for bad in (3, -4):
        with pytest.raises(IndexError, match="out of range for 2 layers"):
            model[bad]
    with pytest.raises(IndexError, match="insert: index 7 of 2 layers"):
        model.insert(7, nn.ReLU())
    with pytest.raises(TypeError, match="argument 1 is a str"):
        nn.Sequential(nn.ReLU(), "relu")


def test_lists_and_dicts_behave_as_such() -> None:
    linear = nn.Linear(1, 1)
    modules = nn.ModuleList([nn.ReLU(), linear])
    assert linear in modules and modules[-1] is linear
    modules[0] = nn.Tanh()
    modules.insert(0, nn.Sigmoid())
    assert [type(m).__name__ for m in modules] == ["Sigmoid", "Tanh", "Linear"]
    assert modules.pop() is linear and len(modules + [linear]) == 3
    del modules[0]
    assert len(modules) == 1
    with pytest.raises(TypeError, match="ModuleList takes Modules, got int"):
        modules.append(3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="ModuleList must define forward"):
        modules(1)
    named = nn.ModuleDict([("a", linear)])
    named["b"] = nn.ReLU()
    assert list(named) == ["a", "b"] and "a" in named and named.pop("a") is linear
    named.clear()
    assert len(named) == 0
    with pytest.raises(KeyError, match="no dots"):
        named["a.b"] = linear
    parameters = nn.ParameterList([np.ones(2), nn.Parameter([3.0])])
    parameters.append(Tensor([4.0]))
    assert keys(parameters) == ["0", "1", "2"] and all(p.requires_grad for p in parameters)
    assert [p.tolist() for p in parameters[1:]] == [[3.0], [4.0]]
    table = nn.ParameterDict({"w": [1.0]})
    table["v"] = Tensor([2.0])
    assert keys(table) == ["w", "v"] and isinstance(table["v"], nn.Parameter)


# ------------------------------------------------------------------------------ Module


def test_a_parameter_is_a_tensor_that_is_marked() -> None:
    weight = nn.Parameter([1.0, 2.0])
    assert type(weight) is Tensor and isinstance(weight, nn.Parameter)
    assert not isinstance(Tensor([1.0]), nn.Parameter)
    frozen = nn.Parameter([1.0], requires_grad=False)
    assert isinstance(frozen, nn.Parameter) and not frozen.requires_grad


def test_parameters_buffers_and_modules_are_registered_by_computed_names() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_parameter("w0", nn.Parameter([1.0]))
            self.register_parameter("none", None)
            self.register_module("layer0", nn.Linear(1, 1))
            self.register_buffer("kept", Tensor([1.0]))
            self.register_buffer("volatile", Tensor([2.0]), persistent=False)

    model = Model()
    assert keys(model) == ["w0", "kept", "layer0.weight", "layer0.bias"]
    assert [name for name, _ in model.named_buffers()] == ["kept", "volatile"]
    assert model.none is None and len(list(model.buffers())) == 2
    assert len(list(model.parameters(recurse=False))) == 1
    assert model.get_submodule("layer0") is model.layer0
    with pytest.raises(AttributeError, match="no submodule 'layer1'"):
        model.get_submodule("layer1")
    for call in (
        lambda: model.register_parameter("x", Tensor([1.0])),
        lambda: model.register_module("x", 3),  # type: ignore[arg-type]
        lambda: model.register_buffer("x", 3),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="'x' must be a"):
            call()


def test_loading_that_is_not_strict_takes_what_fits_and_says_what_did_not() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    state = model.state_dict()
    state = {"0.weight": Tensor(np.full((2, 2), 7.0)), "extra": Tensor([1.0])}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert missing == ["0.bias", "1.weight", "1.bias"] and unexpected == ["extra"]
    assert (model[0].weight.data == 7).all()
    wrong = {"0.weight": np.ones((2, 3)), "1.weight": np.ones((10, 128))}
    with pytest.raises(
        RuntimeError,
        match=r"0.weight: expected \(2, 2\), got \(2, 3\); 1.weight: expected \(1, 2\), got",
    ):
        model.load_state_dict(wrong, strict=False)
    with pytest.raises(TypeError, match="expects a dict, got list"):
        model.load_state_dict([1])  # type: ignore[arg-type]


def test_a_frozen_part_is_not_trained() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    before = model[0].weight.data.copy()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    model(Tensor(np.ones((3, 2)))).sum().backward()
    optimizer.step()
    assert model[0].weight.grad is None and np.array_equal(model[0].weight.data, before)
    assert model[1].weight.grad is not None


def test_a_model_is_converted_in_place() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert model.float() is model and {p.dtype for p in model.parameters()} == {np.dtype("f4")}
    assert model.to(Tensor(np.ones(1))) is model and model[0].weight.dtype == np.float64
    assert model.half()[0].weight.dtype == np.float16
    assert model.to("cpu", np.float32)[0].weight.dtype == np.float32
    with pytest.raises(RuntimeError, match="on the CPU alone"):
        model.to("cuda")
    with pytest.raises(TypeError, match="floating dtype, not int64"):
        model.to(np.int64)
    with pytest.raises(ValueError, match="True or False, not 'yes'"):
        model.train("yes")  # type: ignore[arg-type]


def test_gradients_are_zeroed_in_place_or_forgotten() -> None:
    model = nn.Linear(2, 1)
    model(Tensor(np.ones((1, 2)))).sum().backward()
    model.zero_grad(set_to_none=False)
    assert (model.weight.grad.data == 0).all()
    model.zero_grad()
    assert model.weight.grad is None
    assert mytorch.nn is nn
