"""Time MyTorch beside torch, JAX, HIPS autograd and hand-written NumPy, on this machine.

python -m benchmarks [--only NAME …] [--quick] [--json FILE] [--plot FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks import report
from benchmarks.runner import PINS, Result, run
from benchmarks.systems import NAMES
from benchmarks.works import WORKS


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=WORKS, default=list(WORKS),
                        help=f"which of {', '.join(WORKS)}")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="three short rounds: a rough idea")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios to torch there")
    options = parser.parse_args()
    pinned = [name for name in PINS if name in os.environ]
    if pinned:
        print(f"removed from the environment of every side: {', '.join(pinned)}")
    results: list[Result] = []
    for name in options.only:
        rounds, seconds = (3, 0.1) if options.quick else (9, 0.4)
        results.append(run(WORKS[name], rounds=rounds, seconds=seconds, tell=_progress))
        _progress("")
        print(report.headline(results[-1]), end="\n\n", flush=True)
    print(_about(results), report.table(results), sep="\n\n")
    if options.json:
        options.json.write_text(report.as_json(results), encoding="utf-8")
    if options.plot:
        report.plot(results, options.plot)
    return 0


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{line:60}\r", end="", file=sys.stderr, flush=True)


def _about(results: list[Result]) -> str:
    """Return what every side ran with."""
    about = {system: each for result in results for system, each in result.about.items()}
    return "\n".join(
        f"{NAMES[system]} {each['version']}: {'; '.join(each['libraries'])}"
        for system, each in about.items()
    )


if __name__ == "__main__":
    sys.exit(main())
