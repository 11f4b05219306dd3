"""Layers that learn the size of their input from the first batch or from a state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mytorch import nn
from mytorch.errors import ShapeError
from mytorch.tensor import Tensor


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


LAZY: dict[str, Any] = {
    "LazyLinear": (lambda m: m.LazyLinear(3), (4, 5)),
    "LazyLinear bare": (lambda m: m.LazyLinear(3, bias=False), (2, 4, 5)),
    "LazyBatchNorm1d": (lambda m: m.LazyBatchNorm1d(1e-3), (4, 5)),
    "LazyBatchNorm2d": (lambda m: m.LazyBatchNorm2d(affine=False), (4, 5, 2, 2)),
    "LazyBatchNorm3d": (lambda m: m.LazyBatchNorm3d(bias=False), (2, 5, 2, 2, 2)),
    "LazyInstanceNorm1d": (lambda m: m.LazyInstanceNorm1d(affine=True), (4, 5, 3)),
    "LazyInstanceNorm2d": (lambda m: m.LazyInstanceNorm2d(track_running_stats=True), (2, 5, 3, 2)),
    "LazyInstanceNorm3d": (lambda m: m.LazyInstanceNorm3d(), (2, 5, 3, 2, 2)),
}
LAZY_ROWS = pytest.mark.parametrize(("build", "shape"), LAZY.values(), ids=LAZY)


@pytest.mark.filterwarnings("ignore:Lazy modules")
@LAZY_ROWS
def test_a_lazy_layer_becomes_torchs_at_its_first_call(torch: Any, build: Any, shape: Any) -> None:
    mine, theirs = build(nn), build(torch.nn).double()
    assert repr(mine) == repr(theirs) and list(mine.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=shape)
    held = list(mine.parameters())
    mine(Tensor(x))
    theirs(torch.tensor(x))
    assert repr(mine) == repr(theirs) and type(mine).__name__ == type(theirs).__name__
    assert all(a is b for a, b in zip(held, mine.parameters(), strict=True))
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    np.testing.assert_allclose(
        mine(Tensor(x)).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-9, atol=1e-10
    )


@LAZY_ROWS
def test_a_lazy_layer_gets_its_shape_from_a_state(build: Any, shape: Any) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=shape))
    first, second = build(nn), build(nn)
    second.load_state_dict(first.state_dict())  # both without a shape
    first(x)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(first.eval()(x).data, second.eval()(x).data)
    assert type(second) is type(first)


def test_a_lazy_layer_is_converted_copied_and_refused_before_its_first_call() -> None:
    layer = nn.LazyLinear(3).to(np.float32)
    with pytest.raises(ShapeError, match="Call the model on a batch"):
        layer.weight.sum()
    assert layer(Tensor(np.ones((2, 4), np.float32))).dtype == np.float32
    with pytest.raises(ShapeError, match="got an UninitializedParameter"):
        nn.Linear(4, 3).load_state_dict(nn.LazyLinear(3).state_dict())
    assert isinstance(nn.LazyLinear(3).weight, nn.UninitializedParameter)
