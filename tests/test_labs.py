"""The programs in labs/: what they print, write and refuse."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mytorch.datasets import generate_digits

ROOT = Path(__file__).resolve().parent.parent
CNN = ROOT / "labs" / "cnn_mnist.py"


def run(*arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of few digits drawn from fonts."""
    folder = tmp_path_factory.mktemp("digits")
    generate_digits(count=1500, cache=folder)
    return folder / "generated-digits"


def test_the_cnn_learns_digits_and_draws_its_mistakes(digits: Path, tmp_path: Path) -> None:
    plot = tmp_path / "mistakes.svg"
    done = run(CNN, "--data", digits, "--offline", "--epochs", 3, "--plot", plot)
    assert done.returncode == 0, done.stderr
    source = "generated digits (offline)"
    lines = done.stdout.splitlines()
    assert lines[0] == f"data: {source}: 1238 training, 112 validation, 150 test images"
    assert re.search(r"^total +55,602 ", done.stdout, re.M) and "MNIST" not in done.stdout
    epochs = re.findall(r"^epoch (\d)/3: validation accuracy \S+%, \S+ s$", done.stdout, re.M)
    assert epochs == ["1", "2", "3"]
    found = re.search(
        r"^test accuracy \(generated digits \(offline\)\): (\S+)%$", done.stdout, re.M
    )
    assert found and float(found[1]) > 50
    assert lines[-1] == f"its mistakes: {plot}"
    right = round(float(found[1]) * 1.5)
    assert f"<!-- {150 - right} of 150 wrong ({source}); right digit → guess -->" in plot.read_text(
        encoding="utf-8"
    )


def test_help_tells_every_option() -> None:
    done = run(CNN, "--help")
    assert done.returncode == 0
    for option in ("--epochs", "--batch-size", "--lr", "--seed", "--data", "--offline", "--plot"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--epochs", "0"), "0 is out of range: from 1"),
        (("--lr", "much"), "invalid float value: 'much'"),
        (("--plot", "nowhere/a.png"), "there is no folder"),
        (("--plot", "a.txt"), "must end in .png, .pdf or .svg"),
        (("more",), "unrecognized arguments: more"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments: Any, why: str) -> None:
    done = run(CNN, *arguments)
    assert done.returncode == 2 and why in done.stderr and not done.stdout


def test_a_damaged_file_of_the_users_is_an_error_in_one_line(tmp_path: Path) -> None:
    for name in ("train-images", "t10k-images"):
        (tmp_path / f"{name}-idx3-ubyte").write_bytes(b"no digits")
    for name in ("train-labels", "t10k-labels"):
        (tmp_path / f"{name}-idx1-ubyte").write_bytes(b"no digits")
    done = run(CNN, "--data", tmp_path, "--offline")
    assert done.returncode == 1 and "train-images-idx3-ubyte" in done.stderr
    assert "Traceback" not in done.stderr
