"""Linear algebra: the functions of ``torch.linalg``; the operations are in ``mytorch/ops/``."""

from typing import Any

from mytorch.errors import LinAlgError
from mytorch.ops.registry import SPACES

__all__ = ["LinAlgError", *SPACES["linalg"]]

globals().update(SPACES["linalg"])


_SYMMETRIC = {"eig": "eigh", "eigvals": "eigvalsh"}


def __getattr__(name: str) -> Any:
    if name in _SYMMETRIC:
        raise AttributeError(
            f"mytorch.linalg.{name}: the eigenvalues of a matrix that is not symmetric are complex "
            f"numbers, which tensors are not made for; of a symmetric one: "
            f"linalg.{_SYMMETRIC[name]}"
        )
    raise AttributeError(f"module 'mytorch.linalg' has no attribute {name!r}")
