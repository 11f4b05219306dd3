"""What is printed, written and drawn of the results."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from benchmarks.runner import Result
from benchmarks.systems import NAMES
from benchmarks.work import SYSTEMS

__all__ = ["as_json", "headline", "plot", "table"]


def _amount(value: float, measures: str | None) -> str:
    """Return a cost with its unit."""
    if measures == "bytes":
        return f"{value / 2**20:.1f} MiB"
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 0.9995:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def headline(result: Result) -> str:
    """Return the lines about one piece of work: each system's cost, and the ratios."""
    work = result.work
    lines = [f"{work.title} [{work.name}], a {work.unit}"]
    for system in SYSTEMS:
        if system in result.left_out:
            lines.append(f"  {NAMES[system]:20} left out: {result.left_out[system]}")
        if system not in result.costs:
            continue
        costs = result.costs[system]
        middle, low, high = (
            _amount(x, work.measures) for x in (result.median(system), min(costs), max(costs))
        )
        lines.append(f"  {NAMES[system]:20} {middle:>10}   ({low} to {high})")
    for other in ("torch", "numpy", "jax", "floor"):
        ratio = result.ratio(other)
        if ratio is None:
            continue
        goal = work.goals.get(other)
        verdict = (
            ""
            if goal is None
            else f", wanted at most {goal:.2f}: " + ("yes" if ratio <= goal else "NO")
        )
        lines.append(f"  MyTorch / {NAMES[other]:20} {ratio:.2f}{verdict}")
    return "\n".join(lines)


def table(results: list[Result]) -> str:
    """Return the ratios of every piece of work as a Markdown table."""
    lines = [
        "| work | MyTorch | / torch | goal | / NumPy | goal | / JAX | / floor |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        cells = [result.work.title]
        own = "mytorch" in result.costs
        cells.append(_amount(result.median("mytorch"), result.work.measures) if own else "–")
        for other in ("torch", "numpy", "jax", "floor"):
            ratio = result.ratio(other)
            cells.append("–" if ratio is None else f"{ratio:.2f}")
            if other in ("torch", "numpy"):
                goal = result.work.goals.get(other)
                cells.append("–" if goal is None else f"{goal:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def as_json(results: list[Result]) -> str:
    """Return everything that was measured."""
    return json.dumps(
        {
            "machine": {"processor": platform.machine(), "python": platform.python_version()},
            "works": [
                {
                    "name": result.work.name,
                    "title": result.work.title,
                    "unit": result.work.unit,
                    "measures": result.work.measures or "seconds",
                    "costs": result.costs,
                    "about": result.about,
                    "left out": result.left_out,
                    "goals": result.work.goals,
                }
                for result in results
            ],
        },
        indent=1,
    )


_COLOURS = {
    "mytorch": "#c8102e",
    "torch": "#e8833a",
    "jax": "#7a6ff0",
    "autograd": "#9a9a9a",
    "numpy": "#4c8eda",
    "floor": "#d5d5d5",
}


def plot(results: list[Result], path: Path) -> None:
    """Draw a bar for each system at each work, relative to torch, and save it at ``path``."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = [result for result in results if "torch" in result.costs]
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(shown) + 1.4))
    systems = [s for s in SYSTEMS if any(s in result.costs for result in shown)]
    height = 0.8 / len(systems)
    for place, system in enumerate(systems):
        bars: list[Any] = [
            (row, result.median(system) / result.median("torch"))
            for row, result in enumerate(shown)
            if system in result.costs
        ]
        offset = (place - (len(systems) - 1) / 2) * height
        axes.barh(
            [row + offset for row, _ in bars],
            [min(ratio, 3) for _, ratio in bars],
            height,
            label=NAMES[system],
            color=_COLOURS[system],
        )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [result.work.name for result in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(0, 3)
    axes.set_xlabel("time relative to torch eager (shorter is faster; bars are cut at 3)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize="small", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
