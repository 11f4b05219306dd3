"""Linear."""

import numpy as np

from mytorch.nn.module import Module
from mytorch.tensor import Tensor


class Linear(Module):
    """x W^T + b."""

    def __init__(self, in_features, out_features):
        super().__init__()

        def draw(*shape):
            return Tensor((np.random.rand(*shape) - 0.5) / in_features, True, True, True)

        self.weight, self.bias = draw(out_features, in_features), draw(out_features)

    def forward(self, x):
        """Return x W^T + b."""
        return x @ self.weight.T() + self.bias
