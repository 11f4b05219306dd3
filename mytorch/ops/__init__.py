"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    counting,
    einsum,
    elementary,
    extremes,
    index,
    linalg,
    norms,
    pointwise,
    reduce,
    scan,
    shape,
    softmax,
    sorting,
    statistics,
)

__all__ = [
    "counting",
    "einsum",
    "elementary",
    "extremes",
    "index",
    "linalg",
    "norms",
    "pointwise",
    "reduce",
    "scan",
    "shape",
    "softmax",
    "sorting",
    "statistics",
]
