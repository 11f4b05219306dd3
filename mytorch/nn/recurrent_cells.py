"""Single steps of recurrent networks: ``RNNCell``, ``LSTMCell`` and ``GRUCell``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.errors import ShapeError
from mytorch.nn.init import uniform_
from mytorch.nn.module import Module
from mytorch.nn.parameter import Parameter, parameter_dtype
from mytorch.ops.common import check_tensors, count_argument
from mytorch.ops.rnn import Network, run_cell
from mytorch.tensor import Tensor

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """What the cells share.

    Args:
        input_size, hidden_size: I and H, the sizes of the last axis of the input and of a state.
        bias: whether there are biases; num_chunks: the number of gates.
        device: the CPU; dtype: of the parameters, by default the default dtype.
    Attributes:
        weight_ih (Tensor): (gates * H, I); weight_hh: (gates * H, H); bias_ih, bias_hh: (gates *
            H,) or None. All are drawn from U(-1/sqrt(H), 1/sqrt(H)).
    Source: torch.nn.RNNCellBase.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        name = type(self).__name__
        self.input_size = count_argument(name, "input_size", input_size)
        self.hidden_size = count_argument(name, "hidden_size", hidden_size)
        self.bias = bias
        rows, wanted = num_chunks * hidden_size, parameter_dtype(name, dtype, device)
        self.weight_ih = Parameter(np.empty((rows, input_size), wanted))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), wanted))
        self.bias_ih = Parameter(np.empty(rows, wanted)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, wanted)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from U(-1/sqrt(H), 1/sqrt(H)), in their order."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            uniform_(parameter, -bound, bound)

    def _step(self, mode: str, input: Tensor, states: tuple[Tensor, ...] | None) -> Any:
        """Return the states after one step, of (N, I), or of (I,) without the axis N."""
        network = Network(type(self).__name__, mode, self.bias)
        check_tensors(network.name, input, *(states or ()))
        params = [self.weight_ih, self.weight_hh]
        if self.bias_ih is not None and self.bias_hh is not None:
            params += [self.bias_ih, self.bias_hh]
        if input.ndim != 1:
            return run_cell(network, input, states, params)
        for state in states or ():
            if state.ndim != 1:
                raise ShapeError(
                    f"{network.name}: an input {input.shape} without a batch needs states "
                    f"({self.hidden_size},), got {state.shape}"
                )
        started = None if states is None else tuple(state.unsqueeze(0) for state in states)
        return [
            state.squeeze(0) for state in run_cell(network, input.unsqueeze(0), started, params)
        ]

    def extra_repr(self) -> str:
        """Return the sizes, and what is not as by default."""
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if not self.bias:
            parts.append(f"bias={self.bias}")
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            parts.append(f"nonlinearity={self.nonlinearity}")
        return ", ".join(parts)


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(., 0) if ``nonlinearity`` is "relu".

    Args: as of ``RNNCellBase``. Source: torch.nn.RNNCell.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state (N, H) after input (N, I) and the state hx (N, H), zeros by default.

        The axis N may be missing in both.
        Raises:
            ShapeError: sizes that do not fit; MixedDtypeError: dtypes that differ.
        """
        mode = f"RNN_{self.nonlinearity.upper()}"
        return self._step(mode, input, None if hx is None else (hx,))[0]


class GRUCell(RNNCellBase):
    """h' = (1 - z) * n + z * h; r, z and n as in ``GRU``.

    Args: as of ``RNNCellBase``. Source: torch.nn.GRUCell.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state after one step; arguments and errors as of ``RNNCell``."""
        return self._step("GRU", input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """c' = f * c + i * g, h' = o * tanh(c'); i, f, g and o as in ``LSTM``.

    Args: as of ``RNNCellBase``. Source: torch.nn.LSTMCell.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (h, c) after one step from hx = (h, c); arguments and errors as of ``RNNCell``."""
        if hx is not None and not (isinstance(hx, (tuple, list)) and len(hx) == 2):
            raise TypeError("LSTMCell: hx must be a pair of Tensors, (h, c)")
        h, c = self._step("LSTM", input, None if hx is None else tuple(hx))
        return h, c
