"""Special functions: the functions of ``torch.special``; the operations are in ``mytorch/ops/``."""

from mytorch.ops.registry import SPACES

__all__ = list(SPACES["special"])

globals().update(SPACES["special"])
