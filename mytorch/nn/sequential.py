"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from mytorch.nn.module import Module
from mytorch.tensor import Tensor

__all__ = ["Sequential"]


class Sequential(Module):
    """Apply ``layers`` in order: y = layer_n(… layer_1(x)).

    The layers are also reached by index and by iteration; parameters are named "0.weight",
    "0.bias", … Source: torch.nn.Sequential.
    """

    def __init__(self, *layers: Module):
        super().__init__()
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(
                    f"Sequential takes Modules; argument {position} is a {type(layer).__name__}"
                )
            setattr(self, str(position), layer)

    @property
    def layers(self) -> tuple[Module, ...]:
        """The layers, in order."""
        return tuple(self.children())

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]
