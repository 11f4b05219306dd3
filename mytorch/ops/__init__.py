"""The operations by family: each registers under its names (``registry.py``) when it is imported.

The homework's own operations (Add, Mul, Reshape, …) are in ``mytorch/nn/functional.py``.
"""

from mytorch.ops import (
    activations,
    attention,
    cross_entropy,
    ctc,
    dropout,
    einsum,
    elementary,
    embedding,
    index,
    information,
    linalg,
    linear,
    losses,
    margin_losses,
    normalisation,
    piecewise,
    pointwise,
    reduce,
    shape,
    similarity,
    softmax,
)

__all__ = [
    "activations",
    "attention",
    "cross_entropy",
    "ctc",
    "dropout",
    "einsum",
    "elementary",
    "embedding",
    "index",
    "information",
    "linalg",
    "linear",
    "losses",
    "margin_losses",
    "normalisation",
    "piecewise",
    "pointwise",
    "reduce",
    "shape",
    "similarity",
    "softmax",
]
