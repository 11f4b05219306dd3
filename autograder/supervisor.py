"""The grader's side of a worker: start it, ask it under a time limit, capture it, end it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograder import channel

WORKER = Path(__file__).resolve().with_name("worker.py")
START_LIMIT = 60.0
KEPT_OUTPUT = 1 << 14
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

    `kind` is "raised" (an exception), "complaint" (values of a wrong kind), "time", "died" or
    "channel" (a reply that breaks the format); `lines` are the submission's lines on the way.
    """

    kind: str
    text: str
    lines: tuple[str, ...] = ()


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
        threads: BLAS threads; None leaves them to the machine.
        on_output: called with raw bytes as they are printed (else they are kept, up to a cap).
        terminal: give the submission a terminal to print on (for its progress bar).

    Raises:
        GraderError: no worker could be started at all.
    """

    def __init__(
        self,
        submission: Path,
        threads: int | None = 1,
        on_output: Callable[[bytes], None] | None = None,
        terminal: bool = False,
    ) -> None:
        self.alive = True
        self._on_output = on_output
        self._printed = bytearray()
        self._lost = 0
        self._pending = bytearray()
        self.scratch = Path(tempfile.mkdtemp(prefix="mytorch-grader-"))
        requests, self._requests = os.pipe()
        self._replies, replies = os.pipe()
        self._output, output = output_pair(terminal)
        os.set_blocking(self._requests, False)
        command = [sys.executable, "-I", "-B", "-u", "-X", "utf8", str(WORKER)]
        command += [str(requests), str(replies), str(submission), _site()]
        try:
            self._process = subprocess.Popen(
                command,
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
        self._greet()

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
        """Kill the worker and all of its process group, and remove its scratch folder."""
        if not self.alive:
            return
        self.alive = False
        self._kill()
        self._drain()
        self._close_all()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _greet(self) -> None:
        try:
            self._exchange(b"", START_LIMIT)
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
        deadline = time.monotonic() + limit
        self._pending = bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Failed("time", f"no answer within {limit:g} s")
            reading = [d for d in (self._replies, self._output) if d >= 0]
            ready, writable, _ = select.select(
                reading, [self._requests] if request else [], [], left
            )
            if self._output in ready:
                self._take_output()
            if writable:
                request = self._write(request)
            if self._replies in ready and (frame := self._take_reply()) is not None:
                self._drain()
                return channel.unpack(*frame)

    def _write(self, request: bytes) -> bytes:
        try:
            return request[os.write(self._requests, request) :]
        except BrokenPipeError:
            return b""

    def _take_reply(self) -> tuple[bytes, bytes] | None:
        """Read what has come of a reply; return header and payload once it is whole."""
        chunk = os.read(self._replies, 1 << 16)
        if not chunk:
            raise _Failed("died", self._how_it_ended())
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
        values = message.get("values")
        if not isinstance(values, dict) or not all(map(channel.is_plain, values.values())):
            raise channel.ChannelError("the reply holds values of a wrong kind")
        return Answer({**values, **arrays}, None, self._text())

    def _answer(self, fault: Fault) -> Answer:
        return Answer({}, fault, self._text())

    def _how_it_ended(self) -> str:
        self._kill()  # before it is waited for, so that its group's number is still its own
        status = self._process.returncode
        if status == -signal.SIGKILL:
            return "it was killed (lack of memory?) or closed the grader's channel"
        if status < 0:
            return f"the process was ended by {_signal_name(-status)}"
        return f"the process ended itself (exit status {status}) before it answered"

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
    def _readable(descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])

    def _text(self) -> str:
        text = self._printed.decode(errors="replace")
        return f"{text}\n({self._lost} more bytes)" if self._lost else text

    def _close_all(self) -> None:
        for descriptor in (self._requests, self._replies, self._output):
            if descriptor >= 0:
                os.close(descriptor)
        shutil.rmtree(self.scratch, ignore_errors=True)


def output_pair(terminal: bool) -> tuple[int, int]:
    """Return the reading and the writing end of a pipe, or of a terminal as wide as ours."""
    if not terminal:
        return os.pipe()
    reading, writing = os.openpty()
    columns, lines = shutil.get_terminal_size()
    with contextlib.suppress(OSError):
        fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    return reading, writing


class _Failed(Exception):
    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(kind, text)


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


def _site() -> str:
    """The folder that this Python found NumPy in (a user's site is hidden from `python -I`)."""
    return str(Path(np.__file__).resolve().parents[1])
