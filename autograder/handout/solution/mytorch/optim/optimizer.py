"""Optimizer."""


class Optimizer:
    """The parent of optimisers."""

    def __init__(self, params):
        self.params = list(params)

    def zero_grad(self):
        """Forget the gradients."""
        for param in self.params:
            param.grad = None
