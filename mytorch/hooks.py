"""``RemovableHandle``: what registering a hook returns (torch.utils.hooks)."""

from __future__ import annotations

import itertools
from collections.abc import MutableMapping
from typing import Any

__all__ = ["RemovableHandle"]

_numbers = itertools.count()


class RemovableHandle:
    """Puts a hook into ``hooks``; ``remove()`` or the end of a ``with`` block takes it out."""

    def __init__(self, hooks: MutableMapping[int, Any], hook: Any):
        self._hooks = hooks
        self.id = next(_numbers)
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook off; doing it twice is fine."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()
