"""Which files there are: MNIST's four, and the families of four that were made in its image.

A family of the same names and shapes is one more entry of ``FAMILIES``. MD5s and addresses are
those that torchvision.datasets has (torchvision/datasets/mnist.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Official(NamedTuple):
    """One file: name, shape, MD5 of the .gz; where they are known also more that can be checked."""

    name: str
    shape: tuple[int, ...]
    md5: str
    size: int | None = None  # of the .gz, in bytes
    content_md5: str | None = None  # of what it unpacks to

    @property
    def limit(self) -> int:
        """No .gz of this content is longer, even where nothing in it can be compressed."""
        content = 4 + 4 * len(self.shape) + math.prod(self.shape)
        return self.size if self.size is not None else content + content // 1000 + 1024


class Family(NamedTuple):
    """A data set of four files: training images and labels, then test images and labels.

    Attributes:
        name: the set's own, and the `source` of what is read from its files.
        folder: where its files are, below a folder that serves all sets; "": right there. The
            others' names are those that torchvision gives them below its `root`.
        mirrors: the URLs of folders that hold the .gz files, to be asked in this order.
        classes: what each label means.
        files: the four.
        has_stand_in: whether generated digits may take its place where it cannot be had.
    """

    name: str
    folder: str
    mirrors: tuple[str, ...]
    classes: tuple[str, ...]
    files: tuple[Official, ...]
    has_stand_in: bool = False


SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}


def _files(
    md5s: Sequence[str],
    sizes: Sequence[int | None] = (None,) * 4,
    content_md5s: Sequence[str | None] = (None,) * 4,
) -> tuple[Official, ...]:
    """Return the four files of a family, described in the order of SHAPES."""
    columns = SHAPES, SHAPES.values(), md5s, sizes, content_md5s
    return tuple(Official(*row) for row in zip(*columns, strict=True))


MNIST = Family(
    "MNIST",
    "",
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
    (
        *("0 - zero", "1 - one", "2 - two", "3 - three", "4 - four"),
        *("5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine"),
    ),
    _files(
        (
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        (9_912_422, 28_881, 1_648_877, 4_542),
        (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    has_stand_in=True,
)

FASHION_MNIST = Family(
    "FashionMNIST",
    "FashionMNIST/raw",
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    _files(
        (
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        )
    ),
)

KMNIST = Family(
    "KMNIST",
    "KMNIST/raw",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    _files(
        (
            "bdb82020997e1d708af4cf47b453dcf7",
            "e144d726b3acfaa3e44228e80efcd344",
            "5c965bf0a639b31b8f53240b1b52f4d7",
            "7320c461ea6c1c855c0b718fb2a4b134",
        )
    ),
)

FAMILIES = {family.name: family for family in (MNIST, FASHION_MNIST, KMNIST)}
