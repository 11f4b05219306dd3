"""Module."""


class Module:
    """A layer or a model: finds its parameters and layers by its attributes."""

    def __init__(self):
        self._submodules = {}
        self._parameters = {}
        self.is_train = True

    def train(self):
        """Set training mode, here and below."""
        self.is_train = True
        for submodule in self._submodules.values():
            submodule.train()

    def eval(self):
        """Set evaluation mode, here and below."""
        self.is_train = False
        for submodule in self._submodules.values():
            submodule.eval()

    def parameters(self):
        """Yield the parameters, here and below."""
        yield from self._parameters.values()
        for submodule in self._submodules.values():
            yield from submodule.parameters()

    def __setattr__(self, name, value):
        if type(value).__name__ == "Tensor" and value.is_parameter:
            self._parameters[name] = value
        elif isinstance(value, Module):
            self._submodules[name] = value
        object.__setattr__(self, name, value)

    def __call__(self, *args):
        return self.forward(*args)
