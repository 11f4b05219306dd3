"""labs/char_rnn.py: it learns, carries its state on, writes, and says what its arguments lack."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import optim

ROOT = Path(__file__).resolve().parent.parent
TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("char_rnn", ROOT / "labs" / "char_rnn.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


def call(program: ModuleType, monkeypatch: pytest.MonkeyPatch, *args: Any) -> int:
    """Run the program's command line in this process."""
    monkeypatch.setattr(sys, "argv", ["char_rnn.py", *map(str, args)])
    return program.main()


# ------------------------------------------------------------------------------ the program


def test_the_program_learns_a_text_and_writes_it(text: Path) -> None:
    options = ["--hidden", 32, "--epochs", 12, "--lr", 0.02, "--sample", 45, "--start", "the"]
    command = [sys.executable, ROOT / "labs" / "char_rnn.py", "--text", text, *options]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert result.returncode == 0 and result.stderr == ""  # no progress bar without a terminal
    start, last = result.stdout.split("\nepoch 12/12: ")
    assert "(network): LSTM(64, 32)" in start
    assert "2,700 characters, 29 different: 4.86 bits each for who knows nothing" in start
    report, written = last.split("\n\n", 1)
    assert float(report.split()[0]) < 2  # bits, of 4.86
    assert len(written) == len("the") + 45 + 1 and written.startswith("the")


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru"])
def test_a_seed_decides_what_a_network_learns_and_writes(
    program: ModuleType,
    text: Path,
    network: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--text", text, "--network", network, "--hidden", 8, "--epochs", 1, "--sample", 30]
    outputs = []
    for seed in (3, 3, 4):
        assert call(program, monkeypatch, *options, "--seed", seed) == 0
        outputs.append([line.split(", ")[0] for line in capsys.readouterr().out.splitlines()])
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--text", "nowhere.txt"], "cannot read the text: [Errno 2] No such file"),
        (["--network", "cnn"], "invalid choice: 'cnn'"),
        (["--hidden", "0"], "argument --hidden: 0 is out of range: from 1 to 1e+09"),
        (["--lr", "-1"], "argument --lr: -1 is out of range"),
        (["--temperature", "nan"], "argument --temperature: nan is out of range"),
        (["--epochs", "2.5"], "argument --epochs: invalid int value: '2.5'"),
        (["--start", "Ω"], "--start must be some characters of the text, not 'Ω'"),
        (["--start", ""], "--start must be some characters of the text, not ''"),
    ],
)
def test_wrong_arguments_are_told(
    program: ModuleType,
    args: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="^2$"):
        call(program, monkeypatch, *args)
    out, err = capsys.readouterr()
    assert out == "" and message in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"abc", "the text has 3 characters, at least 330 are needed"),
        ("Größe".encode("latin-1") * 100, "cannot read the text: 'utf-8' codec"),
    ],
    ids=["short", "latin-1"],
)
def test_a_text_that_cannot_be_learnt_is_told(
    program: ModuleType,
    tmp_path: Path,
    content: bytes,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(SystemExit, match="^2$"):
        call(program, monkeypatch, "--text", tmp_path / "text.txt")
    assert message in capsys.readouterr().err


# ------------------------------------------------------------------------------ its parts


def test_columns_of_windows_go_on_where_they_have_stopped(program: ModuleType) -> None:
    count = 3 * program.BATCH_SIZE * program.STEPS + 70
    found = program.windows(np.arange(count))
    x, y = (np.concatenate([pair[i].data for pair in found]) for i in (0, 1))
    assert x.shape == (count // program.BATCH_SIZE, program.BATCH_SIZE)
    assert np.array_equal(y, x + 1) and (np.diff(x, axis=0) == 1).all()
    assert len(np.unique(x)) == x.size
    assert found[0][0].shape == (program.STEPS, program.BATCH_SIZE)


def test_no_gradient_goes_back_beyond_a_window(program: ModuleType) -> None:
    model = program.CharRNN("lstm", 5, 6, 1)
    _, state = model(program.windows(np.arange(330) % 5)[0][0])
    assert all(part.requires_grad for part in state)
    assert not any(part.requires_grad for part in program.detached(state))


def test_bits_are_those_of_the_uniform_guess_before_training(program: ModuleType) -> None:
    model = program.CharRNN("gru", 8, 4, 1)
    for parameter in model.parameters():
        parameter.data[...] = 0
    bits = program.validate(model, program.windows(np.arange(4000) % 8))
    assert bits == pytest.approx(3)


def test_colder_writing_takes_the_likeliest(program: ModuleType) -> None:
    mytorch.manual_seed(1)
    model = program.CharRNN("gru", 4, 8, 1)
    batches = program.windows(np.arange(2000) % 4)
    optimizer = optim.Adam(model.parameters(), 0.02)
    schedule = optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    for _ in range(30):
        program.train_epoch(model, optimizer, schedule, batches, "")
    assert program.write(model, "abcd", "c", 9, 0.1) == "cdabcdabcd"
