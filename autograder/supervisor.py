"""The grader's side of a worker: start it, ask it under a time limit, capture it, end it."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import secrets
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder import channel
from autograder.isolation import LAPTOP, MEMORY, SPACE, Isolation
from autograder.visible import offered_modules, site_folder

WORKER = Path(__file__).resolve().with_name("worker.py")
START_LIMIT = 60.0
KEPT_OUTPUT = 1 << 14
MOST_OUTPUT = 16 << 20
SETTLE_LIMIT = 5.0
LAST_WORDS = 0.2  # seconds in which a pipe must end whose processes have been killed
POLL = 0.25  # seconds between looks at what a submission has written
MAX_TEXT = 1000
KEPT_VARIABLES = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TERM",
    "LD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
)
CALM = {"TQDM_MININTERVAL": "60"}  # a progress bar that nobody watches fills logs


class GraderError(Exception):
    """The grader itself could not work; the text says why and what to do."""


@dataclass(frozen=True)
class Fault:
    """Why a request got no values.

    `kind` is "raised" (an exception), "complaint" (values of a wrong kind), "time", "died",
    "space" (too much written) or "channel" (a reply that breaks the format); `lines` are the
    submission's lines on the way.
    """

    kind: str
    text: str
    lines: tuple[str, ...] = ()
    killed: bool = False  # by a signal that this grader has not sent


@dataclass(frozen=True)
class Answer:
    """What came of one request: values or a fault, and what the submission printed meanwhile."""

    values: dict[str, Any]
    fault: Fault | None
    output: str


class Worker:
    """One process with the submission's code, in a process group and a scratch folder of its own.

    Args:
        submission: the folder that holds `mytorch/`.
        isolation: what keeps it from everything else.
        threads: BLAS threads; None leaves them to the machine.
        on_output: is given what the submission prints, as it comes (it is also kept, up to a cap).
        terminal: give the submission a terminal to print on (for its progress bar).
        memory: bytes of address space that it may use.
        reads: folders beside its own that it may read.

    Raises:
        GraderError: no worker could be started at all.
    """

    def __init__(
        self,
        submission: Path,
        isolation: Isolation = LAPTOP,
        threads: int | None = 1,
        on_output: Callable[[bytes], None] | None = None,
        terminal: bool = False,
        memory: int = MEMORY,
        reads: Sequence[Path] = (),
    ) -> None:
        self.alive = True
        self.outlived = False  # whether a process of it was still there when it had been ended
        self.isolation = isolation
        self._on_output = on_output
        self._printed = bytearray()
        self._lost = 0
        self._pending = bytearray()
        self._stack = ExitStack()
        self.scratch = self._stack.enter_context(isolation.scratch())
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._output, output = output_pair(terminal)
        os.set_blocking(self._requests, False)
        command = [sys.executable, "-I", "-B", "-u", "-X", "utf8", str(WORKER)]
        command += [str(requests), str(replies), str(submission.resolve()), site_folder()]
        try:
            self._process = subprocess.Popen(
                isolation.command(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.scratch,
                env=self._environment(threads, terminal),
                pass_fds=(requests, replies),
                start_new_session=True,
            )
        except OSError as error:
            self._close_all()
            raise GraderError(f"the grader cannot start {sys.executable}: {error}") from None
        finally:
            for descriptor in (requests, replies, output):
                os.close(descriptor)
        folders = [str(folder.resolve()) for folder in (submission, *reads)]
        orders = isolation.orders(self.scratch, folders, memory)
        self._greet({"confine": orders, "offered": offered_modules()})

    def ask(
        self, program: str, arrays: dict[str, np.ndarray], options: dict[str, Any], limit: float
    ) -> Answer:
        """Run one program in the worker; a fault other than an exception ends the worker."""
        ticket = secrets.token_hex(16)
        request = channel.pack({"id": ticket, "program": program, "options": options}, arrays)
        self._printed.clear()
        self._lost = 0
        if self._readable(self._replies):
            self.end()
            return self._answer(Fault("channel", "it wrote a reply before it was asked"))
        try:
            message, results = self._exchange(request, limit)
            return self._read(ticket, message, results)
        except _Failed as failed:
            fault = failed.fault
        except channel.ChannelError as error:
            fault = Fault("channel", str(error))
        self.end()
        return self._answer(fault)

    def end(self) -> None:
        """Kill the worker and all that it started, and remove its scratch folder.

        Raises:
            GraderError: it has left processes that cannot be ended.
        """
        if not self.alive:
            return
        self.alive = False
        self._kill()
        swept = self.isolation.sweep()
        if self._output >= 0 and self._readable(self._output, LAST_WORDS):
            self._drain()
        self.outlived = self._output >= 0
        self._close_all()
        if not swept:
            raise GraderError("the submission has left processes that the grader cannot end")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _greet(self, orders: dict[str, Any]) -> None:
        try:
            self._exchange(channel.pack(orders, {}), START_LIMIT)
        except (_Failed, channel.ChannelError) as error:
            why = error.fault.text if isinstance(error, _Failed) else str(error)
            self.end()
            raise GraderError(
                f"the grader's worker did not start ({why}). It runs {sys.executable} and needs "
                f"NumPy there. It printed:\n{self._text()}"
            ) from None

    def _environment(self, threads: int | None, terminal: bool) -> dict[str, str]:
        made = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        made.update(dict.fromkeys(("HOME", "TMPDIR"), str(self.scratch)), MPLBACKEND="Agg")
        if threads is not None:
            made["OPENBLAS_NUM_THREADS"] = str(threads)
        return made if terminal else {**made, **CALM}

    def _exchange(self, request: bytes, limit: float) -> tuple[dict, dict[str, np.ndarray]]:
        """Write a request and read one frame, keeping the output pipe empty meanwhile."""
        now = time.monotonic()
        deadline, look = now + limit, now + POLL
        self._pending = bytearray()
        while True:
            now = time.monotonic()
            if now >= deadline:
                raise _Failed("time", f"no answer within {limit:g} s")
            if now >= look:
                look = now + POLL
                self._check_space()
            reading = [d for d in (self._replies, self._output) if d >= 0]
            ready, writable, _ = select.select(
                reading, [self._requests] if request else [], [], min(look, deadline) - now
            )
            if self._output in ready:
                self._take_output()
            if writable:
                request = self._write(request)
            if self._replies in ready and (frame := self._take_reply()) is not None:
                self._drain()
                return channel.unpack(*frame)

    def _check_space(self) -> None:
        if self._lost > MOST_OUTPUT:
            raise _Failed("space", f"it printed more than {MOST_OUTPUT >> 20} MB")
        if bytes_below(self.scratch) > SPACE:
            raise _Failed("space", f"it wrote more than {SPACE >> 20} MB of files")

    def _write(self, request: bytes) -> bytes:
        try:
            return request[os.write(self._requests, request) :]
        except BrokenPipeError:
            return b""

    def _take_reply(self) -> tuple[bytes, bytes] | None:
        """Read what has come of a reply; return header and payload once it is whole."""
        chunk = os.read(self._replies, 1 << 16)
        if not chunk:
            raise self._how_it_ended()
        pending = self._pending
        pending += chunk
        start = channel.PREFIX.size
        if len(pending) < start:
            return None
        header, payload = channel.frame_sizes(bytes(pending[:start]))
        if len(pending) < start + header + payload:
            return None
        if len(pending) > start + header + payload:
            raise channel.ChannelError("more than one reply came")
        return bytes(pending[start : start + header]), bytes(pending[start + header :])

    def _read(self, ticket: str, message: dict, arrays: dict[str, np.ndarray]) -> Answer:
        if message.get("id") != ticket:
            raise channel.ChannelError("the reply belongs to no request")
        if "raised" in message:
            return self._answer(_exception(message["raised"]))
        if "complaint" in message:
            return self._answer(Fault("complaint", str(message["complaint"])[:MAX_TEXT]))
        values = channel.values_of(message)
        self._settle()
        return Answer({**values, **arrays}, None, self._text())

    def _settle(self) -> None:
        """Let one more question go to and fro: whatever else was written comes before its reply."""
        ticket = secrets.token_hex(16)
        message, arrays = self._exchange(
            channel.pack({"id": ticket, "program": "settle", "options": {}}, {}), SETTLE_LIMIT
        )
        if message != {"id": ticket, "values": {}} or arrays:
            raise channel.ChannelError("more than one reply came")

    def _answer(self, fault: Fault) -> Answer:
        return Answer({}, fault, self._text())

    def _how_it_ended(self) -> _Failed:
        by_itself = self._ends_within(LAST_WORDS)
        self._kill()  # before it is waited for, so that its group's number is still its own
        status = self._process.returncode
        if not by_itself:
            return _Failed("died", "it closed the grader's channel")
        if status == -signal.SIGKILL:
            return _Failed("died", "it was killed (lack of memory?)", killed=True)
        if status < 0:
            return _Failed("died", f"the process was ended by {_signal_name(-status)}")
        ended = f"the process ended itself (exit status {status}) before it answered"
        return _Failed("died", ended)

    def _ends_within(self, seconds: float) -> bool:
        """Whether the process ends by itself; it is left for `_kill` to be waited for."""
        deadline = time.monotonic() + seconds
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while hasattr(os, "waitid") and time.monotonic() < deadline:
            if os.waitid(os.P_PID, self._process.pid, flags) is not None:
                return True
            time.sleep(0.005)
        return not hasattr(os, "waitid")

    def _kill(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _take_output(self) -> bool:
        """Take some of what was printed; False when there will be no more."""
        try:
            chunk = os.read(self._output, 1 << 16)
        except OSError:  # a terminal's way to say that its other side is closed
            chunk = b""
        if not chunk:
            os.close(self._output)
            self._output = -1
            return False
        if self._on_output is not None:
            self._on_output(chunk)
        room = KEPT_OUTPUT - len(self._printed)
        self._printed += chunk[:room]
        self._lost += max(0, len(chunk) - room)
        return True

    def _drain(self) -> None:
        for _ in range(64):
            if not (self._output >= 0 and self._readable(self._output) and self._take_output()):
                return

    @staticmethod
    def _readable(descriptor: int, seconds: float = 0) -> bool:
        return bool(select.select([descriptor], [], [], seconds)[0])

    def _text(self) -> str:
        text = self._printed.decode(errors="replace")
        return f"{text}\n({self._lost} more bytes)" if self._lost else text

    def _close_all(self) -> None:
        for descriptor in (self._requests, self._replies, self._output):
            if descriptor >= 0:
                os.close(descriptor)
        self._stack.close()


def output_pair(terminal: bool) -> tuple[int, int]:
    """Return the reading and the writing end of a pipe, or of a terminal as wide as ours."""
    if not terminal:
        return os.pipe()
    reading, writing = os.openpty()
    columns, lines = shutil.get_terminal_size()
    with contextlib.suppress(OSError):
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    return reading, writing


def bytes_below(folder: Path, most: int = 10_000) -> float:
    """Return the bytes in the files below a folder; infinity for more entries than `most`."""
    size, waiting = 0, [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                most -= 1
                if most < 0:
                    return math.inf
                size += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return size


class _Failed(Exception):
    def __init__(self, kind: str, text: str, killed: bool = False) -> None:
        super().__init__(text)
        self.fault = Fault(kind, text, killed=killed)


def _exception(raised: Any) -> Fault:
    if not isinstance(raised, dict):
        raise channel.ChannelError("the reply holds an exception in a wrong form")
    lines = raised.get("frames")
    frames = tuple(str(line)[:MAX_TEXT] for line in lines[:8]) if isinstance(lines, list) else ()
    text = f"{raised.get('type')}: {raised.get('text')}".rstrip(": ")
    return Fault("raised", text[:MAX_TEXT], frames)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
