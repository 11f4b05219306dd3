"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    addmm,
    einsum,
    elementary,
    factorisations,
    geometry,
    index,
    least_squares,
    linalg,
    linalg_norms,
    matrix_functions,
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
    "addmm",
    "einsum",
    "elementary",
    "factorisations",
    "geometry",
    "index",
    "least_squares",
    "linalg",
    "matrix_functions",
    "linalg_norms",
    "pointwise",
    "products",
    "reduce",
    "shape",
    "singular",
    "softmax",
    "solving",
    "triangular",
]
