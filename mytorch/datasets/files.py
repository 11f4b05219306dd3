"""Finds the files of a family, fetches them if need be, and reads them with every check."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from mytorch.datasets.download import DownloadError, Remote, download
from mytorch.datasets.families import Family, Official
from mytorch.datasets.idx import DatasetError, read_idx_md5
from mytorch.datasets.storage import (
    folder_lock,
    md5_of,
    reason,
    replace_file,
    say,
    sync_folder,
)

MARKER = ".downloaded"  # names of the files in a cache that the loader put there, one a line


def read_folder(family: Family, folder: Path) -> list[np.ndarray] | None:
    """Return the arrays in a folder that the user named, or None if files are missing there.

    Raises:
        DatasetError: if one of the files is damaged.
    """
    paths = [_find(folder, official.name) for official in family.files]
    missing = [o.name for o, path in zip(family.files, paths, strict=True) if path is None]
    if missing:
        say(f"{folder} does not hold {', '.join(missing)}: looking elsewhere")
        return None
    found = zip(family.files, paths, strict=True)
    return [_check(path, family, official) for official, path in found if path]


def read_cache(
    family: Family, cache: Path, offline: bool, mirror: str | None
) -> tuple[list[np.ndarray], Path | None]:
    """Return the arrays kept in `cache`, downloaded if need be, and where they are now kept.

    Args:
        family: which files.
        cache: the folder of this family alone.
        offline: do not use the network.
        mirror: as of `download`; default: the family's folder in $MYTORCH_MIRROR.
    Raises:
        DownloadError: if a file is neither there nor to be had; says what was wrong.
        DatasetError: if a file that the user put there is damaged.
    """
    kept = _marked(cache)
    found = [_usable(cache, family, official, kept) for official in family.files]
    whole = [array for array in found if array is not None]
    if len(whole) == len(family.files):
        return whole, cache
    if offline:
        raise DownloadError(f"no {family.name} files in {cache}, and no download is allowed")
    everywhere = os.environ.get("MYTORCH_MIRROR")
    if everywhere and not mirror:
        mirror = f"{everywhere.rstrip('/')}/{family.folder}" if family.folder else everywhere
    try:
        return _download(family, cache, mirror)
    except DownloadError as error:
        raise DownloadError(f"{family.name} cannot be downloaded: {error}") from None


def advice(family: Family, folder: Path) -> str:
    """Return what users can do who have not got the files of a family in `folder`."""
    names = ", ".join(f"{official.name}.gz" for official in family.files)
    source = f" from {family.mirrors[0]}" if family.mirrors else ""
    where = f" in its folder {family.folder}" if family.folder else ""
    server = f"name a server in $MYTORCH_MIRROR that has them{where}"
    return f"Put {names}{source} into {folder}, or {server}"


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of that official name in `folder`, in any of its spellings."""
    dotted = name.replace("-idx", ".idx")
    for spelling in (f"{name}.gz", name, f"{dotted}.gz", dotted):
        if os.path.isfile(folder / spelling):
            return folder / spelling
    return None


def _check(path: Path, family: Family, official: Official) -> np.ndarray:
    """Return the array in `path`; raise DatasetError unless it is the official one.

    Where the MD5 of the content is not known, an unpacked file is believed if its shape is right.
    """
    array, found = read_idx_md5(path)
    if array.shape != official.shape or array.dtype != np.uint8:
        fault = f"holds {array.dtype} {array.shape}, {family.name}'s has uint8 {official.shape}"
        raise DatasetError(f"{path}: {fault}")
    what, expected = "content", official.content_md5
    if expected is None and path.suffix == ".gz":
        what, expected, found = "gzip file", official.md5, md5_of(path)
    if expected is not None and found != expected:
        fault = f"its {what} has MD5 {found}, {family.name}'s has {expected}"
        raise DatasetError(f"{path}: wrong MD5: {fault}")
    return array


def _usable(
    cache: Path, family: Family, official: Official, ours: set[str], remove: bool = False
) -> np.ndarray | None:
    """Return the cached file's array, or None if it is to be fetched; `remove` it if damaged."""
    path = _find(cache, official.name)
    if path is None:
        return None
    try:
        return _check(path, family, official)
    except DatasetError as error:
        if path.name not in ours:
            advice = "MyTorch did not put it there and leaves it alone: replace or delete it"
            raise DatasetError(f"{error}. {advice}") from None
        if remove:
            say(f"{error}: removed, to be downloaded again")
            path.unlink(missing_ok=True)
        return None


def _download(
    family: Family, cache: Path, mirror: str | None
) -> tuple[list[np.ndarray], Path | None]:
    """Return the arrays, downloading what `cache` lacks, and where they are now kept."""
    try:
        return _fill(family, cache, mirror), cache
    except OSError as error:
        fault = f"{family.name} cannot be kept in {cache} ({reason(error)})"
        say(f"{fault}: downloading it for this run only")
    try:
        with tempfile.TemporaryDirectory(prefix="mytorch-") as spare:
            return _fill(family, Path(spare), mirror), None
    except OSError as error:
        raise DownloadError(
            f"there is no room for it either in a temporary folder ({reason(error)})"
        ) from None


def _fill(family: Family, cache: Path, mirror: str | None) -> list[np.ndarray]:
    """Make `cache` hold the official files and return their arrays."""
    cache.mkdir(parents=True, exist_ok=True)

    def finish(part: Path, name: str) -> None:
        names = "\n".join(sorted(_marked(cache) | {name})) + "\n"
        replace_file(cache / MARKER, lambda path: path.write_text(names, encoding="utf-8"))
        part.replace(cache / name)  # marked before it is there: what is ours is never unmarked
        sync_folder(cache)

    with folder_lock(cache):
        ours = _marked(cache)
        arrays = {o: _usable(cache, family, o, ours, remove=True) for o in family.files}
        wanted = [
            Remote(f"{o.name}.gz", o.md5, o.size, o.limit)
            for o, array in arrays.items()
            if array is None
        ]
        download(wanted, cache, mirror, family.mirrors, finish)
        fetched = {o: cache / f"{o.name}.gz" for o in family.files}
        return [_check(fetched[o], family, o) if a is None else a for o, a in arrays.items()]


def _marked(cache: Path) -> set[str]:
    """Return the names of the files in `cache` that the loader put there."""
    try:
        return set((cache / MARKER).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return set()
