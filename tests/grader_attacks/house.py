"""A house to be hostile in: runs a command in process and mount namespaces of its own.

    unshare … python house.py UID PATH… -- COMMAND…

Whatever the command does, it meets no process of the machine's, and all that it starts ends with
it. It runs as the user UID (`-`: as whoever runs this), who can reach the PATHs even where they lie
in a folder that is closed to others, such as a Python in root's home.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
SPACES = ("--pid", "--mount", "--fork", "--kill-child=KILL", "--mount-proc")
USER = 46_999


def command(inner: Sequence[object], paths: Sequence[Path], root: bool) -> list[str]:
    """Return the command that runs `inner` in a house, as root or as a plain user."""
    needed = [ROOT, sys.prefix, sys.base_prefix, *paths]
    if os.geteuid() == 0:
        user, spaces = ("-" if root else str(USER)), list(SPACES)
    else:
        user, spaces = "-", ["--user", "--map-current-user", *SPACES]
    own = [sys.executable, "-B", str(HERE), user, *map(str, needed)]
    return ["unshare", *spaces, *own, "--", *map(str, inner)]


def why_not(root: bool) -> str:
    """Return why there can be no house here, or nothing."""
    if root and os.geteuid() != 0:
        return "it needs root"
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return "it needs Linux and unshare"
    tried = subprocess.run(command(["true"], [], root), capture_output=True, text=True, timeout=60)
    return tried.stderr.strip() if tried.returncode else ""


def closed_above(path: Path) -> Path | None:
    """Return the topmost folder above a path that others cannot pass through."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def open_up(paths: Sequence[Path]) -> None:
    """Show the paths in folders that everybody can pass through; in this namespace only."""
    closed: dict[Path, list[Path]] = {}
    for path in paths:
        folder = closed_above(path)
        if folder is not None:
            closed.setdefault(folder, []).append(path)
    for folder, inside in closed.items():
        kept = {path: tempfile.mkdtemp(prefix="house-") for path in inside}
        for path, place in kept.items():
            mount("--bind", path, place)
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
        for path, place in kept.items():
            path.mkdir(parents=True, exist_ok=True)
            mount("--move", place, path)
            os.rmdir(place)


def mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def main() -> int:
    """Run the command line."""
    divide = sys.argv.index("--")
    user, *paths = sys.argv[1:divide]
    more = {}
    if user != "-":
        open_up([Path(path).resolve() for path in paths])
        more = {"user": int(user), "group": int(user), "extra_groups": []}
    elif os.geteuid() == 0:
        open_up([Path(path).resolve() for path in paths])
    return subprocess.run(sys.argv[divide + 1 :], check=False, **more).returncode


if __name__ == "__main__":
    sys.exit(main())
