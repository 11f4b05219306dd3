"""Dropout."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.nn.module import Module
from mytorch.tensor import Tensor

__all__ = ["Dropout"]


class Dropout(Module):
    """Training: zero each element with probability ``p``, scale the others by 1/(1-p).

    Evaluation: the identity. The mask is ``np.random.binomial(1, 1-p, shape)`` of NumPy's global
    generator. Source: torch.nn.Dropout; Srivastava et al. 2014, JMLR 15.
    """

    def __init__(self, p: float = 0.5):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p must be in [0, 1], got {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Return x with elements dropped, of x's shape."""
        return F.dropout(x, self.p, self.is_train)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"
