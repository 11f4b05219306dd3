"""Sequential."""

from functools import reduce

from mytorch.nn.module import Module


class Sequential(Module):
    """Layers, one after another."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = layers
        for number, layer in enumerate(layers):
            setattr(self, f"layer{number}", layer)

    def __iter__(self):
        return iter(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def forward(self, x):
        """Return what the last layer makes of it."""
        return reduce(lambda value, layer: layer(value), self.layers, x)
