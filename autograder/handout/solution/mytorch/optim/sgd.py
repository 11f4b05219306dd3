"""SGD."""

import numpy as np

from mytorch.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent with momentum."""

    def __init__(self, params, lr=0.001, momentum=0.0):
        super().__init__(params)
        self.lr = lr
        self.momentum = momentum
        # handout: cut 2.4
        self.momentums = [np.zeros(t.shape) for t in self.params]
        # handout: end

    def step(self):
        """Move every parameter once."""
        # handout: begin 2.2 Move the .data of each parameter by -lr times its gradient; problem
        #     2.4 adds momentum.
        for i, param in enumerate(self.params):
            self.momentums[i] = self.momentum * self.momentums[i] - self.lr * param.grad.data
            param.data = param.data + self.momentums[i]
        # handout: end
