"""SGD."""

import numpy as np

from mytorch.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent with momentum, in place."""

    def __init__(self, params, lr=0.001, momentum=0.0):
        super().__init__(params)
        self.lr, self.momentum = lr, momentum
        self.momentums = [np.zeros_like(each.data) for each in self.params]

    def step(self):
        """Move every parameter once."""
        for each, velocity in zip(self.params, self.momentums, strict=True):
            velocity *= self.momentum
            velocity -= self.lr * each.grad.data
            each.data += velocity
