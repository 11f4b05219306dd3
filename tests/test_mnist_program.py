"""hw1/mnist.py: the homework's functions, and what its command line accepts."""

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
from mytorch import nn, optim
from mytorch.tensor import Tensor

ROOT = Path(__file__).resolve().parent.parent


def load_program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mnist_program", ROOT / "hw1" / "mnist.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def program() -> ModuleType:
    return load_program()


# ------------------------------------------------------------------------------ the homework


def clusters(count: int, seed: int, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Return points (count, 12) around ten corners, and which corner: easy to learn."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    corners = np.random.default_rng(0).normal(size=(10, 12))
    return (corners[labels] + 0.1 * rng.normal(size=(count, 12))).astype(dtype), labels


def small_model(dtype: Any = np.float64) -> nn.Module:
    np.random.seed(0)
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 10)).to(dtype)


def trained(program: ModuleType, model: nn.Module, dtype: Any = np.float64, *epochs: int) -> Any:
    optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.5)
    data = *clusters(450, 1, dtype), *clusters(120, 2, dtype)
    return program.train(model, optimizer, nn.CrossEntropyLoss(), *data, *epochs)


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_train_learns_and_returns_an_accuracy_for_each_epoch(
    program: ModuleType, dtype: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model(dtype)
    accuracies = trained(program, model, dtype, 4)
    assert type(accuracies) is list and len(accuracies) == 4
    assert all(type(accuracy) is float and 0 <= accuracy <= 1 for accuracy in accuracies)
    assert accuracies[-1] > 0.95
    assert accuracies[-1] == program.validate(model, *clusters(120, 2))
    assert {p.dtype for p in model.parameters()} == {np.dtype(dtype)}
    out, err = capsys.readouterr()
    told = [f"epoch {k}/4: validation accuracy {a:.2%}" for k, a in enumerate(accuracies, 1)]
    assert out.splitlines() == told and err == ""  # no progress bar where there is no terminal


def test_train_takes_three_epochs_and_batches_of_100_by_default(program: ModuleType) -> None:
    sizes: list[tuple[int, bool]] = []

    class Spy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small_model()

        def forward(self, x: Tensor) -> Tensor:
            sizes.append((len(x), self.inner.is_train))
            return self.inner(x)

    assert program.BATCH_SIZE == 100
    assert len(trained(program, Spy())) == 3
    assert sizes == ([(100, True)] * 4 + [(50, True), (120, False)]) * 3


def test_training_is_reproducible_and_takes_images_of_any_kind(program: ModuleType) -> None:
    first, second = small_model(np.float32), small_model(np.float32)
    x, y, val_x, val_y = *clusters(300, 1), *clusters(50, 2)
    curves = []
    for model, wrap in ((first, np.asarray), (second, Tensor)):
        np.random.seed(1)  # of dropout
        optimizer, criterion = optim.Adam(model.parameters()), nn.CrossEntropyLoss()
        data = wrap(x), wrap(y), wrap(val_x), wrap(val_y)
        curves.append(program.train(model, optimizer, criterion, *data, num_epochs=2))
    assert curves[0] == curves[1]
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert a.dtype == np.float32 and a.data.tobytes() == b.data.tobytes()


@pytest.mark.parametrize("count", [1, 7, 2345])
def test_validate_counts_what_is_right_without_a_graph(program: ModuleType, count: int) -> None:
    recording = []

    class Answer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(1.0)

        def forward(self, x: Tensor) -> Tensor:
            recording.append(mytorch.is_grad_enabled())
            return x * self.scale

    x = np.random.default_rng(0).normal(size=(count, 10))
    y = np.random.default_rng(1).integers(0, 10, count)
    model = Answer()
    expected = np.count_nonzero(x.argmax(1) == y) / count
    for labels in (y, y.astype(float), Tensor(y)):
        assert program.validate(model, x, labels) == expected
    assert not any(recording) and not model.is_train


def test_mnist_trains_the_default_model_the_same_way_each_time(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "HIDDEN", (64, 32))
    curves = []
    for dtype in (np.float64, np.float32):
        np.random.seed(3)
        curves.append(program.mnist(*clusters(1000, 1, dtype), *clusters(100, 2, dtype)))
    assert curves[0] == curves[1] and len(curves[0]) == program.EPOCHS == 10
    assert curves[0][-1] > 0.9


def test_the_default_model_is_drawn_by_torchs_rule_in_float32(program: ModuleType) -> None:
    model = program.build_model(784, (512, 256))
    assert [p.shape for p in model.parameters()] == [
        *((512, 784), (512,), (256, 512), (256,), (10, 256), (10,))
    ]
    for weight, size in ((model[0].weight, 784), (model[2].weight, 512), (model[4].weight, 256)):
        assert weight.dtype == np.float32
        assert 0.9 / np.sqrt(size) < np.abs(weight.data).max() <= 1.0001 / np.sqrt(size)


def test_the_program_puts_the_project_on_the_search_path_once(program: ModuleType) -> None:
    before = list(sys.path)
    trained(load_program(), small_model(), np.float64, 1)
    assert sys.path == before
    code = "import runpy, sys; before = list(sys.path)\n"
    code += "for _ in range(2): runpy.run_path(sys.argv[1])\n"
    code += "print([path for path in sys.path if path not in before], len(sys.path) - len(before))"
    command = [sys.executable, "-I", "-B", "-c", code, str(ROOT / "hw1" / "mnist.py")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout in (f"['{ROOT}'] 1\n", "[] 0\n")  # [] where it is installed from there


# ------------------------------------------------------------------------------ the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs: 0 is out of range"),
        (["--epochs", "1.5"], "--epochs: invalid int value: '1.5'"),
        (["--batch-size", "-1"], "--batch-size: -1 is out of range"),
        (["--lr", "-0.1"], "--lr: -0.1 is out of range"),
        (["--lr", "nan"], "--lr: nan is out of range"),
        (["--momentum", "inf"], "--momentum: inf is out of range"),
        (["--seed", "-1"], "--seed: -1 is out of range"),
        (["--seed", str(2**32)], "--seed: 4294967296 is out of range"),
        (["--hidden", "512,x"], "'512,x' is not a list of sizes such as 512,256"),
        (["--hidden", "512,0"], "'512,0' is not a list of sizes"),
        (["--optimizer", "rmsprop"], "invalid choice: 'rmsprop'"),
        (["--save", "no/such/folder/a.npz"], "there is no folder"),
        (["--plot", "no/such/folder/a.png"], "there is no folder"),
        (["--plot", "a.jpeg2"], "must end in .png, .pdf or .svg"),
        (["--resume", "none.npz"], "cannot resume from none.npz: [Errno 2] No such file"),
        (["--wat"], "unrecognized arguments: --wat"),
    ],
    ids=str,
)
def test_bad_arguments_are_told_with_exit_status_2(
    program: ModuleType,
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["mnist.py", *arguments])
    with pytest.raises(SystemExit) as caught:
        program.main()
    assert caught.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_help_names_every_option_and_its_default(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["mnist.py", "--help"])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        program.main()
    out = capsys.readouterr().out
    assert caught.value.code == 0
    for option in ("data", "mirror", "offline", "plot", "save", "resume", "seed", "optimizer"):
        assert f"--{option}" in out
    for text in ("default: 10\n", "default: 100\n", "0.1 for sgd", "default: 512,256", "0.9\n"):
        assert text in out


def test_no_hidden_layer_is_the_empty_list(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["mnist.py", "--hidden", "", "--optimizer", "adam"])
    args, checkpoint = program.parse()
    assert (args.hidden, args.lr, checkpoint) == ([], 0.001, None)
    assert repr(program.build_model(784, [])).count("Linear") == 1
