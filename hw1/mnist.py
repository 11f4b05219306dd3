"""Homework 1, problem 2.5: train an MLP on MNIST.

``mnist``, ``train`` and ``validate`` are the homework; the rest is the command line:

    python hw1/mnist.py --epochs 10 --hidden 512,256
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
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


def build_model(inputs: int, hidden: Sequence[int], classes: int = 10) -> nn.Sequential:
    """Return Linear-ReLU-…-Linear in float32, drawn by torch's rule from NumPy's generator."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    model = nn.Sequential(*layers, nn.Linear(inputs, classes))
    model.apply(lambda layer: layer.reset_parameters() if isinstance(layer, nn.Linear) else None)
    model.to(np.float32)
    return model


def train(
    model: nn.Module,
    optimizer: optim.Optimizer,
    criterion: nn.Module,
    train_x: Any,
    train_y: Any,
    val_x: Any,
    val_y: Any,
    num_epochs: int = 3,
    *,
    batch_size: int = BATCH_SIZE,
    lr_decay: float = 1.0,
    generator: np.random.Generator | int | None = 0,
    accuracies: Sequence[float] = (),
    after_epoch: Callable[[list[float]], None] | None = None,
) -> list[float]:
    """Train ``model`` and return the list of validation accuracies, one an epoch.

    ``generator`` orders the batches; ``accuracies`` are those of epochs already done, when a run is
    resumed; ``after_epoch`` is called with the list so far.
    """
    accuracies = list(accuracies)
    dtype = next(iter(model.parameters())).dtype
    dataset = TensorDataset(np.asarray(train_x, dtype), train_y)
    loader = DataLoader(dataset, batch_size, shuffle=True, generator=generator)
    for epoch in range(len(accuracies) + 1, num_epochs + 1):
        model.train()
        for x, y in tqdm(loader, desc=f"epoch {epoch}/{num_epochs}", unit="batch", leave=False):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        optimizer.lr *= lr_decay
        accuracies.append(validate(model, val_x, val_y))
        print(f"epoch {epoch}/{num_epochs}: validation accuracy {accuracies[-1]:.2%}", flush=True)
        if after_epoch is not None:
            after_epoch(accuracies)
    return accuracies


def validate(model: nn.Module, val_x: Any, val_y: Any) -> float:
    """Return the share of ``val_x`` (N, 784) that ``model`` classifies as ``val_y`` (N,) says."""
    model.eval()
    dtype = next(iter(model.parameters())).dtype
    batches = DataLoader(TensorDataset(np.asarray(val_x, dtype), val_y), batch_size=1000)
    with mytorch.no_grad():
        correct = sum(int((model(x).argmax(1) == y).data.sum()) for x, y in batches)
    return correct / len(val_y)


# ------------------------------------------------------------------------------ command line

# What a run is determined by, and what a resumed run therefore takes from its checkpoint.
SETTINGS = ("batch_size", "lr", "momentum", "optimizer", "hidden", "seed")


class Run:
    """One training run that can be written to a checkpoint and taken up again, to the bit."""

    def __init__(self, args: argparse.Namespace, source: str, inputs: int):
        self.args = args
        self.source = source
        np.random.seed(args.seed)
        self.model = build_model(inputs, args.hidden)
        parameters = self.model.parameters()
        if args.optimizer == "adam":
            self.optimizer: optim.Optimizer = optim.Adam(parameters, args.lr)
        else:
            self.optimizer = optim.SGD(parameters, args.lr, args.momentum)
        self.generator = np.random.default_rng(args.seed)
        self.accuracies: list[float] = []

    def save(self, path: Path) -> None:
        """Write the checkpoint, atomically; a full disk is told, and training goes on."""
        state = {
            "settings": {name: getattr(self.args, name) for name in SETTINGS},
            "epochs": self.args.epochs,
            "source": self.source,
            "accuracies": self.accuracies,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "generator": self.generator.bit_generator.state,
        }
        try:
            mytorch.save(state, path)
        except OSError as error:
            print(f"could not save the checkpoint {path}: {error}", file=sys.stderr)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where ``state``, the content of a checkpoint, was written."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.bit_generator.state = state["generator"]
        self.accuracies = state["accuracies"]

    def train(self, data: Any, path: Path) -> None:
        """Train up to the wanted number of epochs, with a checkpoint after each."""

        def after_epoch(accuracies: list[float]) -> None:
            self.accuracies = accuracies
            self.save(path)

        train(
            self.model,
            self.optimizer,
            nn.CrossEntropyLoss(),
            *data[:4],
            self.args.epochs,
            batch_size=self.args.batch_size,
            lr_decay=DECAY,
            generator=self.generator,
            accuracies=self.accuracies,
            after_epoch=after_epoch,
        )


def plot(accuracies: Sequence[float], source: str, path: Path) -> None:
    """Draw the validation accuracy after every epoch, the best one marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot(
        title=f"Validation accuracy, {source}", xlabel="epoch", ylabel="accuracy (%)"
    )
    percent = [100 * accuracy for accuracy in accuracies]
    epochs = range(1, len(percent) + 1)
    axes.plot(epochs, percent, marker="o")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    if percent:
        best = int(np.argmax(percent))
        axes.plot(best + 1, percent[best], "*", markersize=16, color="tab:orange")
        axes.annotate(
            f"best: {percent[best]:.2f}%",
            (best + 1, percent[best]),
            xytext=(0, -18),
            textcoords="offset points",
            ha="center",
        )
    figure.savefig(path, dpi=120)


def parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, dict[str, Any] | None]:
    """Return the arguments and, with --resume, the checkpoint, whose settings they then are."""
    parser = argparse.ArgumentParser(
        prog="hw1/mnist.py", description="Train an MLP on MNIST with MyTorch."
    )
    whole, real = _number(int, 1), _number(float, 0)
    parser.add_argument("--epochs", type=whole, default=EPOCHS)
    parser.add_argument("--batch-size", type=whole, default=BATCH_SIZE)
    parser.add_argument("--lr", type=real, help="default: 0.1 for sgd, 0.001 for adam")
    parser.add_argument("--momentum", type=real, default=MOMENTUM, help="of sgd; default: 0.9")
    parser.add_argument("--optimizer", choices=("sgd", "adam"), default="sgd")
    parser.add_argument("--hidden", type=_sizes, default=list(HIDDEN), help="default: 512,256")
    parser.add_argument("--seed", type=_number(int, 0), default=0)
    parser.add_argument("--data", type=Path, help="folder that holds the four MNIST files")
    parser.add_argument("--mirror", help="URL to download MNIST from")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--plot", type=Path, default=ROOT / "hw1" / "validation_accuracy.png")
    parser.add_argument("--save", type=Path, help="checkpoint; default: hw1/mnist_checkpoint.npz")
    parser.add_argument("--resume", type=Path, help="checkpoint of the run to continue")
    args = parser.parse_args(argv)
    checkpoint = None
    if args.resume is not None:
        try:
            checkpoint = mytorch.load(args.resume)
            known = argparse.Namespace(epochs=checkpoint["epochs"], **checkpoint["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            parser.error(f"cannot resume from {args.resume}: {error}")
        args = parser.parse_args(argv, known)
        for name, value in checkpoint["settings"].items():
            if getattr(args, name) != value:
                parser.error(f"--{name.replace('_', '-')} cannot change on resume: it was {value}")
        args.save = args.save or args.resume
    if args.lr is None:
        args.lr = LEARNING_RATE[args.optimizer]
    args.save = args.save or ROOT / "hw1" / "mnist_checkpoint.npz"
    for file in (args.save, args.plot):
        if not file.absolute().parent.is_dir():
            parser.error(f"there is no folder {file.absolute().parent} to write {file.name} to")
    return args, checkpoint


def _number(kind: type, least: float) -> Callable[[str], Any]:
    """Return the argparse type of a number that is at least ``least``."""

    def parse_number(text: str) -> Any:
        value = kind(text)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not a finite number of at least {least}")
        return value

    parse_number.__name__ = kind.__name__  # argparse names the type in its message
    return parse_number


def _sizes(text: str) -> list[int]:
    """Parse "512,256"; the empty text means no hidden layer."""
    try:
        sizes = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        sizes = [0]
    if any(size < 1 for size in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of sizes such as 512,256")
    return sizes


def main(argv: Sequence[str] | None = None) -> int:
    """Train, report, plot; return the exit status."""
    from mytorch.datasets import DatasetError, load_mnist

    args, checkpoint = parse(argv)
    try:
        data = load_mnist(args.data, cache=ROOT / "data", offline=args.offline, mirror=args.mirror)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"data: {data.source}: {len(data.train_x)} training, {len(data.val_x)} validation, "
        f"{len(data.test_x)} test images"
    )
    run = Run(args, data.source, data.train_x.shape[1])
    if checkpoint is not None:
        if checkpoint["source"] != data.source:
            print(f"{args.resume} was trained on {checkpoint['source']}", file=sys.stderr)
            return 1
        run.restore(checkpoint)
        print(f"resumed after epoch {len(run.accuracies)} from {args.resume}")
    else:
        run.save(args.save)  # so that a run killed in its first epoch can be resumed too
    print(run.model)
    start, done = time.perf_counter(), len(run.accuracies)
    try:
        run.train(data, args.save)
    except KeyboardInterrupt:
        plot(run.accuracies, data.source, args.plot)
        print(
            f"\nstopped after epoch {len(run.accuracies)}; to continue:\n"
            f"  python {os.path.relpath(__file__)} --resume {args.save}"
        )
        return 130
    seconds = (time.perf_counter() - start) / max(len(run.accuracies) - done, 1)
    plot(run.accuracies, data.source, args.plot)
    print(f"seconds an epoch: {seconds:.2f}")
    print(f"best validation accuracy ({data.source}): {max(run.accuracies):.2%}")
    print(f"test accuracy ({data.source}): {validate(run.model, data.test_x, data.test_y):.2%}")
    print(f"plot: {args.plot}\ncheckpoint: {args.save}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
