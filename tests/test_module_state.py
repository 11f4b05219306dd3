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
        assert repr(keys).lstrip("_").startswith("IncompatibleKeys(missing_keys=['0.bias'], unex")
        assert repr(net.load_state_dict(net.state_dict())) == "<All keys matched successfully>"
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


def test_hooks_see_and_change_a_state_as_in_torch(torch: Any) -> None:
    told = []
    for m in (mytorch, torch):
        seen: list[Any] = []
        net = m.nn.Sequential(m.nn.Linear(1, 1), m.nn.Linear(1, 1))

        def before(
            module: Any, state: Any, prefix: Any, metadata: Any, strict: Any, *lists: Any
        ) -> None:
            state[f"{prefix}bias"] = state.pop(f"{prefix}old")

        net[1].register_load_state_dict_pre_hook(before)
        handle = net.register_load_state_dict_post_hook(
            lambda module, keys, seen=seen: seen.append(list(keys.missing_keys))
        )
        net[0].register_state_dict_pre_hook(
            lambda module, prefix, keep_vars, seen=seen: seen.append((prefix, keep_vars))
        )
        net[1].register_state_dict_post_hook(
            lambda module, state, prefix, metadata: state.update(
                {f"{prefix}old": state.pop(f"{prefix}bias")}
            )
        )
        state = dict(net.state_dict())
        state["1.old"] = m.tensor([7.0])
        net.load_state_dict(state)
        handle.remove()
        net.load_state_dict(state)
        told.append((list(state), net[1].bias.item(), seen))
    assert told[0] == told[1]


def test_faults_that_a_hook_finds_are_told_with_the_others() -> None:
    layer = nn.Linear(1, 1)

    def hook(module: Any, *given: Any) -> None:
        for told, text in zip(given[-3:], ("more", "less", "wrong version"), strict=True):
            told.append(text)

    layer.register_load_state_dict_pre_hook(hook)
    with pytest.raises(ShapeError, match="wrong version; missing: more; unexpected: less"):
        layer.load_state_dict(layer.state_dict())


def test_what_else_a_module_saves_is_part_of_its_state_as_in_torch(torch: Any) -> None:
    told = []
    for m in (mytorch, torch):

        class Counter(m.nn.Module):  # type: ignore[name-defined]
            count = 0

            def get_extra_state(self) -> Any:
                return {"count": self.count}

            def set_extra_state(self, state: Any) -> None:
                self.count = state["count"]

        first, second = (m.nn.Sequential(Counter(), m.nn.Linear(1, 1)) for _ in range(2))
        first[0].count = 3
        second.load_state_dict(first.state_dict())
        without = {k: v for k, v in first.state_dict().items() if "extra" not in k}
        with pytest.raises(RuntimeError, match="0._extra_state"):
            second.load_state_dict(without)
        keys = second.load_state_dict(without, strict=False)
        told.append((second[0].count, sorted(first.state_dict()), list(keys.missing_keys)))
        with pytest.raises(RuntimeError):
            m.nn.Linear(1, 1).get_extra_state()
    assert told[0] == told[1]
    assert told[0][0] == 3
