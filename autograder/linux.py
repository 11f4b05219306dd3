"""Linux's calls that Python does not offer, through ctypes: prctl, Landlock, mounts.

Every function raises OSError where the system refuses. Nothing here decides what is allowed.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

IS_LINUX = sys.platform.startswith("linux")

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 38

# The numbers of these three calls are the same on every architecture.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION, PATH_BENEATH = 1, 1
LANDLOCK_WANTED = 6  # Linux 6.12: files, TCP, abstract sockets and signals

READ_FILE, READ_DIR = 1 << 2, 1 << 3
FILE_RIGHTS = 0b1000_0000_0000_0111  # execute, write and read a file; ioctl on a device
ALL_RIGHTS = (1 << 16) - 1
WRITE_FILE, REMOVE_DIR, REMOVE_FILE, MAKE_DIR, MAKE_REG = 1 << 1, 1 << 4, 1 << 5, 1 << 7, 1 << 8
REFER, TRUNCATE = 1 << 13, 1 << 14
READ = READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE
TCP = 0b11  # bind, connect
SCOPES = 0b11  # abstract sockets, signals

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
REC, PRIVATE, DETACH = 16384, 1 << 18, 2


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, value: int, data: bytes = b"") -> None:
    """Set one attribute of this process; some take a number and a structure."""
    more = ctypes.create_string_buffer(data, len(data)) if data else ctypes.c_ulong(0)
    numbers = (ctypes.c_ulong(value), more, ctypes.c_ulong(0), ctypes.c_ulong(0))
    _check(_libc().prctl(option, *numbers), f"prctl({option}, {value})")


def landlock_version() -> int:
    """Return the version of Landlock that this system offers, 0 for none."""
    if not IS_LINUX:
        return 0
    return max(0, _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION))


def landlock(rights: Iterable[tuple[str, int]]) -> None:
    """Forbid this process and all its children every file but these, TCP, and foreign signals.

    Args:
        rights: a path and the rights below it; of a path that is not there nothing is allowed.
    """
    libc = _libc()
    attributes = struct.pack("=QQQ", ALL_RIGHTS, TCP, SCOPES)
    size = ctypes.c_size_t(len(attributes))
    ruleset = _check(libc.syscall(CREATE_RULESET, attributes, size, 0), "landlock_create_ruleset")
    try:
        for path, allowed in rights:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                allowed &= FILE_RIGHTS | TRUNCATE
            rule = struct.pack("=Qi", allowed, descriptor)
            result = libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
            os.close(descriptor)
            _check(result, f"landlock_add_rule({path})")
        _check(libc.syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system, or bind a path to another."""
    texts = (text.encode() if text else None for text in (source, target, kind))
    result = _libc().mount(*texts, ctypes.c_ulong(flags), data.encode() or None)
    _check(result, f"mount({source}, {target})")


def change_root(folder: str) -> None:
    """Make a mounted folder the root of this mount namespace and let go of the old one."""
    libc = _libc()
    os.chdir(folder)
    pivot = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
    if pivot is None:
        raise OSError(f"pivot_root: its number on {os.uname().machine} is not known here")
    _check(libc.syscall(pivot, b".", b"."), "pivot_root")
    _check(libc.umount2(b".", DETACH), "umount")
    os.chdir("/")
