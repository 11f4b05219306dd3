"""The MNIST test measures accuracy itself, says which digits it used, and saves the curve."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import mutant  # noqa: E402

from autograder import digits  # noqa: E402
from autograder.hw1_autograder import test_mnist as grader  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "autograder" / "hw1_autograder" / "test_mnist.py"
PROGRAM = "hw1/mnist.py"
RETURN = (
    "    return train(model, optimizer, criterion, train_x, train_y, val_x, val_y, num_epochs=3)"
)
CLASS_MEANS = np.random.default_rng(0).uniform(0, 255, (10, 28, 28))


def write_digits(folder: Path, train: int = 2400, test: int = 300, packed: bool = True) -> Path:
    """Write four small files in MNIST's format, of digits that are easy to tell apart."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    for part, count in (("train", train), ("t10k", test)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        noisy = CLASS_MEANS[labels] + rng.normal(0, 40, (count, 28, 28))
        images = np.clip(noisy, 0, 255).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
            content = header + array.tobytes()
            name = f"{part}-{kind}-ubyte"
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content, 1))
            else:
                (folder / name).write_bytes(content)
    return folder


def submission(tmp_path: Path, old: str = RETURN, new: str = RETURN) -> Path:
    """Return a simple solution with a changed mnist.py, and small digits of its own in data/."""
    made = mutant("", PROGRAM, old, new, set()).make(tmp_path / "submission")
    (made / "mytorch" / "datasets.py").write_text("")  # its loader has nothing to do
    write_digits(made / "data" / "generated-digits")
    return made


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    """Grade a submission's mnist() and return what came."""
    command = [sys.executable, str(SCRIPT), "--submission", str(folder), "--offline"]
    command += map(str, arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def score(done: subprocess.CompletedProcess) -> float:
    """Return the points from the last line of the output."""
    return json.loads(done.stdout.splitlines()[-1])["scores"]["MNIST"]


PRINTS = """    import os, sys
    folder = os.path.dirname(sys._getframe(1).f_locals["options"]["train_x"])
    for name in sorted(os.listdir(folder)):
        print(name, os.path.getsize(os.path.join(folder, name)))
    print("\\x1b[2J\\x1b]0;t\\x07 fine \\x1b[32mgreen\\x1b[0m")
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """A good submission, which also prints things, and its grading."""
    folder = submission(tmp_path_factory.mktemp("good"), new=PRINTS + RETURN)
    return folder, run(folder)


def test_a_good_submission_is_measured_and_gets_its_plot(good):
    folder, done = good
    assert done.returncode == 0, done.stderr
    assert score(done) == 10
    assert "measured on the test images: 100.00 %" in done.stdout
    assert "epoch 3: validation accuracy" in done.stderr
    assert "epoch 3" not in done.stdout
    png = (folder / "hw1" / "validation_accuracy.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 10_000


def test_generated_digits_are_never_called_mnist(good):
    _, done = good
    assert "2.5 generated digits (offline) ....." in done.stdout
    assert "generated digits (offline): 2,200 images to train, 200 to validate" in done.stdout
    assert "provisional" in done.stdout
    said = [line for line in done.stdout.splitlines() if "MNIST" in line]
    assert said == ['{"scores": {"MNIST": 10}}']


def test_live_output_cannot_steer_the_terminal(good):
    _, done = good
    assert " fine \x1b[32mgreen\x1b[0m" in done.stderr
    assert "\x1b[2J" not in done.stderr and "\x07" not in done.stderr
    assert "\x1b" not in done.stdout


def test_the_worker_is_given_no_label_of_the_measured_images(good):
    _, done = good
    listed = [line.split()[0] for line in done.stderr.splitlines() if ".npy" in line]
    assert listed == ["train_x.npy", "train_y.npy", "val_x.npy", "val_y.npy"]


def test_a_false_claim_earns_what_is_measured(tmp_path):
    new = "    validate(model, val_x, val_y)\n    return [1.0, 1.0]"
    done = run(submission(tmp_path, new=new), "--plot", tmp_path / "there" / "p.png")
    assert score(done) == 0
    assert "no plot was saved" in done.stdout
    assert "claimed by the submission, after each epoch: 100.00 100.00 %" in done.stdout
    assert "measured on the test images" in done.stdout


def test_a_model_that_is_not_caught_is_only_a_claim(tmp_path):
    done = run(submission(tmp_path, new="    return [0.5, 0.9]"))
    assert score(done) == 0
    assert "claimed by the submission, after each epoch: 50.00 90.00 %" in done.stdout
    assert "not measured: that claim, if it held, would earn 10" in done.stdout
    assert "train(model, ...)" in done.stdout


def test_a_list_that_is_none_costs_the_plot_and_not_the_measured_points(tmp_path):
    folder = submission(tmp_path, new=RETURN.replace("return ", ""))
    done = run(folder)
    assert score(done) == 10
    assert "mnist() should return the list" in done.stdout
    assert not (folder / "hw1" / "validation_accuracy.png").exists()


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("    raise ValueError('no idea')", "mnist() raised ValueError: no idea"),
        ("    import os; os._exit(0)", "mnist() ended the process"),
        ("    while True: pass", "mnist() did not come back"),
    ],
)
def test_a_training_that_fails_earns_nothing_and_is_told_why(tmp_path, new, told):
    limit = ("--timeout", 2) if "while" in new else ()
    done = run(submission(tmp_path, new=new), *limit)
    assert done.returncode == 0
    assert score(done) == 0
    assert told in done.stdout


def test_no_digits_at_all_is_the_graders_trouble_and_says_what_to_do(tmp_path):
    folder = mutant("", PROGRAM, RETURN, RETURN, set()).make(tmp_path / "submission")
    (folder / "mytorch" / "datasets.py").write_text("raise ImportError('no loader today')\n")
    done = run(folder)
    assert done.returncode == 1
    assert "no loader today" in done.stderr and "Traceback" not in done.stderr
    assert "there are no digits to train on" in done.stderr
    assert "--data FOLDER" in done.stderr
    assert "scores" not in done.stdout


def test_a_submission_without_a_loader_is_graded_with_the_graders_own(tmp_path):
    folder = mutant("", PROGRAM, RETURN, RETURN, set()).make(tmp_path / "submission")
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert "generated digits (offline): 16,500 images to train" in done.stdout


def test_a_damaged_folder_that_was_named_stops_the_grader(tmp_path):
    folder = mutant("", PROGRAM, RETURN, RETURN, set()).make(tmp_path / "submission")
    fake = write_digits(tmp_path / "fake")
    done = run(folder, "--data", fake)
    assert done.returncode == 1
    assert "it is not MNIST's (MD5 differs)" in done.stderr


def test_dotted_names_of_the_official_files_are_read(tmp_path, mnist_folder):
    for path in mnist_folder.glob("*.gz"):
        dotted = path.name.replace("-idx", ".idx")
        (tmp_path / dotted).write_bytes(path.read_bytes())
    found, reasons = grader.first_of([tmp_path])
    assert found is not None, reasons


def test_other_images_under_mnists_names_are_refused(tmp_path):
    fake = write_digits(tmp_path / "fake")
    found, reasons = grader.first_of([fake, tmp_path])
    assert found is None
    assert "it is not MNIST's (MD5 differs)" in reasons[0]
    assert "there is no train-images-idx3-ubyte.gz" in reasons[1]


@pytest.mark.parametrize("packed", [True, False])
def test_files_are_read_packed_or_plain(tmp_path, packed):
    folder = write_digits(tmp_path / "d", packed=packed)
    read = digits.read_digits(folder, digits.GENERATED)
    assert read.train_x.shape == (2200, 784) and read.val_x.shape == (200, 784)
    assert read.train_x.dtype == np.float32 and read.train_y.dtype == np.int64
    assert read.train_x.min() >= 0 and 0.9 < read.train_x.max() <= 1
    assert len(read.test_y) == 300


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read"),
        (b"\x00\x00\x08\x03", "cannot be read"),
        (struct.pack(">4I", 0x0803, 10**9, 28, 28), "no IDX file of digits"),
        (struct.pack(">4I", 0x0801, 2400, 28, 28), "no IDX file of digits"),
        (struct.pack(">4I", 0x0803, 2400, 28, 28) + b"\0" * 784, "its length is not"),
        (struct.pack(">4I", 0x0803, 1, 28, 28) + b"\0" * 785, "its length is not"),
        (struct.pack(">4I", 0x0803, 20, 28, 28) + b"\0" * 20 * 784, "do not fit"),
    ],
)
def test_a_damaged_file_is_named_with_its_fault(tmp_path, content, told):
    folder = write_digits(tmp_path / "d")
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(digits.DigitsError, match=told) as caught:
        digits.read_digits(folder, digits.GENERATED)
    assert str(folder) in str(caught.value)


def test_a_file_that_is_no_gzip_or_cut_is_named(tmp_path):
    folder = write_digits(tmp_path / "d")
    path = folder / "t10k-labels-idx1-ubyte.gz"
    for content in (b"no gzip", path.read_bytes()[:-20]):
        path.write_bytes(content)
        with pytest.raises(digits.DigitsError, match="cannot be read"):
            digits.read_digits(folder, digits.GENERATED)


def test_the_official_files_are_known_by_their_content(mnist_folder):
    read = digits.read_digits(Path(mnist_folder), digits.MNIST)
    assert str(read) == "MNIST: 55,000 images to train, 5,000 to validate, 10,000 to test"
    assert read.train_y[:5].tolist() == [5, 0, 4, 1, 9]
    assert read.test_y[:5].tolist() == [7, 2, 1, 0, 4]


def test_points_grow_evenly_between_the_two_thresholds():
    for source, (none, full) in grader.SCALE.items():
        assert grader.points(none, source) == 0
        assert grader.points(none - 0.1, source) == 0
        assert grader.points((none + full) / 2, source) == 5
        assert grader.points(full, source) == grader.points(1.0, source) == 10


def test_the_plot_names_its_axes_its_source_and_the_best_epoch(tmp_path, monkeypatch):
    from matplotlib import figure

    seen = {}

    def note(self, path, **_):
        axes = self.axes[0]
        seen["labels"] = (axes.get_xlabel(), axes.get_ylabel(), axes.get_title())
        seen["points"] = axes.lines[0].get_xydata().tolist()
        seen["legend"] = [text.get_text() for text in axes.get_legend().get_texts()]

    monkeypatch.setattr(figure.Figure, "savefig", note)
    read = digits.read_digits(write_digits(tmp_path / "d"), digits.GENERATED)
    result = grader.Result(np.array([0.5, 0.75, 0.625]), 0.62, 0.6)
    grader.plot(tmp_path / "p.png", read, result)
    assert seen["labels"][:2] == ("epoch", "validation accuracy (%)")
    assert "generated digits (offline)" in seen["labels"][2] and "MNIST" not in seen["labels"][2]
    assert seen["points"] == [[1, 50], [2, 75], [3, 62.5]]
    assert "best: 75.00 % after epoch 2" in seen["legend"]
