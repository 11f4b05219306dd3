"""Layers that only change the shape."""

from __future__ import annotations

import operator
from typing import Any

from mytorch.nn.function_module import FunctionModule
from mytorch.ops.registry import SPACES

__all__ = ["Flatten", "Unflatten"]


class Flatten(FunctionModule, function=SPACES["mytorch"]["flatten"]):
    """Make the axes ``start_dim`` to ``end_dim`` one; by default all but the batch's.

    Source: torch.nn.Flatten, and homework 2, which has it in ``conv.py``.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__(start_dim=start_dim, end_dim=end_dim)


class Unflatten(FunctionModule, function=SPACES["mytorch"]["unflatten"]):
    """Make the axis ``dim`` several, of the sizes ``unflattened_size``, of which one may be -1.

    Raises:
        TypeError: the sizes are no tuple or list of integers.
    Source: torch.nn.Unflatten.
    """

    def __init__(self, dim: int, unflattened_size: Any):
        if not isinstance(unflattened_size, (tuple, list)):
            kind = type(unflattened_size).__name__
            raise TypeError(f"Unflatten: unflattened_size must be a tuple of integers, not {kind}")
        for size in unflattened_size:
            operator.index(size)
        super().__init__(dim=dim, unflattened_size=unflattened_size)

    def forward(self, input: Any) -> Any:
        """Return the same elements in the new shape."""
        return self.function(input, self.dim, self.unflattened_size)
