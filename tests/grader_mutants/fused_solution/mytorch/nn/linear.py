"""Linear."""

import numpy as np

from mytorch.nn.functional import Affine
from mytorch.nn.module import Module
from mytorch.tensor import Tensor


class Linear(Module):
    """x W^T + b."""

    def __init__(self, in_features, out_features):
        super().__init__()
        scale = 1 / in_features
        sizes = {"weight": (out_features, in_features), "bias": (out_features,)}
        for name, size in sizes.items():
            drawn = Tensor(scale * (np.random.rand(*size) - 0.5), True, is_parameter=True)
            setattr(self, name, drawn)

    def forward(self, x):
        """Return x W^T + b."""
        return Affine.apply(x, self.weight, self.bias)
