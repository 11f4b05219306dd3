"""Lists and dicts of modules and parameters, which register what they hold."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList"]


class ModuleList(Module):
    """A list of modules, named "0", "1", …; it has no ``forward``. Source: torch.nn.ModuleList."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend(() if modules is None else modules)

    def _replace(self, modules: Iterable[Module]) -> None:
        modules = list(modules)
        for name in list(self._submodules):
            delattr(self, name)
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end."""
        if not isinstance(module, Module):
            raise TypeError(f"ModuleList takes Modules, got {type(module).__name__}")
        setattr(self, str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before the one at ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._replace(modules)

    def pop(self, key: int | slice = -1) -> Any:
        """Take out a module, or those of a slice, and return it."""
        taken = self[key]
        del self[key]
        return taken

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return list(self)[index]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(range(len(self))[index]), module)

    def __delitem__(self, index: int | slice) -> None:
        modules = list(self)
        del modules[index]
        self._replace(modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._submodules.values()))

    def __len__(self) -> int:
        return len(self._submodules)

    def __contains__(self, module: object) -> bool:
        return any(each is module for each in self)

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return type(self)([*self, *other])

    def _lines(self) -> list[str]:
        """Show equal neighbours as one: "(0-5): 6 x ReLU()"."""
        lines, start = [], 0
        for shown, group in itertools.groupby(map(repr, self)):
            count = len(list(group))
            last = start + count - 1
            lines.append(
                f"({start}): {shown}" if count == 1 else f"({start}-{last}): {count} x {shown}"
            )
            start += count
        return lines


def _pairs(kind: str, given: Any) -> Iterable[tuple[str, Any]]:
    """Return the pairs (name, value) of a mapping, of a dict of modules, or of pairs."""
    if hasattr(given, "items"):
        return given.items()
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{kind} takes a mapping or pairs (name, value), not {type(given).__name__}"
        )
    pairs = [tuple(pair) for pair in given]
    for place, pair in enumerate(pairs):
        if len(pair) != 2:
            raise ValueError(f"{kind}: item {place} has {len(pair)} parts, not (name, value)")
    return pairs


class ModuleDict(Module):
    """A dict of modules by name; it has no ``forward``. Source: torch.nn.ModuleDict."""

    def __init__(self, modules: Any = None):
        super().__init__()
        self.update(() if modules is None else modules)

    def update(self, modules: Any) -> None:
        """Set the modules of a mapping or of pairs (name, module)."""
        for name, module in _pairs("ModuleDict", modules):
            self[name] = module

    def __getitem__(self, key: str) -> Module:
        return self._submodules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        delattr(self, key)

    def pop(self, key: str) -> Module:
        """Take out a module and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take out all modules."""
        for key in list(self):
            del self[key]

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._submodules.keys()

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return self._submodules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return pairs (name, module)."""
        return self._submodules.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._submodules)

    def __len__(self) -> int:
        return len(self._submodules)

    def __contains__(self, key: object) -> bool:
        return key in self._submodules


class _Parameters(Module):
    """What lists and dicts of parameters share: Tensors and numbers become parameters."""

    def _put(self, name: str, value: Any) -> None:
        known = value is None or isinstance(value, Parameter)
        self.register_parameter(name, value if known else Parameter(value))

    def __len__(self) -> int:
        return len(self._parameters)

    def extra_repr(self) -> str:
        """Return a line for each parameter."""
        lines = []
        for name, value in self._parameters.items():
            if value is not None:
                size = "x".join(map(str, value.shape))
                lines.append(f"  ({name}): Parameter containing: [{value.dtype} of size {size}]")
        return "\n".join(lines)


class ParameterList(_Parameters):
    """A list of parameters, named "0", "1", …: of Tensors and numbers are made parameters.

    Source: torch.nn.ParameterList, which keeps values of other kinds too.
    """

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self.extend(() if values is None else values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end."""
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            kind = type(values).__name__
            raise TypeError(f"ParameterList takes an iterable of parameters, not a {kind}")
        for value in list(values):
            self.append(value)
        return self

    def __getitem__(self, idx: int | slice) -> Any:
        if isinstance(idx, slice):
            return type(self)(list(self)[idx])
        return list(self)[idx]

    def __setitem__(self, idx: int, param: Any) -> None:
        self._put(str(range(len(self))[idx]), param)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._parameters.values()))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)


class ParameterDict(_Parameters):
    """A dict of parameters by name: of Tensors and numbers are made parameters.

    Source: torch.nn.ParameterDict, which keeps values of other kinds too.
    """

    def __init__(self, parameters: Any = None):
        super().__init__()
        self.update(() if parameters is None else parameters)

    def update(self, parameters: Any) -> None:
        """Set the parameters of a mapping or of pairs (name, parameter).

        Those of a plain mapping come in the order of their names, as in torch.
        """
        pairs = _pairs("ParameterDict", parameters)
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs)
        for name, value in pairs:
            self[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._put(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        delattr(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the parameter of that name, or else the default."""
        return self._parameters.get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the parameter of that name, which is made of the default where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str) -> Any:
        """Take out a parameter and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take out the last pair (name, parameter) and return it."""
        if not self:
            raise KeyError("popitem: the ParameterDict is empty")
        key = next(reversed(self))
        return key, self.pop(key)

    def clear(self) -> None:
        """Take out all parameters."""
        for key in list(self):
            del self[key]

    def copy(self) -> ParameterDict:
        """Return another dict of the same parameters."""
        return type(self)(self)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dict that has these names, each with the default."""
        return type(self)((key, default) for key in keys)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Any]:
        """Return the parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs (name, parameter)."""
        return self._parameters.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self
