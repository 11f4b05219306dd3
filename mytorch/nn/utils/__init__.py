"""Helpers for layers and their parameters (torch.nn.utils)."""

from mytorch.nn.utils import rnn

__all__ = ["rnn"]
