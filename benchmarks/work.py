"""``Work``: one thing to be timed, as every system does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SYSTEMS = ("mytorch", "torch", "jax", "autograd", "numpy", "floor")

Step = Callable[[], float]


@dataclass(frozen=True)
class Work:
    """A piece of work and who can do it.

    Attributes:
        name: what ``--only`` calls it; title: what the table calls it.
        systems: for each system a function that prepares (imports, parameters, data) and returns
            the step to be timed. A step returns a number by which the systems are compared: a
            loss, or the sum of a result.
        unit: what one step is; per: how many of these a call of the step does.
        goals: the largest ratio to torch and to hand-written NumPy that we want.
        tolerance: relative difference allowed between the numbers of two systems.
        measures: None where a step is timed; else what the step itself returns: "seconds", of a
            part of what it does, or "bytes".
    """

    name: str
    title: str
    systems: dict[str, Callable[[], Step]]
    unit: str = "step"
    per: int = 1
    goals: dict[str, float] = field(default_factory=dict)
    tolerance: float = 1e-4
    measures: str | None = None
