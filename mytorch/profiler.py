"""A profile of the operations: how often each ran, how long it took, how much it made.

    with mytorch.profiler.profile():
        loss = criterion(model(x), y)
        loss.backward()

prints a table at the end of the block, forward and backward apart. While no profile is being made,
nothing of it runs: the block puts timed versions in place of two methods, and takes them out again.
Source: torch.profiler.profile.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal, NamedTuple

import numpy as np

from mytorch.autograd_engine import AccumulateGrad, BackwardFunction, Function
from mytorch.variable import Variable

__all__ = ["Event", "operations", "profile", "readable_bytes", "replaced"]

FORWARD, BACKWARD = "forward", "backward"


class Event(NamedTuple):
    """One run of one operation."""

    name: str
    phase: str  # FORWARD or BACKWARD
    start: float  # seconds of time.perf_counter
    total: float  # seconds, with the operations that it called
    own: float  # seconds, without them
    size: int  # bytes of what it returned
    shapes: list[tuple[int, ...]]  # of the Tensors that it got
    thread: int


@dataclass
class Row:
    """All runs of one operation in one phase."""

    name: str
    phase: str
    calls: int = 0
    own: float = 0.0
    total: float = 0.0
    size: int = 0


class profile:  # noqa: N801 - torch's name
    """Time every operation inside a ``with`` block, of all threads.

    Args:
        file: where the table is printed at the end; "stdout": to what that is then; None: nowhere.
    Attributes:
        events (list[Event]): the runs, in the order of their ends.
    Raises:
        RuntimeError: another profile is being made.
    """

    _running: profile | None = None

    def __init__(self, file: IO[str] | Literal["stdout"] | None = "stdout"):
        self.events: list[Event] = []
        self._file = file
        self._stacks = threading.local()
        self._replaced = contextlib.ExitStack()

    def __enter__(self) -> profile:
        if profile._running is not None:
            raise RuntimeError("profile: another profile is being made already")
        profile._running = self
        put = self._replaced.enter_context
        for operation in operations():
            put(replaced(operation, "_run", staticmethod(self._timed_forward(operation))))
        for node, on_arrays in ((BackwardFunction, "apply_on_arrays"), (AccumulateGrad, "gather")):
            for method in ("apply", on_arrays):
                put(replaced(node, method, self._timed_backward(getattr(node, method))))
        self.start = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self.start
        self._replaced.close()
        profile._running = None
        if self._file is not None and error[0] is None:
            print(self.table(), file=sys.stdout if self._file == "stdout" else self._file)

    # ------------------------------------------------------------------------------ measuring

    def _timed_forward(self, operation: type[Function]) -> Callable[..., Any]:
        run = operation._run

        def timed(ctx: Any, *args: Any) -> Any:
            return self._measure(operation.__name__, FORWARD, args, run, ctx, *args)

        return timed

    def _timed_backward(self, method: Any) -> Callable[..., Any]:
        def timed(node: Any, *args: Any) -> Any:
            if getattr(self._stacks, "is_wrapping", None) is node:  # one of the two calls the other
                return method(node, *args)
            before = getattr(self._stacks, "is_wrapping", None)
            self._stacks.is_wrapping = node
            try:
                return self._measure(node.function_name, BACKWARD, args, method, node, *args)
            finally:
                self._stacks.is_wrapping = before

        return timed

    def _measure(self, name: str, phase: str, inputs: Any, call: Any, *args: Any) -> Any:
        """Return ``call(*args)``, and take note of it."""
        stack = self._stacks.__dict__.setdefault("inner", [])
        stack.append(0.0)  # seconds in operations that this one calls
        start = time.perf_counter()
        try:
            result = call(*args)
        finally:
            total = time.perf_counter() - start
            inner = stack.pop()
            if stack:
                stack[-1] += total
        shapes = [tuple(x.shape) for x in inputs if hasattr(x, "shape")]
        event = Event(name, phase, start, total, total - inner, _size(result), shapes,
                      threading.get_ident())  # fmt: skip
        self.events.append(event)
        return result

    # ------------------------------------------------------------------------------ results

    def rows(self) -> list[Row]:
        """Return the sums by operation and phase, the longest first."""
        rows: dict[tuple[str, str], Row] = {}
        for event in self.events:
            row = rows.setdefault((event.name, event.phase), Row(event.name, event.phase))
            row.calls += 1
            row.own += event.own
            row.total += event.total
            row.size += event.size
        return sorted(rows.values(), key=lambda row: -row.own)

    def table(self) -> str:
        """Return the table that is printed."""
        rows = self.rows()
        together = sum(row.own for row in rows)
        lines = [f"{'operation':<20}{'phase':<10}{'calls':>8}{'time':>12}{'share':>8}{'a call':>12}"
                 f"{'made':>12}"]  # fmt: skip
        for row in rows:
            share = row.own / together if together else 0.0
            lines.append(
                f"{row.name:<20}{row.phase:<10}{row.calls:>8}{_seconds(row.own):>12}{share:>8.1%}"
                f"{_seconds(row.own / row.calls):>12}{readable_bytes(row.size):>12}"
            )
        rest = self.seconds - together
        lines.append(f"{'in operations':<30}{len(self.events):>8}{_seconds(together):>12}")
        lines.append(f"{'elsewhere':<30}{'':>8}{_seconds(max(rest, 0.0)):>12}")
        return "\n".join(lines)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the runs as a trace for chrome://tracing or https://ui.perfetto.dev."""
        import json  # here: who imports the library seldom needs it

        threads = {
            thread: n for n, thread in enumerate(dict.fromkeys(e.thread for e in self.events))
        }
        events = [
            {
                "name": event.name,
                "cat": event.phase,
                "ph": "X",
                "ts": (event.start - self.start) * 1e6,
                "dur": event.total * 1e6,
                "pid": os.getpid(),
                "tid": threads[event.thread],
                "args": {"shapes": [list(shape) for shape in event.shapes], "bytes": event.size},
            }
            for event in self.events
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events, "displayTimeUnit": "ms"}, file)


def operations(base: type[Function] = Function) -> Iterator[type[Function]]:
    """Yield every operation that there is."""
    for operation in base.__subclasses__():
        yield operation
        yield from operations(operation)


@contextlib.contextmanager
def replaced(owner: type, name: str, value: Any) -> Iterator[None]:
    """Put ``value`` in place of an attribute of a class inside a ``with`` block."""
    is_own, before = name in owner.__dict__, owner.__dict__.get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if is_own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)


def _size(result: Any) -> int:
    """Return the bytes of the arrays in a result that are not views of others."""
    parts = result if isinstance(result, (tuple, list)) else (result,)
    arrays = [part.data if isinstance(part, Variable) else part for part in parts]
    return sum(x.nbytes for x in arrays if isinstance(x, np.ndarray) and x.base is None)


def _seconds(value: float) -> str:
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def readable_bytes(value: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    for factor, unit in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value} B"
