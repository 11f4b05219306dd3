"""Every benchmark, in the order of the table."""

from __future__ import annotations

from benchmarks.work import Work
from benchmarks.works import (
    convolution,
    elementwise,
    engine,
    mlp,
    mnist,
    process,
    recurrent,
    transformer,
)

WORKS: dict[str, Work] = {
    work.name: work
    for module in (mlp, convolution, recurrent, transformer, engine, elementwise, mnist, process)
    for work in module.WORKS
}
