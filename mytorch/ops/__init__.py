"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    adaptive,
    conv,
    einsum,
    elementary,
    fold,
    index,
    linalg,
    pad,
    pointwise,
    pool,
    reduce,
    resample,
    shape,
    softmax,
)

__all__ = [
    "adaptive",
    "conv",
    "einsum",
    "elementary",
    "fold",
    "index",
    "linalg",
    "pad",
    "pointwise",
    "pool",
    "reduce",
    "resample",
    "shape",
    "softmax",
]
