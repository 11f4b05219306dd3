"""Finds the official MNIST files, fetches them if need be, and reads them with every check."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mytorch.datasets.digits import GENERATED, MNIST, Digits, split_digits
from mytorch.datasets.download import DownloadError, Remote, download
from mytorch.datasets.generated import FOLDER, RECORD, generate_digits, read_generated
from mytorch.datasets.idx import DatasetError, read_idx_md5
from mytorch.datasets.storage import folder_lock, reason, replace_file, say, sync_folder


class Official(NamedTuple):
    """One of MNIST's files: name, shape, size and MD5 of the .gz, MD5 of what it unpacks to."""

    name: str
    shape: tuple[int, ...]
    size: int
    md5: str
    content_md5: str


OFFICIAL = (
    Official(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        9_912_422,
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "6bbc9ace898e44ae57da46a324031adb",
    ),
    Official(
        "train-labels-idx1-ubyte",
        (60_000,),
        28_881,
        "d53e105ee54ea40749a09fcbcd1e9432",
        "a25bea736e30d166cdddb491f175f624",
    ),
    Official(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        1_648_877,
        "9fb629c4189551a2d022fa330f9573f3",
        "2646ac647ad5339dbf082846283269ea",
    ),
    Official(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        4_542,
        "ec29112dd5afa0611ce80d1b7f02629c",
        "27ae3e4e09519cfbb04c329615203637",
    ),
)
MARKER = ".downloaded"  # names of the files in a cache that the loader put there, one a line


def load_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    cache: str | os.PathLike[str] = "data",
    offline: bool = False,
    mirror: str | None = None,
) -> Digits:
    """Return MNIST, or generated digits where there are neither its files nor a network.

    The four official files (.gz or unpacked, `train-images-idx3-ubyte` or
    `train-images.idx3-ubyte`) are looked for in `folder`, $MYTORCH_DATA and `cache`; else they are
    downloaded into `cache`. Each is checked: format, shape, length, MD5. A damaged file that the
    loader itself downloaded is fetched again; a user's own is an error and is left alone. A folder
    that `generate_digits` filled may be named too. `source` of the result says what it is, and
    warnings go to stderr.

    Args:
        folder: where to look first.
        cache: where downloads and generated digits are kept.
        offline: do not use the network.
        mirror: the URL of a folder that holds the .gz files, asked before the built-in mirrors;
            default $MYTORCH_MIRROR.
    Returns:
        Digits: MNIST: 55,000 training, 5,000 validation and 10,000 test images.
    Raises:
        DatasetError: if a file that the user put there is damaged, or a font is missing; names
            the file and the fault.
    """
    return obtain(folder, Path(cache), offline, mirror)[0]


def obtain(
    folder: str | os.PathLike[str] | None, cache: Path, offline: bool, mirror: str | None
) -> tuple[Digits, Path | None]:
    """Return `load_mnist`'s digits and the folder that holds their files (None: nowhere)."""
    for named in (folder, os.environ.get("MYTORCH_DATA")):
        if named and Path(named).resolve() != cache.resolve():
            digits = _read_named(Path(named))
            if digits:
                return digits, Path(named)
    kept = _marked(cache)
    found = [_usable(cache, official, kept) for official in OFFICIAL]
    whole = [array for array in found if array is not None]
    if len(whole) == len(OFFICIAL):
        return split_digits(whole, MNIST), cache
    if offline:
        say(f"no MNIST files in {cache}, and the network is not to be used")
    else:
        try:
            arrays, place = _download(cache, mirror)
            return split_digits(arrays, MNIST), place
        except DownloadError as error:
            say(f"MNIST cannot be downloaded: {error}")
    say(f"going on with {GENERATED}, which are not MNIST")
    digits = generate_digits(cache=cache)
    return digits, cache / FOLDER if os.path.exists(cache / FOLDER / RECORD) else None


def _read_named(folder: Path) -> Digits | None:
    """Return the digits in a folder that the user named, or None if files are missing there."""
    if os.path.exists(folder / RECORD):
        return split_digits(read_generated(folder)[1], GENERATED)
    paths = [_find(folder, official.name) for official in OFFICIAL]
    missing = [o.name for o, path in zip(OFFICIAL, paths, strict=True) if path is None]
    if missing:
        say(f"{folder} does not hold {', '.join(missing)}: looking elsewhere")
        return None
    arrays = [_check(path, o) for o, path in zip(OFFICIAL, paths, strict=True) if path]
    return split_digits(arrays, MNIST)


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of that official name in `folder`, in any of its spellings."""
    dotted = name.replace("-idx", ".idx")
    for spelling in (f"{name}.gz", name, f"{dotted}.gz", dotted):
        if os.path.isfile(folder / spelling):
            return folder / spelling
    return None


def _check(path: Path, official: Official) -> np.ndarray:
    """Return the array in `path`; raise DatasetError unless it is MNIST's to the last byte."""
    array, md5 = read_idx_md5(path)
    if array.shape != official.shape or array.dtype != np.uint8:
        fault = f"holds {array.dtype} {array.shape}, MNIST's has uint8 {official.shape}"
        raise DatasetError(f"{path}: {fault}")
    if md5 != official.content_md5:  # of the content, so that unpacked files can be checked too
        fault = f"its content has MD5 {md5}, MNIST's has {official.content_md5}"
        raise DatasetError(f"{path}: wrong MD5: {fault}")
    return array


def _usable(
    cache: Path, official: Official, ours: set[str], remove: bool = False
) -> np.ndarray | None:
    """Return the cached file's array, or None if it is to be fetched; `remove` it if damaged."""
    path = _find(cache, official.name)
    if path is None:
        return None
    try:
        return _check(path, official)
    except DatasetError as error:
        if path.name not in ours:
            advice = "MyTorch did not put it there and leaves it alone: replace or delete it"
            raise DatasetError(f"{error}. {advice}") from None
        if remove:
            say(f"{error}: removed, to be downloaded again")
            path.unlink(missing_ok=True)
        return None


def _download(cache: Path, mirror: str | None) -> tuple[list[np.ndarray], Path | None]:
    """Return MNIST's arrays, downloading what `cache` lacks, and where they are now kept."""
    try:
        return _fill(cache, mirror), cache
    except OSError as error:
        say(f"MNIST cannot be kept in {cache} ({reason(error)}): downloading it for this run only")
    try:
        with tempfile.TemporaryDirectory(prefix="mytorch-") as spare:
            return _fill(Path(spare), mirror), None
    except OSError as error:
        raise DownloadError(
            f"there is no room for it either in {spare} ({reason(error)})"
        ) from None


def _fill(cache: Path, mirror: str | None) -> list[np.ndarray]:
    """Make `cache` hold the four official files and return their arrays."""
    cache.mkdir(parents=True, exist_ok=True)

    def finish(part: Path, name: str) -> None:
        names = "\n".join(sorted(_marked(cache) | {name})) + "\n"
        replace_file(cache / MARKER, lambda path: path.write_text(names, encoding="utf-8"))
        part.replace(cache / name)  # marked before it is there: what is ours is never unmarked
        sync_folder(cache)

    with folder_lock(cache):
        ours = _marked(cache)
        arrays = {o: _usable(cache, o, ours, remove=True) for o in OFFICIAL}
        wanted = [
            Remote(f"{o.name}.gz", o.size, o.md5) for o, array in arrays.items() if array is None
        ]
        download(wanted, cache, mirror, finish)
        fetched = {o: cache / f"{o.name}.gz" for o in OFFICIAL}
        return [_check(fetched[o], o) if a is None else a for o, a in arrays.items()]


def _marked(cache: Path) -> set[str]:
    """Return the names of the files in `cache` that the loader put there."""
    try:
        return set((cache / MARKER).read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        return set()
