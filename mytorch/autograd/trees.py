"""Nested tuples, lists and dicts of tensors, flattened and put together again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["flatten", "is_value", "map_leaves"]


def is_value(leaf: Any) -> bool:
    """Whether a leaf can be differentiated: a Tensor, an array or a number."""
    return isinstance(leaf, (Tensor, np.ndarray, np.generic, int, float)) and not isinstance(
        leaf, bool
    )


def flatten(tree: Any) -> list[Any]:
    """Return the leaves of ``tree`` in order; what is no tuple, list or dict is a leaf."""
    leaves: list[Any] = []
    map_leaves(leaves.append, tree)
    return leaves


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return ``tree`` with ``function(leaf, *leaves of the others)`` in each leaf's place.

    Raises:
        ValueError: the other trees have another structure.
    """
    if isinstance(tree, (tuple, list)):
        for other in others:
            if not isinstance(other, (tuple, list)) or len(other) != len(tree):
                raise ValueError(f"structures differ: {_shape(tree)} and {_shape(other)}")
        parts = [map_leaves(function, *branches) for branches in zip(tree, *others, strict=True)]
        if hasattr(tree, "_fields"):  # a named tuple
            return type(tree)(*parts)
        return type(tree)(parts)
    if isinstance(tree, dict):
        for other in others:
            if not isinstance(other, dict) or other.keys() != tree.keys():
                raise ValueError(f"structures differ: {_shape(tree)} and {_shape(other)}")
        return {
            key: map_leaves(function, branch, *(other[key] for other in others))
            for key, branch in tree.items()
        }
    return function(tree, *others)


def _shape(tree: Any) -> str:
    if isinstance(tree, dict):
        return f"a dict with keys {list(tree)}"
    if isinstance(tree, (tuple, list)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"a {type(tree).__name__}"
