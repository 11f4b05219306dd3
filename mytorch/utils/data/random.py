"""Where samplers and splits take their random numbers from."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["generator_of"]


def generator_of(given: Any) -> np.random.Generator:
    """Return the generator to draw from.

    Args:
        given: a ``np.random.Generator``, itself; a seed or a ``mytorch.Generator``, one made of it;
            None, one that starts from a draw of NumPy's global generator, so that
            ``mytorch.manual_seed`` repeats it.
    """
    if isinstance(given, np.random.Generator):
        return given
    if given is None:
        return np.random.default_rng(np.random.randint(2**31))
    if isinstance(given, (int, np.integer)):
        return np.random.default_rng(given)
    if hasattr(given, "initial_seed"):
        return np.random.default_rng(given.initial_seed())
    raise TypeError(
        f"generator: expects a seed, a np.random.Generator or a mytorch.Generator, got "
        f"{type(given).__name__}"
    )
