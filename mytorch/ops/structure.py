"""Parts of matrices, by their masks: of arrays or of Tensors, as rules need them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.ops.pointwise import masked

__all__ = ["diagonal", "gaps", "off_diagonal", "skew", "triangle"]


def triangle(n: int, upper: bool = False, strict: bool = False) -> np.ndarray:
    """Return the mask of a triangle of an n by n matrix, with its diagonal unless ``strict``."""
    lower = np.tri(n, k=-1 if strict else 0, dtype=bool)
    return lower.T if upper else lower


def skew(x: Any) -> Any:
    """Return x - xᵀ."""
    return x - x.mT


def gaps(values: Any) -> Any:
    """Return v[j] - v[i] at (i, j), and 1 on the diagonal, to divide by."""
    n = values.shape[-1]
    return values[..., None, :] - values[..., :, None] + np.eye(n, dtype=values.dtype)


def off_diagonal(x: Any) -> Any:
    """Return x with a diagonal of 0."""
    return masked(x, ~np.eye(x.shape[-1], dtype=bool))


def diagonal(x: Any) -> Any:
    """Return the diagonal of x."""
    return (x * np.eye(x.shape[-1], dtype=x.dtype)).sum(-1)
