"""``ModuleTree``: what a module holds, and how all that is below it is reached.

Source: torch.nn.Module; the names ``_parameters`` and ``_submodules`` are the handout's.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from mytorch.nn.parameter import Parameter
from mytorch.tensor import Tensor

__all__ = ["ModuleTree", "alias"]

_KINDS = ("_parameters", "_buffers", "_submodules")


def alias(name: str, doc: str) -> Any:
    """Return a property that is another name of the attribute ``name``."""

    def get(self: Any) -> Any:
        return getattr(self, name)

    def put(self: Any, value: Any) -> None:
        setattr(self, name, value)

    return property(get, put, doc=doc)


class _Registry(dict[str, Any]):
    """Values of one kind by name, each also an attribute of the module: a change is one of both."""

    __slots__ = ("_module",)

    def __init__(self, module: ModuleTree, values: dict[str, Any]):
        super().__init__(values)
        self._module = weakref.ref(module)  # so that reference counting alone frees a module

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        if (module := self._module()) is not None:
            module.__dict__[name] = value

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        if (module := self._module()) is not None:
            module.__dict__.pop(name, None)

    def pop(self, name: str, *default: Any) -> Any:
        if name not in self and default:
            return default[0]
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name = next(reversed(self), "")
        return name, self.pop(name)

    def clear(self) -> None:
        while self:
            self.popitem()

    update, setdefault = MutableMapping.update, MutableMapping.setdefault

    def __ior__(self, other: Any) -> _Registry:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        return dict, (dict(self),)  # a copy of the module makes it a registry again


class ModuleTree:
    """The part of ``Module`` that keeps parameters, buffers and submodules under their names.

    Each is an attribute, and stands in the registry of its kind too, in the order of assignment. A
    name keeps its place there with None, until it has a value again.
    """

    _parameters: dict[str, Tensor | None]
    _buffers: dict[str, Tensor | None]
    _submodules: dict[str, Any]
    _volatile: set[str]  # names of buffers that are not part of the state

    def __init__(self) -> None:
        for kind in _KINDS:
            object.__setattr__(self, kind, _Registry(self, {}))
        object.__setattr__(self, "_volatile", set())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for kind in _KINDS:
            self.__dict__[kind] = _Registry(self, state[kind])

    _modules = alias("_submodules", "torch's name of ``_submodules``.")

    # ------------------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; Parameters and Modules are also registered under their name.

        Raises:
            TypeError: what stands under the name is registered, and the value is of another kind.
        """
        registries = self._registries()
        if isinstance(getattr(type(self), name, None), property):  # an alias, say
            object.__setattr__(self, name, value)
            return
        kind = None
        if isinstance(value, ModuleTree):
            kind = "_submodules"
        elif isinstance(value, Parameter):
            kind = "_parameters"
        elif isinstance(value, Tensor) and name in registries["_buffers"]:
            kind = "_buffers"
        else:
            kind = next((kind for kind in _KINDS if name in registries[kind]), None)
        known = kind if kind is None or name in registries[kind] else None
        if kind == "_submodules" and name in registries["_parameters"]:
            known = "_parameters"
        self._check_kind(known, name, value)
        self._keep(kind, name, value)

    def _check_kind(self, kind: str | None, name: str, value: Any) -> None:
        """Raise TypeError where a ``value`` cannot take the place of one registered as ``kind``."""
        if kind is None or value is None or isinstance(value, _MEMBERS[kind][0]):
            return
        _, what, expected = _MEMBERS[kind]
        raise TypeError(
            f"{type(self).__name__}.{name} is a {what}: expects {expected} or None, got "
            f"{type(value).__name__}; del the attribute first, to use its name for something else"
        )

    def _keep(self, kind: str | None, name: str, value: Any) -> None:
        """Set an attribute, and its entry in the registry ``kind`` and in no other."""
        for other, registry in self._registries().items():
            if other == kind:
                registry[name] = value
            else:
                registry.pop(name, None)
        if kind != "_buffers":
            self._volatile.discard(name)
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # called only for names that are not there
        self._registries()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        registries = [each for each in self._registries().values() if name in each]
        for registry in registries:
            del registry[name]
        self._volatile.discard(name)
        if name in self.__dict__ or not registries:
            object.__delattr__(self, name)

    def _registries(self) -> dict[str, dict[str, Any]]:
        try:
            return {kind: self.__dict__[kind] for kind in _KINDS}
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__}.__init__ must call super().__init__() before it assigns "
                "attributes or is used"
            ) from None

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep a Tensor that is part of the state but no parameter, such as a running mean.

        One that is not ``persistent`` is left out of ``state_dict``.
        """
        self._check_name("register_buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: {name!r} must be a Tensor or None")
        self._keep("_buffers", name, tensor)
        (self._volatile.discard if persistent else self._volatile.add)(name)

    def register_parameter(self, name: str, param: Tensor | None) -> None:
        """Set a parameter under a name that may be computed; None for one that is left out."""
        self._check_name("register_parameter", "_parameters", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"register_parameter: {name!r} must be a Parameter or None")
        self._keep("_parameters", name, param)

    def register_module(self, name: str, module: Any) -> None:
        """Set a submodule under a name that may be computed."""
        self._check_name("register_module", "_submodules", name)
        if module is not None and not isinstance(module, ModuleTree):
            raise TypeError(f"register_module: {name!r} must be a Module or None")
        self._keep("_submodules", name, module)

    add_module = register_module

    def _check_name(self, function: str, kind: str, name: str) -> None:
        registry = self._registries()[kind]
        if not isinstance(name, str):
            raise TypeError(f"{function}: a name is a string, not {name!r}")
        if not name or "." in name:
            raise KeyError(f"{name!r} cannot be the name of an attribute: no dots, not empty")
        if name not in registry and hasattr(self, name):
            raise KeyError(f"{function}: {type(self).__name__} has an attribute {name!r} already")

    # ------------------------------------------------------------------------------ traversal

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Yield (path, module) for this module and all below it, each module once.

        Args:
            memo: the modules that were there already, as a set that grows.
            prefix: the path of this module; remove_duplicate: False yields one at each path.
        """
        seen = set() if memo is None else memo
        stack: list[tuple[str, Any]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if module is None or (remove_duplicate and module in seen):
                continue
            seen.add(module)
            yield path, module
            children = module._registries()["_submodules"].items()
            start = f"{path}." if path else ""
            stack += [(start + name, child) for name, child in children][::-1]

    def modules(self, remove_duplicate: bool = True) -> Iterator[Any]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules(remove_duplicate=remove_duplicate))

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, module) of the modules directly below, each module once."""
        seen = set()
        for name, module in self._registries()["_submodules"].items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Any]:
        """Yield the modules directly below, each once."""
        return (child for _, child in self.named_children())

    def _named(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(None, prefix, remove_duplicate)
        for path, module in modules:
            start = f"{path}." if path else ""
            for name, tensor in module._registries()[registry].items():
                if tensor is not None and (not remove_duplicate or id(tensor) not in seen):
                    seen.add(id(tensor))
                    yield start + name, tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, parameter) of this module and all below, a shared parameter once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the parameters of this module and all below, a shared one once."""
        return (parameter for _, parameter in self.named_parameters("", recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, buffer) of this module and all below."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and all below."""
        return (buffer for _, buffer in self.named_buffers("", recurse))

    # ------------------------------------------------------------------------------ by path

    def get_submodule(self, target: str) -> Any:
        """Return the module at a path such as "encoder.layers.0"; "" is this module.

        Raises:
            AttributeError: there is none.
        """
        module = self
        for name in target.split(".") if target else ():
            module = module._entry("_submodules", "submodule", name, target)
        return module

    def get_parameter(self, target: str) -> Tensor:
        """Return the parameter at a path such as "0.weight"; errors as of ``get_submodule``."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._entry("_parameters", "parameter", name, target)

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a path such as "1.running_mean"; errors as of ``get_submodule``."""
        path, _, name = target.rpartition(".")
        return self.get_submodule(path)._entry("_buffers", "buffer", name, target)

    def _entry(self, kind: str, what: str, name: str, target: str) -> Any:
        found = self._registries()[kind].get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {what} {name!r}: {target}")
        return found

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put a module at a path such as "encoder.layers.0", in the place of another or anew.

        Args:
            strict: there must be one already.
        Raises:
            ValueError: the path is empty; AttributeError: there is nothing to put it into.
        """
        if not target:
            raise ValueError("set_submodule: the path is empty: a module cannot replace itself")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict:
            parent._entry("_submodules", "submodule", name, target)
        parent.register_module(name, module)

    def apply(self, fn: Callable[[Any], Any]) -> Any:
        """Call ``fn`` on every module below, in order, and then on this one; return this."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self


#: of each kind: the class of its values, and what it and they are called
_MEMBERS: dict[str, tuple[Any, str, str]] = {
    "_parameters": (Parameter, "parameter", "a Parameter"),
    "_buffers": (Tensor, "buffer", "a Tensor"),
    "_submodules": (ModuleTree, "submodule", "a Module"),
}
