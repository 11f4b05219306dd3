"""Lab: a small convolutional network that learns to read 99 % of MNIST in about a minute.

    python labs/cnn_mnist.py

Where ``hw1/mnist.py`` sees an image as a row of 784 numbers, this network sees neighbours: a
convolution looks at every window of 5 by 5 pixels through the same few filters, and max pooling
keeps the strongest answer of each 2 by 2. Two such stages make 24 maps of 4 by 4 features, from
which two linear layers tell the digit.

Source: Y. LeCun et al., "Gradient-based learning applied to document recognition" (1998).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

# The products here are small: a second thread gains little, and on a busy machine it costs minutes.
# OpenBLAS, NumPy's, reads this once, when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from tqdm import tqdm  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import mytorch  # noqa: E402
from hw1.mnist import batches, number, validate  # noqa: E402
from mytorch import nn, optim  # noqa: E402
from mytorch.datasets import DatasetError, load_mnist  # noqa: E402

PROGRAM = "labs/cnn_mnist.py"
EPOCHS = 4
BATCH_SIZE = 64
LEARNING_RATE = 0.004


def build_model() -> nn.Module:
    """Return the network in float32: images (N, 1, 28, 28) to scores (N, 10)."""
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5),  # (N, 8, 24, 24)
        nn.MaxPool2d(2),  # (N, 8, 12, 12)
        nn.ReLU(),  # after the pooling: the same numbers, and a quarter of the work
        nn.Conv2d(8, 24, 5),  # (N, 24, 8, 8)
        nn.MaxPool2d(2),  # (N, 24, 4, 4)
        nn.ReLU(),
        nn.Flatten(),  # (N, 384)
        nn.Dropout(0.25),
        nn.Linear(384, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    for layer in model:
        if isinstance(layer, nn.Linear):
            layer.reset_parameters()  # torch's rule; the homework's starts too small for this net
    return model.to(np.float32)


def train(model: nn.Module, data: Any, epochs: int, batch_size: int, lr: float, seed: int) -> None:
    """Train ``model`` and print its validation accuracy after every epoch.

    Adam, with a learning rate that rises to ``lr`` and falls to nothing (OneCycleLR).
    """
    loader = batches(model, images(data.train_x), data.train_y, batch_size, shuffle=True,
                     generator=seed)  # fmt: skip
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, lr, epochs * len(loader))
    for epoch in range(1, epochs + 1):
        start, name = time.perf_counter(), f"epoch {epoch}/{epochs}"
        model.train()
        bar = tqdm(loader, desc=name, unit="batch", leave=False, disable=None)
        for x, y in bar:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            schedule.step()
            bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
        accuracy = validate(model, images(data.val_x), data.val_y)
        seconds = time.perf_counter() - start
        print(f"{name}: validation accuracy {accuracy:.2%}, {seconds:.1f} s", flush=True)


def images(rows: np.ndarray) -> np.ndarray:
    """Return rows of pixels (N, 784) as images of one channel (N, 1, 28, 28)."""
    return rows.reshape(-1, 1, 28, 28)


def plot_mistakes(model: nn.Module, data: Any, file: Path) -> None:
    """Draw the test digits that the network is most wrong about, and what it took them for."""
    from matplotlib.figure import Figure

    model.eval()
    with mytorch.no_grad():
        loader = batches(model, images(data.test_x), data.test_y, 1000)
        scores = mytorch.cat([model(x).softmax(1) for x, _ in loader]).data
    chance = scores[np.arange(len(scores)), data.test_y]  # that it gives to the right digit
    wrong = np.flatnonzero(scores.argmax(1) != data.test_y)
    figure = Figure(figsize=(8, 5), layout="constrained")
    figure.suptitle(f"{len(wrong)} of {len(scores)} wrong ({data.source}); right digit → guess")
    for place, index in enumerate(wrong[np.argsort(chance[wrong])][:24]):
        axes = figure.add_subplot(4, 6, place + 1)
        axes.imshow(images(data.test_x)[index, 0], cmap="gray_r")
        axes.set_title(f"{data.test_y[index]} → {scores[index].argmax()}", fontsize=10)
        axes.axis("off")
    try:
        figure.savefig(file, dpi=120)
        print(f"its mistakes: {file}")
    except OSError as error:
        print(f"could not save the picture {file}: {error}", file=sys.stderr)


def parse() -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Train a small CNN on MNIST.")
    add = parser.add_argument
    add("--epochs", type=number(int, 1), default=EPOCHS, help="default: %(default)s")
    add("--batch-size", type=number(int, 1), default=BATCH_SIZE, help="default: %(default)s")
    add("--lr", type=number(float, 0), default=LEARNING_RATE, help="highest; default: %(default)s")
    add("--seed", type=number(int, 0, 2**32 - 1), default=0, help="default: %(default)s")
    add("--data", type=Path, metavar="DIR", help="folder that holds the four MNIST files")
    add("--offline", action="store_true", help="never use the network")
    plot = ROOT / "labs" / "cnn_mnist.png"
    add(
        "--plot",
        type=Path,
        metavar="FILE",
        default=plot,
        help="picture; default: labs/cnn_mnist.png",
    )
    args = parser.parse_args()
    if not args.plot.absolute().parent.is_dir():
        parser.error(f"there is no folder {args.plot.absolute().parent} to write a picture to")
    if args.plot.suffix not in (".png", ".pdf", ".svg"):
        parser.error(f"--plot {args.plot}: the name must end in .png, .pdf or .svg")
    return args


def main() -> int:
    """Train, test, draw the mistakes; return the exit status."""
    args = parse()
    try:
        data = load_mnist(args.data, cache=ROOT / "data", offline=args.offline)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    sizes = [len(labels) for labels in (data.train_y, data.val_y, data.test_y)]
    print("data: {}: {} training, {} validation, {} test images".format(data.source, *sizes))
    np.random.seed(args.seed)
    model = build_model()
    print(mytorch.summary(model, (args.batch_size, 1, 28, 28)), flush=True)
    start = time.perf_counter()
    train(model, data, args.epochs, args.batch_size, args.lr, args.seed)
    print(f"trained in {time.perf_counter() - start:.1f} s")
    accuracy = validate(model, images(data.test_x), data.test_y)
    print(f"test accuracy ({data.source}): {accuracy:.2%}")
    plot_mistakes(model, data, args.plot)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
