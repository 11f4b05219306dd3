"""The gated recurrent network of homework 3; torch's is in ``mytorch/nn/recurrent.py``."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.nn.module import Module
from mytorch.nn.parameter import Parameter
from mytorch.nn.rnn import TimeIterator, initial_state
from mytorch.tensor import Tensor

__all__ = ["GRU", "GRUUnit"]


class GRUUnit(Module):
    """One step: h' = (1 - z) * n + z * h, with

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z likewise, and
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn)).

    Args:
        input_size, hidden_size: I and H; nonlinearity: must be "tanh".
    Attributes:
        weight_ir, weight_iz, weight_in (Tensor): (H, I); weight_hr, weight_hz, weight_hn: (H, H),
            all drawn from N(0, 1) by NumPy's global generator; bias_ir, …, bias_hn: (H,), zeros.
    Source: homework 3; torch.nn.GRUCell, which has the three in one matrix.
    """

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh"):
        super().__init__()
        if nonlinearity != "tanh":
            raise ValueError(f"GRUUnit: nonlinearity must be 'tanh', not {nonlinearity!r}")
        self.hidden_size = hidden_size
        for source, size in (("i", input_size), ("h", hidden_size)):
            for gate in "rzn":
                weight = Parameter(Tensor.randn(hidden_size, size))
                self.register_parameter(f"weight_{source}{gate}", weight)
                bias = Parameter(Tensor.zeros(hidden_size))
                self.register_parameter(f"bias_{source}{gate}", bias)

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return the state (B, H) after the input x (B, I) and the state ``hidden`` (B, H).

        None is a state of zeros, which goes through the weights as any other.
        """
        h = initial_state(x, self.hidden_size) if hidden is None else hidden
        r = F.sigmoid(self._from_input(x, "r") + self._from_state(h, "r"))
        z = F.sigmoid(self._from_input(x, "z") + self._from_state(h, "z"))
        n = F.tanh(self._from_input(x, "n") + r * self._from_state(h, "n"))
        return (1 - z) * n + z * h

    def _from_input(self, x: Tensor, gate: str) -> Tensor:
        return F.linear(x, getattr(self, f"weight_i{gate}"), getattr(self, f"bias_i{gate}"))

    def _from_state(self, h: Tensor, gate: str) -> Tensor:
        return F.linear(h, getattr(self, f"weight_h{gate}"), getattr(self, f"bias_h{gate}"))


class GRU(TimeIterator):
    """A layer of GRUUnits."""

    def __init__(self, input_size: int, hidden_size: int, nonlinearity: str = "tanh"):
        super().__init__(GRUUnit, input_size, hidden_size, nonlinearity)
