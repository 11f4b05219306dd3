"""Sequential."""

from mytorch.nn.module import Module


class Sequential(Module):
    """Layers in a list; the registry of Module is filled by hand."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = list(layers)
        self._submodules.update((str(i), layer) for i, layer in enumerate(layers))

    def __iter__(self):
        yield from self.layers

    def __getitem__(self, idx):
        return self.layers[idx]

    def forward(self, x):
        """Return what the last layer makes of it."""
        out = x
        for layer in self:
            out = layer(out)
        return out
