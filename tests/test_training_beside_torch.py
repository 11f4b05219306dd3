"""Networks of many kinds of layers: ten steps of training give what torch's ten steps give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch.tensor import Tensor

LABELS = np.random.default_rng(1).integers(0, 3, 8)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def features(m: Any) -> Any:
    n = m.nn
    return n.Sequential(
        n.Linear(6, 12),
        n.BatchNorm1d(12),
        n.PReLU(),
        n.utils.weight_norm(n.Linear(12, 8)),
        n.LayerNorm(8),
        n.Unflatten(1, (4, 2)),
        n.GroupNorm(2, 4),
        n.SiLU(),
        n.InstanceNorm1d(4, affine=True, track_running_stats=True),
        n.Flatten(),
        n.RMSNorm(8),
        n.Linear(8, 3, bias=False),
    )


def words(m: Any) -> Any:
    n = m.nn
    return n.Sequential(
        n.Embedding(20, 4, padding_idx=0, max_norm=3.0),
        n.BatchNorm1d(6, momentum=None),
        n.GELU(),
        n.Flatten(),
        n.utils.parametrizations.spectral_norm(n.Linear(24, 3)),
    )


def maps(m: Any) -> Any:
    n = m.nn
    return n.Sequential(
        n.BatchNorm2d(3), n.Mish(), n.InstanceNorm2d(3), n.Flatten(), n.Linear(48, 3)
    )


def images(m: Any) -> Any:
    n = m.nn
    return n.Sequential(
        n.ReplicationPad2d(1),
        n.Conv2d(1, 4, 3, padding="same", padding_mode="circular"),
        n.BatchNorm2d(4),
        n.ReLU(),
        n.MaxPool2d(2),
        n.ConvTranspose2d(4, 6, 2, 2, groups=2),
        n.AvgPool2d(3, 1, 1),
        n.Conv2d(6, 4, 3, 2, dilation=2, bias=False),
        n.Upsample(scale_factor=2, mode="bilinear"),
        n.AdaptiveAvgPool2d(3),
        n.Flatten(),
        n.Linear(36, 3),
    )


NETWORKS = {
    "features": (features, lambda rng: rng.normal(size=(8, 6))),
    "words": (words, lambda rng: rng.integers(0, 20, (8, 6))),
    "images": (images, lambda rng: rng.normal(size=(8, 1, 10, 10))),
    "maps": (maps, lambda rng: rng.normal(size=(8, 3, 4, 4))),
}
TRAINERS = {
    "SGD": lambda m, p: m.optim.SGD(p, lr=0.05),
    "Adam": lambda m, p: m.optim.Adam(p, lr=0.01),
}


def trained(m: Any, net: Any, trainer: Any, draw: Any) -> list[np.ndarray]:
    """The losses of ten steps with clipped gradients, the state behind them, and an evaluation."""
    criterion = m.nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer, rng, seen = trainer(m, net.parameters()), np.random.default_rng(2), []
    batch = m.tensor(draw(rng))
    for _ in range(10):
        optimizer.zero_grad()
        loss = criterion(net(batch), m.tensor(LABELS))
        loss.backward()
        norm = m.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        seen += [loss, norm]
    seen += [*net.state_dict().values(), net.eval()(m.tensor(draw(rng)))]
    return [x.data if isinstance(x, Tensor) else x.detach().numpy() for x in seen]


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")
@pytest.mark.parametrize("trainer", TRAINERS.values(), ids=TRAINERS)
@pytest.mark.parametrize(("build", "draw"), NETWORKS.values(), ids=NETWORKS)
def test_ten_steps_are_torchs(torch: Any, build: Any, draw: Any, trainer: Any) -> None:
    torch.manual_seed(0)
    mine, theirs = build(mytorch), build(torch).double()
    mine.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})
    ours, others = trained(mytorch, mine, trainer, draw), trained(torch, theirs, trainer, draw)
    assert float(ours[18]) < float(ours[0])
    for one, two in zip(ours, others, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)
