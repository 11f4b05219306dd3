"""Attention beyond the table: against its composed form, masked rows, dropout, many heads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.tensor import Tensor


def composed(q: Any, k: Any, v: Any, bias: Any = None) -> Any:
    """The same in Tensor operations."""
    scores = q @ k.mT * q.shape[-1] ** -0.5
    return F.softmax(scores if bias is None else scores + bias, -1) @ v


def gradients(call: Any, *arrays: np.ndarray, **options: Any) -> list[np.ndarray]:
    leaves = [Tensor(x, requires_grad=True) for x in arrays]
    value = call(*leaves)
    seed = Tensor(np.random.default_rng(1).normal(size=value.shape).astype(value.dtype))
    grads = mytorch.autograd.gradients([value], leaves, [seed], **options)
    return [value.data, *[grad.data for grad in grads]]


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_fused_form_is_the_composed_one(create_graph: bool) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 3, *size)) for size in ((4, 5), (6, 5), (6, 2))]
    arrays.append(rng.normal(size=(3, 1, 6)))
    call = F.scaled_dot_product_attention
    found = gradients(call, *arrays, create_graph=create_graph)
    for one, other in zip(found, gradients(composed, *arrays), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 30, 1000])  # of scores: below and above what needs no shift
def test_scores_of_any_size_have_finite_weights(size: float, dtype: type) -> None:
    rng = np.random.default_rng(4)
    q, k, v = (rng.normal(size=(3, 6, 4)).astype(dtype) for _ in range(3))
    for sign in (1, -1):
        far = np.full((6, 6), sign * size, dtype)
        found = gradients(F.scaled_dot_product_attention, q * dtype(size), k, v, far)
        wanted = gradients(composed, *[x.astype(float) for x in (q * dtype(size), k, v, far)])
        near = 1e-11 if dtype == np.float64 else 2e-4
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=near, atol=near * np.abs(other).max())


def test_results_and_gradients_lie_in_memory_as_what_they_are_of() -> None:
    rng = np.random.default_rng(3)
    features = [rng.normal(size=(2, 4, 3, 5)) for _ in range(3)]  # (N, L, H, E), seen by heads
    by_heads = [x.transpose(0, 2, 1, 3) for x in features]
    repeated = np.broadcast_to(rng.normal(size=(4, 5)), (2, 3, 4, 5))
    for arrays in (by_heads, [repeated, *by_heads[1:]], [by_heads[0], repeated, repeated]):
        found = gradients(F.scaled_dot_product_attention, *arrays)
        for one, other in zip(found, gradients(composed, *arrays), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)
    leaves = [Tensor(x, requires_grad=True) for x in features]
    value = F.scaled_dot_product_attention(*[x.permute(0, 2, 1, 3) for x in leaves])
    assert value.permute(0, 2, 1, 3).data.flags.c_contiguous  # so joining the heads copies nothing
    grads = value.grad_fn.apply_on_arrays(value.new, value.data)
    assert all(grad.transpose(0, 2, 1, 3).flags.c_contiguous for grad in grads[:3])


@pytest.mark.parametrize("kind", ["bool", "float"])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_query_for_which_nothing_takes_part_gets_zero_and_gives_no_gradient(
    kind: str, create_graph: bool
) -> None:
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=size) for size in ((3, 4), (5, 4), (5, 2))]
    mask = np.ones((3, 5), bool)
    mask[1] = False
    given = Tensor(mask if kind == "bool" else np.where(mask, 0.0, -np.inf))
    value, *grads = gradients(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, given),
        *arrays,
        create_graph=create_graph,
    )
    assert not value[1].any() and value[0].any() and not grads[0][1].any()
    kept = gradients(lambda q, k, v: F.scaled_dot_product_attention(q[[0, 2]], k, v), *arrays)
    np.testing.assert_allclose(value[[0, 2]], kept[0], rtol=1e-12)
    assert all(np.isfinite(grad).all() for grad in grads)


def test_scores_far_apart_neither_overflow_nor_become_nan() -> None:
    q = Tensor(np.array([[1e18, 0.0]], np.float32), requires_grad=True)
    k = Tensor(np.array([[1e18, 0], [-1e18, 0]], np.float32))
    v = Tensor(np.array([[1.0], [2.0]], np.float32))
    y = F.scaled_dot_product_attention(q, k, v)
    y.backward()
    assert y.data.tolist() == [[1.0]] and np.isfinite(q.grad.data).all()


def test_dropout_drops_weights_and_scales_the_rest() -> None:
    np.random.seed(0)
    q, v = Tensor(np.zeros((1, 300, 2))), Tensor(np.eye(40)[None])
    k = Tensor(np.zeros((1, 40, 2)))
    weights = F.scaled_dot_product_attention(q, k, v, dropout_p=0.25).data * 40
    assert set(np.unique(weights.round(12)).tolist()) == {0.0, round(1 / 0.75, 12)}
    assert abs((weights == 0).mean() - 0.25) < 0.02


def test_no_query_sees_what_comes_after_it() -> None:
    rng = np.random.default_rng(3)
    q, k, v = (rng.normal(size=(7, 4)) for _ in range(3))
    whole = F.scaled_dot_product_attention(*map(Tensor, (q, k, v)), is_causal=True).data
    for n in range(1, 8):
        part = [Tensor(x[:n]) for x in (q, k, v)]
        np.testing.assert_allclose(
            F.scaled_dot_product_attention(*part, is_causal=True).data, whole[:n], rtol=1e-12
        )
