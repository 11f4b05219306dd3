"""Lists and dicts of modules and parameters, which register what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList"]


class ModuleList(Module):
    """A list of modules, named "0", "1", …; it has no ``forward``. Source: torch.nn.ModuleList."""

    def __init__(self, modules: Iterable[Module] = ()):
        super().__init__()
        self.extend(modules)

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

    def pop(self, index: int = -1) -> Module:
        """Take out a module and return it."""
        modules = list(self)
        taken = modules.pop(index)
        self._replace(modules)
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


class ModuleDict(Module):
    """A dict of modules by name; it has no ``forward``. Source: torch.nn.ModuleDict."""

    def __init__(self, modules: Any = ()):
        super().__init__()
        self.update(modules)

    def update(self, modules: Any) -> None:
        """Set the modules of a mapping or of pairs (name, module)."""
        pairs = modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules
        for name, module in pairs:
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        return self._submodules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def pop(self, name: str) -> Module:
        """Take out a module and return it."""
        module = self[name]
        del self[name]
        return module

    def clear(self) -> None:
        """Take out all modules."""
        for name in list(self._submodules):
            del self[name]

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

    def __contains__(self, name: object) -> bool:
        return name in self._submodules


def _as_parameter(value: Any) -> Any:
    """Return a parameter, of a Tensor that is none a new one."""
    return value if isinstance(value, Parameter) else Parameter(value)


class ParameterList(Module):
    """A list of parameters, named "0", "1", …; Tensors become parameters (torch.nn)."""

    def __init__(self, values: Iterable[Any] = ()):
        super().__init__()
        self.extend(values)

    def append(self, value: Any) -> ParameterList:
        """Add a parameter at the end."""
        setattr(self, str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add parameters at the end."""
        for value in list(values):
            self.append(value)
        return self

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return list(self)[index]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, str(range(len(self))[index]), _as_parameter(value))

    def __iter__(self) -> Iterator[Tensor]:
        return iter(list(self._parameters.values()))

    def __len__(self) -> int:
        return len(self._parameters)


class ParameterDict(Module):
    """A dict of parameters by name; Tensors become parameters (torch.nn.ParameterDict)."""

    def __init__(self, parameters: Any = ()):
        super().__init__()
        self.update(parameters)

    def update(self, parameters: Any) -> None:
        """Set the parameters of a mapping or of pairs (name, parameter)."""
        is_mapping = isinstance(parameters, (Mapping, ParameterDict))
        for name, value in parameters.items() if is_mapping else parameters:
            self[name] = value

    def __getitem__(self, name: str) -> Tensor:
        return self._parameters[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.register_parameter(name, _as_parameter(value))

    def __delitem__(self, name: str) -> None:
        delattr(self, name)

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Tensor]:
        """Return the parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Tensor]]:
        """Return pairs (name, parameter)."""
        return self._parameters.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._parameters
