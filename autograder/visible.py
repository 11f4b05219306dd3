"""What a worker must read to run: Python, the system's libraries, and the packages offered."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

OFFERED = ("numpy", "tqdm", "matplotlib")  # a submission may import these and what they need
SITES = ("site-packages", "dist-packages")


@functools.cache
def python_paths() -> dict[str, list[str]]:
    """Return `reads`, paths to read below less the `masks`, and `lists`, to read names in only."""
    paths = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    paths |= {"/lib", "/lib64", "/usr/lib", "/usr/lib64", f"{sys.base_prefix}/lib"}
    reads = {path for path in paths if os.path.exists(path)}
    masks = set()
    for folder in reads:
        for name in SITES:
            found = (*Path(folder).glob(name), *Path(folder).glob(f"python3*/{name}"))
            masks |= {str(path) for path in found}
    site = site_folder()
    reads |= {f"{site}/{name}" for name in offered_names(site)} | {"/etc/ld.so.cache"}
    return {"reads": sorted(reads), "masks": sorted(masks), "lists": [site]}


def site_folder() -> str:
    """Return the folder that this Python found NumPy in (`python -I` hides a user's own)."""
    return str(Path(np.__file__).resolve().parents[1])


@functools.cache
def offered_names(site: str) -> frozenset[str]:
    """Return the names in a site folder that belong to the packages offered."""
    names, waiting, known = {"numpy", "numpy.libs"}, list(OFFERED), set(OFFERED)
    while waiting:
        try:
            package = importlib.metadata.distribution(waiting.pop())
        except importlib.metadata.PackageNotFoundError:
            continue
        names |= {file.parts[0] for file in package.files or ()}
        for line in package.requires or ():
            needed = re.split(r"[^\w.-]", line, maxsplit=1)[0].lower()
            if "extra ==" not in line and needed not in known:
                known.add(needed)
                waiting.append(needed)
    names -= {"..", "__pycache__"}
    return frozenset(name for name in names if os.path.exists(f"{site}/{name}"))


def offered_modules() -> list[str]:
    """Return the top-level modules that a submission may import beside Python's own."""
    names = offered_names(site_folder())
    return sorted(name.removesuffix(".py") for name in names if not name.endswith("-info"))
