"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    einsum,
    elementary,
    factorisations,
    geometry,
    index,
    least_squares,
    linalg,
    matrix_functions,
    norms,
    pointwise,
    products,
    reduce,
    shape,
    singular,
    softmax,
    solving,
    triangular,
)

__all__ = [
    "einsum",
    "elementary",
    "factorisations",
    "geometry",
    "index",
    "least_squares",
    "linalg",
    "matrix_functions",
    "norms",
    "pointwise",
    "products",
    "reduce",
    "shape",
    "singular",
    "softmax",
    "solving",
    "triangular",
]
