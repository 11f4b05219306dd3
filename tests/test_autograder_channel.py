"""The grader's channel takes nothing but small plain frames; the worker survives no trick."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import FUNCTIONAL, SIMPLE_SOLUTION, mutant  # noqa: E402

from autograder import channel  # noqa: E402
from autograder.finder import SubmissionFinder  # noqa: E402
from autograder.supervisor import Worker  # noqa: E402


def split(frame: bytes) -> tuple[bytes, bytes]:
    """Return header and payload of a frame."""
    header, payload = channel.frame_sizes(frame[: channel.PREFIX.size])
    rest = frame[channel.PREFIX.size :]
    assert len(rest) == header + payload
    return rest[:header], rest[header:]


def header_of(*arrays: object) -> bytes:
    """Return a header that announces the arrays."""
    return json.dumps({"message": {}, "arrays": list(arrays)}).encode()


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u1", "?", ">f8"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_arrays_come_through_as_they_were(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape)).reshape(shape) % 2).astype(dtype)
    message, arrays = channel.unpack(*split(channel.pack({"n": 1}, {"x": array})))
    assert message == {"n": 1}
    assert arrays["x"].dtype == array.dtype.newbyteorder("<")
    np.testing.assert_array_equal(arrays["x"], array)


def test_an_array_of_objects_is_not_sent() -> None:
    with pytest.raises(channel.ChannelError, match="object"):
        channel.pack({}, {"x": np.array([None])})


def test_a_frame_that_is_too_long_is_refused_by_its_first_bytes() -> None:
    for sizes in ((channel.MAX_HEADER + 1, 0), (10, channel.MAX_PAYLOAD + 1)):
        with pytest.raises(channel.ChannelError, match="too long"):
            channel.frame_sizes(channel.PREFIX.pack(channel.MAGIC, *sizes))
    with pytest.raises(channel.ChannelError, match="begin"):
        channel.frame_sizes(channel.PREFIX.pack(b"junk", 1, 1))


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (header_of(["x", "<f8", [2]]), b"\0" * 8),
        (header_of(["x", "<f8", [1]]), b"\0" * 16),
        (header_of(["x", "|O", [1]]), b"\0" * 8),
        (header_of(["x", "<U4", [1]]), b"\0" * 16),
        (header_of(["x", "<f8", [-1]]), b""),
        (header_of(["x", "<f8", [True]]), b"\0" * 8),
        (header_of(["x", "<f8", [1.0]]), b"\0" * 8),
        (header_of(["x", "<f8", [1] * 9]), b"\0" * 8),
        (header_of(["x", "<f8", [10**30]]), b""),
        (header_of(["x", "<f8", "11"]), b""),
        (header_of(["x", ["<f8"], [1]]), b"\0" * 8),
        (header_of(*[["x", "|u1", [0]]] * 65), b""),
        (b'{"message": {"x": NaN}, "arrays": []}', b""),
        (b'{"message": [], "arrays": []}', b""),
        (b'{"message": {}}', b""),
        (b"[" * 60000, b""),
        (b"\xff\xfe", b""),
        (b"null", b""),
    ],
)
def test_a_frame_that_breaks_the_format_is_refused(header: bytes, payload: bytes) -> None:
    with pytest.raises(channel.ChannelError):
        channel.unpack(header, payload)


def ask(worker: Worker, limit: float = 20.0) -> tuple[str | None, str]:
    """Let the worker subtract; return the fault's kind, and what was printed."""
    arrays = {"a": np.ones(3), "b": np.ones(3)}
    answer = worker.ask("elementwise", arrays, {"names": ["Sub"]}, limit)
    return (answer.fault.kind if answer.fault else None), answer.output


def hostile(tmp_path: Path, statements: str) -> Path:
    """Return a submission whose Sub.forward runs the statements first."""
    old = "return tensor.Tensor(a.data - b.data)"
    body = f"import os, sys, json; {statements}; {old}"
    return mutant("", FUNCTIONAL, old, body, set()).make(tmp_path / "submission")


FORGED = channel.pack({"id": "0" * 32, "values": {}}, {"output": np.zeros(3)})


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (f"import os; os.write(int(sys.argv[2]), {FORGED!r})", "channel"),
        ("import os; os.write(int(sys.argv[2]), b'garbage that is no frame')", "channel"),
        ("import os; os.write(int(sys.argv[2]), b'MTG1' + b'\\xff' * 8)", "channel"),
        ("import os; os.close(int(sys.argv[2])); import time; time.sleep(60)", "died"),
        ("import os; os.abort()", "died"),
        ("import os; os.killpg(0, 9)", "died"),
    ],
)
def test_writing_to_the_channel_or_dying_fails_the_check(
    tmp_path: Path, statements: str, kind: str
) -> None:
    with Worker(hostile(tmp_path, statements)) as worker:
        assert ask(worker)[0] == kind
        assert not worker.alive
        assert not worker.scratch.exists()


def test_a_reply_before_the_question_is_not_taken(tmp_path: Path) -> None:
    later = "import threading, time; threading.Timer(0.3, lambda: os.write(int(sys.argv[2]), "
    with Worker(hostile(tmp_path, f"{later}{FORGED!r})).start()")) as worker:
        ask(worker)
        time.sleep(1.0)
        assert ask(worker)[0] == "channel"


def test_an_answer_that_is_too_large_is_a_complaint(tmp_path: Path) -> None:
    with Worker(hostile(tmp_path, "return tensor.Tensor(np.zeros(3_000_000))")) as worker:
        assert ask(worker)[0] == "complaint"
        assert worker.alive


def test_what_is_printed_is_kept_up_to_a_cap(tmp_path: Path) -> None:
    with Worker(hostile(tmp_path, "print('y' * 3_000_000)")) as worker:
        kind, output = ask(worker)
    assert kind is None
    assert output.startswith("yyy")
    assert len(output) < 20_000
    assert "more bytes" in output


def test_a_hang_ends_at_its_limit_with_all_its_processes(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = f"p = os.fork(); open({str(pid_file)!r}, 'w').write(str(p)) if p else None"
    started = time.monotonic()
    with Worker(hostile(tmp_path, f"{child}; import time; time.sleep(600)")) as worker:
        assert ask(worker, limit=1.0)[0] == "time"
    assert time.monotonic() - started < 30
    pid = int(pid_file.read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and running(pid):
        time.sleep(0.05)
    assert not running(pid)


def running(pid: int) -> bool:
    """Whether a process exists and (where /proc tells) is no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()


def test_a_worker_has_a_clean_environment_and_no_input(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "x")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    shows = "print(sorted(os.environ), os.getcwd(), sys.stdin.read(), sys.flags.isolated)"
    with Worker(hostile(tmp_path, shows)) as worker:
        _, output = ask(worker)
        assert str(worker.scratch) in output
    assert "SECRET_OF_THE_GRADER" not in output
    assert "PYTHONPATH" not in output
    assert output.strip().endswith("1")


def test_an_installed_mytorch_is_never_graded_in_place_of_the_submission(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Worker(tmp_path / "empty") as worker:
        answer = worker.ask("load", {}, {}, 20.0)
    assert answer.fault is not None
    assert "the submission has no folder mytorch/" in answer.fault.text


def test_a_module_that_the_submission_lacks_comes_from_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "mytorch").mkdir()
    finder = SubmissionFinder(str(tmp_path))
    assert finder.find_spec("mytorch") is not None
    with pytest.raises(ModuleNotFoundError, match="the submission has no mytorch/tensor"):
        finder.find_spec("mytorch.tensor", [str(tmp_path / "mytorch")])
    assert finder.find_spec("numpy") is None  # left to the other finders


def test_a_submission_without_init_files_is_taken_from_its_own_folder(tmp_path: Path) -> None:
    copy = mutant("", FUNCTIONAL, "class Add(", "class Add(", set()).make(tmp_path / "submission")
    for path in copy.rglob("__init__.py"):
        path.unlink()
    with Worker(copy) as worker:
        assert ask(worker)[0] is None


def test_a_module_of_the_submission_does_not_replace_the_graders(tmp_path: Path) -> None:
    copy = mutant("", FUNCTIONAL, "class Add(", "class Add(", set()).make(tmp_path / "submission")
    for name in ("numpy", "json", "struct", "channel", "programs", "autograder"):
        (copy / f"{name}.py").write_text("raise SystemExit('imported')")
    with Worker(copy) as worker:
        assert ask(worker)[0] is None


def test_no_file_is_left_in_the_submission(tmp_path: Path) -> None:
    before = {p for p in SIMPLE_SOLUTION.rglob("*")}
    with Worker(SIMPLE_SOLUTION) as worker:
        assert ask(worker)[0] is None
    assert {p for p in SIMPLE_SOLUTION.rglob("*")} == before


def test_a_submission_imports_pythons_modules_and_what_is_offered_and_nothing_else(
    tmp_path: Path,
) -> None:
    for statement in ("import sysconfig; sysconfig.get_config_vars()", "import numpy.testing"):
        with Worker(hostile(tmp_path / statement[7:12], statement)) as worker:
            assert ask(worker)[0] is None
    with Worker(hostile(tmp_path / "toolbox", "import pytest")) as worker:
        answer = worker.ask(
            "elementwise", {"a": np.ones(3), "b": np.ones(3)}, {"names": ["Sub"]}, 9
        )
    assert answer.fault is not None
    assert "there is no pytest here: a submission may import Python's own" in answer.fault.text
