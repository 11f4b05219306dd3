"""Writing a file so that a crash at any moment leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from pathlib import Path
from typing import Any

__all__ = ["write_whole"]

_STALE = 3600.0  # seconds after which nobody is still writing a temporary file


def write_whole(path: str | os.PathLike[str], content: Any) -> None:
    """Write the bytes ``content`` beside ``path``, make sure of them, and rename.

    Raises:
        OSError: the disk is full, the folder cannot be written, or ``path`` is no regular file;
            the old file is unharmed then.
    """
    target = Path(os.path.realpath(path))  # of a link, the file behind it is written
    if target.exists() and not target.is_file():  # a rename would replace even /dev/null
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder to write to", os.fspath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # who may read it is as before
            temporary.chmod(target.stat().st_mode & 0o777)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)
    _remove_stale(target)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last through a loss of power, where the system can."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(target: Path) -> None:
    """Remove what a writer that was killed long ago left beside ``target``."""
    pattern = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.tmp")
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if pattern.fullmatch(path.name) and time.time() - path.stat().st_mtime > _STALE:
                path.unlink(missing_ok=True)
