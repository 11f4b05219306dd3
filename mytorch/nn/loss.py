"""Losses as modules."""

from __future__ import annotations

from typing import Any

import mytorch.nn.functional as F
from mytorch.nn.module import Module
from mytorch.tensor import Tensor

__all__ = ["CrossEntropyLoss", "Loss", "MSELoss"]


class Loss(Module):
    """Base class of losses: ``loss(input, target)`` gives a Tensor of shape ()."""


class CrossEntropyLoss(Loss):
    """L = -(1/N) sum_i log softmax(z_i)[t_i] (torch.nn.CrossEntropyLoss; handout appendix B)."""

    def forward(self, logits: Tensor, target: Any) -> Tensor:
        """Return the loss, shape (), of logits (N, C) against integer labels (N,)."""
        return F.cross_entropy(logits, target)


class MSELoss(Loss):
    """L = mean of (x - target)**2 (torch.nn.MSELoss)."""

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the loss, shape (), of x against a target of the same shape."""
        return F.mse_loss(x, target)
