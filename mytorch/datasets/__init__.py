"""Data sets as NumPy arrays, ready for training.

MNIST, FashionMNIST and KMNIST, downloaded once and checked (``load_mnist`` … for arrays,
``MNIST`` … as torch-style datasets); digits made offline where MNIST cannot be had; and small sets
made on the spot (``make_moons`` …).

>>> from mytorch.datasets import generate_digits, make_moons
>>> digits = generate_digits(count=60)
>>> digits.train_x.shape, digits.val_y.shape, digits.source
((50, 784), (4,), 'generated digits (offline)')
>>> x, y = make_moons(count=100, noise=0.1)
>>> x.shape, y.tolist()[:4]
((100, 2), [1, 0, 0, 0])
"""

from mytorch.datasets.digits import Digits
from mytorch.datasets.generated import generate_digits
from mytorch.datasets.idx import DatasetError, read_idx
from mytorch.datasets.image_datasets import KMNIST, MNIST, FashionMNIST
from mytorch.datasets.mnist import load_fashion_mnist, load_kmnist, load_mnist
from mytorch.datasets.synthetic import (
    make_blobs,
    make_circles,
    make_moons,
    make_regression,
    make_spirals,
    make_swiss_roll,
    make_xor,
)

__all__ = [
    "KMNIST",
    "MNIST",
    "DatasetError",
    "Digits",
    "FashionMNIST",
    "generate_digits",
    "load_fashion_mnist",
    "load_kmnist",
    "load_mnist",
    "make_blobs",
    "make_circles",
    "make_moons",
    "make_regression",
    "make_spirals",
    "make_swiss_roll",
    "make_xor",
    "read_idx",
]
