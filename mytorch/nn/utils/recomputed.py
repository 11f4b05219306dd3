"""A parameter that is computed anew from others before each call of its module."""

from __future__ import annotations

from typing import Any

from mytorch.errors import ArgumentError
from mytorch.nn.module import Module
from mytorch.tensor import Tensor

__all__ = ["Recomputed", "detach"]


class Recomputed:
    """A forward pre-hook that sets ``module.<name>`` to what ``compute`` makes of other parameters.

    The tensor that it sets is no parameter: it is part of the graph, and not of the state.

    Args:
        module: of which it is; name: of the parameter that is to be computed.
    Raises:
        RuntimeError: another one of this class is there already; AttributeError: there is no such
        parameter.
    """

    kind = ""  # what the user called it by

    def __init__(self, module: Module, name: str):
        self.name = name
        if find(module, type(self), name) is not None:
            raise ArgumentError(
                f"{self.kind}: the parameter {name!r} of {type(module).__name__} has one already"
            )
        module.get_parameter(name)

    def attach(self, module: Module) -> None:
        """Compute it now, and from now on before each call."""
        self.refresh(module)
        module.register_forward_pre_hook(self)

    def compute(self, module: Module) -> Tensor:
        """Return what the parameter shall be."""
        raise NotImplementedError

    def refresh(self, module: Module) -> None:
        """Compute it now."""
        setattr(module, self.name, self.compute(module))

    def __call__(self, module: Module, args: Any) -> None:
        self.refresh(module)


def find(module: Module, kind: type[Recomputed], name: str) -> int | None:
    """Return the number of the hook of this kind for the parameter ``name``."""
    for number, hook in module._hooks.get("forward_pre", {}).items():
        if isinstance(hook.call, kind) and hook.call.name == name:
            return number
    return None


def detach(module: Module, kind: type[Recomputed], name: str) -> Any:
    """Take the hook off the module, and return it.

    Raises:
        ValueError: there is none.
    """
    number = find(module, kind, name)
    if number is None:
        raise ValueError(f"remove_{kind.kind}: there is none of {name!r} in {module!r}")
    return module._hooks["forward_pre"].pop(number).call
