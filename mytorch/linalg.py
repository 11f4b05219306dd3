"""Linear algebra: the functions of ``torch.linalg``; the operations are in ``mytorch/ops/``."""

from mytorch.ops.registry import SPACES

__all__ = list(SPACES["linalg"])

globals().update(SPACES["linalg"])
