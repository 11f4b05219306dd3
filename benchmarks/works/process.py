"""What a process of its own costs: seconds to import, and the peak memory of a short training."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from benchmarks.work import Step, Work

_IMPORT = "import time; t = time.perf_counter(); import {0}; print(time.perf_counter() - t)"
_MEMORY = """
import resource, sys
from benchmarks.works.mlp import WORKS
step = WORKS[0].systems[{0!r}]()
for _ in range(200):
    step()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak if sys.platform == "darwin" else peak * 1024)
"""


def _printed_by(code: str) -> dict[str, Callable[[], Step]]:
    """Return, for each system, a step that starts a process and returns the number it prints."""

    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed library has its bytecode

    def make(system: str) -> Callable[[], Step]:
        def step() -> float:
            command = [sys.executable, "-c", code.format(system)]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(done.stderr.strip().splitlines()[-1])
            return float(done.stdout)

        return lambda: step

    return {system: make(system) for system in ("mytorch", "torch", "jax", "autograd", "numpy")}


WORKS = [
    Work(
        "import",
        "import in a fresh process",
        _printed_by(_IMPORT),
        unit="import",
        goals={"torch": 0.1},
        measures="seconds",
    ),
    Work(
        "memory",
        "peak memory of 200 steps of mlp-20",
        _printed_by(_MEMORY),
        unit="run",
        goals={"torch": 0.25},
        measures="bytes",
    ),
]
