"""Processes that make batches ahead of time.

Each worker has a pipe of its own to the parent. Worker k makes batches k, k + n, k + 2n, … of n
workers, so that reading the pipes in turn gives them in order. Large arrays cross in shared memory,
everything else in the pipe. A worker ends when its pipe is closed, and when its parent is gone.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import pickle
import random
import signal
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker, shared_memory
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["WorkerInfo", "Workers", "get_worker_info"]

SHARED_FROM = 1 << 16  # bytes: smaller arrays are sent in the pipe


@dataclass
class WorkerInfo:
    """What a worker process knows of itself."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Return which worker this process is; None in the main process."""
    return _info


# ------------------------------------------------------------------------- arrays in memory


def _sent(value: Any) -> bytes:
    """Return ``value`` pickled, its large arrays left in shared memory by name."""
    buffers: list[pickle.PickleBuffer] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < SHARED_FROM:
            return True  # into the pickle
        buffers.append(buffer)
        return False

    content = io.BytesIO()
    _Pickler(content, protocol=5, buffer_callback=keep).dump(value)
    names = []
    for buffer in buffers:
        raw = buffer.raw()
        block = shared_memory.SharedMemory(create=True, size=raw.nbytes)
        _bytes_of(block, raw.nbytes)[:] = np.frombuffer(raw, np.uint8)
        names.append((block.name, raw.nbytes))
        block.close()
    return pickle.dumps((content.getvalue(), names))


def _received(message: bytes) -> Any:
    """Return what ``_sent`` sent; the shared memory is given back."""
    content, names = pickle.loads(message)
    buffers = []
    for name, size in names:
        block = shared_memory.SharedMemory(name)
        buffers.append(_bytes_of(block, size).copy().data)
        block.close()
        block.unlink()
    return pickle.loads(content, buffers=buffers)


def _bytes_of(block: shared_memory.SharedMemory, size: int) -> np.ndarray:
    assert block.buf is not None
    return np.frombuffer(block.buf, np.uint8, size)


class _Pickler(pickle.Pickler):
    """Sends of a Tensor its array and whether it requires grad, without its place in a graph."""

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, Tensor):
            return NotImplemented
        array = np.ascontiguousarray(value.data) if value.ndim else value.data
        return _tensor, (array, value.requires_grad)


def _tensor(array: np.ndarray, requires_grad: bool) -> Tensor:
    return Tensor.zeros(0).new(array).requires_grad_(requires_grad)


# ------------------------------------------------------------------------- in the worker


class _End:
    """An iterable dataset has no more."""


class _WorkerKeyError(KeyError):
    """A KeyError whose text is a traceback, which a KeyError would show as one line."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Failure:
    """What a worker says of an error: its class, if it can be sent, and the traceback."""

    def __init__(self, number: int, error: BaseException):
        self.text = f"in worker {number} of the DataLoader:\n{traceback.format_exc()}"
        self.kind: Any = type(error)
        try:
            pickle.dumps(self.kind)
        except Exception:
            self.kind = RuntimeError

    def error(self) -> BaseException:
        """Return the error to raise in the parent."""
        if self.kind is KeyError:
            return _WorkerKeyError(self.text)
        try:
            return self.kind(self.text)
        except Exception:  # a class whose constructor wants something else
            return RuntimeError(self.text)


def _end_with_parent() -> None:
    """Let this process end when its parent does, also in the middle of something."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def wait() -> None:
            parent.join()
            os._exit(1)

        with _not_terminated():  # a thread inherits that: it leaves the signal to this one
            threading.Thread(target=wait, daemon=True).start()


@contextlib.contextmanager
def _not_terminated() -> Iterator[None]:
    """Put off a SIGTERM to the end of the block: in it there is shared memory to be given back."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    number: int,
    count: int,
    seed: int,
    dataset: Any,
    fetcher: Callable[[Any], Callable[[Any], Any]],
    init: Callable[[int], None] | None,
    pipe: Any,
    others: list[Any],
) -> None:
    """Answer each request in the pipe with a batch, until it is closed."""
    global _info
    for other in others:  # the parent's ends, which a forked process has as well
        other.close()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what the parent does then is its own
    _end_with_parent()
    _info = WorkerInfo(number, count, seed, dataset)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    fetch: Any = None
    try:
        if init is not None:
            init(number)
        fetch = fetcher(dataset)
    except Exception as error:
        fetch = _Failure(number, error)
    with contextlib.suppress(EOFError, OSError):
        while True:
            request = pipe.recv()
            answer = fetch
            if not isinstance(fetch, _Failure):
                try:
                    answer = fetch(request)
                except StopIteration:
                    answer = _End()
                except Exception as error:
                    answer = _Failure(number, error)
            with _not_terminated():
                try:
                    message = _sent(answer)
                except Exception as error:  # a batch that cannot be pickled
                    message = _sent(_Failure(number, error))
                try:
                    pipe.send_bytes(message)
                except OSError:  # nobody is there any more to give the shared memory back
                    _received(message)
                    raise


# ------------------------------------------------------------------------- in the parent


class Workers:
    """Worker processes, and the batches that they make in order.

    Args:
        count: how many; ahead: batches that each may be asked for in advance; seed: worker k starts
            from seed + k; timeout: seconds to wait for a batch, 0 for ever.
        dataset: given to each; fetcher: called with the dataset in the worker, returns a function
            from a request to a batch; init: called with the worker's number first.
    """

    def __init__(
        self,
        count: int,
        ahead: int,
        seed: int,
        timeout: float,
        dataset: Any,
        fetcher: Callable[[Any], Callable[[Any], Any]],
        init: Callable[[int], None] | None,
        context: Any = None,
    ):
        self.count, self.ahead, self.timeout = count, ahead, timeout
        if context is None or isinstance(context, str):
            context = multiprocessing.get_context(context)
        self._pipes: list[Any] = []
        self._processes: list[Any] = []
        self.close = weakref.finalize(self, _close, os.getpid(), self._pipes, self._processes)
        if os.name == "posix":  # else each worker had its own, which ends with it
            resource_tracker.ensure_running()
        try:
            for number in range(count):
                ours, theirs = context.Pipe()
                self._pipes.append(ours)
                is_forked = context.get_start_method() == "fork"
                process = context.Process(
                    target=_work,
                    args=(number, count, seed + number, dataset, fetcher, init, theirs,
                          list(self._pipes) if is_forked else []),
                    daemon=True,
                )  # fmt: skip
                process.start()
                theirs.close()
                self._processes.append(process)
        except BaseException:
            self.close()
            raise

    def batches(self, requests: Iterator[Any]) -> Iterator[Any]:
        """Yield the answer to each request, in order; skip workers that have no more."""
        waiting = [0] * self.count  # requests that each has not answered
        live = list(range(self.count))
        for _ in range(self.ahead):
            for number in live:
                waiting[number] += self._ask(number, requests)
        turn = 0
        while live:
            number = live[turn % len(live)]
            if not waiting[number]:
                break
            answer = self._answer(number)
            waiting[number] -= 1
            if isinstance(answer, _End):
                for _ in range(waiting[number]):  # it was asked for more than there is
                    self._answer(number)
                turn %= len(live)
                live.remove(number)
                continue
            if isinstance(answer, _Failure):
                raise answer.error()
            waiting[number] += self._ask(number, requests)
            turn += 1
            yield answer

    def _ask(self, number: int, requests: Iterator[Any]) -> int:
        """Pass the next request on; return how many that were, 1 or 0."""
        for request in requests:
            with contextlib.suppress(OSError):  # it died: its answer is asked for in its turn
                self._pipes[number].send(request)
            return 1
        return 0

    def _answer(self, number: int) -> Any:
        pipe, process = self._pipes[number], self._processes[number]
        try:
            if self.timeout and not pipe.poll(self.timeout):
                raise RuntimeError(f"DataLoader: no batch from worker {number} in {self.timeout} s")
            return _received(pipe.recv_bytes())
        except (EOFError, ConnectionResetError):
            process.join(5)
            code = process.exitcode
            how = f"by signal {-code}" if code is not None and code < 0 else f"with status {code}"
            raise RuntimeError(
                f"DataLoader: worker {number} (process {process.pid}) ended unexpectedly, {how}"
            ) from None


def _close(owner: int, pipes: list[Any], processes: list[Any]) -> None:
    """End the processes: when they are told to, nobody holds them any more, or Python ends."""
    if os.getpid() != owner:  # a worker that was forked from their parent
        return
    for pipe in pipes:
        with contextlib.suppress(OSError, EOFError):
            while pipe.poll():  # give the shared memory of what nobody wanted back
                _received(pipe.recv_bytes())
        pipe.close()
    for process in processes:
        process.join(1)
        if process.is_alive():
            process.terminate()
            process.join(1)
        if process.is_alive():
            process.kill()
            process.join()
