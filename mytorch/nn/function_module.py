"""``FunctionModule``: what makes a module of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mytorch.nn.module import Module

__all__ = ["FunctionModule"]


class FunctionModule(Module):
    """A module that calls one function, with some of its arguments fixed; it has no parameters.

    A subclass names the function behind its base class, and its constructor hands over the fixed
    arguments by name. They are attributes, those that ``tensors`` names are buffers; ``forward``
    takes the function's other arguments.

    >>> import mytorch.nn.functional as F
    >>> class ELU(FunctionModule):
    ...     function = staticmethod(F.elu)
    ...     def __init__(self, alpha=1.0):
    ...         super().__init__(alpha=alpha)
    >>> ELU(2.0)
    ELU(alpha=2.0)
    """

    function: Callable[..., Any]
    tensors: tuple[str, ...] = ()
    _fixed: tuple[str, ...]

    def __init_subclass__(cls, function: Callable[..., Any] | None = None, **others: Any):
        super().__init_subclass__(**others)
        if function is not None:
            cls.function = staticmethod(function)

    def __init__(self, **fixed: Any):
        super().__init__()
        self._fixed = tuple(fixed)
        for name, value in fixed.items():
            if name in self.tensors:
                self.register_buffer(name, value)
            else:
                setattr(self, name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return ``function`` of the arguments and of those that are fixed."""
        for name in self._fixed:
            kwargs[name] = getattr(self, name)
        return self.function(*args, **kwargs)

    def extra_repr(self) -> str:
        """Return the fixed arguments; ``inplace`` only where it is True."""
        shown = [name for name in self._fixed if name != "inplace" or self.inplace]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
