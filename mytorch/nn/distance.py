"""How near two batches of vectors are, as modules."""

from __future__ import annotations

import mytorch.nn.functional as F
from mytorch.nn.function_module import FunctionModule

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class CosineSimilarity(FunctionModule, function=F.cosine_similarity):
    """y = x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along ``dim`` (torch.nn.CosineSimilarity)."""

    def __init__(self, dim: int = 1, eps: float = 1e-8):
        super().__init__(dim=dim, eps=eps)

    def extra_repr(self) -> str:
        """Return nothing, as torch's."""
        return ""


class PairwiseDistance(FunctionModule, function=F.pairwise_distance):
    """y = |x1 - x2 + eps|_p along the last axis (torch.nn.PairwiseDistance)."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False):
        super().__init__(p=p, eps=eps, keepdim=keepdim)

    def extra_repr(self) -> str:
        """Return nothing, as torch's."""
        return ""
