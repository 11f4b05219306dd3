"""The recurrent network of homework 3: one layer, of sequences packed by ``mytorch.nn.util``.

torch's ``RNN``, with layers, directions and all speed, is in ``mytorch/nn/recurrent.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.nn.module import Module
from mytorch.nn.parameter import Parameter
from mytorch.nn.util import PackedSequence
from mytorch.tensor import Tensor, cat

__all__ = ["RNN", "RNNUnit", "TimeIterator"]


class RNNUnit(Module):
    """One step: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Args:
        input_size, hidden_size: I and H; nonlinearity: "tanh", or "relu" in its place.
    Attributes:
        weight_ih (Tensor): (H, I); weight_hh: (H, H), both drawn from N(0, 1) by NumPy's global
            generator; bias_ih, bias_hh: (H,), zeros.
    Source: homework 3; torch.nn.RNNCell, whose initial values are others.
    """

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh"):
        super().__init__()
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNUnit: nonlinearity is 'tanh' or 'relu', not {nonlinearity!r}")
        self.hidden_size = hidden_size
        self.nonlinearity = nonlinearity
        self.weight_ih = Parameter(Tensor.randn(hidden_size, input_size))
        self.bias_ih = Parameter(Tensor.zeros(hidden_size))
        self.weight_hh = Parameter(Tensor.randn(hidden_size, hidden_size))
        self.bias_hh = Parameter(Tensor.zeros(hidden_size))

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return the state (B, H) after the input x (B, I) and the state ``hidden`` (B, H).

        None is a state of zeros, which goes through weight_hh as any other.
        """
        if hidden is None:
            hidden = initial_state(x, self.hidden_size)
        total = F.linear(x, self.weight_ih, self.bias_ih)
        total = total + F.linear(hidden, self.weight_hh, self.bias_hh)
        return F.tanh(total) if self.nonlinearity == "tanh" else F.relu(total)


def initial_state(x: Tensor, hidden_size: int) -> Tensor:
    """Return zeros, a state for each row of x."""
    return x.new(np.zeros((x.shape[0], hidden_size), x.dtype))


class TimeIterator(Module):
    """A layer that goes through time: ``basic_unit`` at each step of packed sequences.

    Args:
        basic_unit: a class of modules, made by basic_unit(input_size, hidden_size, nonlinearity)
            and called as unit(x, hidden); RNNUnit or GRUUnit.
    Attributes:
        unit (Module): the one that it made.
    Source: homework 3.
    """

    def __init__(
        self, basic_unit: Any, input_size: int, hidden_size: int, nonlinearity: str = "tanh"
    ):
        super().__init__()
        self.unit = basic_unit(input_size, hidden_size, nonlinearity)

    def forward(
        self, input: PackedSequence, hidden: Tensor | None = None
    ) -> tuple[PackedSequence, Tensor]:
        """Return the states of all steps, packed alike, and each sequence's state at its end.

        Args:
            input: of B sequences; hidden (Tensor | None): (B, H), the states at the start.
        Returns:
            PackedSequence: data (sum of lengths, H); Tensor: (B, H). Rows of states, also of
            ``hidden``, are in sorted order: the longest sequence first.
        """
        data, order, sizes = input.data, input.sorted_indices, input.batch_sizes
        steps, ended = [], []  # the states of each step, and of the sequences that end there
        for x in data.split([int(size) for size in sizes]):
            if hidden is not None and len(hidden) > len(x):
                ended.append(hidden[len(x) :])
                hidden = hidden[: len(x)]
            hidden = self.unit(x, hidden)
            steps.append(hidden)
        return PackedSequence(cat(steps), order, sizes), cat([steps[-1], *ended[::-1]])


class RNN(TimeIterator):
    """A layer of RNNUnits."""

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh"):
        super().__init__(RNNUnit, input_size, hidden_size, nonlinearity)
