"""Each tier keeps a worker from what it promises, and the trial of it would notice if not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path[:0] = [str(Path(__file__).with_name(f"grader_{name}")) for name in ("attacks", "mutants")]
import house  # noqa: E402
from mutants import FUNCTIONAL, SUB_FORWARD, mutant  # noqa: E402

from autograder import controls, isolation, linux, processes, visible  # noqa: E402
from autograder.supervisor import Worker  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
TRY = """
import json, sys
sys.path.insert(0, {root!r})
from autograder import controls, isolation, processes
if {protected}:
    processes.protect()
controls.STOPPED_FROM = dict.fromkeys(controls.STOPPED_FROM, 0)  # tell all that was done
try:
    isolated = isolation.make({tier})
    print(json.dumps(controls.broken_promises(isolated)))
except Exception as error:
    print(json.dumps(str(error)))
"""


def tried(tier: int, root: bool, protected: bool = True) -> list[str]:
    """Return what a worker of a tier could do, in a house of its own."""
    if reason := house.why_not(root):
        pytest.skip(reason)
    code = TRY.format(root=str(ROOT), tier=tier, protected=protected)
    command = house.command([sys.executable, "-c", code], root)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    if isinstance(result, str):
        pytest.skip(f"T{tier}: {result}")
    return result


def test_without_a_sandbox_every_attempt_succeeds_so_that_a_failure_means_something() -> None:
    assert set(tried(0, root=False, protected=False)) == set(controls.TEXTS.values())


def test_on_a_laptop_the_grader_can_be_neither_read_nor_outlived() -> None:
    stopped = {"read_memory", "copy_memory", "list_descriptors", "outlive"}
    assert set(tried(0, root=False)) == {
        text for name, text in controls.TEXTS.items() if name not in stopped
    }


@pytest.mark.parametrize(("tier", "root"), [(1, False), (2, True), (3, True)])
def test_every_tier_above_the_laptops_stops_everything(tier: int, root: bool) -> None:
    assert tried(tier, root) == []


def test_namespaces_need_nothing_that_root_has_opened_to_others() -> None:
    if os.geteuid() != 0:
        pytest.skip("it needs root")
    isolated = isolation.make(3)
    try:
        assert controls.broken_promises(isolated) == []
    finally:
        isolated.close()


def test_a_tier_that_does_not_hold_is_not_taken(monkeypatch) -> None:
    monkeypatch.setattr(isolation, "make", isolation.Isolation)
    monkeypatch.setattr(controls, "STOPPED_FROM", dict.fromkeys(controls.STOPPED_FROM, 0))
    with pytest.raises(isolation.IsolationError) as caught:
        controls.choose(0, 0)
    assert "T0 does not hold here: a worker could read a file" in str(caught.value)
    assert "no tier from T0 on is to be had here" in str(caught.value)


def test_the_highest_tier_below_the_least_is_refused_with_what_each_lacks(monkeypatch) -> None:
    def nothing(tier: int) -> isolation.Isolation:
        if tier:
            raise isolation.IsolationError(f"no {tier} today")
        return isolation.LAPTOP

    monkeypatch.setattr(isolation, "make", nothing)
    with pytest.raises(isolation.IsolationError, match="T3 is not to be had here: no 3 today"):
        controls.choose(None, 1)
    isolated, told = controls.choose(None, 0)
    assert isolated.tier == 0
    assert "isolation: T0 laptop" in told[-2]


def test_two_graders_never_share_a_user(monkeypatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("it needs root")
    monkeypatch.setattr(isolation, "FIRST_UID", 47_900)  # what the other tests leave alone
    first, second = isolation.make(3), isolation.make(3)
    assert first.uid != second.uid
    first.close()
    third = isolation.make(3)
    assert third.uid == first.uid
    second.close()
    third.close()


def test_a_user_that_is_taken_is_taken_in_a_house_too() -> None:
    if reason := house.why_not(True):
        pytest.skip(reason)
    taken = isolation.make(3)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from autograder import isolation; "
    command = house.command([sys.executable, "-c", code + "print(isolation.make(3).uid)"], True)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert isolation.FIRST_UID <= int(done.stdout) != taken.uid, done.stderr
    taken.close()


def test_all_processes_of_a_user_are_ended_at_once() -> None:
    if os.geteuid() != 0:
        pytest.skip("it needs root")
    uid = house.USERS + 999
    sleepers = [
        subprocess.Popen(["sleep", "60"], user=uid, group=uid, extra_groups=[]) for _ in range(3)
    ]
    assert len(processes.of_user(uid)) == 3
    processes.kill_user(uid)
    for sleeper in sleepers:
        assert sleeper.wait(10) == -9
    assert processes.of_user(uid) == []


STAYS = """import os, time
        for _ in range(3):
            child = os.fork()
            if child == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(600)
                os._exit(0)
            os.waitpid(child, 0)
        """


def test_a_kill_of_the_namespaces_first_process_leaves_no_survivor(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("it needs root")
    isolated = isolation.make(3)
    submission = mutant("", FUNCTIONAL, SUB_FORWARD, STAYS + SUB_FORWARD, set()).make(
        tmp_path / "s"
    )
    isolated.give(submission)
    tmp_path.chmod(0o755)
    with Worker(submission, isolated) as worker:
        arrays = {"a": np.ones(3), "b": np.ones(3)}
        assert worker.ask("elementwise", arrays, {"names": ["Sub"]}, 20.0).fault is None
        assert len(processes.of_user(isolated.uid)) == 4
        first = processes.processes(lambda fields: fields[1] == str(worker._process.pid))
        os.kill(first[0], 9)
        deadline = time.monotonic() + 10
        while processes.of_user(isolated.uid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert processes.of_user(isolated.uid) == []
    isolated.close()


def test_a_submission_can_import_what_is_offered_and_what_that_needs() -> None:
    offered = visible.offered_modules()
    assert {"numpy", "matplotlib", "tqdm"} <= set(offered)
    assert "kiwisolver" in offered
    assert not {"pytest", "hypothesis", "torch"} & set(offered)


def test_a_kernel_without_landlock_offers_no_tier_that_needs_it(monkeypatch) -> None:
    monkeypatch.setattr(linux, "landlock_version", lambda: 4)
    for tier in (1, 2):
        with pytest.raises(isolation.IsolationError, match="Landlock 6 .* here it is 4"):
            isolation.make(tier)


def test_a_killed_grader_takes_its_workers_along() -> None:
    if reason := house.why_not(False):
        pytest.skip(reason)
    code = (
        f"import sys, os; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path; "
        "from autograder.supervisor import Worker; from autograder import processes; "
        "processes.protect(); worker = Worker(Path('/')); "
        "print(worker._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == -9, done.stderr
    deadline = time.monotonic() + 10
    while os.path.exists(f"/proc/{int(done.stdout)}") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{int(done.stdout)}")
