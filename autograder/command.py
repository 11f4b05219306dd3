"""What the grader's command lines share: their arguments, their signals, their exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.supervisor import GraderError


def seconds(text: str) -> float:
    """Read a time limit."""
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError("a number of seconds above 0 is wanted")
    return value


def seed(text: str) -> int:
    """Read the seed of a random generator."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("a whole number from 0 on is wanted")
    return value


def folder(text: str) -> Path:
    """Read the name of a folder that must exist."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path.resolve()


def finish(work: Callable[[], int | None]) -> int:
    """Do the grading; return what `work` returns, 0 whenever it worked, whatever the score.

    SIGTERM unwinds as Ctrl-C does, so that no worker outlives the grader.
    """

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        status = work() or 0
        sys.stdout.flush()
    except GraderError as error:
        print(f"The grader could not work: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # whoever read our output has gone, or a disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"The grader could not work: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nGrading was interrupted: no score.", file=sys.stderr)
        return 130
    return status
