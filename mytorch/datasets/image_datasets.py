"""MNIST, FashionMNIST and KMNIST as datasets: rows by their index, for a ``DataLoader``.

They hold arrays and know nothing of Tensors; the loader makes Tensors of its batches.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mytorch.datasets.download import DownloadError
from mytorch.datasets.families import FAMILIES
from mytorch.datasets.files import advice, read_cache


class MNIST:
    """Handwritten digits: 60,000 pictures for training, 10,000 for the test.

    A row is (picture, label): a uint8 array (28, 28) and an int. Without a transform a DataLoader
    takes whole batches at once: uint8 (B, 28, 28) and int64 (B,). ``x / 255`` is what a model
    takes, in the default dtype. With a transform, each row goes through it by itself.

    Args:
        root: the folder in which the files are looked for, and kept.
        train: the training pictures, else the test's. Only the files of these are needed.
        transform: called with each picture; a row holds what it returns.
        target_transform: called with each label.
        download: fetch what is not there; $MYTORCH_MIRROR is asked first, if it is set.
    Attributes:
        data: the pictures, a uint8 array (N, 28, 28).
        targets: the labels, an int64 array (N,).
        classes: what each label means.
        class_to_idx: the label of each class.
    Raises:
        DatasetError: if files are missing or damaged, or cannot be had; says what to do. Nothing
            takes their place: it is ``load_mnist`` that goes on with generated digits.
    Source: torchvision.datasets.MNIST, whose rows hold pictures of the library Pillow; LeCun,
        Cortes and Burges, http://yann.lecun.com/exdb/mnist/.
    """

    set_name = "MNIST"

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[np.ndarray], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = False,
    ):
        self.root, self.train = Path(root).expanduser(), train
        self.transform, self.target_transform = transform, target_transform
        family = FAMILIES[self.set_name]
        self.classes = list(family.classes)
        needed = family._replace(files=family.files[:2] if train else family.files[2:])
        folder = self.root / family.folder
        try:
            (self.data, labels), _ = read_cache(needed, folder, not download, None)
        except DownloadError as error:
            allow = "" if download else "Pass download=True. Or: "
            raise DownloadError(f"{error}. {allow}{advice(needed, folder)}") from None
        self.targets = labels.astype(np.int64)

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return (picture, label) after their transforms; the picture is a copy."""
        place = operator.index(index)
        picture, label = self.data[place].copy(), int(self.targets[place])
        return (
            picture if self.transform is None else self.transform(picture),
            label if self.target_transform is None else self.target_transform(label),
        )

    @property
    def fetch(self) -> Callable[[Any], tuple[np.ndarray, np.ndarray]]:
        """A function of a slice or an index array that returns the rows there as two arrays.

        Raises:
            AttributeError: there is a transform, which is a function of one row.
        """
        if self.transform is not None or self.target_transform is not None:
            raise AttributeError(f"{type(self).__name__} has no fetch: it has a transform")
        return self._rows

    def _rows(self, indices: Any) -> tuple[np.ndarray, np.ndarray]:
        return self.data[indices], self.targets[indices]

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        lines = [f"Dataset {type(self).__name__}", f"Number of datapoints: {len(self)}"]
        return "\n    ".join([*lines, f"Root location: {self.root}", f"Split: {split}"])


class FashionMNIST(MNIST):
    """Pictures of clothes, as MNIST in all but what they show; in ``root/FashionMNIST/raw``.

    Source: torchvision.datasets.FashionMNIST; Xiao, Rasul and Vollgraf, "Fashion-MNIST" (2017),
        arXiv:1708.07747.
    """

    set_name = "FashionMNIST"


class KMNIST(MNIST):
    """Cursive Japanese characters, as MNIST in all but what they show; in ``root/KMNIST/raw``.

    Source: torchvision.datasets.KMNIST; Clanuwat et al., "Deep Learning for Classical Japanese
        Literature" (2018), arXiv:1812.01718.
    """

    set_name = "KMNIST"
