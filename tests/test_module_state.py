"""States that are loaded, wholly or in part; errors that name the layer by its path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import DtypeError, ShapeError
from mytorch.tensor import Tensor


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def test_without_strict_only_what_fits_is_loaded_and_the_rest_is_told(torch: Any) -> None:
    told = []
    for m in (mytorch, torch):
        net = m.nn.Sequential(m.nn.Linear(2, 3), m.nn.Linear(3, 1))
        state = dict(net.state_dict())
        state["2.bias"] = state.pop("0.bias")
        state["1.bias"] = m.tensor([4.0])
        keys = net.load_state_dict(state, strict=False)
        told.append((list(keys.missing_keys), list(keys.unexpected_keys), net[1].bias.item()))
        state["0.weight"] = m.tensor([[1.0]])
        with pytest.raises(RuntimeError, match="0.weight"):
            net.load_state_dict(state, strict=False)
    assert told[0] == told[1] == (["0.bias"], ["2.bias"], 4.0)


def test_assigning_takes_the_arrays_and_their_dtype_and_keeps_the_parameters() -> None:
    net = nn.Linear(2, 1)
    weight, given = net.weight, np.ones((1, 2), np.float32)
    net.load_state_dict({"weight": given, "bias": Tensor([3.0])}, assign=True)
    assert net.weight is weight and weight.data is given and weight.is_leaf
    assert isinstance(weight, nn.Parameter) and weight.requires_grad
    with pytest.raises(ShapeError, match="weight: expected float32, got int64"):
        net.load_state_dict({"weight": np.ones((1, 2), int), "bias": net.bias}, assign=True)
    net.load_state_dict({"weight": np.ones((1, 2), int), "bias": net.bias})


def test_the_handouts_names_of_batch_norm_can_be_loaded_and_used() -> None:
    layer = nn.BatchNorm1d(2)
    state: dict[str, Any] = {"gamma": [1.0, 2.0], "beta": [3.0, 4.0]}
    state |= {"running_mean": [0.0, 1.0], "running_var": [1.0, 2.0]}
    net = nn.Sequential(layer)
    net.load_state_dict({f"0.{name}": np.array(value) for name, value in state.items()})
    assert layer.gamma is layer.weight and layer.beta is layer.bias
    assert layer.gamma.tolist() == [1.0, 2.0] and layer.beta.tolist() == [3.0, 4.0]
    layer.gamma = nn.Parameter([5.0, 6.0])
    assert layer.state_dict()["weight"].tolist() == [5.0, 6.0]


def test_errors_name_the_layer_by_its_path() -> None:
    net = nn.Sequential(
        nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(2, 1))
    )
    with pytest.raises(ShapeError, match=r"^0: linear: input \(2, 5\) and weight \(3, 4\)"):
        net(Tensor.ones(2, 5))
    with pytest.raises(ShapeError, match=r"^1.2: linear: input \(2, 3\) and weight \(1, 2\)"):
        net(Tensor.ones(2, 4))
    with pytest.raises(ShapeError, match=r"^1.1: BatchNorm1d: training needs|^1.1: batch_norm"):
        net(Tensor.ones(1, 4))
    with pytest.raises(DtypeError, match="^0: linear: input is float32 but weight is float64"):
        net(Tensor.ones(2, 4).float())
    state = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3))).state_dict()
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).load_state_dict(state)
    message = str(caught.value)
    assert "0.weight: expected (3, 2), got (3, 4)" in message
    assert "missing: 1.weight; missing: 1.bias; missing: 1.running_mean" in message
    assert "unexpected: 1.1.weight" in message


def test_hooks_see_a_state_before_and_after_it_is_loaded() -> None:
    outer = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    seen: list[Any] = []
    outer[1].register_load_state_dict_pre_hook(
        lambda module, state, prefix: state.update({f"{prefix}bias": state.pop("old")})
    )
    handle = outer.register_load_state_dict_post_hook(
        lambda module, keys: seen.append((module is outer, keys.missing_keys))
    )
    state: dict[str, Any] = {k: v.clone() for k, v in outer.state_dict().items()}
    state["old"] = np.array([7.0])
    del state["1.bias"]
    outer.load_state_dict(state)
    assert outer[1].bias.item() == 7.0 and seen == [(True, [])] and "old" in state
    handle.remove()
    outer.load_state_dict(state)
    assert len(seen) == 1
