"""MNIST, FashionMNIST and KMNIST as arrays, ready for training."""

from __future__ import annotations

import os
from pathlib import Path

from mytorch.datasets.digits import GENERATED, Digits, split_digits
from mytorch.datasets.download import DownloadError
from mytorch.datasets.families import FAMILIES, Family
from mytorch.datasets.files import advice, read_cache, read_folder
from mytorch.datasets.generated import FOLDER, RECORD, generate_digits, read_generated
from mytorch.datasets.storage import say


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
    return obtain(FAMILIES["MNIST"], folder, Path(cache), offline, mirror)[0]


def load_fashion_mnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    cache: str | os.PathLike[str] = "data",
    offline: bool = False,
    mirror: str | None = None,
) -> Digits:
    """Return FashionMNIST: pictures of clothes, in MNIST's format and more difficult.

    As `load_mnist`, but nothing takes its place where it cannot be had. `folder` and `mirror` hold
    this set alone; in `cache`, in $MYTORCH_DATA and on $MYTORCH_MIRROR, which serve all sets, it
    is in `FashionMNIST/raw`.

    Raises:
        DatasetError: if it cannot be had, or a file that the user put there is damaged; says what
            to do.
    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST" (2017), arXiv:1708.07747.
    """
    return obtain(FAMILIES["FashionMNIST"], folder, Path(cache), offline, mirror)[0]


def load_kmnist(
    folder: str | os.PathLike[str] | None = None,
    *,
    cache: str | os.PathLike[str] = "data",
    offline: bool = False,
    mirror: str | None = None,
) -> Digits:
    """Return KMNIST: ten characters of cursive Japanese, in MNIST's format.

    As `load_fashion_mnist`, with `KMNIST/raw`.

    Source: Clanuwat et al., "Deep Learning for Classical Japanese Literature" (2018),
        arXiv:1812.01718.
    """
    return obtain(FAMILIES["KMNIST"], folder, Path(cache), offline, mirror)[0]


def obtain(
    family: Family,
    folder: str | os.PathLike[str] | None,
    cache: Path,
    offline: bool,
    mirror: str | None,
) -> tuple[Digits, Path | None]:
    """Return what the `load_` function does, and the folder of the files (None: nowhere)."""
    cache = cache.expanduser()
    kept = cache / family.folder
    everywhere = os.environ.get("MYTORCH_DATA")
    for named in (folder, everywhere and Path(everywhere) / family.folder):
        place = Path(named).expanduser() if named else None
        if place and place.resolve() != kept.resolve():
            digits = _read_named(family, place)
            if digits:
                return digits, place
    try:
        arrays, place = read_cache(family, kept, offline, mirror)
        return split_digits(arrays, family.name), place
    except DownloadError as error:
        if not family.has_stand_in:
            raise DownloadError(f"{error}. {advice(family, kept)}") from None
        say(str(error))
    say(f"going on with {GENERATED}, which are not {family.name}")
    digits = generate_digits(cache=cache)
    return digits, cache / FOLDER if os.path.exists(cache / FOLDER / RECORD) else None


def _read_named(family: Family, folder: Path) -> Digits | None:
    """Return the digits in a folder that the user named, or None if files are missing there."""
    if family.has_stand_in and os.path.exists(folder / RECORD):
        return split_digits(read_generated(folder)[1], GENERATED)
    arrays = read_folder(family, folder)
    return None if arrays is None else split_digits(arrays, family.name)
