"""``Generator``: a stream of random numbers; the default one is NumPy's global generator.

Every random function draws from ``default_generator`` unless it is given ``generator=``. That is
``np.random`` itself: ``mytorch.manual_seed(s)`` is ``np.random.seed(s)``, and code that draws with
``np.random.rand`` shares the stream. A ``Generator()`` is a stream of its own, of the same kind
(Mersenne Twister): equal seeds give equal draws.

Threads: one draw is one call of NumPy, which locks the generator, so threads never damage a stream;
but the order in which they get their share is not defined. Give each thread a Generator.
Source: torch.Generator, torch.random; numpy.random.RandomState.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from mytorch.devices import CPU, check_device
from mytorch.devices import device as Device

__all__ = ["Generator", "default_generator", "source_of"]

_FIRST_SEED = 67280421310721  # torch's: a new Generator is seeded, always with the same
_STATE = np.dtype([
    ("seed", "<u8"), ("is_seeded", "<i4"),
    ("position", "<i4"), ("has_normal", "<i8"), ("normal", "<f8"), ("key", "<u4", 624),
])  # fmt: skip


class Generator:
    """A stream of random numbers of its own (torch.Generator).

    Args:
        device: the CPU.

    >>> Generator().manual_seed(7).initial_seed()
    7
    """

    def __init__(self, device: Any = None):
        check_device("Generator", device)
        self._own: Any = np.random.RandomState()
        self.manual_seed(_FIRST_SEED)

    @property
    def source(self) -> Any:
        """What draws: a ``np.random.RandomState``; of ``default_generator`` ``np.random``."""
        return self._own or np.random  # NumPy loads that at its first use

    @property
    def device(self) -> Device:
        """Where the numbers are made: the CPU."""
        return CPU

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream anew from ``seed`` and return the generator.

        Args:
            seed: an integer of 64 bits; a negative one counts from 2**64 downwards, as in torch.
        Raises:
            ValueError: it has more bits.
        """
        number = int(seed)
        if not -(2**63) <= number < 2**64:
            raise ValueError(f"manual_seed: the seed must be in [-2**63, 2**64), got {number}")
        self._seed: int | None = number % 2**64
        high, low = divmod(self._seed, 2**32)
        self.source.seed([low, high] if high else low)  # a small one as np.random.seed(seed)
        return self

    def seed(self) -> int:
        """Start the stream anew from a seed that the operating system draws, and return that."""
        return self.manual_seed(int.from_bytes(os.urandom(8), "little")).initial_seed()

    def initial_seed(self) -> int:
        """Return the seed that the stream was started from last.

        Raises:
            RuntimeError: the default generator, while ``manual_seed`` was not called: NumPy has
                seeded it from the operating system.
        """
        if self._seed is None:
            raise RuntimeError(
                "initial_seed: NumPy has seeded its global generator, and does not tell; start it "
                "with mytorch.manual_seed(seed)"
            )
        return self._seed

    def get_state(self) -> Any:
        """Return where the stream is, as a uint8 Tensor for ``set_state``."""
        from mytorch.tensor import wrap

        state = np.zeros(1, _STATE)
        _, *numbers = self.source.get_state()
        for name, value in zip(("key", "position", "has_normal", "normal"), numbers, strict=True):
            state[name] = value
        state["seed"], state["is_seeded"] = self._seed or 0, self._seed is not None
        return wrap(state.view(np.uint8))

    def set_state(self, new_state: Any) -> None:
        """Go to where a stream was when ``get_state`` returned ``new_state``.

        Raises:
            TypeError: it is no uint8 Tensor; RuntimeError: it is none that ``get_state`` returned.
        """
        array = getattr(new_state, "data", None)
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
            raise TypeError("set_state: expects the uint8 Tensor that get_state() returned")
        if array.shape != (_STATE.itemsize,):
            raise RuntimeError(
                f"set_state: a state has shape ({_STATE.itemsize},), this tensor {array.shape}"
            )
        state = np.ascontiguousarray(array).view(_STATE)[0]
        if not 0 <= state["position"] <= 624:
            raise RuntimeError("set_state: this is no state that get_state() returned")
        names = ("key", "position", "has_normal", "normal")
        self.source.set_state(("MT19937", *[state[name] for name in names]))
        self._seed = int(state["seed"]) if state["is_seeded"] else None

    def __repr__(self) -> str:
        seed = "not seeded by mytorch" if self._seed is None else f"seed={self._seed}"
        return f"<mytorch.Generator, {seed}>"


def _global() -> Generator:
    """Return NumPy's global generator as it is: this draws nothing and seeds nothing."""
    generator = Generator.__new__(Generator)
    generator._own, generator._seed = None, None
    return generator


default_generator = _global()


def source_of(name: str, generator: Any) -> Any:
    """Return what draws for the argument ``generator`` of a function; None is the default one.

    Raises:
        TypeError: it is no Generator.
    """
    if generator is None:
        return np.random
    if not isinstance(generator, Generator):
        kind = type(generator).__name__
        raise TypeError(f"{name}: generator must be a mytorch.Generator or None, not {kind}")
    return generator.source
