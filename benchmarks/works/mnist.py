"""One epoch of MNIST: 55,000 images in a new order, batch 100, by an MLP 784-512-256-10."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.data import layers
from benchmarks.work import Step, Work
from benchmarks.works import mlp

SIZES, BATCH, COUNT, LR = (784, 512, 256, 10), 100, 55_000, 0.05


def images() -> tuple[np.ndarray, np.ndarray]:
    """Return 55,000 images (N, 784) float32 and their labels: MNIST's, or generated digits."""
    from mytorch.datasets import load_mnist

    digits = load_mnist(offline=True)
    rows = np.resize(np.arange(len(digits.train_x)), COUNT)
    return np.asarray(digits.train_x[rows], np.float32), np.asarray(digits.train_y[rows])


def _epoch(make: Callable[..., Step]) -> Callable[[], Step]:
    """Return a maker of the epoch by the MLP's step, which takes its batches from a generator."""

    def maker() -> Step:
        x, y = images()
        rng = np.random.default_rng(0)

        def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            while True:
                order = rng.permutation(COUNT)
                for start in range(0, COUNT, BATCH):
                    rows = order[start : start + BATCH]
                    yield x[rows], y[rows]

        step = make(layers(*SIZES), batches(), LR, False)

        def epoch() -> float:
            return sum(step() for _ in range(COUNT // BATCH)) / (COUNT // BATCH)

        return epoch

    return maker


def _mytorch() -> Step:
    from mytorch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(*images()), BATCH, shuffle=True, generator=0)
    model, criterion, optimizer = mlp.mytorch_model(layers(*SIZES), LR, False)

    def epoch() -> float:
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / len(loader)

    return epoch


def _torch() -> Step:
    import torch

    x, y = map(torch.tensor, images())
    model, criterion, optimizer = mlp.torch_model(layers(*SIZES), LR, False)
    rng = np.random.default_rng(0)

    def epoch() -> float:
        order = torch.from_numpy(rng.permutation(COUNT))
        total = 0.0
        for start in range(0, COUNT, BATCH):
            rows = order[start : start + BATCH]
            optimizer.zero_grad()
            loss = criterion(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total / (COUNT // BATCH)

    return epoch


def _jax() -> Step:
    import jax.numpy as jnp

    x, y = images()
    rng = np.random.default_rng(0)

    def batches() -> Iterator[Any]:
        while True:
            order = rng.permutation(COUNT)
            for start in range(0, COUNT, BATCH):
                rows = order[start : start + BATCH]
                yield jnp.asarray(x[rows]), jnp.asarray(y[rows])

    step = mlp.jax_step(layers(*SIZES), batches(), LR, False)
    count = COUNT // BATCH
    return lambda: sum(step() for _ in itertools.repeat(None, count)) / count


WORKS = [
    Work(
        "mnist-epoch",
        "one epoch of MNIST (55,000), 784-512-256-10, batch 100, shuffling included",
        {
            "mytorch": _mytorch,
            "torch": _torch,
            "jax": _jax,
            "autograd": _epoch(mlp.autograd_step),
            "numpy": _epoch(mlp.numpy_step),
        },
        unit="epoch",
        goals={"torch": 0.58, "numpy": 0.92},
        tolerance=2e-2,
    )
]
