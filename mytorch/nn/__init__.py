"""Layers, losses and ``nn.functional`` (torch.nn).

``functional.py`` is below ``Tensor``, the layers are above it: they are imported when the first of
them is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mytorch.nn import functional as functional
    from mytorch.nn import init as init
    from mytorch.nn import utils as utils
    from mytorch.nn.layers import *  # noqa: F403

_MODULES = ("functional", "init", "utils")

if not TYPE_CHECKING:  # to a type checker, a name that is not above is a mistake

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return importlib.import_module(f"mytorch.nn.{name}")
        layers = importlib.import_module("mytorch.nn.layers")
        names = {each: getattr(layers, each) for each in layers.__all__}
        globals().update(names, __all__=[*names, *_MODULES])  # asked for once
        if name in globals():
            return globals()[name]
        raise AttributeError(f"module 'mytorch.nn' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__getattr__("__all__")})
