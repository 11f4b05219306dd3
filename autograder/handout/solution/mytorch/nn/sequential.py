"""Sequential."""

from mytorch.nn.module import Module


class Sequential(Module):
    """Layers, one after another."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = layers
        for idx, layer in enumerate(self.layers):
            setattr(self, str(idx), layer)

    def __iter__(self):
        yield from self.layers

    def __getitem__(self, idx):
        return self.layers[idx]

    def forward(self, x):
        """Return what the last layer makes of it."""
        # handout: begin 2.1 Hand x through the layers, in order.
        for layer in self.layers:
            x = layer(x)
        return x
        # handout: end
