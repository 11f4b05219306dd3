"""Print what every attack scores at every tier here: python tests/grader_attacks/table.py.

Each tier is run as the tests run it (test_autograder_attacks.py).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

import house  # noqa: E402
import test_autograder_attacks as attacks_test  # noqa: E402
from attacks import ATTACKS, BASELINE  # noqa: E402


def main() -> None:
    """Run all tiers and print the table."""
    runs = {}
    for tier, root in attacks_test.TIERS.items():
        if reason := house.why_not(root):
            print(f"T{tier}: {reason}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            tried = [attack for attack in ATTACKS if attacks_test.tried(attack, tier)]
            runs[tier] = attacks_test.grade(Path(folder), tier, *tried)
    print("| attack |", " | ".join(f"T{tier}" for tier in runs), "| what the grader says |")
    print("| --- |", " | ".join("---:" for _ in runs), "| --- |")
    for attack in (BASELINE, *ATTACKS):
        name = attack.name.replace(" ", "-")
        found = {tier: run.records.get(name) for tier, run in runs.items()}
        scores = [f"{record.total:g}" if record else "-" for record in found.values()]
        last = next(record for record in reversed(found.values()) if record)
        failed = [c.lines[0] for p in last.problems for c in p.checks if not c.passed and c.lines]
        seconds = "/".join(f"{record.seconds:.1f}" if record else "-" for record in found.values())
        told = failed[0][:110].replace("|", "/") if failed else ""
        print(f"| {attack.name} | {' | '.join(scores)} | {told} ({seconds} s) |")


if __name__ == "__main__":
    main()
