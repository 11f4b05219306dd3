"""Processes that a worker has left behind: finding them in /proc, and ending them."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from autograder import linux

SWEEP_LIMIT = 10.0


class Adoption:
    """Whether orphans among our descendants become our children (Linux's subreaper)."""

    on = False


def protect() -> None:
    """Make this process the grader of one submission at a time, where the system is Linux.

    Others of the same user cannot read or trace it, and it becomes the parent of all that a worker
    leaves behind, so that it can end them.
    """
    if not linux.IS_LINUX:
        return
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    Adoption.on = True


def end_with_parent() -> None:
    """Let this process be killed when the one that started it is gone."""
    if linux.IS_LINUX:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def sweep(uid: int | None) -> bool:
    """End all processes of a worker's own user, and all orphans; return whether none is left."""
    deadline = time.monotonic() + SWEEP_LIMIT
    while time.monotonic() < deadline:
        if uid is not None:
            kill_user(uid)
        orphans = processes(lambda fields: fields[1] == str(os.getpid())) if Adoption.on else []
        for pid in orphans:
            end(pid)
        if not orphans and (uid is None or not of_user(uid)):
            return True
    return False


def end(pid: int) -> None:
    """Kill a child, with its process group (at once, so that no fork escapes); wait for it."""
    with contextlib.suppress(OSError):
        group = os.getpgid(pid)
        if group != os.getpgrp():
            os.killpg(group, signal.SIGKILL)
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def kill_user(uid: int) -> None:
    """Kill every process of a user, at once, by becoming that user in a child of ours."""
    with warnings.catch_warnings():  # of forks beside NumPy's threads, which the child lets be
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def processes(wanted: Callable[[list[str]], bool]) -> list[int]:
    """Return the processes whose state, parent, group, … (/proc/N/stat after the name) fit."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if wanted(fields):
                    found.append(int(entry.name))
    return found


def of_user(uid: int) -> list[int]:
    """Return the processes of a user that are not dead already."""
    found = []
    for pid in processes(lambda fields: fields[0] not in "ZX"):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == uid:
                found.append(pid)
    return found


def threads_of_user(uid: int) -> int | None:
    """Return how many threads a user runs, None where the system does not tell."""
    if not os.path.exists("/proc/self/stat"):
        return None
    count = 0
    for pid in of_user(uid):
        with contextlib.suppress(OSError):
            count += len(os.listdir(f"/proc/{pid}/task"))
    return count
