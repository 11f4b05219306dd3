"""Dropout: what it drops, how it scales, and that channels drop as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch.nn.functional as F
from mytorch.tensor import Tensor

CHANNELS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {  # the input, and its mask
    "dropout1d": ((40, 50, 3), (40, 50, 1)),
    "dropout2d": ((40, 50, 3, 2), (40, 50, 1, 1)),
    "dropout3d": ((40, 50, 1, 3, 2), (40, 50, 1, 1, 1)),
    "feature_alpha_dropout": ((40, 50, 3), (40, 50, 1)),
}


@pytest.mark.parametrize("name", CHANNELS)
def test_whole_channels_are_dropped(name: str) -> None:
    shape, mask_shape = CHANNELS[name]
    np.random.seed(0)
    x = Tensor(np.random.normal(size=shape), requires_grad=True)
    np.random.seed(1)
    y = getattr(F, name)(x, 0.25, training=True)
    y.sum().backward()
    np.random.seed(1)
    keep = np.broadcast_to(np.random.binomial(1, 0.75, mask_shape), shape).astype(bool)
    assert abs(keep.mean() - 0.75) < 0.02
    assert not x.grad.data[~keep].any()
    assert len(np.unique(x.grad.data[keep])) == 1  # one scale for all that is kept
    if name != "feature_alpha_dropout":
        np.testing.assert_allclose(y.data, np.where(keep, x.data / 0.75, 0), rtol=1e-12)
    else:
        assert len(np.unique(y.data[~keep])) == 1


def test_dropout1d_of_one_example_drops_its_channels() -> None:
    np.random.seed(0)
    y = F.dropout1d(Tensor(np.ones((200, 5))), 0.5)
    assert set(y.data.sum(1).tolist()) == {0.0, 10.0}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_0_and_variance_1(p: float) -> None:
    np.random.seed(3)
    y = F.alpha_dropout(Tensor(np.random.normal(size=200_000)), p, training=True).data
    assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.03
    assert F.alpha_dropout(Tensor([1.0, 2.0]), 1.0, training=True).data.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout", *CHANNELS])
def test_evaluation_returns_the_tensor_itself(name: str) -> None:
    x = Tensor(np.ones((2, 3, 4, 5)[: 3 if name == "dropout1d" else 4]))
    assert getattr(F, name)(x, 0.5, training=False) is x
    with pytest.raises(ValueError, match=f"{name}: p must be in .* got -0.1"):
        getattr(F, name)(x, -0.1, training=False)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_the_dtype_and_may_work_in_place(dtype: Any) -> None:
    x = Tensor(np.ones((50, 50), dtype))
    memory = x.data
    assert F.dropout(x, 0.5, True, True) is x and x.data is memory and x.dtype == dtype
    assert set(np.unique(memory).tolist()) == {0.0, 2.0}
