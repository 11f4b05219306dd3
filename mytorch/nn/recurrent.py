"""Recurrent networks: ``RNN``, ``LSTM`` and ``GRU`` as torch has them.

Those of homework 3 are in ``mytorch/nn/rnn.py`` and ``gru.py``.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.nn.init import uniform_
from mytorch.nn.module import Module
from mytorch.nn.parameter import Parameter, parameter_dtype
from mytorch.nn.utils.rnn import PackedSequence
from mytorch.ops.common import check_tensors
from mytorch.ops.rnn import Network, run, run_padded
from mytorch.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
States = tuple[Tensor, ...]


class RNNBase(Module):
    """What RNN, LSTM and GRU share: layers and directions, kinds of input, initial states.

    Args:
        mode: "RNN_TANH", "RNN_RELU", "LSTM" or "GRU".
        input_size, hidden_size: I and H, the sizes of the last axis of the input and of a state.
        num_layers: L; each layer after the first takes what the one before gives.
        bias: whether there are biases.
        batch_first: padded sequences are (N, T, I) instead of (T, N, I), input and output.
        dropout: probability of dropout between layers, in training.
        bidirectional: a second network of each layer runs from the end to the start; both outputs
            stand side by side.
        proj_size: of an LSTM, if not 0: R, the size of what a projection makes of each state h.
        device: the CPU; dtype: of the parameters, by default the default dtype.
    Attributes:
        weight_ih_l0 (Tensor): (gates * H, I), in deeper layers I is D * H or D * R for D
            directions; weight_hh_l0: (gates * H, H) or (gates * H, R); bias_ih_l0, bias_hh_l0:
            (gates * H,); weight_hr_l0: (R, H). ``_l1`` and so on for the other layers,
            ``_l0_reverse`` for the second direction. All are drawn from U(-1/sqrt(H), 1/sqrt(H)).
    Raises:
        ValueError: a size that is not positive, dropout outside [0, 1], proj_size outside [0, H)
            or of another network than an LSTM; TypeError: sizes that are no integers.
    Source: torch.nn.RNNBase.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        self._check(mode, input_size, hidden_size, num_layers, bias, dropout, proj_size)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._names: list[list[str]] = []  # of the weights, by layer and direction
        wanted = parameter_dtype(type(self).__name__, dtype, device)
        directions = ("", "_reverse") if bidirectional else ("",)
        for number in range(num_layers):
            for direction in directions:
                shapes = self._shapes(number, len(directions))
                self._names.append([f"{name}_l{number}{direction}" for name in shapes])
                for name, shape in zip(self._names[-1], shapes.values(), strict=True):
                    setattr(self, name, Parameter(np.empty(shape, wanted)))
        self.reset_parameters()

    def _check(
        self, mode: str, input_size: Any, hidden_size: Any, num_layers: Any, bias: Any,
        dropout: Any, proj_size: Any,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if mode not in _GATES:
            raise ValueError(f"{name}: the mode is one of {', '.join(_GATES)}, not {mode!r}")
        if not isinstance(bias, bool):
            raise TypeError(f"{name}: bias must be True or False, not {bias!r}")
        counts = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for key, value in {**counts, "proj_size": proj_size}.items():
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"{name}: {key} must be an integer, not {value!r}")
            if value < (key in counts):
                raise ValueError(
                    f"{name}: {key} must be at least {int(key in counts)}, not {value}"
                )
        if isinstance(dropout, bool) or not 0 <= float(dropout) <= 1:
            raise ValueError(f"{name}: dropout must be a number in [0, 1], not {dropout!r}")
        if proj_size and mode != "LSTM":
            raise ValueError(f"{name}: only an LSTM has projections, proj_size must be 0")
        if proj_size >= hidden_size:
            raise ValueError(f"{name}: proj_size must be below {hidden_size}, got {proj_size}")
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} does nothing in a single layer: it is between layers",
                UserWarning,
                stacklevel=4,
            )

    def _shapes(self, number: int, directions: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights of a layer, by the first part of their names."""
        rows, size = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        features = size * directions if number else self.input_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, features),
            "weight_hh": (rows, size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (size, self.hidden_size)
        return shapes

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-1/sqrt(H), 1/sqrt(H)), in their order."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Do nothing: in torch this arranges the weights for a GPU."""

    def _run(self, input: Any, states: States | None) -> tuple[Any, States]:
        """Return the output and the final states of ``input`` of any kind."""
        network = Network(
            type(self).__name__, self.mode, self.bias, self.num_layers, self.dropout, self.is_train,
            self.bidirectional,
        )  # fmt: skip
        weights = [weight for layer in self.all_weights for weight in layer]
        if isinstance(input, PackedSequence):
            sizes = input.batch_sizes.tolist()
            started = _permuted(states, input.sorted_indices)
            rows, finals = run(network, input.data, sizes, started, weights)
            return input._replace(data=rows), _permuted(tuple(finals), input.unsorted_indices)
        check_tensors(network.name, input)
        if input.ndim != 2:
            output, finals = run_padded(network, input, states, weights, self.batch_first)
            return output, tuple(finals)
        for state in states or ():
            if state.ndim != 2:
                raise ShapeError(
                    f"{network.name}: an input {input.shape} without a batch needs states without "
                    f"one: (layers * directions, size), got {state.shape}"
                )
        started = None if states is None else tuple(state.unsqueeze(1) for state in states)
        axis = 0 if self.batch_first else 1
        output, finals = run_padded(
            network, input.unsqueeze(axis), started, weights, self.batch_first
        )
        return output.squeeze(axis), tuple(final.squeeze(1) for final in finals)

    def extra_repr(self) -> str:
        """Return the sizes, and what is not as by default."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        defaults = {
            "proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False,
            "dropout": 0.0, "bidirectional": False,
        }  # fmt: skip
        for name, default in defaults.items():
            if getattr(self, name) != default:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


def _permuted(states: Any, order: Tensor | None) -> Any:
    """Return the states with their sequences in this order; those of another number as they are."""
    if states is None or order is None:
        return states
    count = len(order)
    return tuple(
        state[:, order] if isinstance(state, Tensor) and state.shape[1:2] == (count,) else state
        for state in states  # ``run`` refuses what does not fit
    )


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), for each layer and direction.

    Args:
        nonlinearity: "tanh", or "relu" for max(., 0) instead.
        input_size, …: as of ``RNNBase``.
    Source: Elman 1990, doi:10.1207/s15516709cog1402_1; torch.nn.RNN.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(
            f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype,
        )  # fmt: skip
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return the states of the last layer at all steps, and those of all layers at the end.

        Args:
            input: (T, N, I), or (N, T, I) if ``batch_first``; (T, I) of one sequence; or packed.
            hx (Tensor | None): (L * D, N, H) at the start, zeros by default; (L * D, H) for (T, I).
        Returns:
            (T, N, D * H), or of the form of the input; (L * D, N, H): layer after layer, of each
            the direction forwards and the reverse one.
        Raises:
            ShapeError: sizes that do not fit, no step; MixedDtypeError: dtypes that differ.
        """
        output, (state,) = self._run(input, None if hx is None else (hx,))
        return output, state


class GRU(RNNBase):
    """h_t = (1 - z_t) * n_t + z_t * h_(t-1), for each layer and direction, with

    r_t, z_t = sigmoid(W_ir x_t + b_ir + W_hr h_(t-1) + b_hr), with W_iz, … for z_t, and
    n_t = tanh(W_in x_t + b_in + r_t * (W_hn h_(t-1) + b_hn)). The weights have r, z, n in this
    order.

    Args, and those of ``forward`` and its results: as of ``RNN``, without ``nonlinearity``.
    Source: Cho et al. 2014, arXiv:1406.1078; torch.nn.GRU.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            0, device, dtype,
        )  # fmt: skip

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        """Return what ``RNN`` returns, of the same arguments and with the same errors."""
        output, (state,) = self._run(input, None if hx is None else (hx,))
        return output, state


class LSTM(RNNBase):
    """c_t = f_t * c_(t-1) + i_t * g_t, h_t = o_t * tanh(c_t), for each layer and direction, with

    i_t, f_t, o_t = sigmoid(W_ii x_t + b_ii + W_hi h_(t-1) + b_hi), and so on, and
    g_t = tanh(W_ig x_t + b_ig + W_hg h_(t-1) + b_hg). The weights have i, f, g, o in this order.
    With ``proj_size``, h_t is W_hr times that.

    Args: as of ``RNNBase``.
    Source: Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735; Sak et al. 2014,
    arXiv:1402.1128, for projections; torch.nn.LSTM.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            "LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            proj_size, device, dtype,
        )  # fmt: skip

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Return the states h of the last layer at all steps, and (h, c) of all layers at the end.

        Args:
            input: as of ``RNN``.
            hx: (h, c) at the start, zeros by default: (L * D, N, R or H) and (L * D, N, H).
        Raises:
            as of ``RNN``; TypeError: hx is no pair.
        """
        if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError("LSTM: hx must be a pair of Tensors, (h, c)")
        output, (state, cell) = self._run(input, None if hx is None else tuple(hx))
        return output, (state, cell)
