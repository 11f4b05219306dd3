"""What every source of pictures hands over: six arrays and the name of the source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GENERATED = "generated digits (offline)"


class Digits(NamedTuple):
    """Handwritten digits, or what takes their place, split for training, validation and test.

    Images are float32 (N, 784), pixel / 255, in [0, 1]; labels int64 (N,), in [0, 10).
    `source` says what they are: "MNIST", "generated digits (offline)", "FashionMNIST" or "KMNIST".
    """

    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    source: str


def split_digits(arrays: list[np.ndarray], source: str) -> Digits:
    """Return `Digits` made of the four arrays that MNIST's four files hold.

    The last twelfth of the training file is the validation set (MNIST: 55,000 + 5,000).

    Args:
        arrays: training images (N, 28, 28), training labels (N,), test images, test labels;
            uint8.
        source: the name to carry along.
    """
    train_images, train_labels, test_images, test_labels = arrays
    train_x, test_x = _scale(train_images), _scale(test_images)
    train_y, test_y = train_labels.astype(np.int64), test_labels.astype(np.int64)
    cut = len(train_y) - len(train_y) // 12
    return Digits(
        train_x[:cut], train_y[:cut], train_x[cut:], train_y[cut:], test_x, test_y, source
    )


def _scale(images: np.ndarray) -> np.ndarray:
    """Return uint8 images (N, 28, 28) as float32 rows (N, 784) in [0, 1]."""
    return np.divide(images.reshape(len(images), 784), np.float32(255), dtype=np.float32)
