"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    arithmetic,
    bessel,
    bits,
    compare,
    einsum,
    elementary,
    gamma,
    index,
    linalg,
    pointwise,
    questions,
    random,
    reduce,
    rounding,
    shape,
    softmax,
    special,
)

__all__ = [
    "arithmetic",
    "bessel",
    "bits",
    "compare",
    "einsum",
    "elementary",
    "gamma",
    "index",
    "linalg",
    "pointwise",
    "questions",
    "random",
    "reduce",
    "rounding",
    "shape",
    "softmax",
    "special",
]
