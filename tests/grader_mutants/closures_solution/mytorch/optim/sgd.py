"""SGD."""

from mytorch.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent with momentum; velocities are made when they are first needed."""

    def __init__(self, params, lr=0.001, momentum=0.0):
        super().__init__(params)
        self.lr, self.momentum, self.momentums = lr, momentum, {}

    def step(self):
        """Move every parameter once."""
        for number, param in enumerate(self.params):
            velocity = self.momentum * self.momentums.get(number, 0.0) - self.lr * param.grad.data
            self.momentums[number] = velocity
            param.data = param.data + velocity
