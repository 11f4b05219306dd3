"""Losses."""

import mytorch.nn.functional as F
from mytorch.nn.module import Module


class Loss(Module):
    """The parent of losses."""


class CrossEntropyLoss(Loss):
    """Mean cross-entropy."""

    def forward(self, predicted, target):
        """Return the loss of logits (N, C) against labels (N,)."""
        return F.cross_entropy(predicted, target)
