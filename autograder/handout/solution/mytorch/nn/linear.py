"""Linear."""

import numpy as np

from mytorch.nn.module import Module
from mytorch.tensor import Tensor


class Linear(Module):
    """x W^T + b."""

    def __init__(self, in_features, out_features):
        super().__init__()
        k = 1 / in_features
        weight = k * (np.random.rand(out_features, in_features) - 0.5)
        bias = k * (np.random.rand(out_features) - 0.5)
        self.weight = Tensor(weight, requires_grad=True, is_parameter=True)
        self.bias = Tensor(bias, requires_grad=True, is_parameter=True)

    def forward(self, x):
        """Return x W^T + b."""
        # handout: begin 2.1 x W^T + b, in operations that autograd records.
        return x @ self.weight.T() + self.bias
        # handout: end
