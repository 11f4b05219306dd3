"""What a row of the table of modules is made of: ``ModuleCase`` and ``BadModule``.

A module is written as the expression that makes it, ``"Linear(5, 3)"``: it serves mytorch.nn and
torch.nn alike, and names the test. ``tensor`` in it makes a Tensor of either library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

#: a shape, drawn from N(0, 1); an array, taken as it is; or ``draw(rng)``
Input = tuple[int, ...] | np.ndarray | Callable[[np.random.Generator], np.ndarray]


def make(code: str, m: Any) -> Any:
    """Return the value of the expression ``code`` in mytorch or torch."""
    return eval(code, {**vars(m.nn), "tensor": m.tensor, "float32": m.float32})


def positive(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Between 0.1 and 0.9: also probabilities."""
    return lambda rng: rng.uniform(0.1, 0.9, shape)


@dataclass(frozen=True)
class ModuleCase:
    """One row: how a user makes a module, and what goes into it.

    Attributes:
        code: the expression.
        inputs: the arguments of a call. Floating ones get gradients.
        constant: places of arguments that shall get none, as the targets of losses.
        random: it draws in training: only its evaluation is compared.
        warns: what it warns of, in both libraries.
        close: how near numbers of float64 are to torch's.
    """

    code: str
    inputs: tuple[Input, ...]
    constant: tuple[int, ...] = ()
    random: bool = False
    warns: str = ""
    close: float = 1e-9

    @property
    def name(self) -> str:
        """The class."""
        return self.code.partition("(")[0]

    def draw(self, rng: np.random.Generator, dtype: Any) -> list[np.ndarray]:
        """Return an array for each argument, floating ones of ``dtype``."""
        arrays = []
        for each in self.inputs:
            if isinstance(each, tuple):
                array = rng.normal(size=each)
            else:
                array = each if isinstance(each, np.ndarray) else each(rng)
            arrays.append(array.astype(dtype) if array.dtype.kind == "f" else array.copy())
        return arrays


@dataclass(frozen=True)
class BadModule:
    """Making the module, or calling it on ``inputs``, is refused with ``message``.

    ``torch`` is False where torch allows it, or says so only by an error of another kind.
    """

    code: str
    message: str
    inputs: tuple[Input, ...] | None = None
    torch: bool = True
