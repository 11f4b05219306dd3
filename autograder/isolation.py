"""Isolation tiers: what keeps a submission from everything but its own answers.

- T0, a laptop: a process of its own, time and resource limits. Advisory: nothing is kept secret.
- T1, Linux without root: T0; no new privileges; Landlock and seccomp: no other files, no programs,
  no network, no signals to others; a grader that cannot be read, traced or limited.
- T2, root: T1 as a user of its own, whose processes are ended together.
- T3, root: T2 in namespaces of its own: no network, no other processes or files are even there.

`controls.py` finds out by trial whether a tier holds what it promises; this module only makes it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import linux, processes
from autograder.visible import python_paths

NAMES = {
    0: "T0 laptop (a process of its own, time and resource limits; advisory)",
    1: "T1 Linux without root (T0, no new privileges, Landlock, seccomp)",
    2: "T2 root (T1, a user of its own for each worker)",
    3: "T3 root (T2, namespaces of its own: no network, no other processes, no other files)",
}
FIRST_UID, UIDS = 47_000, 64  # users that no account may have
MEMORY = 2 << 30  # bytes of address space of one process
SPACE = 64 << 20  # bytes that a submission may write into its scratch folder
THREADS = 16  # processes and threads that a submission may have
FILES = 256
CPU_SECONDS = 3600  # an end to what outlives a grader that was killed


class IsolationError(Exception):
    """A tier cannot be had here; the text says why."""


@dataclass(frozen=True)
class Isolation:
    """How a worker is started, what it is ordered to do to itself, how it is cleared away.

    Attributes:
        tier: 0 to 3.
        uid: the user that the worker becomes, None to stay the grader's.
    """

    tier: int = 0
    uid: int | None = None
    _lock: Any = field(default=None, repr=False)

    def command(self, command: list[str]) -> list[str]:
        """Return the command that runs `command` in this isolation."""
        if self.tier < 3:
            return command
        spaces = ["--mount", "--pid", "--net", "--ipc", "--uts"]
        inside = ["unshare", *spaces, "--fork", "--kill-child=KILL", "--", *command]
        return ["setpriv", "--pdeathsig", "KILL", "--", *inside]

    def orders(self, scratch: Path, reads: list[str], memory: int) -> dict[str, Any]:
        """Return what the worker is to do to itself (confine.py)."""
        limits = {"memory": memory, "file": SPACE // 4, "files": FILES, "cpu": CPU_SECONDS}
        running = 0 if self.uid is not None else own_threads()
        if running is not None:
            limits["processes"] = running + THREADS
        if self.tier == 0:
            return {"limits": limits}
        known = python_paths()
        return {
            "limits": limits,
            "seccomp": True,
            "landlock": linux.landlock_version() >= linux.LANDLOCK_WANTED,
            "root": root_of(scratch) if self.tier == 3 else None,
            "uid": self.uid,
            "reads": [*known["reads"], *reads],
            "masks": known["masks"],
            "lists": known["lists"],
            "scratch": str(scratch),
            "space": SPACE,
        }

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Make a scratch folder that the worker's user owns, and remove it afterwards."""
        folder = Path(tempfile.mkdtemp(prefix="mytorch-grader-")).resolve()
        try:
            if self.tier == 3:
                os.mkdir(root_of(folder), 0o700)
            if self.uid is not None:
                os.chown(folder, self.uid, self.uid)
            yield folder
        finally:
            for path in (str(folder), root_of(folder)):
                shutil.rmtree(path, ignore_errors=True)

    def give(self, folder: Path) -> None:
        """Let the worker's user, and no other but us, read a folder of ours."""
        if self.uid is not None:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, -1, self.uid, follow_symlinks=False)
                path.chmod(0o750 if path.is_dir() else 0o640)

    def sweep(self) -> bool:
        """End every process that a worker has left behind; return whether none is left."""
        return processes.sweep(self.uid)

    def close(self) -> None:
        """Give the user back, for other graders."""
        if self._lock is not None:
            self._lock.close()


LAPTOP = Isolation()


def make(tier: int) -> Isolation:
    """Return the isolation of a tier; from tier 2 on it holds a user that no other grader has.

    Raises:
        IsolationError: this system cannot give it.
    """
    found, wanted = linux.landlock_version(), linux.LANDLOCK_WANTED
    if tier in (1, 2) and found < wanted:
        raise IsolationError(f"it needs Landlock {wanted} (Linux 6.12), and here it is {found}")
    if tier == 1 and os.geteuid() == 0:
        raise IsolationError("it cannot hold root: T2 and T3 can")
    if tier >= 2 and (not linux.IS_LINUX or os.geteuid() != 0):
        raise IsolationError("it needs root on Linux")
    if tier == 3:
        missing = [name for name in ("unshare", "setpriv") if shutil.which(name) is None]
        if missing:
            raise IsolationError(f"it needs {' and '.join(missing)} (package util-linux)")
    if tier == 2 and (closed := closed_folder()):
        raise IsolationError(f"its users could not run Python: {closed} is closed to others")
    return Isolation(tier, *free_user()) if tier >= 2 else Isolation(tier)


def closed_folder() -> Path | None:
    """Return a folder on the way to Python that other users cannot pass through, None if none."""
    known = python_paths()
    for path in map(Path, [*known["reads"], *known["lists"]]):
        for folder in path.parents:
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None


def free_user() -> tuple[int, Any]:
    """Return a user that no other grader is using, and the lock that keeps it so.

    Raises:
        IsolationError: all are in use.
    """
    import fcntl
    import pwd

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    folder = "/run/lock" if os.path.isdir("/run/lock") else "/var/lock"
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    for uid in set(range(FIRST_UID, FIRST_UID + UIDS)) - taken:
        lock = os.fdopen(os.open(f"{folder}/mytorch-grader-{uid}", flags, 0o600), "r+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        processes.kill_user(uid)  # what a grader that was killed may have left
        return uid, lock
    raise IsolationError(f"the users {FIRST_UID} to {FIRST_UID + UIDS - 1} are all in use")


def root_of(scratch: Path) -> str:
    """Return the folder that a worker of tier 3 builds its file system in."""
    return f"{scratch}-root"


@functools.cache
def own_threads() -> int | None:
    """Return how many threads this user runs (seen once), None where the system does not tell."""
    return processes.threads_of_user(os.geteuid())
