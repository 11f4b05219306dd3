"""Draw docs/toy_datasets.png: the small sets, and where a small network draws the line.

    python scripts/draw_toy_datasets.py

Needs matplotlib; takes about ten seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import mytorch  # noqa: E402
from mytorch import nn, optim  # noqa: E402
from mytorch.datasets import (  # noqa: E402
    make_blobs,
    make_circles,
    make_moons,
    make_regression,
    make_spirals,
    make_swiss_roll,
    make_xor,
)

TARGET = ROOT / "docs" / "toy_datasets.png"
COLORS = ("#3b6fb6", "#d1495b", "#e8a33d")  # of the classes
CENTERS = [[-4.0, -2.0], [4.0, -2.0], [0.0, 4.0]]
CLASSIFIED = {
    "make_moons(300)": make_moons(300),
    "make_circles(300)": make_circles(300),
    "make_spirals(300)": make_spirals(300),
    "make_spirals(300, classes=3)": make_spirals(300, classes=3),
    "make_xor(300)": make_xor(300),
    "make_blobs(300, centers)": make_blobs(300, CENTERS, noise=1.2),
}


def train(x: np.ndarray, y: np.ndarray) -> nn.Module:
    """Return a network with two hidden layers that tells the classes apart."""
    mytorch.manual_seed(0)
    hidden = [nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh()]
    model = nn.Sequential(*hidden, nn.Linear(32, len(COLORS))).to(np.float64)
    optimizer, criterion = optim.Adam(model.parameters(), lr=0.01), nn.CrossEntropyLoss()
    points, labels = mytorch.tensor(x), mytorch.tensor(y)
    for _ in range(800):
        optimizer.zero_grad()
        criterion(model(points), labels).backward()
        optimizer.step()
    return model


def draw_classes(axes: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Draw points over the colours that a network gives to the places between them."""
    middle, half = (x.max(axis=0) + x.min(axis=0)) / 2, 0.57 * np.ptp(x, axis=0).max()
    low, high = middle - half, middle + half
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 200).T), axis=-1)  # (200, 200, 2)
    scale = x.std(axis=0)
    logits = train(x / scale, y)(mytorch.tensor(grid.reshape(-1, 2) / scale)).data
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    shades = 0.65 + 0.35 * chances @ np.array([to_rgb(color) for color in COLORS])
    image = {"origin": "lower", "extent": (low[0], high[0], low[1], high[1])}
    axes.imshow(shades.reshape(200, 200, 3).clip(0, 1), interpolation="bilinear", **image)
    colors = [COLORS[label] for label in y]
    axes.scatter(*x.T, s=11, c=colors, edgecolors="white", linewidths=0.4)


def main() -> None:
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(11, 5.9), layout="constrained")
    for place, (title, (x, y)) in enumerate(CLASSIFIED.items(), 1):
        axes: Any = figure.add_subplot(2, 4, place, title=title, xticks=[], yticks=[])
        draw_classes(axes, x, y)
    x, t = make_swiss_roll(900)
    axes = figure.add_subplot(2, 4, 7, projection="3d", title="make_swiss_roll(900)")
    axes.scatter(x[:, 0], x[:, 1], x[:, 2], c=t, cmap="viridis", s=6)
    axes.view_init(elev=8, azim=-78)
    axes.set_box_aspect((1, 1, 1), zoom=1.4)
    axes.set_axis_off()
    x, y, weight = make_regression(120, features=1, noise=0.7, seed=3)
    axes = figure.add_subplot(2, 4, 8, title="make_regression(120, features=1)", xticks=[])
    axes.set(yticks=[], box_aspect=1)
    axes.scatter(x[:, 0], y, s=11, c=COLORS[0], edgecolors="white", linewidths=0.4)
    axes.axline((0, 0), slope=weight[0], color=COLORS[1])
    for axes in figure.axes:
        axes.title.set(fontsize=9, fontfamily="monospace")
    figure.savefig(TARGET, dpi=100, pil_kwargs={"optimize": True})
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
