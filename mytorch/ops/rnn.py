"""Recurrent networks and cells under torch's names: the layers of ``recurrent.py``, stacked.

Sequences come padded, (T, N, I), or packed: the rows of all steps in one matrix, and for each step
how many sequences last so long. ``run`` is for both; padded sequences are packed by a reshape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mytorch.errors import MixedDtypeError, ShapeError
from mytorch.ops.common import check_tensors, float_data
from mytorch.ops.dropout import dropout as drop
from mytorch.ops.joining import Cat, Stack
from mytorch.ops.recurrence import steps_of
from mytorch.ops.recurrent import GRULayer, LSTMLayer, ReLULayer, TanhLayer
from mytorch.ops.registry import operation

__all__ = ["Network", "run", "run_cell", "run_padded"]

Tensors = Sequence[Any]

#: the layer and the number of its states, by torch's name of the kind
_LAYERS: dict[str, tuple[Any, int]] = {
    "RNN_TANH": (TanhLayer, 1),
    "RNN_RELU": (ReLULayer, 1),
    "LSTM": (LSTMLayer, 2),
    "GRU": (GRULayer, 1),
}


class Network(NamedTuple):
    """What a recurrent network is, but for its weights; ``name`` is what messages call it."""

    name: str
    mode: str
    has_biases: bool = True
    num_layers: int = 1
    dropout: float = 0.0
    train: bool = False
    bidirectional: bool = False


def run(
    network: Network, rows: Any, batch_sizes: Sequence[int], states: Tensors | None, params: Tensors
) -> tuple[Any, list[Any]]:
    """Return what the last layer gives, both directions side by side, and the final states.

    Args:
        rows (Tensor): (S, I), packed, or (T, N, I); batch_sizes: how many belong to each step.
        states: of all layers, each (num_layers * directions, N, size); None for zeros.
        params: w_ih, w_hh, b_ih and b_hh (if it has biases), w_hr (if it has projections), of each
            layer and within it of each direction.
    Raises:
        ShapeError: sizes that do not fit, or no step; MixedDtypeError: dtypes that differ.
    """
    layer, count = _LAYERS[network.mode]
    directions = 1 + network.bidirectional
    weights = _by_layer(network, params, network.num_layers * directions)
    if not batch_sizes:
        raise ShapeError(f"{network.name}: expects sequences of at least 1 step, got none")
    _check_fits(network.name, rows, weights[0], [*params, *(states or ())])
    sizes = (weights[0][1].data.shape[1], weights[0][1].data.shape[0] // 4)[:count]
    shapes = [(len(weights), batch_sizes[0], size) for size in sizes]
    states = _checked_states(network.name, rows, states, shapes)
    steps = [steps_of(batch_sizes, is_reversed) for is_reversed in (False, True)[:directions]]
    finals = []
    for number in range(network.num_layers):
        if number and network.dropout:
            rows = drop(rows, network.dropout, network.train)
        outputs = []
        for direction in range(directions):
            place = number * directions + direction
            own = [state[place] for state in states] + [None] * (2 - count)
            output, *final = layer.apply(steps[direction], rows, *own, *weights[place])
            outputs.append(output)
            finals.append(final)
        rows = outputs[0] if directions == 1 else Cat.apply(-1, *outputs)
    return rows, [Stack.apply(0, *parts) for parts in zip(*finals, strict=True)]


def run_padded(
    network: Network, input: Any, states: Tensors | None, params: Tensors, batch_first: bool
) -> tuple[Any, list[Any]]:
    """As ``run``, of sequences of one length: (T, N, I), or (N, T, I) if ``batch_first``."""
    check_tensors(network.name, input)
    if input.data.ndim != 3:
        wanted = "(N, T, I)" if batch_first else "(T, N, I)"
        raise ShapeError(f"{network.name}: expects {wanted}, got an input of {input.data.shape}")
    in_time = input.transpose(0, 1) if batch_first else input
    steps, batch, _ = in_time.data.shape
    output, finals = run(network, in_time, [batch] * steps, states, params)
    return output.transpose(0, 1) if batch_first else output, finals


def run_cell(network: Network, input: Any, states: Tensors | None, params: Tensors) -> list[Any]:
    """Return the states (N, size) after one step of input (N, I) from ``states``, or zeros."""
    layer, count = _LAYERS[network.mode]
    check_tensors(network.name, input)
    if input.data.ndim != 2:
        raise ShapeError(f"{network.name}: expects (N, I), got an input of {input.data.shape}")
    (weights,) = _by_layer(network, params, 1)
    _check_fits(network.name, input, weights, [*params, *(states or ())])
    batch, size = input.data.shape[0], weights[1].data.shape[1]
    states = _checked_states(network.name, input, states, [(batch, size)] * count)
    own = [*states, *[None] * (2 - count)]
    _, *finals = layer.apply(steps_of([batch]), input, *own, *weights)
    return finals


# ------------------------------------------------------------------------------ what must fit


def _by_layer(network: Network, params: Tensors, count: int) -> list[list[Any]]:
    """Return w_ih, w_hh, b_ih, b_hh, w_hr of each layer and direction, None for what is not there.

    Raises:
        ShapeError: another number of weights, or shapes that do not fit those before.
    """
    each = len(params) // count
    without = 4 if network.has_biases else 2
    if len(params) != each * count or each - without not in (0, network.mode == "LSTM"):
        raise ShapeError(
            f"{network.name}: {len(params)} weights for {count} layer(s) and direction(s); each "
            f"has {without}"
        )
    weights = []
    for start in range(0, len(params), each):
        own = list(params[start : start + each])
        if not network.has_biases:
            own[2:2] = [None, None]
        weights.append([*own, None][:5])
        _check_weights(network, weights[-1])
    return weights


def _check_weights(network: Network, weights: list[Any]) -> None:
    gates = len(_LAYERS[network.mode][0].from_input)
    w_ih, w_hh, *_, w_hr = weights
    check_tensors(network.name, *[weight for weight in weights if weight is not None])
    rows, size = len(w_hh.data), w_hh.data.shape[-1]
    hidden = size if w_hr is None else w_hr.data.shape[-1]
    wanted = [(rows, w_ih.data.shape[-1]), (gates * hidden, size), (rows,), (rows,), (size, hidden)]
    for name, weight, shape in zip(
        ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr"), weights, wanted, strict=True
    ):
        if weight is not None and weight.data.shape != shape:
            raise ShapeError(
                f"{network.name}: {name} has shape {weight.data.shape}, expected {shape}"
            )


def _check_fits(name: str, input: Any, weights: list[Any], others: Tensors) -> None:
    """Raise unless the input has the features that the first layer takes, and one dtype with it."""
    shape, expected = input.data.shape, weights[0].data.shape[1]
    if shape[-1] != expected:
        raise ShapeError(
            f"{name}: input_size is {expected}, but the input has {shape[-1]} features"
        )
    check_tensors(name, *others)
    for other in others:
        if other.data.dtype != input.data.dtype:
            raise MixedDtypeError(
                f"{name}: the input is {input.data.dtype}, a weight or state {other.data.dtype}; "
                "convert one, as with input.astype(dtype) or model.to(dtype)"
            )
    float_data(name, input)


def _checked_states(
    name: str, input: Any, states: Tensors | None, shapes: Sequence[tuple[int, ...]]
) -> Tensors:
    """Return the states, zeros for None; raise ShapeError unless they have these shapes."""
    if states is None:
        return [input.new(np.zeros(shape, input.data.dtype)) for shape in shapes]
    if len(states) != len(shapes):
        raise TypeError(f"{name}: hx must be {len(shapes)} state(s), got {len(states)}")
    for number, (state, shape) in enumerate(zip(states, shapes, strict=True)):
        if state.data.shape != shape:
            own = "hx" if len(shapes) == 1 else f"hx[{number}]"
            meant = "(layers * directions, batch, size)" if len(shape) == 3 else "(batch, size)"
            raise ShapeError(f"{name}: {own} must be {shape}, {meant}, got {state.data.shape}")
    return states


# ------------------------------------------------------------------------------ the functions


def _register_network(name: str, mode: str) -> None:
    def network(
        input: Any, hx: Any, params: Tensors, has_biases: bool, num_layers: int,
        dropout: float, train: bool, bidirectional: bool, batch_first: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        own = Network(name, mode, has_biases, num_layers, dropout, train, bidirectional)
        output, finals = run_padded(own, input, _states_of(own, hx), params, batch_first)
        return output, *finals

    network.__doc__ = f"Return the output and the final state(s) of nn.{mode[:4].rstrip('_')}"
    network.__doc__ += f", given its weights (torch.{name})."
    operation(name=name, method=False)(network)


def _register_cell(name: str, mode: str) -> None:
    def cell(input: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
        own = Network(name, mode, b_ih is not None)
        params = [w_ih, w_hh] if b_ih is None else [w_ih, w_hh, b_ih, b_hh]
        finals = run_cell(own, input, _states_of(own, hx), params)
        return tuple(finals) if mode == "LSTM" else finals[0]

    cell.__doc__ = f"Return the state(s) after one step of nn.{name}, given its weights."
    operation(name=name, method=False)(cell)


def _states_of(network: Network, hx: Any) -> Tensors:
    """Return ``hx`` as the states of a layer: an LSTM has two, the others one."""
    if network.mode != "LSTM":
        return (hx,)
    if not isinstance(hx, (tuple, list)):
        raise TypeError(f"{network.name}: hx must be (h, c), two Tensors, not {type(hx).__name__}")
    return hx


for _mode in _LAYERS:
    _register_network(_mode.lower(), _mode)
    _register_cell(f"{_mode.lower()}_cell", _mode)
