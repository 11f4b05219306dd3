"""Inputs and initial parameters, the same for every system."""

from __future__ import annotations

import numpy as np

__all__ = ["classification", "layers"]


def classification(
    features: int, classes: int, batch: int, count: int = 8
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of (batch, features), float32, and labels (batch,) that follow a rule."""
    rng = np.random.default_rng(0)
    rule = rng.normal(size=(features, classes))
    batches = []
    for _ in range(count):
        x = rng.normal(size=(batch, features)).astype(np.float32)
        batches.append((x, (x @ rule).argmax(1)))
    return batches


def layers(*sizes: int) -> list[np.ndarray]:
    """Return weight (out, in) and bias (out,) of each layer, float32, drawn as torch draws them."""
    rng = np.random.default_rng(1)
    parameters = []
    for size_in, size_out in zip(sizes, sizes[1:], strict=False):
        bound = size_in**-0.5
        for shape in ((size_out, size_in), (size_out,)):
            parameters.append(rng.uniform(-bound, bound, shape).astype(np.float32))
    return parameters
