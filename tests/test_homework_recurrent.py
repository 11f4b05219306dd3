"""Homework 3: units, time iterators and packed sequences, by the conventions of its graders."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mytorch import autograd
from mytorch.errors import ShapeError
from mytorch.nn import gru as gru_module
from mytorch.nn import rnn as rnn_module
from mytorch.nn import util
from mytorch.nn.gru import GRU, GRUUnit
from mytorch.nn.rnn import RNN, RNNUnit, TimeIterator
from mytorch.nn.util import PackedSequence, pack_sequence, unpack_sequence
from mytorch.tensor import Tensor

LENGTHS = [3, 5, 1, 5]
SORTED = [1, 3, 0, 2]
UNITS: dict[str, tuple[Callable[..., Any], str, dict[str, str]]] = {
    "tanh": (RNNUnit, "RNNCell", {"nonlinearity": "tanh"}),
    "relu": (RNNUnit, "RNNCell", {"nonlinearity": "relu"}),
    "gru": (GRUUnit, "GRUCell", {}),
}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(14)


def joined(unit: Any, get: Callable[[Tensor], Tensor]) -> dict[str, np.ndarray]:
    """Return get(parameter) under the names of torch's cell, which joins a GRU's three gates."""
    names = {name[: len("weight_ih")].rstrip("_") for name, _ in unit.named_parameters()}
    if isinstance(unit, RNNUnit):
        return {name: get(getattr(unit, name)).data for name in names}
    return {
        f"{kind}_{source}h": np.concatenate(
            [get(getattr(unit, f"{kind}_{source}{gate}")).data for gate in "rzn"]
        )
        for kind in ("weight", "bias")
        for source in "ih"
    }


def twins(torch: Any, name: str) -> tuple[Any, Any]:
    """Return a unit of size 3 -> 4 and torch's cell with the same weights, its biases not zero."""
    make, cell, options = UNITS[name]
    np.random.seed(3)
    unit = make(3, 4, **options)
    for parameter in unit.parameters():
        parameter.data[...] = np.random.normal(size=parameter.shape) / 2
    theirs = getattr(torch.nn, cell)(3, 4, dtype=torch.float64, **options)
    theirs.load_state_dict({k: torch.tensor(v) for k, v in joined(unit, lambda p: p).items()})
    return unit, theirs


def assert_gradients_agree(unit: Any, theirs: Any) -> None:
    grads = joined(unit, lambda p: p.grad)
    for name, parameter in theirs.named_parameters():
        key = name.removesuffix("_l0")
        np.testing.assert_allclose(grads[key], parameter.grad.numpy(), rtol=1e-9, atol=1e-12)


# ------------------------------------------------------------------------------ units


@pytest.mark.parametrize("has_state", [True, False])
@pytest.mark.parametrize("name", UNITS)
def test_units_are_torchs_cells(
    torch: Any, rng: np.random.Generator, name: str, has_state: bool
) -> None:
    unit, cell = twins(torch, name)
    arrays = [rng.normal(size=(2, 3)), rng.normal(size=(2, 4))][: 1 + has_state]
    mine = [Tensor(array, requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    found, wanted = unit(*mine), cell(*others)
    np.testing.assert_allclose(found.data, wanted.detach().numpy(), rtol=1e-12)
    (found * found).sum().backward()
    (wanted * wanted).sum().backward()
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=1e-9)
    assert_gradients_agree(unit, cell)


@pytest.mark.parametrize("kind", [RNNUnit, GRUUnit])
def test_no_state_is_zeros_that_pass_the_weights(kind: Any, rng: np.random.Generator) -> None:
    unit = kind(3, 4)
    unit(Tensor(rng.normal(size=(2, 3)))).sum().backward()
    of_state = [p for name, p in unit.named_parameters() if name.startswith("weight_h")]
    assert of_state and all((p.grad.data == 0).all() for p in of_state)


def test_units_draw_weights_from_numpys_generator_and_have_biases_of_zero() -> None:
    np.random.seed(5)
    unit = RNNUnit(3, 4)
    np.random.seed(5)
    np.testing.assert_array_equal(unit.weight_ih.data, np.random.randn(4, 3))
    np.testing.assert_array_equal(unit.weight_hh.data, np.random.randn(4, 4))
    assert [name for name, _ in unit.named_parameters()] == [
        "weight_ih", "bias_ih", "weight_hh", "bias_hh",
    ]  # fmt: skip
    names = {name for name, _ in GRUUnit(3, 4).named_parameters()}
    assert names == {f"{kind}_{s}{g}" for kind in ("weight", "bias") for s in "ih" for g in "rzn"}
    for module in (unit, GRUUnit(3, 4)):
        shapes = {name: p.shape for name, p in module.named_parameters()}
        for name, shape in shapes.items():
            assert shape == ((4,) if "bias" in name else (4, 3) if name[7] == "i" else (4, 4))
        assert not any(p.data.any() for name, p in module.named_parameters() if "bias" in name)


def test_another_nonlinearity_is_refused() -> None:
    with pytest.raises(ValueError, match="RNNUnit: nonlinearity is 'tanh' or 'relu', not 'x'"):
        RNN(3, 4, "x")
    with pytest.raises(ValueError, match="GRUUnit: nonlinearity must be 'tanh', not 'relu'"):
        GRU(3, 4, "relu")


# ------------------------------------------------------------------------------ packing


def test_packing_sorts_by_length_and_lies_time_by_time() -> None:
    sequences = [Tensor(10.0 * i + np.arange(n)[:, None]) for i, n in enumerate(LENGTHS)]
    packed = pack_sequence(sequences)
    assert packed.sorted_indices.tolist() == SORTED
    assert packed.batch_sizes.tolist() == [4, 3, 3, 2, 2]
    assert packed.data.data[:, 0].tolist() == [
        *[10, 30, 0, 20], *[11, 31, 1], *[12, 32, 2], *[13, 33], *[14, 34],
    ]  # fmt: skip
    assert [type(part) for part in packed] == [Tensor, np.ndarray, np.ndarray]
    assert all(a is b for a, b in zip(
        packed, (packed.data, packed.sorted_indices, packed.batch_sizes), strict=True
    ))  # fmt: skip
    assert "batch_sizes=[4 3 3 2 2]" in repr(packed)
    unpacked = unpack_sequence(packed)
    assert isinstance(unpacked, list)
    assert [x.tolist() for x in unpacked] == [x.tolist() for x in sequences]


def test_packing_and_unpacking_are_differentiable(rng: np.random.Generator) -> None:
    sequences = [Tensor(rng.normal(size=(n, 2)), requires_grad=True) for n in LENGTHS]
    assert autograd.gradcheck(lambda *own: pack_sequence(own).data, sequences)
    packed = pack_sequence(sequences)
    rows = Tensor(packed.data.data, requires_grad=True)
    assert autograd.gradcheck(
        lambda data: tuple(
            unpack_sequence(PackedSequence(data, packed.sorted_indices, packed.batch_sizes))
        ),
        [rows],
    )


def test_what_is_no_batch_of_sequences_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        pack_sequence([])
    with pytest.raises(ShapeError, match="shapes may differ in their first axis"):
        pack_sequence([Tensor(np.zeros((2, 3))), Tensor(np.zeros((2, 4)))])


# ------------------------------------------------------------------------------ through time


@pytest.mark.parametrize("has_state", [True, False])
@pytest.mark.parametrize("name", UNITS)
def test_iterators_are_torchs_networks_on_packed_sequences_with_states_in_sorted_order(
    torch: Any, rng: np.random.Generator, name: str, has_state: bool
) -> None:
    unit, _ = twins(torch, name)
    _, cell, options = UNITS[name]
    network = GRU(3, 4) if name == "gru" else RNN(3, 4, **options)
    assert isinstance(network, TimeIterator) and type(network.unit) is type(unit)
    network.unit.load_state_dict(unit.state_dict())
    theirs = getattr(torch.nn, cell.removesuffix("Cell"))(3, 4, dtype=torch.float64, **options)
    weights = joined(network.unit, lambda p: p)
    theirs.load_state_dict({f"{k}_l0": torch.tensor(v) for k, v in weights.items()})
    arrays = [rng.normal(size=(length, 3)) for length in LENGTHS]
    state = rng.normal(size=(4, 4))
    mine = [Tensor(array, requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    packed, last = network(pack_sequence(mine), *[Tensor(state[SORTED])] * has_state)
    rows, _, order, _ = result = torch.nn.utils.rnn.pack_sequence(others, enforce_sorted=False)
    result, final = theirs(result, *[torch.tensor(state[None])] * has_state)
    assert isinstance(packed, PackedSequence) and packed.sorted_indices.tolist() == order.tolist()
    assert packed.batch_sizes.tolist() == result.batch_sizes.tolist()
    np.testing.assert_allclose(packed.data.data, result.data.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(last.data, final[0][SORTED].detach().numpy(), rtol=1e-10)
    ((packed.data**2).sum() + (last**3).sum()).backward()
    ((result.data**2).sum() + (final**3).sum()).backward()
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one.grad.data, other.grad.numpy(), rtol=1e-9, atol=1e-12)
    assert_gradients_agree(network.unit, theirs)


def test_one_sequence_of_one_step_is_the_unit(rng: np.random.Generator) -> None:
    for network in (RNN(3, 4), GRU(3, 4), TimeIterator(RNNUnit, 3, 4, "relu")):
        x = Tensor(rng.normal(size=(1, 3)))
        packed, last = network(pack_sequence([x]))
        expected = network.unit(x)
        assert np.array_equal(packed.data.data, expected.data)
        assert np.array_equal(last.data, expected.data)


def test_weights_that_are_put_in_place_of_a_unit_s_are_its_own(rng: np.random.Generator) -> None:
    network = RNN(3, 4)
    network.unit.weight_ih = Tensor(np.zeros((4, 3)), requires_grad=True, is_parameter=True)
    packed, _ = network(pack_sequence([Tensor(rng.normal(size=(2, 3)))]))
    assert not packed.data.data.any()
    packed.data.sum().backward()
    assert network.unit.weight_ih.grad is not None
    assert any(p is network.unit.weight_ih for p in network.parameters())


def test_the_modules_hold_the_contract_s_names_alone() -> None:
    assert set(rnn_module.__all__) == {"RNNUnit", "TimeIterator", "RNN"}
    assert set(gru_module.__all__) == {"GRUUnit", "GRU"}
    assert set(util.__all__) == {"PackedSequence", "pack_sequence", "unpack_sequence"}
    assert list(inspect.signature(TimeIterator).parameters)[:2] == ["basic_unit", "input_size"]
