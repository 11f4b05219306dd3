"""A house to be hostile in: runs a command in process and mount namespaces of its own.

    unshare … python house.py UID WRITABLE PATH… -- COMMAND…

Whatever the command does, it meets no process of the machine's, all that it starts ends with it,
and it can write to WRITABLE and to temp folders of its own alone. It runs as the user UID (`-`: as
whoever runs this), who can reach the PATHs even where they lie in a folder that is closed to
others, such as a Python in root's home. What root's graders hold outside, they hold in here: a
user that is taken is taken.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
SPACES = ("--pid", "--mount", "--fork", "--kill-child=KILL", "--mount-proc")
OWN_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run")
LOCKS = Path("/run/lock" if os.path.isdir("/run/lock") else "/var/lock").resolve()
STASH = "/mnt"
USERS = 46_000  # and the 900 after it: each process that tests has one, so none shares its limits


def command(inner: Sequence[object], root: bool, writable: Path | None = None) -> list[str]:
    """Return the command that runs `inner` in a house, as root or as a plain user."""
    needed = [ROOT, sys.prefix, sys.base_prefix, *([LOCKS] if root else [])]
    if os.geteuid() == 0:
        user, spaces = ("-" if root else str(USERS + os.getpid() % 900)), list(SPACES)
    else:
        user, spaces = "-", ["--user", "--map-current-user", *SPACES]
    own = [sys.executable, "-B", HERE, user, writable or "-", *needed]
    return [str(part) for part in ("unshare", *spaces, *own, "--", *inner)]


def why_not(root: bool) -> str:
    """Return why there can be no house here, or nothing."""
    if root and os.geteuid() != 0:
        return "it needs root"
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return "it needs Linux and unshare"
    tried = subprocess.run(command(["true"], root), capture_output=True, text=True, timeout=60)
    return tried.stderr.strip() if tried.returncode else ""


def closed_above(path: Path) -> Path | None:
    """Return the topmost folder above a path that others cannot pass through."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH or str(folder) in OWN_FOLDERS:
            return folder
    return None


def furnish(paths: Sequence[Path]) -> None:
    """Show the paths in folders that everybody can pass through, and everything read-only."""
    mount("--make-rprivate", "/")
    replaced: dict[Path, list[Path]] = {Path(f): [] for f in OWN_FOLDERS if os.path.isdir(f)}
    for path in paths:
        folder = closed_above(path)
        if folder is not None:
            replaced.setdefault(folder, []).append(path)
    mount("-t", "tmpfs", "tmpfs", STASH)
    kept = {path: f"{STASH}/{n}" for n, path in enumerate(sum(replaced.values(), []))}
    for path, place in kept.items():
        os.mkdir(place)
        mount("--bind", path, place)
    for folder, inside in replaced.items():
        mode = "1777" if str(folder) in OWN_FOLDERS else "755"
        mount("-t", "tmpfs", "-o", f"mode={mode},size=1g", "tmpfs", folder)
        for path in inside:
            path.mkdir(parents=True, exist_ok=True)
            mount("--move", kept[path], path)
    subprocess.run(["umount", STASH], check=True)


def protect(writable: str) -> None:
    """Make what was mounted before read-only, but for the writable folder and the locks."""
    own = {*OWN_FOLDERS, writable, str(LOCKS), "/proc"}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4]
        if place not in own and not place.startswith(("/proc/", "/dev", "/sys")):
            mount("-o", "remount,bind,ro", place, check=False, stderr=subprocess.DEVNULL)


def mount(*arguments: object, **options: object) -> None:
    """Run mount."""
    subprocess.run(["mount", *map(str, arguments)], **{"check": True, **options})


def main() -> int:
    """Run the command line."""
    divide = sys.argv.index("--")
    user, writable, *paths = sys.argv[1:divide]
    places = [*paths, writable] if writable != "-" else paths
    furnish([Path(path).resolve() for path in places])
    protect(writable)
    more = {} if user == "-" else {"user": int(user), "group": int(user), "extra_groups": []}
    os.chdir("/")
    return subprocess.run(sys.argv[divide + 1 :], check=False, **more).returncode


if __name__ == "__main__":
    sys.exit(main())
