"""``quietly``: a call during which NumPy does not warn, for operations that are silent as torch's.

``with np.errstate(all="ignore")`` does the same, and takes longer than a small operation itself.
NumPy keeps that state in a context variable; so it is set once for each thread, in a context of its
own, and a call is run in that context.
"""

from __future__ import annotations

import contextvars
from _thread import _local as local  # threading.local, which takes longer to import
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["quietly"]

_is_quiet: contextvars.ContextVar[bool] = contextvars.ContextVar("mytorch_quiet", default=False)


class _Quiet(local):
    def __init__(self) -> None:
        with np.errstate(all="ignore"):
            context = contextvars.copy_context()
        context.run(_is_quiet.set, True)
        self.run = context.run


_quiet = _Quiet()


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """Return ``function(*args)``, computed on arrays, without NumPy's warnings of nan and inf."""
    if _is_quiet.get():  # a context cannot be entered twice
        return function(*args)
    return _quiet.run(function, *args)
