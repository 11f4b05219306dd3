"""Fixtures that several test files share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

# Started in the background by a shell, this process ignores Ctrl-C, and so would those it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
OFFICIAL_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder with the four official MNIST files; the test is skipped where there is none."""
    named = os.environ.get("MYTORCH_TEST_MNIST")
    places = [Path(named)] if named else [ROOT.parent / "shared" / "mnist", ROOT / "data"]
    for place in places:
        if all((place / name).is_file() for name in OFFICIAL_FILES):
            return place
    pytest.skip(f"the official MNIST files are not in {' or '.join(map(str, places))}")
