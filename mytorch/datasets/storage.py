"""The cache folder: messages, files that appear whole or not at all, a lock between processes."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TypeVar

T = TypeVar("T")

LOCK_LIMIT = 600.0  # seconds to wait for another process's download before going on without it
_POLL = 0.1


def say(message: str) -> None:
    """Print one line on stderr, where progress and warnings go; results go to stdout."""
    print(f"mytorch.datasets: {message}", file=sys.stderr, flush=True)


def reason(error: OSError) -> str:
    """Return the system's words for an error, without the number and the path."""
    return error.strerror or str(error)


def md5_of(path: Path) -> str:
    """Return the MD5 (hex) of a file's bytes."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def replace_file(path: Path, write: Callable[[Path], T]) -> T:
    """Make the file at `path` by `write(temporary)`, then rename: never seen half written.

    Returns:
        what `write` returned.

    Raises:
        OSError: if the folder cannot be written to; the temporary file is gone then.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        result = write(temporary)
        temporary.chmod(0o644)  # mkstemp's 0600 would hide a shared cache from others
        temporary.replace(path)
        return result
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the renames in `folder` survive a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; other processes that want it wait, and say so.

    The operating system drops the lock when its holder ends, however it ends. Where locks are not
    to be had (some network file systems) nobody waits: files are checked and renamed whole, so
    two processes then only do the same work twice. The same after LOCK_LIMIT seconds.

    Raises:
        OSError: if the lock's file cannot be made.
    """
    with open(folder / ".lock", "a+b") as file:
        started = time.monotonic()
        waiting = False
        while _taken_by_another(file):
            if not waiting:
                say(f"another process is filling {folder}: waiting for it")
                waiting = True
            if time.monotonic() - started > LOCK_LIMIT:
                say(f"it has held {folder / '.lock'} too long: going on without it")
                break
            time.sleep(_POLL)
        yield  # closing the file drops the lock


def _taken_by_another(file: IO[bytes]) -> bool:
    """Try to lock `file`; return whether another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return _taken_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)
    return False


def _taken_on_windows(file: IO[bytes]) -> bool:
    try:
        import msvcrt
    except ImportError:
        return False
    file.seek(0)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return True
    return False
