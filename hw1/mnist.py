"""Homework 1, problem 2.5: train an MLP on MNIST.

``mnist``, ``train`` and ``validate`` are the homework; the rest is the command line:

    python hw1/mnist.py --epochs 10 --hidden 512,256
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import mytorch  # noqa: E402
from mytorch import nn, optim  # noqa: E402
from mytorch.utils.data import DataLoader, TensorDataset  # noqa: E402

BATCH_SIZE = 100
EPOCHS = 10
HIDDEN = (512, 256)
LEARNING_RATE = {"sgd": 0.1, "adam": 0.001}
MOMENTUM = 0.9
DECAY = 0.7  # the learning rate after each epoch, relative to the one before


def mnist(train_x: Any, train_y: Any, val_x: Any, val_y: Any) -> list[float]:
    """Train the default model and return its validation accuracy after every epoch.

    Args:
        train_x, val_x: images (N, 784), pixels in [0, 1]; train_y, val_y: labels (N,) in 0 … 9.
    """
    model = build_model(train_x.shape[1], HIDDEN)
    optimizer = optim.SGD(model.parameters(), LEARNING_RATE["sgd"], MOMENTUM)
    criterion = nn.CrossEntropyLoss()
    return train(
        model, optimizer, criterion, train_x, train_y, val_x, val_y, EPOCHS, lr_decay=DECAY
    )


def build_model(inputs: int, hidden: Sequence[int], classes: int = 10) -> nn.Module:
    """Return Linear-ReLU-…-Linear in float32, drawn by torch's rule from NumPy's generator."""
    layers: list[nn.Module] = []
    for size_in, size_out in pairwise([inputs, *hidden, classes]):
        linear = nn.Linear(size_in, size_out)
        linear.reset_parameters()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).to(np.float32)


def train(
    model: nn.Module,
    optimizer: optim.Optimizer,
    criterion: nn.Module,
    train_x: Any,
    train_y: Any,
    val_x: Any,
    val_y: Any,
    num_epochs: int = 3,
    lr_decay: float = 1.0,
) -> list[float]:
    """Train ``model`` and return the list of validation accuracies, one an epoch.

    ``lr_decay`` multiplies the learning rate after every epoch.
    """
    loader = batches(model, train_x, train_y, BATCH_SIZE, shuffle=True, generator=0)
    accuracies = []
    for epoch in range(1, num_epochs + 1):
        name = f"epoch {epoch}/{num_epochs}"
        accuracies.append(train_epoch(model, optimizer, criterion, loader, val_x, val_y, name))
        optimizer.lr *= lr_decay
    return accuracies


def train_epoch(
    model: nn.Module,
    optimizer: optim.Optimizer,
    criterion: nn.Module,
    loader: DataLoader,
    val_x: Any,
    val_y: Any,
    name: str,
) -> float:
    """Train on every batch once; print and return the validation accuracy after that."""
    model.train()
    for x, y in tqdm(loader, desc=name, unit="batch", leave=False, disable=None):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
    accuracy = validate(model, val_x, val_y)
    print(f"{name}: validation accuracy {accuracy:.2%}", flush=True)
    return accuracy


def validate(model: nn.Module, val_x: Any, val_y: Any) -> float:
    """Return the share of ``val_x`` (N, 784) that ``model`` classifies as ``val_y`` (N,) says."""
    model.eval()
    loader = batches(model, val_x, val_y, 1000)
    with mytorch.no_grad():
        correct = sum(int((model(x).argmax(1) == y).data.sum()) for x, y in loader)
    return correct / len(val_y)


def batches(model: nn.Module, x: Any, y: Any, batch_size: int, **options: Any) -> DataLoader:
    """Return a loader of (x, y) with x in the dtype of the model's parameters."""
    dtype = next(iter(model.parameters())).dtype
    return DataLoader(TensorDataset(np.asarray(x, dtype), y), batch_size, **options)


# ------------------------------------------------------------------------------ command line

PROGRAM = "hw1/mnist.py"

# What a checkpoint holds, beside the program's name.
CHECKPOINT = ("settings", "epochs", "source", "accuracies", "model", "optimizer", "generator")
# What a run is determined by, and what a resumed run therefore takes from its checkpoint.
SETTINGS = ("batch_size", "lr", "momentum", "optimizer", "hidden", "seed")


class Run:
    """One training run that can be written to a checkpoint and taken up again, to the bit."""

    def __init__(self, args: argparse.Namespace, data: Any):
        self.args, self.data = args, data
        np.random.seed(args.seed)
        self.model = build_model(data.train_x.shape[1], args.hidden)
        parameters = self.model.parameters()
        if args.optimizer == "adam":
            self.optimizer: optim.Optimizer = optim.Adam(parameters, args.lr)
        else:
            self.optimizer = optim.SGD(parameters, args.lr, args.momentum)
        self.generator = np.random.default_rng(args.seed)
        self.accuracies: list[float] = []
        self.saved: int | None = None  # epochs that the checkpoint holds, None without one

    def save(self) -> None:
        """Write the checkpoint, atomically; a full disk is told, and training goes on."""
        state = {
            "program": PROGRAM,
            "settings": {name: getattr(self.args, name) for name in SETTINGS},
            "epochs": self.args.epochs,
            "source": self.data.source,
            "accuracies": self.accuracies,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.bit_generator.state,
        }
        try:
            mytorch.save(state, self.args.save)
            self.saved = len(self.accuracies)
        except OSError as error:
            print(f"could not save the checkpoint {self.args.save}: {error}", file=sys.stderr)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where ``state``, the content of a checkpoint, was written."""
        if state["source"] != self.data.source:
            raise ValueError(f"{self.args.resume} was trained on other data: {state['source']}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.bit_generator.state = state["generator"]
        self.accuracies = state["accuracies"]
        self.saved = len(self.accuracies) if self.args.save == self.args.resume else None

    def train(self) -> None:
        """Train up to the wanted number of epochs, with a checkpoint after each."""
        model, data, last = self.model, self.data, self.args.epochs
        options = {"shuffle": True, "generator": self.generator}
        loader = batches(model, data.train_x, data.train_y, self.args.batch_size, **options)
        parts = model, self.optimizer, nn.CrossEntropyLoss(), loader, data.val_x, data.val_y
        for epoch in range(len(self.accuracies) + 1, last + 1):
            self.accuracies.append(train_epoch(*parts, f"epoch {epoch}/{last}"))
            self.optimizer.lr *= DECAY
            self.save()

    def plot(self) -> None:
        """Draw the validation accuracy after every epoch, the best one marked."""
        if not self.accuracies:
            return
        from matplotlib.figure import Figure

        percent = [100 * accuracy for accuracy in self.accuracies]
        best = int(np.argmax(percent))
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        title = f"Validation accuracy, {self.data.source}"
        axes = figure.add_subplot(title=title, xlabel="epoch", ylabel="accuracy (%)")
        axes.plot(range(1, len(percent) + 1), percent, marker="o")
        label = f"best: {percent[best]:.2f}% after epoch {best + 1}"
        axes.plot(best + 1, percent[best], "*", markersize=16, label=label)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        try:
            figure.savefig(self.args.plot, dpi=120)
            print(f"plot: {self.args.plot}")
        except OSError as error:
            print(f"could not save the plot {self.args.plot}: {error}", file=sys.stderr)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Train an MLP on MNIST.")
    add = parser.add_argument
    whole, real = number(int, 1), number(float, 0)
    add("--epochs", type=whole, default=EPOCHS, help="default: %(default)s")
    add("--batch-size", type=whole, default=BATCH_SIZE, help="default: %(default)s")
    add("--lr", type=real, help="learning rate; default: 0.1 for sgd, 0.001 for adam")
    add("--momentum", type=real, default=MOMENTUM, help="of sgd; default: %(default)s")
    add("--optimizer", choices=("sgd", "adam"), default="sgd", help="default: %(default)s")
    add("--hidden", type=_sizes, default=list(HIDDEN), help="layer sizes; default: 512,256")
    add("--seed", type=number(int, 0, 2**32 - 1), default=0, help="default: %(default)s")
    add("--data", type=Path, metavar="DIR", help="folder that holds the four MNIST files")
    add("--mirror", metavar="URL", help="where to download MNIST from")
    add("--offline", action="store_true", help="never use the network")
    plot = ROOT / "hw1" / "validation_accuracy.png"
    add(
        "--plot", type=Path, metavar="FILE", default=plot, help="picture; default: hw1/" + plot.name
    )
    add("--save", type=Path, metavar="FILE", help="checkpoint; default: hw1/mnist_checkpoint.npz")
    add("--resume", type=Path, metavar="FILE", help="checkpoint of the run to continue")
    return parser


def parse() -> tuple[argparse.Namespace, dict[str, Any] | None]:
    """Return the arguments and, with --resume, the checkpoint, whose settings they then are."""
    parser = make_parser()
    args = parser.parse_args()
    checkpoint = None
    if args.resume is not None:
        try:
            checkpoint = mytorch.load(args.resume)
            if not isinstance(checkpoint, dict) or checkpoint.get("program") != PROGRAM:
                raise ValueError(f"it is no checkpoint of {PROGRAM}")
            missing = [name for name in CHECKPOINT if name not in checkpoint]
            if missing:
                raise ValueError(f"it lacks {', '.join(missing)}")
        except (OSError, ValueError) as error:
            parser.error(f"cannot resume from {args.resume}: {error}")
        settings = checkpoint["settings"]
        known = argparse.Namespace(epochs=checkpoint["epochs"], **settings)
        args = parser.parse_args(namespace=known)
        for name, value in settings.items():
            if getattr(args, name) != value:
                parser.error(f"--{name.replace('_', '-')} cannot change on resume: it was {value}")
    if args.lr is None:
        args.lr = LEARNING_RATE[args.optimizer]
    args.save = args.save or args.resume or ROOT / "hw1" / "mnist_checkpoint.npz"
    for file in (args.save, args.plot):
        if not file.absolute().parent.is_dir():
            parser.error(f"there is no folder {file.absolute().parent} to write {file.name} to")
    if args.save.suffix in (".safetensors", ".pt", ".pth") or args.save.is_dir():
        parser.error(f"--save {args.save}: expects a file, such as {PROGRAM[:-3]}_checkpoint.npz")
    if args.plot.suffix not in (".png", ".pdf", ".svg"):
        parser.error(f"--plot {args.plot}: the name must end in .png, .pdf or .svg")
    return args, checkpoint


def number(kind: type, least: float, most: float = 1e9) -> Callable[[str], Any]:
    """Return the argparse type of a number from ``least`` to ``most``."""

    def parse_number(text: str) -> Any:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is out of range: from {least} to {most:g}")
        return value

    parse_number.__name__ = kind.__name__  # argparse names the type in its message
    return parse_number


def _sizes(text: str) -> list[int]:
    """Parse "512,256"; the empty text means no hidden layer."""
    if not re.fullmatch(r"([1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of sizes such as 512,256")
    return [int(part) for part in text.split(",") if part]


def keep_earlier(path: Path) -> None:
    """Move the checkpoint of an earlier run that trained at least one epoch out of the way."""
    try:
        earlier = mytorch.load(path)
    except (OSError, ValueError):  # there is none
        return
    is_ours = isinstance(earlier, dict) and earlier.get("program") == PROGRAM
    if is_ours and earlier.get("accuracies"):
        kept = path.with_name(f"{path.stem}.old{path.suffix}")
        path.replace(kept)
        print(f"the checkpoint of an earlier run is now {kept}")


def main() -> int:
    """Train, report, plot; return the exit status."""
    args, checkpoint = parse()
    from mytorch.datasets import DatasetError, load_mnist

    try:
        data = load_mnist(args.data, cache=ROOT / "data", offline=args.offline, mirror=args.mirror)
        sizes = [len(labels) for labels in (data.train_y, data.val_y, data.test_y)]
        print("data: {}: {} training, {} validation, {} test images".format(data.source, *sizes))
        run = Run(args, data)
        if checkpoint is None:
            keep_earlier(args.save)
            run.save()  # so that a run killed in its first epoch can be resumed too
        else:
            run.restore(checkpoint)
            done = len(run.accuracies)
            print(f"resumed after epoch {done} from {args.resume}")
            if done >= args.epochs:
                print(f"nothing is left to train; --epochs {done + 1} or more would train on")
    except (DatasetError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(run.model, flush=True)
    start, done = time.perf_counter(), len(run.accuracies)
    try:
        run.train()
    except KeyboardInterrupt:
        print(f"\nstopped after epoch {len(run.accuracies)}")
        run.plot()
        if run.saved is not None:
            again = [] if args.resume == args.save else ["--resume", str(args.save)]
            print(f"to continue after epoch {run.saved}:")
            print("  " + shlex.join([sys.executable, *sys.argv, *again]))
        return 130
    seconds = (time.perf_counter() - start) / max(len(run.accuracies) - done, 1)
    print(f"seconds an epoch: {seconds:.2f}")
    print(f"best validation accuracy ({data.source}): {max(run.accuracies):.2%}")
    print(f"test accuracy ({data.source}): {validate(run.model, data.test_x, data.test_y):.2%}")
    run.plot()
    if run.saved is not None:
        print(f"checkpoint: {args.save}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
