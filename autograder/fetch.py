"""Run the submission's `python -m mytorch.datasets`: fetch.py SUBMISSION [options of datasets]."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from autograder.finder import SubmissionFinder

    sys.path[0] = sys.argv[1]
    sys.meta_path.insert(0, SubmissionFinder(sys.argv[1]))
    sys.argv = ["mytorch.datasets", *sys.argv[2:]]
    try:
        runpy.run_module("mytorch.datasets", run_name="__main__", alter_sys=True)
    except ImportError as error:  # runpy wraps the first one
        sys.exit(str(error.__cause__ or error))
