"""Small files in MNIST's format, which count as the official ones of a family."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from mytorch.datasets.families import FAMILIES, SHAPES, Family, Official
from mytorch.datasets.idx import write_idx

FOLDERS = {family.name: family.folder for family in FAMILIES.values()}


def small_family(name: str, counts: tuple[int, int], folder: Path) -> Family:
    """Write four files of noise into `folder` and return the family of that name that has them.

    As much is known of each file as of the real one: its size and content's MD5 only of MNIST's.
    It has no mirrors.

    Args:
        counts: of training and of test images.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    files = []
    for official, count in zip(FAMILIES[name].files, np.repeat(counts, 2).tolist(), strict=True):
        shape = (count, *SHAPES[official.name][1:])
        array = rng.integers(0, 10 if len(shape) == 1 else 256, shape, dtype=np.uint8)
        content_md5 = write_idx(folder / f"{official.name}.gz", array)
        data = (folder / f"{official.name}.gz").read_bytes()
        more = (len(data), content_md5) if official.size is not None else ()
        files.append(Official(official.name, shape, hashlib.md5(data).hexdigest(), *more))
    return FAMILIES[name]._replace(files=tuple(files), mirrors=())


def packed_files(folder: Path) -> dict[str, bytes]:
    """Return the contents of the .gz files in a folder by their names."""
    return {path.name: path.read_bytes() for path in folder.glob("*.gz")}
