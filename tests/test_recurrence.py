"""The loops over time of recurrent layers beside their cells."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import autograd, nn
from mytorch.ops.recurrence import steps_of
from mytorch.ops.recurrent import GRULayer, LSTMLayer, ReLULayer, TanhLayer
from mytorch.tensor import Tensor
from tests.test_recurrent import compare

LAYERS = {"tanh": (TanhLayer, 1, 1), "relu": (ReLULayer, 1, 1), "gru": (GRULayer, 3, 1)}
LAYERS |= {"lstm": (LSTMLayer, 4, 2)}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(13)


def layer_case(name: str, rng: np.random.Generator, sizes: list[int], projected: int = 0) -> Any:
    """Return the class and the arguments after the steps, None for those that it has not."""
    layer, gates, states = LAYERS[name]
    size = projected or 3
    shapes: list[Any] = [(sum(sizes), 2), (max(sizes), size), (max(sizes), 3)]
    shapes += [(gates * 3, 2), (gates * 3, size), (gates * 3,), (gates * 3,), (size, 3)]
    shapes[2] = shapes[2] if states == 2 else None
    shapes[7] = shapes[7] if projected else None
    draw = lambda shape: Tensor(rng.normal(size=shape) * 0.6, requires_grad=True)  # noqa: E731
    return layer, [None if shape is None else draw(shape) for shape in shapes]


CASES = [(name, 0) for name in LAYERS] + [("lstm", 2)]
BATCHES = [([2, 2, 2], False), ([3, 2, 2, 1], False), ([3, 2, 1], True), ([1], True)]


@pytest.mark.parametrize(("sizes", "is_reversed"), BATCHES)
@pytest.mark.parametrize(("name", "projected"), CASES)
def test_the_loop_on_arrays_is_the_layer_cell_by_cell(
    rng: np.random.Generator, name: str, projected: int, sizes: list[int], is_reversed: bool
) -> None:
    layer, args = layer_case(name, rng, sizes, projected)
    steps, leaves = steps_of(sizes, is_reversed), [arg for arg in args if arg is not None]
    found = []
    for compute in (layer.apply, layer.by_cells):
        outputs = compute(steps, *args)
        cotangents = [
            Tensor(np.random.default_rng(i).normal(size=out.shape)) for i, out in enumerate(outputs)
        ]
        found.append([*outputs, *autograd.gradients(list(outputs), leaves, cotangents)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("name", "projected"), CASES)
def test_all_derivatives_equal_differences(
    rng: np.random.Generator, name: str, projected: int
) -> None:
    layer, args = layer_case(name, rng, [2, 1], projected)
    steps = steps_of([2, 1], True)
    leaves = [arg for arg in args if arg is not None]

    def call(*given: Tensor) -> Any:
        rest = iter(given)
        return layer.apply(steps, *[None if arg is None else next(rest) for arg in args])

    assert autograd.gradcheck(call, leaves, check_forward_ad=True)
    assert autograd.gradgradcheck(call, leaves)


def test_forward_mode_gives_the_directional_derivative(rng: np.random.Generator) -> None:
    net = nn.GRU(3, 4, bidirectional=True)
    x, v = rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2, 3))
    _, slope = autograd.jvp(lambda t: net(t)[0], (Tensor(x),), (Tensor(v),))
    h = 1e-6
    difference = (net(Tensor(x + h * v))[0].data - net(Tensor(x - h * v))[0].data) / (2 * h)
    np.testing.assert_allclose(slope.data, difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_network_is_its_cell_step_by_step(rng: np.random.Generator, name: str) -> None:
    net, cell = getattr(nn, name)(3, 4), getattr(nn, f"{name}Cell")(3, 4)
    cell.load_state_dict({k[:-3]: v for k, v in net.state_dict().items()})
    x, states = Tensor(rng.normal(size=(6, 2, 3))), None
    output, _ = net(x)
    for step in range(6):
        states = cell(x[step], states)
        state = states[0] if isinstance(states, tuple) else states
        np.testing.assert_allclose(output.data[step], state.data, rtol=1e-12)


def test_only_gradients_that_are_wanted_come(rng: np.random.Generator) -> None:
    net = nn.LSTM(3, 4)
    net.weight_ih_l0.requires_grad = net.bias_hh_l0.requires_grad = False
    x = Tensor(rng.normal(size=(3, 2, 3)))
    net(x)[0].sum().backward()
    assert [p.grad is not None for p in net.parameters()] == [False, True, True, False]
    with mytorch.no_grad():
        assert not net(x)[0].requires_grad


def test_a_graph_that_is_kept_gives_the_same_gradient_again(rng: np.random.Generator) -> None:
    for name in ("RNN", "GRU", "LSTM"):
        net, x = getattr(nn, name)(3, 4), Tensor(rng.normal(size=(3, 2, 3)), requires_grad=True)
        loss = net(x)[0].sum()
        loss.backward(retain_graph=True)
        first = x.grad.data.copy()
        loss.backward()
        np.testing.assert_allclose(x.grad.data, 2 * first, rtol=1e-12)


def test_outputs_and_final_states_may_be_changed_in_place_as_in_torch(
    rng: np.random.Generator,
) -> None:
    for name in ("RNN", "GRU", "LSTM"):
        net, x = getattr(nn, name)(3, 4), Tensor(rng.normal(size=(3, 2, 3)), requires_grad=True)
        (3 * net(x)[0]).sum().backward()
        expected, x.grad = x.grad.data, None
        output, states = net(x)
        (states[0] if name == "LSTM" else states).mul_(5)
        output.mul_(3)
        output.sum().backward()
        np.testing.assert_allclose(x.grad.data, expected, rtol=1e-12)


def test_a_weight_changed_in_place_before_backward_is_noticed(rng: np.random.Generator) -> None:
    net = nn.GRU(3, 4)
    loss = net(Tensor(rng.normal(size=(3, 2, 3))))[0].sum()
    with mytorch.no_grad():
        net.weight_hh_l0.mul_(2)
    with pytest.raises(RuntimeError, match="GRULayer saved for backward was changed in place"):
        loss.backward()


def test_closed_and_open_gates_are_exact_and_silent() -> None:
    net = nn.LSTM(1, 1)
    for parameter in net.parameters():
        parameter.data[...] = 0
    net.weight_ih_l0.data[:, 0] = [1, 1, 0, 1]  # i, f, g, o follow the input
    net.bias_ih_l0.data[2] = 1
    x = Tensor([[[-800.0]], [[800.0]], [[-30.0]]], requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        output, _ = net(x)
        output.sum().backward()
    closed = np.exp(-30) * np.tanh(np.tanh(1) * np.exp(-30) * 2)
    np.testing.assert_allclose(
        output.data.ravel(), [0, np.tanh(np.tanh(1)), closed], rtol=1e-12, atol=1e-300
    )
    assert np.isfinite(x.grad.data).all()


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_nan_in_a_sequence_stays_in_it(rng: np.random.Generator, name: str) -> None:
    net = getattr(nn, name)(3, 4)
    x = rng.normal(size=(4, 2, 3))
    x[1, 0, 0] = np.nan
    output = net(Tensor(x))[0].data
    assert np.isnan(output[1:, 0]).all() and np.isfinite(output[:, 1]).all()
    assert np.isfinite(output[0]).all()


def test_an_infinite_gradient_does_not_pass_a_closed_relu() -> None:
    net = nn.RNN(1, 1, nonlinearity="relu")
    for parameter in net.parameters():
        parameter.data[...] = 1
    x = Tensor([[[-9.0]]], requires_grad=True)
    net(x)[0].backward(Tensor([[[np.inf]]]))
    assert x.grad.tolist() == [[[0.0]]]


def test_the_slope_of_relu_at_zero_is_zero_on_arrays_and_on_tensors() -> None:
    net = nn.RNN(1, 1, nonlinearity="relu")
    for parameter in net.parameters():
        parameter.data[...] = 1
    x = Tensor([[[-2.0]]], requires_grad=True)  # the two biases are 1
    for create_graph in (False, True):
        (slope,) = autograd.gradients([net(x)[0]], [x], create_graph=create_graph)
        assert slope.tolist() == [[[0.0]]]
    _, tangent = autograd.jvp(lambda t: net(t)[0], (x.detach(),), (Tensor([[[1.0]]]),))
    assert tangent.tolist() == [[[0.0]]]


# ------------------------------------------------------------------------------ long, and freed


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_two_thousand_steps_go_forwards_and_backwards_and_some_hundred_twice(
    torch: Any, rng: np.random.Generator, name: str
) -> None:
    make = lambda m: getattr(m, name)(2, 3)  # noqa: E731
    compare(torch, make, [rng.normal(size=(2000, 1, 2))], lambda u, net, x: net(x))
    x = Tensor(rng.normal(size=(500, 1, 2)), requires_grad=True)  # some ten nodes a step
    (slope,) = autograd.gradients([make(nn)(x)[0].sum()], [x], create_graph=True)
    (slope * slope).sum().backward()
    assert np.isfinite(x.grad.data).all()


def test_reference_counting_alone_frees_a_training_step(rng: np.random.Generator) -> None:
    net, x = nn.LSTM(3, 4, 2, bidirectional=True), Tensor(rng.normal(size=(3, 2, 3)))
    gc.collect()
    gc.disable()
    try:
        for create_graph in (False, True):
            output, _ = net(x)
            watched = [weakref.ref(output), weakref.ref(output.grad_fn)]
            if create_graph:
                found = autograd.gradients(
                    [output.sum()], list(net.parameters()), create_graph=True
                )
                watched += [weakref.ref(each) for each in found]
                watched += [weakref.ref(each.grad_fn) for each in found]
                del found
            else:
                output.sum().backward()
            del output, _
            assert all(each() is None for each in watched)
    finally:
        gc.enable()


def test_results_keep_their_values_after_backward_and_other_runs(
    rng: np.random.Generator,
) -> None:
    net, inputs = nn.GRU(8, 64), [Tensor(rng.normal(size=(20, 16, 8))) for _ in range(4)]
    outputs = [net(x)[0] for x in inputs]
    copies = [output.data.copy() for output in outputs]
    for output in outputs:
        output.sum().backward()
    for output, expected, x in zip(outputs, copies, inputs, strict=True):
        assert np.array_equal(output.data, expected)
        assert np.array_equal(net(x)[0].data, expected)
