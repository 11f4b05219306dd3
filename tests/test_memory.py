"""What is kept of freed memory: in a process of its own, since an allocator has one memory."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import resource
import numpy as np
{first}

def step():
    return [np.ones(300_000, np.float32) for _ in range(8)]  # 8 arrays of 1.2 MB

for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 20)
"""


def faults(first: str) -> float:
    """Return the page faults of a step that makes and drops large arrays."""
    command = [sys.executable, "-c", PROGRAM.format(first=first)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return float(result.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of GNU's allocator")
def test_a_step_finds_the_memory_that_the_last_one_left() -> None:
    assert faults("import mytorch") <= max(100, faults("") / 10)
