"""Trained weights go to PyTorch and back through a safetensors file, and compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch


def mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(20, 16), nn.Tanh(), nn.Linear(16, 5))


def cnn(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.BatchNorm2d(8),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, 2, padding="valid", groups=4),
        nn.ReLU(),
        nn.ConvTranspose2d(12, 6, 2, 2, bias=False),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(54, 5),
    )


def lstm(nn: Any) -> Any:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = nn.LSTM(3, 8, 2, batch_first=True, bidirectional=True)
            self.head = nn.Linear(16, 5)

        def forward(self, x: Any) -> Any:
            output, _ = self.network(x)
            return self.head(output[:, -1])

    return Reader()


def transformer(nn: Any) -> Any:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
            self.head = nn.Linear(8, 5)

        def forward(self, x: Any) -> Any:
            return self.head(self.encoder(x).mean(1))

    return Reader()


# A model, by one expression for both libraries, and the shape of a batch of its inputs.
MODELS: list[tuple[Callable[[Any], Any], tuple[int, ...]]] = [
    (mlp, (30, 20)),
    (cnn, (30, 1, 16, 16)),
    (lstm, (30, 7, 3)),
    (transformer, (30, 6, 8)),
]


def trained(library: Any, model: Any, x: np.ndarray) -> Any:
    """Return the model after some steps of training, in evaluation mode."""
    labels = library.tensor(np.arange(len(x)) % 5)
    optimizer = library.optim.Adam(model.parameters(), 0.01)
    for _ in range(5):
        optimizer.zero_grad()
        library.nn.CrossEntropyLoss()(model(library.tensor(x)), labels).backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("make", "shape"), MODELS, ids=[make.__name__ for make, _ in MODELS])
def test_weights_go_to_torch_and_back_and_compute_the_same(
    make: Callable[[Any], Any], shape: tuple[int, ...], dtype: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    library = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    x = np.random.default_rng(2).normal(size=shape).astype(dtype)
    bound = {"float32": 1e-6, "float64": 1e-12}[dtype]

    def ours() -> Any:
        return make(mytorch.nn).to(getattr(mytorch, dtype))

    def theirs() -> Any:
        return make(torch.nn).to(getattr(torch, dtype))

    mine, file = trained(mytorch, ours(), x), tmp_path / "model.safetensors"
    mytorch.save(mine.state_dict(), file)
    other = theirs().eval()
    other.load_state_dict(library.load_file(file))
    expected = mine(mytorch.tensor(x)).data
    np.testing.assert_allclose(other(torch.tensor(x)).detach().numpy(), expected, bound, bound)

    other = trained(torch, theirs(), x)
    library.save_file(other.state_dict(), file)
    mine.load_state_dict(mytorch.load(file))
    wanted = other(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(mine(mytorch.tensor(x)).data, wanted, bound, bound)
    assert np.abs(wanted - expected).max() > 0.01  # it was another network before
