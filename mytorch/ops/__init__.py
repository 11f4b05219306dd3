"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    diagonals,
    einsum,
    elementary,
    flips,
    gather,
    index,
    joining,
    linalg,
    masks,
    memory,
    places,
    pointwise,
    reduce,
    repeating,
    shape,
    softmax,
    splitting,
)

__all__ = [
    "diagonals",
    "einsum",
    "elementary",
    "flips",
    "gather",
    "index",
    "joining",
    "linalg",
    "masks",
    "memory",
    "places",
    "pointwise",
    "reduce",
    "repeating",
    "shape",
    "softmax",
    "splitting",
]
