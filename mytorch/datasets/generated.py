"""Digits made on the spot from fonts, for when MNIST cannot be had.

They are kept as the four files of MNIST's format, so whatever reads MNIST reads them, with a
record of the generator's version, the seed and each file's MD5 beside them.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path

import numpy as np

from mytorch.datasets.digits import GENERATED, Digits, split_digits
from mytorch.datasets.idx import DatasetError, read_idx_md5, write_idx
from mytorch.datasets.storage import folder_lock, reason, replace_file, say, sync_folder

VERSION = 1  # raise it with every change of what is drawn: caches of other versions are made anew
FOLDER = "generated-digits"
RECORD = "record.json"
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def generate_digits(
    count: int = 20_000, seed: int = 0, cache: str | os.PathLike[str] | None = None
) -> Digits:
    """Return digits drawn from fonts: bent, slanted and inked to look written by hand.

    A tenth of `count` is the test set, a twelfth of the rest the validation set (20,000: 16,500 +
    1,500 + 2,000). The fonts of the three sets are different ones. The same count and seed give
    the same digits on the same machine.

    Args:
        count: images in all, at least 20.
        seed: of the generator, at least 0.
        cache: a folder; the digits are kept in its sub-folder "generated-digits" and read back
            from there. If it cannot be written to, that is said on stderr and they are made in
            memory. None: nothing is read or written.
    Returns:
        Digits: with source "generated digits (offline)".
    Raises:
        ValueError: if count or seed is too small; DatasetError: if matplotlib lacks its fonts.
    """
    if count < 20 or seed < 0:
        raise ValueError(f"generate_digits: count {count} must be >= 20 and seed {seed} >= 0")
    if cache is None:
        return split_digits(_draw(count, seed), GENERATED)
    folder = Path(cache) / FOLDER
    arrays = _kept(folder, count, seed)
    return split_digits(_make(folder, count, seed) if arrays is None else arrays, GENERATED)


def read_generated(folder: Path) -> tuple[dict[str, int], list[np.ndarray]]:
    """Return what made the digits kept in `folder` (version, count, seed) and the four arrays.

    Raises:
        DatasetError: if the record or a file is missing or damaged.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made, digests = dict(record["made"]), dict(record["md5"])
        arrays = []
        for name in FILES:
            array, md5 = read_idx_md5(folder / name)
            if md5 != digests[name]:
                raise DatasetError(f"{folder / name}: wrong MD5: not the file that {RECORD} means")
            arrays.append(array)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DatasetError(
            f"{folder / RECORD}: not a record of generated digits ({error})"
        ) from None
    return made, arrays


def _kept(folder: Path, count: int, seed: int) -> list[np.ndarray] | None:
    """Return the arrays kept in `folder` if they are whole and those asked for."""
    try:
        made, arrays = read_generated(folder)
    except DatasetError:
        return None  # whatever is amiss: they are simply made again
    return arrays if made == {"version": VERSION, "count": count, "seed": seed} else None


def _make(folder: Path, count: int, seed: int) -> list[np.ndarray]:
    """Draw the digits and keep them; of two processes at once one draws and the other reads."""
    arrays = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder):
            arrays = _kept(folder, count, seed)
            if arrays is None:
                say(f"drawing {count} digits from fonts")
                arrays = _draw(count, seed)
                _keep(folder, arrays, {"version": VERSION, "count": count, "seed": seed})
    except OSError as error:
        say(f"the generated digits cannot be kept in {folder} ({reason(error)}): made in memory")
    return _draw(count, seed) if arrays is None else arrays


def _keep(folder: Path, arrays: list[np.ndarray], made: dict[str, int]) -> None:
    """Write the four files, then the record that vouches for them."""
    digests = {
        name: replace_file(folder / name, functools.partial(write_idx, array=array))
        for name, array in zip(FILES, arrays, strict=True)
    }
    record = json.dumps({"made": made, "md5": digests}, indent=1)
    replace_file(folder / RECORD, lambda path: path.write_text(record, encoding="utf-8"))
    sync_folder(folder)


def _draw(count: int, seed: int) -> list[np.ndarray]:
    """Return training images and labels, then test images and labels, as uint8."""
    from mytorch.datasets.drawing import draw
    from mytorch.datasets.fonts import strokes

    rng = np.random.default_rng(seed)
    test = count // 10
    validation = (count - test) // 12
    sizes = {"train": count - test - validation, "validation": validation, "test": test}
    drawn = {split: draw(strokes(split), size, rng) for split, size in sizes.items()}
    both = zip(drawn["train"], drawn["validation"], strict=True)
    return [*(np.concatenate(pair) for pair in both), *drawn["test"]]
