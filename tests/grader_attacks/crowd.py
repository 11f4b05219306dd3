"""Grade 300 submissions, a quarter of them hostile: python tests/grader_attacks/crowd.py [TIER].

All attacks, all seeded mistakes, and right solutions in three styles between them; in a house. It
tells the minutes, whether every right solution kept full marks, and what the best attack got.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import house  # noqa: E402
from attacks import ATTACKS, BASELINE  # noqa: E402
from mutants import (  # noqa: E402
    CLOSURES_SOLUTION,
    FUSED_SOLUTION,
    MUTANTS,
    SIMPLE_SOLUTION,
    complete,
)
from seeded import SEEDED  # noqa: E402

from autograder import records  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
COUNT = 300


def fill(folder: Path, scratch: Path) -> None:
    """Write the archives, of different kinds one after the other."""
    for attack in (BASELINE, *ATTACKS):
        attack.pack(folder)
    for number, mutant in enumerate([*MUTANTS, *SEEDED]):
        pack(folder / f"mutant-{number:03}.tar", mutant.make(scratch / str(number)))
    styles = [SIMPLE_SOLUTION, FUSED_SOLUTION, CLOSURES_SOLUTION]
    right = [complete(style, scratch / style.name) for style in styles]
    for number in range(COUNT - len(list(folder.iterdir()))):
        pack(folder / f"right-{number:03}.tar", right[number % 3])
    paths = sorted(folder.iterdir())
    for number, path in enumerate(paths):  # spread the kinds
        path.rename(folder / f"{number * 97 % len(paths):03}-{path.name}")


def pack(path: Path, solution: Path) -> None:
    """Write one archive."""
    with tarfile.open(path, "w") as tar:
        for part in ("mytorch", "hw1"):
            tar.add(solution / part, part)


def main() -> None:
    """Make the class, grade it, and tell what came of it."""
    tier = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as scratch:
        folder, submissions, out = Path(place), Path(place) / "s", Path(place) / "work" / "out"
        folder.chmod(0o755)
        submissions.mkdir()
        out.parent.mkdir()
        out.parent.chmod(0o777)
        fill(submissions, Path(scratch))
        command = [sys.executable, "-B", "-m", "autograder", "grade", submissions, "--out", out]
        command += ["--tier", str(tier), "--jobs", "2"]
        inner = ["env", f"PYTHONPATH={ROOT}", *command]
        start = time.monotonic()
        done = subprocess.run(house.command(inner, tier > 1, folder), check=False)
        minutes = (time.monotonic() - start) / 60
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = (used.ru_utime + used.ru_stime) / 60
        found = [records.load(path) for path in (out / "records").iterdir()]
        known = {record.name[4:]: record for record in found if record is not None}
        right = [r for name, r in known.items() if name.startswith("right-")]
        honest = known[BASELINE.name.replace(" ", "-")].total
        most = max(known[attack.name.replace(" ", "-")].total for attack in ATTACKS)
        print(
            f"\nT{tier}: {len(known)} graded in {minutes:.1f} minutes ({cpu:.1f} of processor time)"
        )
        print(f"status {done.returncode}")
        print(f"right solutions: {len(right)}, of them full: {sum(r.is_full for r in right)}")
        print(f"the wrong solution: {honest:g}; the best of {len(ATTACKS)} attacks on it: {most:g}")
        print(f"ungraded: {sum(r.status == records.UNGRADED for r in known.values())}")


if __name__ == "__main__":
    main()
