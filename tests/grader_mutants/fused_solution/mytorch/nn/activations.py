"""Activations."""

from mytorch.nn import functional
from mytorch.nn.module import Module


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x):
        """Return max(x, 0)."""
        return functional.ReLU.apply(x)
