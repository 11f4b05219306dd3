"""Embedding beyond the table: padding, frequencies, norms in place, bags; integers as labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.tensor import Tensor

INDICES = np.array([[1, 3, 1], [0, 1, 3]])


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"padding_idx": 1},
        {"padding_idx": -1},
        {"scale_grad_by_freq": True},
        {"padding_idx": 3, "scale_grad_by_freq": True, "sparse": False},
    ],
)
def test_padding_and_frequencies_change_the_gradient_as_torchs(
    torch: Any, options: Any, create_graph: bool
) -> None:
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(4, 3)), rng.normal(size=(2, 3, 3))
    ours, theirs = Tensor(w, requires_grad=True), torch.tensor(w, requires_grad=True)
    y = F.embedding(Tensor(INDICES), ours, **options)
    z = torch.nn.functional.embedding(torch.tensor(INDICES), theirs, **options)
    (grad,) = mytorch.autograd.gradients([y], [ours], [Tensor(g)], create_graph=create_graph)
    (wanted,) = torch.autograd.grad(z, theirs, torch.tensor(g))
    np.testing.assert_array_equal(y.data, w[INDICES])
    np.testing.assert_allclose(grad.data, wanted.numpy(), rtol=1e-12)


def test_a_nan_does_not_reach_the_padding_row() -> None:
    w = Tensor(np.ones((4, 2)), requires_grad=True)
    F.embedding(Tensor([1, 2]), w, padding_idx=2).backward(Tensor([[1.0, 1.0], [np.nan, np.inf]]))
    assert w.grad.data.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("norm_type", [2.0, 1.0, np.inf])
def test_max_norm_scales_the_rows_looked_up_in_place(torch: Any, norm_type: float) -> None:
    w = np.arange(12.0).reshape(4, 3) / 4
    ours, theirs = Tensor(w, requires_grad=True), torch.tensor(w, requires_grad=True)
    memory = ours.data
    options = {"max_norm": 1.0, "norm_type": norm_type}
    y = F.embedding(Tensor([1, 3, 1]), ours, **options)
    z = torch.nn.functional.embedding(torch.tensor([1, 3, 1]), theirs, **options)
    y.sum().backward()
    z.sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-9)
    np.testing.assert_array_equal(ours.grad.data, theirs.grad.numpy())
    assert ours.data is memory and ours.version == 1
    np.testing.assert_array_equal(ours.data[[0, 2]], w[[0, 2]])


def test_the_indices_may_change_after_the_forward_pass() -> None:
    indices, w = Tensor([0, 1]), Tensor(np.ones((3, 2)), requires_grad=True)
    y = F.embedding(indices, w)
    indices.data[:] = 2
    y.sum().backward()
    assert w.grad.data.tolist() == [[1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
def test_bags_with_padding_and_offsets_are_torchs(torch: Any, mode: str) -> None:
    rng = np.random.default_rng(1)
    w, flat = rng.normal(size=(6, 3)), rng.integers(0, 6, 12)
    offsets = np.array([0, 4, 4, 9])
    ours, theirs = Tensor(w, requires_grad=True), torch.tensor(w, requires_grad=True)
    options = {"mode": mode, "padding_idx": 2}
    y = F.embedding_bag(Tensor(flat), ours, Tensor(offsets), **options)
    z = torch.nn.functional.embedding_bag(
        torch.tensor(flat), theirs, torch.tensor(offsets), **options
    )
    g = rng.normal(size=y.shape)
    y.backward(Tensor(g))
    z.backward(torch.tensor(g))
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_any_integers_are_labels_and_one_hot_is_int64(dtype: Any) -> None:
    result = F.one_hot(Tensor(np.array([[2, 0]], dtype)), 3)
    assert result.dtype == np.int64 and not result.requires_grad
    assert result.tolist() == [[[0, 0, 1], [1, 0, 0]]]
    assert F.embedding(Tensor(np.array([1], dtype)), Tensor(np.eye(2))).tolist() == [[0, 1]]
