"""Whether operations are being recorded: ``no_grad`` and ``enable_grad``.

Source: torch.no_grad, torch.enable_grad.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token

__all__ = ["enable_grad", "is_grad_enabled", "no_grad", "recording"]

# A context variable, so that each thread (and each asyncio task) has a mode of its own.
recording: ContextVar[bool] = ContextVar("mytorch_recording", default=True)


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded in this thread (torch.is_grad_enabled)."""
    return recording.get()


class _GradMode(ContextDecorator):
    """Set the grad mode for a ``with`` block or a decorated function; nests; safe on errors."""

    mode: bool

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> _GradMode:
        self._tokens.append(recording.set(self.mode))
        return self

    def __exit__(self, *error: object) -> None:
        recording.reset(self._tokens.pop())

    def _recreate_cm(self) -> _GradMode:
        return type(self)()  # a decorated function may run in two threads at once


class no_grad(_GradMode):
    """Record nothing inside: ``with no_grad(): …`` or ``@no_grad()`` (torch.no_grad)."""

    mode = False


class enable_grad(_GradMode):
    """Record inside, even within ``no_grad`` (torch.enable_grad)."""

    mode = True
