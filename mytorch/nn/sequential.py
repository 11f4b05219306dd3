"""Layers one after the other."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from typing import Any

from mytorch.nn.module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Apply ``layers`` in order: y = layer_n(… layer_1(x)).

    Args:
        layers: modules, named "0", "1", …; or one dict of modules by name.

    The layers are also reached by index, slice and iteration; parameters are named "0.weight",
    "0.bias", … Source: torch.nn.Sequential.
    """

    def __init__(self, *layers: Any):
        super().__init__()
        if len(layers) == 1 and isinstance(layers[0], dict):
            for name, layer in layers[0].items():
                self.register_module(name, layer)
            return
        for position, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(
                    f"Sequential takes Modules; argument {position} is a {type(layer).__name__}"
                )
            setattr(self, str(position), layer)

    @property
    def layers(self) -> tuple[Module, ...]:
        """The layers, in order."""
        return tuple(self._submodules.values())

    def forward(self, input: Any) -> Any:
        """Return the output of the last layer."""
        for layer in self._submodules.values():
            input = layer(input)
        return input

    def _replace(self, layers: Iterable[Module]) -> None:
        """Make these the layers, numbered anew."""
        layers = list(layers)
        for name in list(self._submodules):
            delattr(self, name)
        for position, layer in enumerate(layers):
            self.register_module(str(position), layer)

    def append(self, module: Module) -> Sequential:
        """Add a layer behind the last."""
        self.register_module(str(len(self)), module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Sequential:
        """Add layers behind the last."""
        for module in list(sequential):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Put a layer before the one at ``index``; the layers are numbered anew."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"insert: index {index} of {len(self)} layers")
        layers = list(self.layers)
        layers.insert(index, module)
        self._replace(layers)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take out the layer at an index, or those of a slice, and return it."""
        taken = self[key]
        del self[key]
        return taken

    def _name_at(self, index: int) -> str:
        names, index = list(self._submodules), operator.index(index)
        if not -len(names) <= index < len(names):
            raise IndexError(f"index {index} is out of range for {len(names)} layers")
        return names[index]

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(list(self._submodules.items())[index]))
        return self._submodules[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        self.register_module(self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self.layers)
        if not isinstance(index, slice):
            self._name_at(index)  # raises where there is none
        del kept[index]
        self._replace(kept)

    def __add__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        return type(self)(*self.layers, *other.layers)

    def __iadd__(self, other: Sequential) -> Sequential:
        self._check_other(other)
        return self.extend(other)

    def _check_other(self, other: Any) -> None:
        if not isinstance(other, Sequential):
            kind = type(other).__name__
            raise ValueError(f"a Sequential can be added to a Sequential, not to a {kind}")

    def __mul__(self, other: int) -> Sequential:
        return type(self)(*self._repeated(other))

    __rmul__ = __mul__

    def __imul__(self, other: int) -> Sequential:
        return self.extend(self._repeated(other)[len(self) :])

    def _repeated(self, times: int) -> list[Module]:
        """Return the layers that many times, the same objects each time."""
        if not isinstance(times, int):
            raise TypeError(f"a Sequential is multiplied by an integer, not {times!r}")
        if times < 1:
            raise ValueError(f"a Sequential is multiplied by at least 1, not {times}")
        return list(self.layers) * times

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self._submodules)
