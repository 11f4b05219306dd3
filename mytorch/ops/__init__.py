"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    arithmetic,
    bessel,
    bits,
    compare,
    counting,
    einsum,
    elementary,
    extremes,
    gamma,
    index,
    linalg,
    norms,
    pointwise,
    reduce,
    rounding,
    scan,
    shape,
    softmax,
    sorting,
    special,
    statistics,
)

__all__ = [
    "arithmetic",
    "bessel",
    "bits",
    "compare",
    "counting",
    "einsum",
    "elementary",
    "extremes",
    "gamma",
    "index",
    "linalg",
    "norms",
    "pointwise",
    "reduce",
    "rounding",
    "scan",
    "shape",
    "softmax",
    "sorting",
    "special",
    "statistics",
]
