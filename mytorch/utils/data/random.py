"""Where samplers and splits take their random numbers from."""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.generator import Generator

__all__ = ["generator_of", "kept"]


def generator_of(given: Any) -> np.random.Generator:
    """Return the generator to draw from.

    Args:
        given: a ``np.random.Generator``, itself; a seed, one made of it; a ``mytorch.Generator``,
            one that starts from a draw of it; None, one that starts from a draw of NumPy's global
            generator, so that ``mytorch.manual_seed`` repeats it.
    """
    if isinstance(given, np.random.Generator):
        return given
    if given is None:
        return np.random.default_rng(np.random.randint(2**31))
    if isinstance(given, (int, np.integer)):
        return np.random.default_rng(given)
    if isinstance(given, Generator):
        return np.random.default_rng(given.source.randint(2**31))
    raise TypeError(
        f"generator: expects a seed, a np.random.Generator or a mytorch.Generator, got "
        f"{type(given).__name__}"
    )


def kept(given: Any) -> Any:
    """Return what to keep of an argument ``generator`` and call ``generator_of`` on each time.

    A seed becomes the generator that goes on from it; a ``mytorch.Generator`` stays itself, so that
    its state moves on, and can be kept.
    """
    return given if given is None or isinstance(given, Generator) else generator_of(given)
