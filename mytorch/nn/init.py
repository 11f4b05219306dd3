"""How parameters start: in-place draws, by NumPy's global generator (torch.nn.init)."""

from __future__ import annotations

import math

import numpy as np

from mytorch.errors import ArgumentError
from mytorch.tensor import Tensor

__all__ = ["xavier_normal_", "xavier_uniform_"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Fill ``tensor`` from U(-b, b), b = gain * sqrt(6 / (fan_in + fan_out)), and return it.

    Source: Glorot and Bengio 2010, AISTATS; torch.nn.init.xavier_uniform_.
    """
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    return _filled(tensor, np.random.uniform(-bound, bound, tensor.data.shape))


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Fill ``tensor`` from N(0, s**2), s = gain * sqrt(2 / (fan_in + fan_out)), and return it.

    Source: Glorot and Bengio 2010, AISTATS; torch.nn.init.xavier_normal_.
    """
    std = gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor)))
    return _filled(tensor, np.random.normal(0, std, tensor.data.shape))


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs an output has, and how many outputs an input: of (out, in, …)."""
    shape = tensor.data.shape
    if len(shape) < 2:
        raise ArgumentError(f"{name}: expects at least 2 axes, (out, in, …), got {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _filled(tensor: Tensor, values: np.ndarray) -> Tensor:
    tensor.data[...] = values
    tensor.mark_changed()
    return tensor
