"""Loaders with worker processes: order, seeds, errors, and what is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mytorch.tensor import Tensor
from mytorch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    TensorDataset,
    get_worker_info,
    workers,
)

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes"),
    # a fork of a process with threads: those of pytest's plugins, torch and JAX do nothing here
    pytest.mark.filterwarnings("ignore:.*fork"),
]


class Rows(Dataset):
    """Row i is ([i, …], i, who made it)."""

    def __init__(self, count: int, width: int = 3):
        self.count, self.width = count, width

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        info = get_worker_info()
        return {
            "x": np.full(self.width, index, np.float32),
            "label": index,
            "worker": info.id if info else -1,
            "process": os.getpid(),
            "draw": np.random.randint(10**6),
        }


def shared_blocks() -> set[str]:
    folder = Path("/dev/shm")
    return {p.name for p in folder.glob("psm_*")} if folder.is_dir() else set()


@pytest.mark.parametrize("width", [3, 50_000])  # in the pipe, and in shared memory
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_batches_come_in_order_from_processes_of_their_own(width: int, context: str) -> None:
    before = shared_blocks()
    loader = DataLoader(Rows(11, width), 2, num_workers=2, multiprocessing_context=context)
    batches = list(loader)
    assert [batch["label"].tolist() for batch in batches] == [
        *([0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10])
    ]
    for number, batch in enumerate(batches):
        assert batch["x"].shape == (len(batch["label"]), width) and batch["x"].dtype == np.float32
        assert (batch["x"].data == batch["label"].data[:, None]).all()
        assert set(batch["worker"].tolist()) == {number % 2}
        assert os.getpid() not in batch["process"].tolist()
        batch["x"].data[0] = 7  # it is this process's own memory
    assert len({p for batch in batches for p in batch["process"].tolist()}) == 2
    assert shared_blocks() <= before


def test_workers_give_what_no_workers_give() -> None:
    dataset = TensorDataset(np.arange(40_000.0).reshape(20, 2000), np.arange(20))
    options: dict[str, Any] = {"batch_size": 6, "shuffle": True, "generator": 5}
    here, there = DataLoader(dataset, **options), DataLoader(dataset, num_workers=3, **options)
    for _ in range(2):
        for one, other in zip(here, there, strict=True):
            assert type(other) is tuple and type(other[0]) is Tensor
            assert all(np.array_equal(a.data, b.data) for a, b in zip(one, other, strict=True))


def test_workers_draw_differently_and_the_same_again_from_the_same_seed() -> None:
    def draws() -> list[int]:
        np.random.seed(3)
        loader = DataLoader(Rows(8), 1, num_workers=2)
        return [batch["draw"].item() for batch in loader]

    first = draws()
    assert draws() == first and len(set(first)) == 8


def test_each_worker_is_initialised_and_may_fail_doing_so() -> None:
    def init(number: int) -> None:
        np.random.seed(100 + number)

    loader = DataLoader(Rows(2), 1, num_workers=2, worker_init_fn=init)
    expected = [np.random.RandomState(100 + number).randint(10**6) for number in (0, 1)]
    assert [batch["draw"].item() for batch in loader] == expected

    def bad(number: int) -> None:
        raise OSError("no such device")

    with pytest.raises(OSError, match="in worker 0 of the DataLoader:(.|\n)*no such device"):
        list(DataLoader(Rows(2), 1, num_workers=1, worker_init_fn=bad))


class Broken(Rows):
    def __getitem__(self, index: int) -> Any:
        if index == 5:
            return self.deeper(index)
        return index

    def deeper(self, index: int) -> Any:
        raise KeyError(f"row {index} is damaged")


def test_an_error_comes_with_the_workers_traceback() -> None:
    loader = DataLoader(Broken(8), 2, num_workers=2)
    found: list[Any] = []
    with pytest.raises(KeyError) as error:
        for batch in loader:
            found.append(batch.tolist())
    assert found == [[0, 1], [2, 3]]
    text = error.value.args[0]
    assert "in worker 0 of the DataLoader" in text and "in deeper" in text
    assert "row 5 is damaged" in text


class Odd(Rows):
    def __getitem__(self, index: int) -> Any:
        class Strange(Exception):
            def __init__(self, code: int, place: str):
                super().__init__(f"{code} at {place}")

        if index == 0:
            raise Strange(3, "here")
        return lambda: index  # cannot be pickled


def test_errors_and_batches_that_cannot_be_sent_are_told() -> None:
    with pytest.raises(RuntimeError, match="3 at here"):
        list(DataLoader(Odd(1), 1, num_workers=1))
    with pytest.raises(Exception, match="in worker 0 of the DataLoader(.|\n)*pickle"):
        list(DataLoader(Odd(2), None, sampler=[1], num_workers=1))


class Killed(Rows):
    def __getitem__(self, index: int) -> Any:
        if index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


def test_a_worker_that_is_killed_is_named() -> None:
    loader = DataLoader(Killed(4), 1, num_workers=2)
    with pytest.raises(RuntimeError, match=r"worker 1 \(process \d+\) ended unexpectedly, by sig"):
        list(loader)


class Slow(Rows):
    def __getitem__(self, index: int) -> Any:
        time.sleep(30)


def test_a_worker_that_takes_too_long_is_given_up() -> None:
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"no batch from worker 0 in 0\.2 s"):
        list(DataLoader(Slow(4), 1, num_workers=1, timeout=0.2))
    assert time.monotonic() - start < 10


def processes_of(batches: Iterator[Any]) -> set[int]:
    return {process for batch in batches for process in batch["process"].tolist()}


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def wait_for_end(processes: set[int]) -> bool:
    for _ in range(100):
        if not any(map(is_alive, processes)):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_loop_that_is_left_ends_its_workers_and_gives_their_memory_back() -> None:
    before = shared_blocks()
    batches = iter(DataLoader(Rows(100, 50_000), 1, num_workers=2, prefetch_factor=3))
    processes = {int(next(batches)["process"].item()) for _ in range(2)}
    batches.close()  # type: ignore[attr-defined]
    assert wait_for_end(processes) and shared_blocks() <= before


def _send_slowly(pipe: Any) -> None:
    """What a worker does, but that it takes half a second to send."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    workers._end_with_parent()
    with workers._not_terminated():
        pipe.send("began")
        time.sleep(0.5)
        pipe.send("sent")
    time.sleep(30)


def test_a_worker_that_is_terminated_while_it_sends_sends_first() -> None:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send_slowly, args=(theirs,))
    process.start()
    assert ours.recv() == "began"
    process.terminate()
    assert ours.recv() == "sent"
    process.join(20)
    assert process.exitcode == -signal.SIGTERM


def test_a_worker_does_not_do_what_its_parent_does_when_it_is_terminated(tmp_path: Path) -> None:
    told = tmp_path / "told"
    before = signal.signal(signal.SIGTERM, lambda *_: told.write_text(f"{os.getpid()}"))
    try:
        batches = iter(DataLoader(Rows(4), 1, num_workers=1))
        process = int(next(batches)["process"].item())
        os.kill(process, signal.SIGTERM)
        assert wait_for_end({process}) and not told.exists()
        batches.close()  # type: ignore[attr-defined]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_persistent_workers_are_the_same_in_the_next_epoch() -> None:
    loader = DataLoader(Rows(4), 1, num_workers=2, persistent_workers=True)
    first, second = processes_of(iter(loader)), processes_of(iter(loader))
    assert first == second and len(first) == 2
    del loader
    other = DataLoader(Rows(4), 1, num_workers=2)
    assert processes_of(iter(other)) != processes_of(iter(other))


ORPHANS = """
import os, sys, time
from tests.test_data_workers import Rows, Slow
from mytorch.utils.data import DataLoader
class Endless(Rows):
    def __getitem__(self, index):
        if index > 3:
            while True:  # in the middle of something when the parent goes
                time.sleep(0.01)
        return super().__getitem__(index)
batches = iter(DataLoader(Endless(100, 50_000), 1, num_workers=3))
for _ in range(3):
    print(int(next(batches)["process"].item()), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_workers_end_when_their_parent_is_killed_and_leave_no_memory() -> None:
    before = shared_blocks()
    command = [sys.executable, "-W", "ignore", "-c", ORPHANS]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        processes = {int(parent.stdout.readline()) for _ in range(3)}
        assert all(map(is_alive, processes))
        parent.kill()
    assert wait_for_end(processes)
    for _ in range(50):  # the resource tracker cleans up after them
        if shared_blocks() <= before:
            break
        time.sleep(0.1)
    assert shared_blocks() <= before


class Numbers(IterableDataset):
    """0 … count - 1, of which each worker takes its share."""

    def __init__(self, count: int):
        self.count = count

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        step, start = (info.num_workers, info.id) if info else (1, 0)
        return iter(range(start, self.count, step))


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_an_iterable_dataset_is_shared_among_workers(workers: int) -> None:
    loader = DataLoader(Numbers(10), 2, num_workers=workers)
    batches = [batch.tolist() for batch in loader]
    assert sorted(sum(batches, [])) == list(range(10))
    full = DataLoader(Numbers(10), 4, num_workers=workers, drop_last=True)
    assert all(len(batch) == 4 for batch in full)
    assert [batch for batch in DataLoader(Numbers(3), None)] == [0, 1, 2]


class Batch(dict[str, Any]):
    """A dict with an attribute, as collate functions return."""

    made_by = ""


class Pair(tuple[Any, ...]):
    def __new__(cls, first: Any, second: Any) -> Pair:
        return super().__new__(cls, (first, second))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)


def collate_strangely(rows: list[Any]) -> Any:
    batch = Batch(x=Tensor(np.full((1, 20_000), float(rows[0]["label"])), requires_grad=True))
    batch.made_by = "me"
    return Pair(batch, OrderedDict(y=Tensor(1.0)))


def test_a_batch_of_any_class_is_the_same_with_workers_and_without() -> None:
    for count in (0, 2):
        batches = list(DataLoader(Rows(2), 1, num_workers=count, collate_fn=collate_strangely))
        assert [type(batch) for batch in batches] == [Pair, Pair]
        for number, (batch, other) in enumerate(batches):
            assert type(batch) is Batch and batch.made_by == "me"
            assert type(other) is OrderedDict and other["y"].item() == 1
            assert batch["x"].requires_grad and batch["x"].tolist() == [[number] * 20_000]


class Missing(Rows):
    def __getitem__(self, index: int) -> Any:
        return {}["a key"]


def test_a_key_error_of_a_worker_is_shown_as_a_traceback() -> None:
    with pytest.raises(KeyError) as error:
        list(DataLoader(Missing(1), num_workers=1))
    assert str(error.value).startswith("in worker 0 of the DataLoader:\nTraceback")


def test_workers_draw_their_seeds_from_the_loaders_generator_and_leave_the_order() -> None:
    def rows(count: int, seed: int, **options: Any) -> tuple[list[int], list[int]]:
        np.random.seed(seed)
        loader = DataLoader(Rows(8), 2, True, num_workers=count, generator=5, **options)
        batches = [batch for _ in range(2) for batch in loader]
        return sum((b["label"].tolist() for b in batches), []), sum(
            (b["draw"].tolist() for b in batches), []
        )

    labels, draws = rows(2, 0)
    assert rows(2, 1) == (labels, draws) and rows(0, 0)[0] == labels
    assert draws[:8] != draws[8:]


PROGRAM = """
import numpy as np, os, time
from mytorch.utils.data import DataLoader, Dataset
class Rows(Dataset):
    def __len__(self): return 6
    def __getitem__(self, index):
        if index == 0: time.sleep(0.5)
        if index == DIES_AT: os._exit(3)
        return np.full((200, 300), float(index))
if __name__ == "__main__":
    loader = DataLoader(Rows(), 1, num_workers=2)
    batches = iter(loader)
    print([next(batches)[0, 0, 0].item() for _ in range(WANTED)])
"""


@pytest.mark.parametrize("wanted", [6, 2])  # to the end, and left while batches are on their way
def test_a_program_with_workers_ends_without_a_word(tmp_path: Path, wanted: int) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("DIES_AT", "-1").replace("WANTED", str(wanted)))
    before = shared_blocks()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == f"{[float(i) for i in range(wanted)]}\n" and done.stderr == ""
    assert done.returncode == 0 and shared_blocks() <= before


def test_batches_that_a_worker_sent_before_it_died_arrive(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("DIES_AT", "3").replace("WANTED", "4"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, timeout=120
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "worker 1" in last and "ended unexpectedly, with status 3" in last
    assert "FileNotFoundError" not in done.stderr and "resource_tracker" not in done.stderr
