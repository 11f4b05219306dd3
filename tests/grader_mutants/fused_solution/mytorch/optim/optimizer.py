"""Optimizer."""


class Optimizer:
    """The parent of optimisers."""

    def __init__(self, params):
        self.params = [*params]

    def zero_grad(self):
        """Set the gradients back."""
        for each in self.params:
            each.grad = None
