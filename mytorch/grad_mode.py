"""Whether operations are being recorded: ``no_grad``, ``enable_grad`` and their kin.

Each mode is a context variable: every thread and every asyncio task has its own.
Source: torch.no_grad, enable_grad, set_grad_enabled, inference_mode, autograd.detect_anomaly.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from typing import Any

__all__ = [
    "detect_anomaly",
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_grad_enabled",
]

recording: ContextVar[bool] = ContextVar("mytorch_recording", default=True)
# What is done with each new node: in anomaly mode, True, its line is noted; a ``Watch`` keeps it.
watching: ContextVar[Any] = ContextVar("mytorch_watching", default=False)
# The forward-mode derivatives under way, outermost first; see forward_mode.py.
live_levels: ContextVar[tuple[int, ...]] = ContextVar("mytorch_live_levels", default=())
# How many functions are being run for their derivative in reverse mode (grad, vjp, jacobian, …).
transforms: ContextVar[int] = ContextVar("mytorch_transforms", default=0)


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded in this thread (torch.is_grad_enabled)."""
    return recording.get()


def is_traced() -> bool:
    """Return whether operations are being followed: recorded, or differentiated forwards.

    While they are not, a hot operation's ``backward`` may compute on the arrays alone.
    """
    return recording.get() or bool(live_levels.get())


def is_transformed() -> bool:
    """Return whether a function is being run for its derivative, by ``autograd.grad`` and its kin.

    Then a number taken from a tensor is a mistake that nothing else would notice.
    """
    return transforms.get() > 0 or bool(live_levels.get())


class _Mode:
    """Set a mode for a ``with`` block or a decorated function; nests; safe on errors."""

    def __new__(cls, *args: Any) -> Any:
        if len(args) == 1 and callable(args[0]):  # @no_grad, without the brackets
            return cls()(args[0])  # type: ignore[call-arg]
        return super().__new__(cls)

    def __init__(self, variable: ContextVar[bool], value: bool):
        self._variable = variable
        self._value = value
        self._before: list[bool] = []

    def __enter__(self) -> _Mode:
        self._before.append(self._variable.get())
        self._variable.set(self._value)
        return self

    def __exit__(self, *error: object) -> None:
        self._variable.set(self._before.pop())  # no token: a generator may end in another thread

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function`` run in this mode: a plain, generator or async one, or both."""
        variable, value = self._variable, self._value
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with _Mode(variable, value):
                    return await function(*args, **kwargs)

            return coroutine
        if inspect.isgeneratorfunction(function):
            return functools.wraps(function)(
                lambda *args, **kwargs: _steps_in(variable, value, function(*args, **kwargs))
            )
        if inspect.isasyncgenfunction(function):
            return functools.wraps(function)(
                lambda *args, **kwargs: _async_steps_in(variable, value, function(*args, **kwargs))
            )

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Mode(variable, value):
                return function(*args, **kwargs)

        return wrapper


def _steps_in(variable: ContextVar[bool], value: bool, steps: Any) -> Generator[Any, Any, Any]:
    """Run a generator, each of its steps in the mode and what is between them outside."""
    sent, error = None, None
    while True:
        try:
            with _Mode(variable, value):
                item = steps.send(sent) if error is None else steps.throw(error)
        except StopIteration as stop:
            return stop.value
        try:
            sent, error = (yield item), None
        except GeneratorExit:
            steps.close()
            raise
        except BaseException as thrown:
            sent, error = None, thrown


async def _async_steps_in(
    variable: ContextVar[bool], value: bool, steps: Any
) -> AsyncGenerator[Any, Any]:
    """As ``_steps_in``, of an asynchronous generator."""
    sent, error = None, None
    while True:
        try:
            with _Mode(variable, value):
                item = await (steps.asend(sent) if error is None else steps.athrow(error))
        except StopAsyncIteration:
            return
        try:
            sent, error = (yield item), None
        except GeneratorExit:
            await steps.aclose()
            raise
        except BaseException as thrown:
            sent, error = None, thrown


class no_grad(_Mode):
    """Record nothing inside: ``with no_grad(): …`` or ``@no_grad()`` (torch.no_grad)."""

    def __init__(self) -> None:
        super().__init__(recording, False)


class enable_grad(_Mode):
    """Record inside, even within ``no_grad`` (torch.enable_grad)."""

    def __init__(self) -> None:
        super().__init__(recording, True)


class inference_mode(_Mode):
    """As ``no_grad`` (torch.inference_mode; there is nothing faster to be had here).

    Args:
        mode: False leaves recording on.
    """

    def __init__(self, mode: bool = True):
        super().__init__(recording, not mode)


class set_grad_enabled(_Mode):
    """Turn recording on or off: at once when called, back again after a ``with`` block.

    Args:
        mode: whether to record.
    Source: torch.set_grad_enabled.
    """

    def __init__(self, mode: bool):
        super().__init__(recording, bool(mode))
        self._before.append(recording.get())
        recording.set(bool(mode))

    def __enter__(self) -> set_grad_enabled:
        return self

    def __exit__(self, *error: object) -> None:
        if self._before:
            recording.set(self._before.pop())

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        self.__exit__()  # as a decorator it changes nothing outside the function
        return super().__call__(function)


class detect_anomaly(_Mode):
    """Find where a nan comes from: errors in backward name the line of the forward operation.

    Backward raises at the first operation whose gradient is not finite though what came in was.
    Costs a look at the call stack for each operation. Source: torch.autograd.detect_anomaly.
    """

    def __init__(self) -> None:
        super().__init__(watching, True)


class Watch:
    """Keeps the nodes that are made in a ``with`` block of this thread, in their order."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []

    def __enter__(self) -> Watch:
        self.outer = watching.get()
        watching.set(self)
        return self

    def __exit__(self, *error: object) -> None:
        watching.set(self.outer)


def note_made(node: Any, watch: Any) -> None:
    """Do what is to be done with a new node, for what watches and what watches around that."""
    while isinstance(watch, Watch):
        watch.nodes.append(node)
        watch = watch.outer
    if watch:
        node.trace = calling_line()


def is_anomaly_mode() -> bool:
    """Return whether ``detect_anomaly`` is on."""
    watch = watching.get()
    while isinstance(watch, Watch):
        watch = watch.outer
    return bool(watch)


def calling_line() -> str:
    """Return "file:line in function: code" of the newest caller outside this package."""
    package = os.path.join(os.path.dirname(__file__), "")
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
    code = frame.f_code
    line = linecache.getline(code.co_filename, frame.f_lineno).strip()
    return f"{code.co_filename}:{frame.f_lineno} in {code.co_name}" + (f": {line}" if line else "")
