"""Whole runs of hw1/mnist.py: what they print and write; interrupted, killed and resumed."""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are POSIX")


class Project:
    """A copy of the program with generated digits in its cache, in a path that has a space."""

    def __init__(self, root: Path):
        self.root = root
        for name in ("mytorch", "hw1"):
            ignored = shutil.ignore_patterns("__pycache__", "*.png", "*.npz")
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        (root / "data").mkdir()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("MYTORCH")}
        self.env |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *arguments: Any, first: str = "") -> subprocess.Popen[str]:
        """Start the program, after the statements ``first`` in the same process."""
        code = f"import runpy, signal, sys; {first}\nsys.argv = sys.argv[1:]\n"
        code += (
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # also in the background
        )
        code += "runpy.run_path(sys.argv[0], run_name='__main__')"
        command = [sys.executable, "-W", "error", "-c", code, "hw1/mnist.py", "--offline"]
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: Any, first: str = "") -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, first=first) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("a project"))


SMALL = ("--hidden", "16", "--lr", "0.02")


def bytes_of(path: Path) -> dict[str, Any]:
    """Return all that a checkpoint holds, arrays as bytes, to be compared to the bit."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(v) for key, v in value.items()}
        if isinstance(value, list):
            return [plain(v) for v in value]
        return np.asarray(value.data).tobytes() if hasattr(value, "dtype") else value

    return plain(mytorch.load(path))


def test_a_whole_run_reports_plots_saves_and_never_calls_generated_digits_mnist(
    project: Project, tmp_path: Path
) -> None:
    save, plot = tmp_path / "run.npz", tmp_path / "curve.svg"
    result = project.run(*SMALL, "--epochs", 3, "--save", save, "--plot", plot)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    digits = "generated digits (offline)"
    assert lines[0] == f"data: {digits}: 16500 training, 1500 validation, 2000 test images"
    assert "MNIST" not in result.stdout and "Traceback" not in result.stderr
    accuracies = mytorch.load(save)["accuracies"]
    told = [f"epoch {k}/3: validation accuracy {a:.2%}" for k, a in enumerate(accuracies, 1)]
    assert lines[-8:-5] == told and accuracies[-1] > 0.4
    assert lines[-4] == f"best validation accuracy ({digits}): {max(accuracies):.2%}"
    assert lines[-3].startswith(f"test accuracy ({digits}): ")
    assert lines[-2:] == [f"plot: {plot}", f"checkpoint: {save}"]
    drawn = plot.read_text()
    for text in (f"Validation accuracy, {digits}", "epoch", "accuracy (%)", "best: "):
        assert f"<!-- {text}" in drawn
    assert "MNIST" not in drawn


def test_plot_and_checkpoint_go_beside_the_program_by_default(project: Project) -> None:
    result = project.run(*SMALL, "--epochs", 1)
    assert result.returncode == 0, result.stderr
    plot = project.root / "hw1" / "validation_accuracy.png"
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert mytorch.load(project.root / "hw1" / "mnist_checkpoint.npz")["epochs"] == 1


def test_the_same_seed_gives_the_same_curve_and_weights_to_the_bit_in_two_processes(
    project: Project, tmp_path: Path
) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        save = tmp_path / f"{name}.npz"
        result = project.run(*SMALL, "--epochs", 2, "--seed", seed, "--save", save)
        assert result.returncode == 0, result.stderr
    a, b, c = (bytes_of(tmp_path / f"{name}.npz") for name in "abc")
    assert a == b
    assert a["model"] != c["model"] and a["accuracies"] != c["accuracies"]


def test_a_new_run_moves_an_earlier_ones_checkpoint_aside(project: Project, tmp_path: Path) -> None:
    save, kept = tmp_path / "run.npz", tmp_path / "run.old.npz"
    assert project.run(*SMALL, "--epochs", 1, "--save", save).returncode == 0
    before = bytes_of(save)
    result = project.run(*SMALL, "--epochs", 1, "--seed", 1, "--save", save)
    assert result.returncode == 0 and f"an earlier run is now {kept}" in result.stdout
    assert bytes_of(kept) == before != bytes_of(save)
    for wrong in (tmp_path, tmp_path / "run.safetensors"):
        result = project.run("--save", wrong)
        assert result.returncode == 2 and "expects a file, such as" in result.stderr


@posix
def test_a_terminal_sees_a_progress_bar(project: Project, tmp_path: Path) -> None:
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "hw1/mnist.py", "--offline", *SMALL, "--epochs", "1"]
    command += ["--save", str(tmp_path / "a.npz"), "--plot", str(tmp_path / "a.png")]
    with subprocess.Popen(
        command, cwd=project.root, env=project.env, stderr=theirs, stdout=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end, once the program has closed its side
            while part := os.read(ours, 10_000):
                shown += part
    os.close(ours)
    assert process.returncode == 0 and b"\repoch 1/1:   0%|" in shown and b"batch/s]" in shown


# ------------------------------------------------------------------------------ interruptions


SLOW = (*SMALL, "--batch-size", "10")


def wait_for(process: subprocess.Popen[str], start: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return
    raise AssertionError(f"no line {start!r}: {process.communicate()}")


@posix
def test_ctrl_c_leaves_a_plot_a_checkpoint_and_a_command_that_continues_to_the_bit(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "my runs"
    folder.mkdir()
    save, plot = folder / "run.npz", folder / "curve.png"
    with project.start(*SLOW, "--epochs", 500, "--save", save, "--plot", plot) as process:
        wait_for(process, "epoch 2/500")
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err and "Error" not in err
    done = len(mytorch.load(save)["accuracies"])
    lines = out.splitlines()
    assert done >= 2 and lines[-4].startswith("stopped after epoch ")
    assert lines[-3:-1] == [f"plot: {plot}", f"to continue after epoch {done}:"]
    assert plot.stat().st_size > 1000
    again = shlex.split(lines[-1])
    assert again[0] == sys.executable and again[-2:] == ["--resume", str(save)]
    result = project.run(*again[2:], "--epochs", done + 1)
    assert result.returncode == 0, result.stderr
    assert f"resumed after epoch {done} from {save}" in result.stdout
    whole = tmp_path / "whole.npz"
    project.run(*SLOW, "--epochs", done + 1, "--save", whole)
    assert bytes_of(whole) == bytes_of(save)


@posix
def test_ctrl_c_in_the_first_epoch_leaves_a_checkpoint_of_the_start_and_no_empty_plot(
    project: Project, tmp_path: Path
) -> None:
    save, plot = tmp_path / "run.npz", tmp_path / "curve.png"
    with project.start(*SMALL, "--batch-size", 1, "--save", save, "--plot", plot) as process:
        wait_for(process, ")")  # the end of the model's repr
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err
    assert "stopped after epoch 0" in out and not plot.exists()
    assert mytorch.load(save)["accuracies"] == []


@posix
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_run_that_is_killed_again_and_again_ends_as_an_uninterrupted_one_to_the_bit(
    project: Project, tmp_path: Path, optimizer: str
) -> None:
    options = *SLOW, "--optimizer", optimizer, "--epochs", 5
    whole, save, plot = tmp_path / "whole.npz", tmp_path / "run.npz", tmp_path / "curve.png"
    result = project.run(*options, "--save", whole, "--plot", plot)
    assert result.returncode == 0, result.stderr
    delays, reached = random.Random(optimizer), []
    for attempt in range(6):
        resume = ("--resume", save) if save.exists() else (*options, "--save", save)
        with project.start(*resume, "--plot", plot) as process:
            if attempt % 2:  # else at any moment of the start
                wait_for(process, "Sequential")
            time.sleep(delays.uniform(0, 0.5))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        reached.append(len(mytorch.load(save)["accuracies"]) if save.exists() else -1)
    assert reached == sorted(reached)
    result = project.run("--resume", save, "--plot", plot)
    assert result.returncode == 0, result.stderr
    assert bytes_of(save) == bytes_of(whole)


# ------------------------------------------------------------------------------ resuming


@pytest.fixture(scope="module")
def finished(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a run of one epoch."""
    save = tmp_path_factory.mktemp("runs") / "finished.npz"
    result = project.run(*SMALL, "--epochs", 1, "--save", save)
    assert result.returncode == 0, result.stderr
    return save


def test_a_finished_run_can_go_on_for_more_epochs_elsewhere(
    project: Project, finished: Path, tmp_path: Path
) -> None:
    before, more, whole = finished.read_bytes(), tmp_path / "more.npz", tmp_path / "whole.npz"
    result = project.run("--resume", finished, "--epochs", 2, "--save", more, "--hidden", 16)
    assert result.returncode == 0, result.stderr
    project.run(*SMALL, "--epochs", 2, "--save", whole)
    assert bytes_of(more) == bytes_of(whole) and finished.read_bytes() == before
    result = project.run("--resume", finished)  # nothing left to do
    assert result.returncode == 0 and "best validation accuracy" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "1"], "--seed cannot change on resume: it was 0"),
        (["--hidden", "16,16"], "--hidden cannot change on resume: it was [16]"),
        (["--batch-size", "50"], "--batch-size cannot change on resume: it was 100"),
        (["--lr", "0.5"], "--lr cannot change on resume: it was 0.02"),
        (["--optimizer", "adam"], "--optimizer cannot change on resume: it was sgd"),
    ],
    ids=str,
)
def test_a_setting_that_would_change_the_run_is_refused_on_resume(
    project: Project, finished: Path, arguments: list[str], message: str
) -> None:
    before = finished.read_bytes()
    result = project.run("--resume", finished, *arguments)
    assert result.returncode == 2 and result.stderr.splitlines()[-1].endswith(message)
    assert finished.read_bytes() == before


def test_files_that_are_no_checkpoint_are_refused_with_a_message(
    project: Project, finished: Path, tmp_path: Path
) -> None:
    whole, bad = finished.read_bytes(), tmp_path / "bad.npz"
    bad.write_bytes(whole[: len(whole) // 2])
    result = project.run("--resume", bad)
    assert result.returncode == 2
    assert f"cannot resume from {bad}" in result.stderr.splitlines()[-1]
    mytorch.save(mytorch.load(finished)["model"], bad)
    result = project.run("--resume", bad)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith("it is no checkpoint of hw1/mnist.py")
    part = {name: value for name, value in mytorch.load(finished).items() if name != "optimizer"}
    mytorch.save(part, bad)
    result = project.run("--resume", bad)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].endswith("it lacks optimizer")


def test_a_checkpoint_of_other_data_is_refused_and_kept(
    project: Project, finished: Path, tmp_path: Path
) -> None:
    state, other = mytorch.load(finished), tmp_path / "other.npz"
    mytorch.save({**state, "source": "MNIST"}, other)
    before = other.read_bytes()
    result = project.run("--resume", other, "--epochs", 2)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"{other} was trained on other data: MNIST"
    assert other.read_bytes() == before


@posix
def test_a_full_disk_is_told_and_training_goes_on(project: Project, tmp_path: Path) -> None:
    save, plot = tmp_path / "run.npz", tmp_path / "curve.png"
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000,) * 2)"
    result = project.run(*SMALL, "--epochs", 2, "--save", save, "--plot", plot, first=full)
    assert result.returncode == 0, result.stderr
    assert result.stderr.count(f"could not save the checkpoint {save}: ") == 3
    assert result.stderr.count(f"could not save the plot {plot}: ") == 1
    assert "epoch 2/2: validation accuracy" in result.stdout
    assert "test accuracy" in result.stdout and "checkpoint:" not in result.stdout
    assert not save.exists()
