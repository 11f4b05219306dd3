"""The grader's own reader of digits in MNIST's files (IDX, plain or gzip): it trusts no loader.

The official files are known by the MD5 of what is in them (unpacked, so that it does not matter
who compressed them). Files of any other content are read only as generated digits.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MNIST = "MNIST"
GENERATED = "generated digits (offline)"
VALIDATION_PART = 12  # the last twelfth of the training file is for validation
MOST_IMAGES = 100_000
OFFICIAL = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


class DigitsError(Exception):
    """A folder does not hold usable digits; the text says why."""


@dataclass(frozen=True)
class Digits:
    """Images float32 (N, 784) in [0, 1], labels int64 (N,), in three parts; where from."""

    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    source: str
    folder: Path

    def __str__(self) -> str:
        counts = [f"{len(part):,}" for part in (self.train_y, self.val_y, self.test_y)]
        return "{}: {} images to train, {} to validate, {} to test".format(self.source, *counts)


def read_digits(folder: Path, source: str) -> Digits:
    """Read the four files of a folder.

    Raises:
        DigitsError: one is missing, damaged, or (source MNIST) not the official one.
    """
    arrays = [read_idx(folder, name, official=source == MNIST) for name in OFFICIAL]
    images, labels, test_images, test_labels = arrays
    for x, y in ((images, labels), (test_images, test_labels)):
        if x.shape[1:] != (28, 28) or y.ndim != 1 or len(x) != len(y) or len(y) < VALIDATION_PART:
            raise DigitsError(f"{folder}: images {x.shape} and labels {y.shape} do not fit")
        if y.max() > 9:
            raise DigitsError(f"{folder}: a label is {y.max()}; digits go to 9")
    pixels, test_x = (x.reshape(len(x), 784) / np.float32(255) for x in (images, test_images))
    targets, test_y = labels.astype(np.int64), test_labels.astype(np.int64)
    cut = len(pixels) - len(pixels) // VALIDATION_PART
    parts = (pixels[:cut], targets[:cut], pixels[cut:], targets[cut:], test_x, test_y)
    return Digits(*parts, source, folder)


def read_idx(folder: Path, name: str, official: bool) -> np.ndarray:
    """Return the array of one file, found with or without `.gz`, and also as `…-images.idx3-…`.

    Raises:
        DigitsError: it is missing, damaged, or not the official one.
    """
    dotted = name.replace("-idx", ".idx")
    paths = [folder / each for each in (f"{name}.gz", name, f"{dotted}.gz", dotted)]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        raise DigitsError(f"{folder}: there is no {name}.gz")
    rank = 3 if "images" in name else 1
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(4 + 4 * rank)
            magic, *shape = struct.unpack(f">{1 + rank}I", header)
            size = int(np.prod(shape, dtype=object))
            if magic != 0x0800 + rank or size > MOST_IMAGES * 784:
                raise DigitsError(f"{path}: this is no IDX file of digits")
            content = file.read(size + 1)
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise DigitsError(f"{path}: it cannot be read ({error})") from None
    if len(content) != size:
        raise DigitsError(f"{path}: its length is not what its header says")
    if official and hashlib.md5(header + content).hexdigest() != OFFICIAL[name]:
        raise DigitsError(f"{path}: it is not MNIST's (MD5 differs)")
    return np.frombuffer(content, np.uint8).reshape(shape)
