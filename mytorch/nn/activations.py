"""Activation functions as modules (torch.nn.ReLU, Sigmoid, Tanh)."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.nn.module import Module
from mytorch.tensor import Tensor

__all__ = ["ReLU", "Sigmoid", "Tanh"]


class ReLU(Module):
    """y = max(x, 0), with gradient 0 at 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(x), of x's shape."""
        return F.relu(x)


class Sigmoid(Module):
    """y = 1 / (1 + e**-x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return sigmoid(x), of x's shape."""
        return F.sigmoid(x)


class Tanh(Module):
    """y = tanh(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x), of x's shape."""
        return F.tanh(x)
