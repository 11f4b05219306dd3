"""MNIST, and digits made offline where MNIST cannot be had: NumPy arrays, ready for training.

>>> from mytorch.datasets import generate_digits
>>> digits = generate_digits(count=60)
>>> digits.train_x.shape, digits.val_y.shape, digits.source
((50, 784), (4,), 'generated digits (offline)')
"""

from mytorch.datasets.digits import Digits
from mytorch.datasets.generated import generate_digits
from mytorch.datasets.idx import DatasetError, read_idx
from mytorch.datasets.mnist import load_mnist

__all__ = ["DatasetError", "Digits", "generate_digits", "load_mnist", "read_idx"]
