"""RNN, LSTM, GRU and their cells beside torch's: values, gradients, names, options, errors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import autograd, nn
from mytorch.errors import MixedDtypeError, ShapeError
from mytorch.nn.utils import rnn as packing
from mytorch.tensor import Tensor

NETWORKS: dict[str, Callable[[Any], Any]] = {
    "RNN": lambda m: m.RNN(3, 4),
    "RNN relu": lambda m: m.RNN(3, 4, nonlinearity="relu"),
    "RNN all": lambda m: m.RNN(3, 4, 2, "relu", True, False, 0.0, True),
    "GRU": lambda m: m.GRU(3, 4),
    "GRU bare": lambda m: m.GRU(3, 4, bias=False),
    "GRU layers": lambda m: m.GRU(3, 4, 3),
    "GRU bidirectional": lambda m: m.GRU(3, 4, bidirectional=True),
    "GRU batch first": lambda m: m.GRU(3, 4, 2, batch_first=True, bidirectional=True),
    "LSTM": lambda m: m.LSTM(3, 4),
    "LSTM bare layers": lambda m: m.LSTM(3, 4, num_layers=2, bias=False),
    "LSTM bidirectional": lambda m: m.LSTM(3, 4, 2, True, True, 0.0, True),
    "LSTM projected": lambda m: m.LSTM(3, 4, proj_size=2),
    "LSTM projected all": lambda m: m.LSTM(3, 4, 2, bidirectional=True, proj_size=2, bias=False),
}
CELLS: dict[str, Callable[[Any], Any]] = {
    "RNNCell": lambda m: m.RNNCell(3, 4),
    "RNNCell relu": lambda m: m.RNNCell(3, 4, False, "relu"),
    "GRUCell": lambda m: m.GRUCell(3, 4),
    "GRUCell bare": lambda m: m.GRUCell(3, 4, bias=False),
    "LSTMCell": lambda m: m.LSTMCell(3, 4),
    "LSTMCell bare": lambda m: m.LSTMCell(input_size=3, hidden_size=4, bias=False),
}
LENGTHS = [3, 5, 5, 1]
# torch says that it has no fast LSTM with projections in float32
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def flat(result: Any) -> list[Any]:
    """Return the floating tensors of a result, of either library, in order."""
    if isinstance(result, (tuple, list)):
        return [tensor for part in result for tensor in flat(part)]
    return [result] if result is not None and "float" in str(result.dtype) else []


def array(tensor: Any) -> np.ndarray:
    return tensor.data if isinstance(tensor, Tensor) else tensor.numpy(force=True)


def close(ours: Any, theirs: Any, dtype: str = "float64") -> None:
    one, other = array(ours), array(theirs)
    assert one.shape == other.shape and one.dtype == other.dtype == dtype
    bounds = {"rtol": 1e-9, "atol": 1e-12} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-5}
    np.testing.assert_allclose(one, other, **bounds)


def twins(torch: Any, make: Callable[[Any], Any], dtype: str = "float64") -> tuple[Any, Any]:
    """Return the module here and in torch, with the same weights."""
    theirs = make(torch.nn).to(getattr(torch, dtype))
    ours = make(nn).to(np.dtype(dtype))
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    ours.load_state_dict(state)
    return ours, theirs


def compare(
    torch: Any, make: Callable[[Any], Any], arrays: list[np.ndarray], call: Callable[..., Any],
    dtype: str = "float64",
) -> None:  # fmt: skip
    """Compare call(namespace of packing, module, *tensors): results and all gradients."""
    ours, theirs = twins(torch, make, dtype)
    tensors = [Tensor(x.astype(dtype), requires_grad=True) for x in arrays]
    others = [torch.tensor(x.astype(dtype), requires_grad=True) for x in arrays]
    results = flat(call(packing, ours, *tensors))
    wanted = flat(call(torch.nn.utils.rnn, theirs, *others))
    assert len(results) == len(wanted)
    rng = np.random.default_rng(5)
    weights = [rng.normal(size=tuple(each.shape)).astype(dtype) for each in wanted]
    sum((r * Tensor(w)).sum() for r, w in zip(results, weights, strict=True)).backward()
    sum((r * torch.tensor(w)).sum() for r, w in zip(wanted, weights, strict=True)).backward()
    for one, other in zip(results, wanted, strict=True):
        close(one, other, dtype)
    parameters = list(ours.parameters()), list(theirs.parameters())
    for one, other in zip([*tensors, *parameters[0]], [*others, *parameters[1]], strict=True):
        close(one.grad, other.grad, dtype)


def states_for(module: Any, batch: int | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Return initial states of a network."""
    places = module.num_layers * (1 + module.bidirectional)
    sizes = [module.proj_size or module.hidden_size, module.hidden_size]
    sizes = sizes if module.mode == "LSTM" else sizes[:1]
    return [rng.normal(size=(places, *([] if batch is None else [batch]), n)) for n in sizes]


def hx(states: tuple[Any, ...]) -> Any:
    """Return what a network or a cell takes as its second argument."""
    return None if not states else states if len(states) == 2 else states[0]


# ------------------------------------------------------------------------------ beside torch


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_torchs_on_padded_sequences(
    torch: Any, rng: np.random.Generator, name: str, dtype: str
) -> None:
    make = NETWORKS[name]
    for states in ([], states_for(make(nn), 2, rng)):
        shape = (2, 5, 3) if make(nn).batch_first else (5, 2, 3)
        arrays = [rng.normal(size=shape), *states]
        compare(torch, make, arrays, lambda u, net, x, *s: net(x, hx(s)), dtype)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_torchs_on_one_sequence(
    torch: Any, rng: np.random.Generator, name: str
) -> None:
    make = NETWORKS[name]
    for states in ([], states_for(make(nn), None, rng)):
        arrays = [rng.normal(size=(5, 3)), *states]
        compare(torch, make, arrays, lambda u, net, x, *s: net(x, hx(s)))


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_torchs_on_packed_sequences(
    torch: Any, rng: np.random.Generator, name: str
) -> None:
    make = NETWORKS[name]

    def run(u: Any, net: Any, *tensors: Any) -> Any:
        packed = u.pack_sequence(tensors[:4], enforce_sorted=False)
        output, states = net(packed, hx(tensors[4:]))
        return u.unpack_sequence(output), states, output

    for states in ([], states_for(make(nn), 4, rng)):
        arrays = [rng.normal(size=(length, 3)) for length in LENGTHS]
        compare(torch, make, [*arrays, *states], run)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CELLS)
def test_cells_are_torchs(torch: Any, rng: np.random.Generator, name: str, dtype: str) -> None:
    count = 2 if name.startswith("LSTM") else 1
    for shape in ((2,), ()):
        x, *states = (rng.normal(size=(*shape, size)) for size in (3, *[4] * count))
        for own in ([], states):
            compare(torch, CELLS[name], [x, *own], lambda u, net, x, *s: net(x, hx(s)), dtype)


@pytest.mark.parametrize("name", [*NETWORKS, *CELLS])
def test_repr_and_state_dict_are_torchs_and_weights_go_both_ways(torch: Any, name: str) -> None:
    make = {**NETWORKS, **CELLS}[name]
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    shapes = [{k: tuple(v.shape) for k, v in m.state_dict().items()} for m in (ours, theirs)]
    assert shapes[0] == shapes[1] and list(shapes[0]) == list(shapes[1])
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in ours.state_dict().items()})
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(one.data, other.numpy(force=True), rtol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_steps_follow_torchs(torch: Any, rng: np.random.Generator, name: str) -> None:
    ours, theirs = twins(torch, NETWORKS[name])
    optimizers = [
        library.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for library, net in ((mytorch, ours), (torch, theirs))
    ]
    for _ in range(5):
        x = rng.normal(size=(4, 2, 3))
        for net, optimizer, tensor in zip(
            (ours, theirs), optimizers, (Tensor(x), torch.tensor(x)), strict=True
        ):
            optimizer.zero_grad()
            (net(tensor)[0] ** 2).sum().backward()
            optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(one, other)


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
def test_a_weight_may_be_computed_from_others_at_every_call(
    torch: Any, rng: np.random.Generator
) -> None:
    for make in (
        lambda m: m.utils.weight_norm(m.LSTM(3, 4), "weight_hh_l0"),
        lambda m: m.utils.weight_norm(m.GRUCell(3, 4), "weight_ih"),
    ):
        compare(torch, make, [rng.normal(size=(2, 3))], lambda u, net, x: net(x))


def test_second_derivatives_are_torchs(torch: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(3, 2, 3))
    for make in (NETWORKS["GRU"], NETWORKS["LSTM projected"], NETWORKS["RNN all"]):
        ours, theirs = twins(torch, make)
        found = []
        for net, tensor, grad in (
            (ours, Tensor(x, requires_grad=True), autograd.gradients),
            (theirs, torch.tensor(x, requires_grad=True), torch.autograd.grad),
        ):
            (slope,) = grad([(net(tensor)[0] ** 2).sum()], [tensor], create_graph=True)
            (slope**2).sum().backward()
            found.append([tensor.grad, *[p.grad for p in net.parameters()]])
        for one, other in zip(*found, strict=True):
            close(one, other)


def test_a_batch_of_no_sequences_gives_one(torch: Any) -> None:
    for make in (NETWORKS["GRU bidirectional"], NETWORKS["LSTM"]):
        compare(torch, make, [np.zeros((5, 0, 3))], lambda u, net, x: net(x))
    assert nn.GRUCell(3, 4)(Tensor(np.zeros((0, 3)))).shape == (0, 4)


# ------------------------------------------------------------------------------ dropout


def test_dropout_stands_between_layers_in_training_alone(rng: np.random.Generator) -> None:
    net = nn.GRU(3, 4, 2, dropout=0.5)
    first, second = nn.GRU(3, 4), nn.GRU(4, 4)
    for number, layer in enumerate((first, second)):
        own = {k: v for k, v in net.state_dict().items() if k.endswith(str(number))}
        layer.load_state_dict({k.replace(f"l{number}", "l0"): v for k, v in own.items()})
    x = Tensor(rng.normal(size=(3, 2, 3)))
    np.random.seed(4)
    found = net(x)[0]
    np.random.seed(4)
    dropped = nn.functional.dropout(first(x)[0].reshape(6, 4), 0.5)
    expected = second(dropped.reshape(3, 2, 4))[0]
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-12)
    np.random.seed(5)
    assert not np.allclose(net(x)[0].data, found.data)
    np.random.seed(4)
    assert np.array_equal(net(x)[0].data, found.data)
    plain = second(first(x)[0])[0]
    np.testing.assert_allclose(net.eval()(x)[0].data, plain.data, rtol=1e-12)


def test_dropout_of_everything_leaves_the_biases_of_the_next_layer(
    torch: Any, rng: np.random.Generator
) -> None:
    arrays = [rng.normal(size=(4, 2, 3))]
    make = lambda m: m.LSTM(3, 4, 2, dropout=1.0)  # noqa: E731
    compare(torch, make, arrays, lambda u, net, x: net(x))


# ------------------------------------------------------------------------------ initial values


def test_parameters_are_drawn_uniformly_from_numpys_generator_in_order() -> None:
    for make in (lambda: nn.GRU(3, 16, 2, bidirectional=True), lambda: nn.LSTMCell(3, 16)):
        np.random.seed(2)
        drawn = [p.data for p in make().parameters()]
        np.random.seed(2)
        for parameter in drawn:
            np.testing.assert_array_equal(
                parameter, np.random.uniform(-0.25, 0.25, parameter.shape)
            )


def test_dtype_and_device_are_taken_as_torchs_layers_take_them() -> None:
    for make in (nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell, nn.GRUCell):
        module = make(2, 3, dtype=np.float32, device="cpu")
        assert {p.dtype for p in module.parameters()} == {np.dtype(np.float32)}
        assert {p.dtype for p in make(2, 3).parameters()} == {np.dtype(np.float64)}
        with pytest.raises(RuntimeError, match="on the CPU"):
            make(2, 3, device="cuda")
    net = nn.GRU(2, 3).half()
    assert net(Tensor(np.ones((2, 1, 2), np.float16)))[0].dtype == np.float16


def test_all_weights_and_flatten_parameters_are_there(torch: Any) -> None:
    ours, theirs = twins(torch, NETWORKS["LSTM projected all"])
    ours.flatten_parameters()
    for own, others in zip(ours.all_weights, theirs.all_weights, strict=True):
        for one, other in zip(own, others, strict=True):
            close(one, other)


def test_a_copied_network_computes_with_its_own_weights(rng: np.random.Generator) -> None:
    net, x = nn.GRU(3, 4), Tensor(rng.normal(size=(2, 1, 3)))
    other = copy.deepcopy(net)
    before = net(x)[0].data.copy()
    for parameter in other.parameters():
        parameter.data += 1
    assert np.array_equal(net(x)[0].data, before) and not np.allclose(other(x)[0].data, before)


# ------------------------------------------------------------------------------ bad input

Z = np.zeros
BAD_CALLS: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "features": (lambda m, t: m.GRU(3, 4)(t(Z((5, 2, 4)))), ShapeError,
                 "GRU: input_size is 3, but the input has 4 features"),
    "axes": (lambda m, t: m.GRU(3, 4)(t(Z(3))), ShapeError, r"GRU: expects \(T, N, I\), got .*3,"),
    "axes of batches": (lambda m, t: m.RNN(3, 4, batch_first=True)(t(Z((5, 2, 3, 1)))), ShapeError,
                        r"RNN: expects \(N, T, I\)"),
    "no steps": (lambda m, t: m.RNN(3, 4)(t(Z((0, 2, 3)))), ShapeError, "RNN: expects sequences"),
    "dtype": (lambda m, t: m.LSTM(3, 4)(t(Z((5, 2, 3), np.float16))), MixedDtypeError,
              "LSTM: the input is float16, a weight or state float"),
    "integers": (lambda m, t: m.LSTM(3, 4)(t(Z((5, 2, 3), int))), MixedDtypeError,
                 "LSTM: the input is int64, a weight or state float"),
    "states": (lambda m, t: m.GRU(3, 4)(t(Z((5, 2, 3))), t(Z((1, 3, 4)))), ShapeError,
               r"GRU: hx must be \(1, 2, 4\), \(layers \* directions, batch, size\), got .*1, 3"),
    "cell states": (lambda m, t: m.LSTM(3, 4)(t(Z((5, 2, 3))), (t(Z((1, 2, 4))), t(Z((1, 2, 5))))),
                    ShapeError, r"LSTM: hx\[1\] must be \(1, 2, 4\)"),
    "states of one": (lambda m, t: m.GRU(3, 4)(t(Z((5, 3))), t(Z((1, 1, 4)))), ShapeError,
                      r"GRU: an input .* without a batch needs .*, got .*1, 1, 4"),
    "states of many": (lambda m, t: m.GRU(3, 4)(t(Z((5, 2, 3))), t(Z((1, 4)))), ShapeError,
                       r"GRU: hx must be \(1, 2, 4\)"),
    "cell input": (lambda m, t: m.GRUCell(3, 4)(t(Z((2, 4)))), ShapeError,
                   "GRUCell: input_size is 3, but the input has 4 features"),
    "cell axes": (lambda m, t: m.GRUCell(3, 4)(t(Z((2, 3, 4)))), ShapeError, "GRUCell: expects"),
    "cell batch": (lambda m, t: m.GRUCell(3, 4)(t(Z((2, 3))), t(Z((3, 4)))), ShapeError,
                   r"GRUCell: hx must be \(2, 4\), \(batch, size\), got \(3, 4\)"),
    "cell state": (lambda m, t: m.LSTMCell(3, 4)(t(Z((2, 3))), (t(Z((2, 4))), t(Z((2, 5))))),
                   ShapeError, r"LSTMCell: hx\[1\] must be \(2, 4\)"),
    "cell pair": (lambda m, t: m.LSTMCell(3, 4)(t(Z((2, 3))), t(Z((2, 4)))), TypeError,
                  "LSTMCell: hx must be a pair"),
    "num_layers": (lambda m, t: m.GRU(3, 4, 0), ValueError, "GRU: num_layers must be at least 1"),
    "num_layers 1.5": (lambda m, t: m.GRU(3, 4, 1.5), TypeError, "num_layers must be an integer"),
    "hidden_size": (lambda m, t: m.GRU(3, 0), ValueError, "GRU: hidden_size must be at least 1"),
    "input_size": (lambda m, t: m.GRU(0, 4), ValueError, "GRU: input_size must be at least 1"),
    "hidden_size 2.5": (lambda m, t: m.GRU(3, 2.5), TypeError, "hidden_size must be an integer"),
    "dropout": (lambda m, t: m.GRU(3, 4, 2, dropout=2), ValueError, r"dropout must be .* \[0, 1"),
    "dropout True": (lambda m, t: m.GRU(3, 4, 2, dropout=True), ValueError, "dropout must be"),
    "bias": (lambda m, t: m.GRU(3, 4, bias=1), TypeError, "GRU: bias must be True or False"),
    "nonlinearity": (lambda m, t: m.RNN(3, 4, nonlinearity="x"), ValueError, "'tanh' or 'relu'"),
    "proj_size": (lambda m, t: m.LSTM(3, 4, proj_size=4), ValueError, "proj_size must be below 4"),
    "proj_size -1": (lambda m, t: m.LSTM(3, 4, proj_size=-1), ValueError, "proj_size must be at"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_input_names_the_layer_and_what_would_fit(name: str) -> None:
    call, error, message = BAD_CALLS[name]
    with pytest.raises(error, match=message):
        call(nn, Tensor)


@pytest.mark.parametrize("name", BAD_CALLS)
def test_torch_refuses_the_same_and_its_class_catches_ours(torch: Any, name: str) -> None:
    call, error, _ = BAD_CALLS[name]
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch.nn, lambda x: torch.tensor(x, dtype=None if x.dtype != float else torch.float32))
    with pytest.raises(error) as ours:
        call(nn, Tensor)
    assert isinstance(ours.value, theirs.type)


def test_what_only_this_library_refuses_or_says_otherwise() -> None:
    x = Tensor(np.zeros((5, 2, 3)))
    with pytest.raises(TypeError, match="LSTM: hx must be a pair"):
        nn.LSTM(3, 4)(x, Tensor(np.zeros((1, 2, 4))))
    with pytest.raises(TypeError, match=r"GRU: expects a Tensor, got ndarray"):
        nn.GRU(3, 4)(x.data)
    with pytest.raises(ValueError, match="nonlinearity is 'tanh' or 'relu', not 'x'"):
        nn.RNNCell(3, 4, nonlinearity="x")
    with pytest.raises(ValueError, match="the mode is one of"):
        nn.RNNBase("GRUU", 3, 4)
    with pytest.raises(ValueError, match="only an LSTM has projections"):
        nn.RNNBase("GRU", 3, 4, proj_size=2)
    packed = packing.pack_sequence([Tensor(np.zeros((2, 3)))])
    with pytest.raises(ShapeError, match=r"GRU: hx must be \(1, 1, 4\), .*, got \(1, 2, 4\)"):
        nn.GRU(3, 4)(packed, Tensor(np.zeros((1, 2, 4))))


def test_dropout_in_a_single_layer_warns() -> None:
    with pytest.warns(UserWarning, match="GRU: dropout=0.5 does nothing in a single layer"):
        nn.GRU(3, 4, dropout=0.5)
