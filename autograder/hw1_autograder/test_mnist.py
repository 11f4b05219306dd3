"""Grade homework 1, problem 2.5: python3 ./autograder/hw1_autograder/test_mnist.py [--help]

Trains the submission's ``mnist()`` in a worker, then measures its accuracy itself: the model
predicts images whose labels the worker is never given.
"""

from __future__ import annotations

import argparse
import codecs
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

ROOT = Path(__file__).resolve().parents[2]
if "autograder" not in sys.modules:
    sys.path.insert(0, str(ROOT))
    import autograder  # noqa: F401

    sys.path.pop(0)  # nothing else may come from there: it is often the submission itself

import numpy as np  # noqa: E402

from autograder.command import finish, folder, seconds  # noqa: E402
from autograder.digits import GENERATED, MNIST, Digits, DigitsError, read_digits  # noqa: E402
from autograder.isolation import LAPTOP, NAMES, Isolation  # noqa: E402
from autograder.processes import protect  # noqa: E402
from autograder.report import Screen, fault_lines, harmless, printable, scoreline  # noqa: E402
from autograder.supervisor import GraderError, Worker, output_pair  # noqa: E402

FETCH = ROOT / "autograder" / "fetch.py"
POINTS = 10
SCALE = {MNIST: (0.80, 0.95), GENERATED: (0.50, 0.75)}  # no points up to, full points from
DATA_LIMIT = 1800.0
MEMORY = 8 << 30  # bytes of address space; the images alone are 350 MB as float64


@dataclass
class Result:
    """What came of the training.

    Attributes:
        claimed: the list that mnist() returned, None if it was unusable.
        validation, test: accuracies that were measured here, None if no model could be caught.
        problems: lines that tell what went wrong.
    """

    claimed: np.ndarray | None = None
    validation: float | None = None
    test: float | None = None
    problems: Sequence[str] = ()


class Live:
    """Shows what a submission prints as it comes, without control of the terminal."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._last = "\n"

    def show(self, chunk: bytes) -> None:
        """Print some bytes on standard error."""
        text, self._held = harmless(self._held + self._decoder.decode(chunk))
        if text:
            self._last = text[-1]
            encoding = sys.stderr.encoding or "utf-8"
            sys.stderr.write(text.encode(encoding, "replace").decode(encoding))
            sys.stderr.flush()

    def end(self) -> None:
        """Begin a new line, in no colour."""
        sys.stderr.write("\x1b[0m" if sys.stderr.isatty() else "")
        sys.stderr.write("\n" if self._last != "\n" else "")
        sys.stderr.flush()


# ---- the digits ---------------------------------------------------------------------------------


def find_digits(options: argparse.Namespace) -> Digits:
    """Return MNIST from a known folder, else after a download, else generated digits.

    Raises:
        GraderError: there are no digits at all.
    """
    home = options.submission / "data"
    places = [options.data, os.environ.get("MYTORCH_DATA"), home]
    digits, reasons = first_of([Path(place) for place in places if place])
    if digits is not None:
        return digits
    if options.data and "there is no" not in reasons[0]:  # it is there, but damaged
        raise GraderError(f"--data {reasons[0]}")
    for reason in reasons:
        print(f"no MNIST there: {reason}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="mytorch-digits-") as spare:
        writable = os.access(home if home.exists() else options.submission, os.W_OK)
        cache = home if writable else Path(spare)
        fetch(options, cache)
        digits, _ = first_of([cache])
        if digits is not None:
            return digits
        try:
            return read_digits(cache / "generated-digits", GENERATED)
        except DigitsError as error:
            raise GraderError(
                f"there are no digits to train on ({error}). Put the four files of MNIST into a "
                "folder and name it: --data FOLDER"
            ) from None


def first_of(places: Sequence[Path]) -> tuple[Digits | None, list[str]]:
    """Return MNIST from the first folder that holds it, and why the others do not."""
    reasons = []
    for place in places:
        try:
            return read_digits(place, MNIST), reasons
        except DigitsError as error:
            reasons.append(printable(str(error)))
    return None, reasons


def fetch(options: argparse.Namespace, cache: Path) -> None:
    """Let the submission's loader download MNIST, or generate digits, into the cache."""
    # a submission may have no loader, as the homework asks for none: then the grader's own copy
    library = options.submission / "mytorch"
    has_loader = (library / "datasets").is_dir() or (library / "datasets.py").is_file()
    home = options.submission if has_loader else ROOT
    command = [sys.executable, "-B", "-u", str(FETCH), str(home)]
    command += ["--cache", str(cache)]
    command += ["--offline"] if options.offline else []
    command += ["--mirror", options.mirror] if options.mirror else []
    live = Live()
    reading, writing = output_pair(sys.stderr.isatty())
    with subprocess.Popen(
        command,
        cwd=options.submission,
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
    ) as process:
        os.close(writing)
        alarm = threading.Timer(DATA_LIMIT, process.kill)
        alarm.start()
        try:
            for chunk in iter(lambda: _read(reading), b""):
                live.show(chunk)
            status = process.wait()
        finally:
            alarm.cancel()
            process.kill()
            os.close(reading)
            live.end()
    if status:
        print(f"python -m mytorch.datasets ended with exit status {status}", file=sys.stderr)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # a terminal's way to say that its other side is closed
        return b""


# ---- training and measuring ---------------------------------------------------------------------


def train(
    submission: Path,
    digits: Digits,
    timeout: float,
    isolation: Isolation = LAPTOP,
    live: Live | None = None,
) -> Result:
    """Train the submission's model in a worker and measure it; show `live` what it prints.

    Raises:
        GraderError: no worker can be started.
    """
    with tempfile.TemporaryDirectory(prefix="mytorch-digits-") as folder:
        data = Path(folder)
        parts = ("train_x", "train_y", "val_x", "val_y")
        paths = {name: str(save(data, name, getattr(digits, name), isolation)) for name in parts}
        terminal = live is not None and sys.stderr.isatty()
        show = None if live is None else live.show
        threads = None if live is not None else 1
        with Worker(submission, isolation, threads, show, terminal, MEMORY, [data]) as worker:
            answer = worker.ask("train_mnist", {}, paths, timeout)
            if live is not None:
                live.end()
            if answer.fault:
                return Result(problems=fault_lines(answer.fault, "mnist()"))
            result = Result(usable(answer.values.get("accuracies")))
            if answer.values.get("caught") is True:
                measure(worker, digits, result, timeout, data)
    return result


def save(folder: Path, name: str, array: np.ndarray, isolation: Isolation) -> Path:
    """Write an array where the worker may read it and nobody else; return the file."""
    path = folder / f"{name}.npy"
    np.save(path, array)
    isolation.give(folder)
    return path


def usable(accuracies: object) -> np.ndarray | None:
    """Return a list of accuracies if it can be one: some finite numbers from 0 to 1."""
    if not isinstance(accuracies, np.ndarray) or accuracies.ndim != 1 or not accuracies.size:
        return None
    fine = np.isfinite(accuracies) & (accuracies >= 0) & (accuracies <= 1)
    return accuracies if fine.all() else None


def measure(worker: Worker, digits: Digits, result: Result, timeout: float, folder: Path) -> None:
    """Let the caught model predict images in a fresh order, and count here what is right."""
    images = np.concatenate([digits.val_x, digits.test_x])
    labels = np.concatenate([digits.val_y, digits.test_y])
    order = np.random.default_rng().permutation(len(images))
    path = save(folder, "images", images[order], worker.isolation)
    answer = worker.ask("predict", {}, {"images": str(path)}, timeout)
    if answer.fault:
        result.problems = fault_lines(answer.fault, "predicting with the trained model")
        return
    classes = answer.values.get("classes")
    if not isinstance(classes, np.ndarray) or classes.shape != labels.shape:
        result.problems = [
            f"the model should give one row of logits for each image of {labels.shape}"
        ]
        return
    right = np.empty(len(labels), bool)
    right[order] = classes == labels[order]
    result.validation = float(right[: len(digits.val_y)].mean())
    result.test = float(right[len(digits.val_y) :].mean())


def points(accuracy: float, source: str) -> float:
    """Return the points for an accuracy, to a tenth: they grow evenly between two thresholds."""
    none, full = SCALE[source]
    share = min(max((accuracy - none) / (full - none), 0.0), 1.0)
    return math.floor(share * POINTS * 10 + 1e-9) / 10


# ---- report -------------------------------------------------------------------------------------


def plot(path: Path, digits: Digits, result: Result) -> None:
    """Save the curve of validation accuracies.

    Raises:
        OSError: the file cannot be written.
        ImportError: there is no Matplotlib.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import MaxNLocator

    percent = 100 * result.claimed
    epochs = np.arange(1, len(percent) + 1)
    best = int(percent.argmax())
    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    axes.plot(epochs, percent, "o-", color="tab:blue", label="after each epoch")
    label = f"best: {percent[best]:.2f} % after epoch {best + 1}"
    axes.plot(epochs[best], percent[best], "*", color="tab:red", markersize=16, label=label)
    if result.test is not None:
        axes.plot([], [], " ", label=f"test images, measured at the end: {100 * result.test:.2f} %")
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation accuracy (%)")
    axes.set_title(
        f"Validation accuracy on {digits.source}\n{len(digits.train_y):,} training images"
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(0.08, 0.15)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    try:
        figure.savefig(path, dpi=150)
    finally:
        pyplot.close(figure)


def tell(screen: Screen, digits: Digits, result: Result) -> float:
    """Print what was claimed and what was measured; return the points."""
    none, full = SCALE[digits.source]
    earned = 0.0 if result.test is None else points(result.test, digits.source)
    colour = "green" if earned == POINTS else "yellow" if earned else "red"
    row = f"2.5 {digits.source} "
    screen.line(
        f"{row:.<60} {f'{earned:g}/{POINTS}':>7}  {screen.paint(percent(result.test), colour)}"
    )
    for line in result.problems:
        screen.line(f"      {printable(line)}")
    if result.claimed is None and not result.problems:
        screen.line("      mnist() should return the list of validation accuracies (0 to 1)")
    if result.claimed is not None:
        listed = " ".join(f"{100 * a:.2f}" for a in result.claimed[:50])
        for row in wrap(f"claimed by the submission, after each epoch: {listed} %", 72):
            screen.line(f"      {row}")
    if result.test is not None:
        screen.line(f"      measured on the validation images: {percent(result.validation)}")
        screen.line(
            f"      measured on the test images: {percent(result.test)} (this earns the points)"
        )
    elif result.claimed is not None and not result.problems:
        would = points(float(result.claimed[-1]), digits.source)
        screen.line(
            f"      not measured: that claim, if it held, would earn {would:g}. To be measured, "
            "mnist() must call"
        )
        screen.line("      the module's train(model, ...) or validate(model, ...) with its model")
    screen.line(f"      none of the points up to {none:.0%}, all of them from {full:.0%} on")
    if digits.source == GENERATED:
        screen.line("      provisional: earned on generated digits, not on the real ones")
    screen.line()
    return earned


def percent(accuracy: float | None) -> str:
    """Return an accuracy as text."""
    return "no accuracy" if accuracy is None else f"{100 * accuracy:.2f} %"


def grade(options: argparse.Namespace) -> None:
    """Find digits, train, measure, plot, and end on the scoreline."""
    screen = Screen()
    screen.title("Homework 1: recognising digits")
    screen.line(f"submission: {options.submission}")
    screen.line(f"isolation: {NAMES[0]}")
    digits = find_digits(options)
    screen.line(f"{digits}\nread from {digits.folder}\n")
    result = train(options.submission, digits, options.timeout, live=Live())
    earned = tell(screen, digits, result)
    if result.claimed is not None:
        path = options.plot or options.submission / "hw1" / "validation_accuracy.png"
        try:
            plot(path, digits, result)
            screen.line(f"plot: {path}")
        except (OSError, ImportError) as error:
            screen.line(f"no plot was saved: {error}")
    screen.line(screen.paint(f"Total score: {earned:g}/{POINTS}", "bold"))
    screen.line("\nSummary:")
    screen.line(json.dumps({digits.source: f"{earned:g}/{POINTS}"}, indent=1))
    screen.line(scoreline({"MNIST": earned}))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 whenever grading worked, whatever the score."""
    parser = argparse.ArgumentParser(description="Train and grade the submission's mnist().")
    add = parser.add_argument
    add("--submission", type=folder, default=ROOT, help="the folder with mytorch/ and hw1/")
    add("--data", type=Path, help="a folder with the four files of MNIST")
    add("--offline", action="store_true", help="do not download; generate digits if need be")
    add("--mirror", help="download from this address")
    add("--plot", type=Path, help="where to save the curve (hw1/validation_accuracy.png)")
    add("--timeout", type=seconds, default=1200.0, help="seconds that training may take (1200)")
    options = parser.parse_args(argv)
    return finish(lambda: grade(options))


if __name__ == "__main__":
    protect()
    sys.exit(main())
