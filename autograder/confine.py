"""What a worker does to itself before it imports the submission, as the grader's orders say.

Orders are plain JSON values (isolation.py writes them):

- `limits`: bytes of `memory`, bytes of one `file`, open `files`, `processes`, `cpu` seconds;
- `seccomp`: whether to give up the calls that reach other processes or a network (seccomp.py);
- `landlock`: whether to give up all files but those named below, TCP and foreign signals;
- `root`: an empty folder to build a file system of its own in, of the paths named below alone;
- `uid`: the user to become;
- `reads`: paths to read below, less the `masks` among them; `lists`: folders whose names may be
  read; `scratch`: the one folder to write in; `space`: its bytes, where it is a file system.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder import linux, processes, seccomp

DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
LIMITS = {
    "memory": "RLIMIT_AS",
    "file": "RLIMIT_FSIZE",
    "files": "RLIMIT_NOFILE",
    "processes": "RLIMIT_NPROC",
    "cpu": "RLIMIT_CPU",
}


def confine(orders: dict[str, Any]) -> None:
    """Carry out the orders; what they ask for and the system refuses raises OSError."""
    if linux.IS_LINUX:
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # when memory runs out, this process goes and no other
    if orders.get("root"):
        build_root(orders)
    if orders.get("uid") is not None:
        uid = orders["uid"]
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if linux.IS_LINUX:
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        processes.end_with_parent()
    if orders.get("landlock"):
        linux.landlock(rights(orders))
    limit(orders.get("limits", {}))
    if orders.get("seccomp"):
        seccomp.restrict()


def limit(limits: dict[str, int]) -> None:
    """Set the resource limits that this system has; the hard ones too, so that they stay."""
    try:
        import resource
    except ImportError:
        return
    for name, value in {**limits, "core": 0}.items():
        kind = getattr(resource, LIMITS.get(name, "RLIMIT_CORE"), None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # some systems have a name and no limit
            resource.setrlimit(kind, (value, value))


def rights(orders: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield what Landlock is to allow: paths and the rights below them."""
    masks = {Path(mask) for mask in orders["masks"]}
    for path in orders["reads"]:
        yield from readable(Path(path), masks)
    for path in orders["lists"]:
        yield path, linux.READ_DIR
    for path in DEVICES:
        yield path, linux.READ | linux.WRITE_FILE
    yield orders["scratch"], linux.WRITE


def readable(path: Path, masks: set[Path]) -> Iterator[tuple[str, int]]:
    """Yield the rights to read below a path but not below its masks."""
    if path in masks:
        return
    if not any(mask.is_relative_to(path) for mask in masks):
        yield str(path), linux.READ
        return
    yield str(path), linux.READ_DIR
    for child in path.iterdir():
        yield from readable(child, masks)


def build_root(orders: dict[str, Any]) -> None:
    """Make a file system of the readable paths, a scratch folder and devices, and move there."""
    root = orders["root"]
    linux.mount("tmpfs", root, "tmpfs", linux.NOSUID | linux.NODEV, "size=1m,mode=755")
    for path in sorted([*orders["reads"], *orders["masks"], *DEVICES]):
        place = root + path
        if path in orders["masks"]:
            if os.path.isdir(place):  # as it shows in what has been bound above it
                linux.mount("tmpfs", place, "tmpfs", linux.NOSUID | linux.NODEV, "size=1m,mode=755")
        elif os.path.islink(path) and os.path.dirname(path) == "/":  # /lib on most systems
            os.symlink(os.readlink(path), place)
        else:
            bind(path, place)
    scratch = root + orders["scratch"]
    os.makedirs(scratch, exist_ok=True)
    options = f"size={orders['space']},nr_inodes=4096,mode=700,uid={orders['uid']}"
    linux.mount("tmpfs", scratch, "tmpfs", linux.NOSUID | linux.NODEV, options)
    linux.change_root(root)
    os.chdir(orders["scratch"])


def bind(path: str, place: str) -> None:
    """Show a path at a place below the new root, to be read only."""
    if os.path.isdir(path):
        os.makedirs(place, exist_ok=True)
    elif os.path.exists(path):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        if not os.path.exists(place):
            os.close(os.open(place, os.O_CREAT | os.O_EXCL, 0o644))
    else:
        return
    linux.mount(path, place, "", linux.BIND)
    flags = linux.NOSUID if path in DEVICES else linux.RDONLY | linux.NOSUID | linux.NODEV
    linux.mount("", place, "", linux.REMOUNT | linux.BIND | flags)
