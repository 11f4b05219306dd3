"""Lengths of vectors and how near two of them are (torch.nn.functional)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mytorch.ops.common import check_broadcast, check_tensors, float_data, normalize_axes
from mytorch.ops.losses import at_least
from mytorch.ops.pointwise import masked, where
from mytorch.ops.registry import operation

__all__ = ["norm"]


def norm(x: Any, p: float, dim: int, keepdim: bool) -> Any:
    """Return (sum |x|**p) ** (1/p) along ``dim``, with gradient 0 where it is 0."""
    if p == math.inf:
        return x.abs().amax(dim, keepdim)
    if p == 0:
        return x.new((x.data != 0).sum(dim, keepdims=keepdim, dtype=x.dtype))
    total = (x * x if p == 2 else x.abs() ** p).sum(dim, keepdim)
    zero = total.data == 0
    return masked(where(total.new(zero), 1, total) ** (1 / p), ~zero)


@operation("functional")
def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Return x / max(|x|_p, eps), the vectors along ``dim`` scaled to length 1.

    Args:
        p: of the norm; eps: what a shorter vector is divided by.
    Source: torch.nn.functional.normalize.
    """
    float_data("normalize", input)
    return input / norm(input, p, dim, True).clamp_min(eps)


@operation(space=("mytorch", "functional"), method=False)
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """Return x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim``: the cosine of their angle.

    Args:
        x1, x2 (Tensor): floats that broadcast; ``dim`` is an axis of their common shape.
    Source: torch.nn.functional.cosine_similarity.
    """
    check_tensors("cosine_similarity", x1, x2)
    check_broadcast("cosine_similarity", x1.data.shape, x2.data.shape)
    shape = np.broadcast_shapes(x1.data.shape, x2.data.shape)
    normalize_axes(dim, len(shape))
    if x1.data.dtype.kind not in "fc":
        float_data("cosine_similarity", x2)
    units = []
    for x in (x1, x2):
        x = x if x.data.shape == shape else x.expand(shape)
        units.append(x / at_least(norm(x, 2, dim, True), eps))
    return (units[0] * units[1]).sum(dim)


@operation(space=("mytorch", "functional"), method=False)
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """Return |x1 - x2 + eps|_p along the last axis (torch.nn.functional.pairwise_distance).

    Args:
        x1, x2 (Tensor): (N, D) or (D,), floats that broadcast; p: of the norm.
    """
    check_tensors("pairwise_distance", x1, x2)
    check_broadcast("pairwise_distance", x1.data.shape, x2.data.shape)
    return norm(x1 - x2 + eps, p, -1, keepdim)
