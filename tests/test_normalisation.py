"""Normalisation beyond the table: running statistics, large numbers, fused and composed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.tensor import Tensor


def composed(x: Any, axes: Any, weight: Any, bias: Any, eps: float = 1e-5) -> Any:
    """The same in Tensor operations."""
    centred = x - x.mean(axes, keepdim=True)
    variance = (centred * centred).mean(axes, keepdim=True)
    return centred / (variance + eps).sqrt() * weight + bias


def gradients(call: Any, *arrays: np.ndarray) -> list[np.ndarray]:
    """Return the value of ``call``, its gradients, and those of a function of these."""
    leaves = [Tensor(x, requires_grad=True) for x in arrays]
    value = call(*leaves)
    rng = np.random.default_rng(9)
    seed = Tensor(rng.normal(size=value.shape).astype(value.dtype))
    plain = mytorch.autograd.gradients([value], leaves, [seed], retain_graph=True)
    traced = mytorch.autograd.gradients([value], leaves, [seed], create_graph=True)
    for one, other in zip(plain, traced, strict=True):  # on arrays and on Tensors
        np.testing.assert_allclose(one.data, other.data, rtol=1e-9, atol=1e-12)
    weights = [Tensor(rng.normal(size=g.shape)) for g in traced]
    total = sum((g * w).sum() for g, w in zip(traced, weights, strict=True))
    second = mytorch.autograd.gradients([total], leaves, materialize_grads=True)
    return [value.data, *[g.data for g in (*plain, *second)]]


@pytest.mark.parametrize("shape", [(6, 4), (5, 4, 3), (2, 4, 3, 2)])
def test_the_fused_form_is_the_composed_one(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape) * 3 + 1
    column = (-1, *[1] * (len(shape) - 2))
    w, b = rng.normal(size=(2, 4))
    axes = (0, *range(2, len(shape)))
    cases = {
        "batch_norm": (
            lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
            lambda x, w, b: composed(x, axes, w.reshape(column), b.reshape(column)),
        ),
    }
    if len(shape) > 2:
        spatial = tuple(range(2, len(shape)))
        cases["instance_norm"] = (
            lambda x, w, b: F.instance_norm(x, None, None, w, b),
            lambda x, w, b: composed(x, spatial, w.reshape(column), b.reshape(column)),
        )
    for fused, reference in cases.values():
        for one, other in zip(
            gradients(fused, x, w, b), gradients(reference, x, w, b), strict=True
        ):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)
    w, b = rng.normal(size=(2, *shape[1:]))
    last = tuple(range(1, len(shape)))
    found = gradients(lambda x, w, b: F.layer_norm(x, shape[1:], w, b), x, w, b)
    wanted = gradients(lambda x, w, b: composed(x, last, w, b), x, w, b)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_running_statistics_move_in_place_as_torchs(dtype: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    rng = np.random.default_rng(1)
    for name, flag in (("batch_norm", "training"), ("instance_norm", "use_input_stats")):
        x = (rng.normal(size=(4, 3, 5)) * 2 + 1).astype(dtype)
        ours = [Tensor(np.zeros(3, dtype)), Tensor(np.ones(3, dtype))]
        memory = [each.data for each in ours]
        theirs = [torch.tensor(each.data.copy()) for each in ours]
        for momentum in (0.1, 0.5):
            getattr(F, name)(Tensor(x), *ours, momentum=momentum, **{flag: True})
            getattr(torch.nn.functional, name)(
                torch.tensor(x), *theirs, momentum=momentum, **{flag: True}
            )
        for one, other, array in zip(ours, theirs, memory, strict=True):
            np.testing.assert_allclose(one.data, other.numpy(), rtol=1e-5)
            assert one.data is array and one.version == 2 and one.dtype == dtype
        found = getattr(F, name)(Tensor(x), *ours, **{flag: False})
        wanted = getattr(torch.nn.functional, name)(torch.tensor(x), *theirs, **{flag: False})
        np.testing.assert_allclose(found.data, wanted.numpy(), rtol=1e-4, atol=1e-5)
        assert [each.version for each in ours] == [2, 2]


def test_an_empty_batch_leaves_the_running_statistics_alone() -> None:
    mean, var = Tensor(np.zeros(3)), Tensor(np.ones(3))
    assert F.batch_norm(Tensor(np.zeros((0, 3))), mean, var, training=True).shape == (0, 3)
    assert mean.data.tolist() == [0] * 3 and var.data.tolist() == [1] * 3


def test_a_large_mean_does_not_swallow_the_variance() -> None:
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(100, 8)) + 1e4).astype(np.float32)
    y = F.layer_norm(Tensor(x), (8,)).data
    wide = F.layer_norm(Tensor(x.astype(np.float64)), (8,)).data
    np.testing.assert_allclose(y, wide, atol=2e-2)


def test_float16_is_computed_in_float32() -> None:
    x = Tensor(np.array([[300, -300, 299, -301]], np.float16), requires_grad=True)
    for function in (F.layer_norm, F.rms_norm):  # 300**2 is more than float16 holds
        y = function(x, (4,))
        y.backward(Tensor(np.array([[1, 0, 0, 0]], np.float16)))
        assert y.dtype == np.float16 and x.grad.dtype == np.float16
        np.testing.assert_allclose(y.data, [[1, -1, 1, -1]], atol=0.01)
        assert np.isfinite(x.grad.data).all()


def test_constant_rows_have_finite_gradients() -> None:
    x = Tensor(np.full((2, 3), 5.0), requires_grad=True)
    for y in (F.layer_norm(x, (3,)), F.rms_norm(x * 0, (3,), eps=1e-6), F.normalize(x * 0)):
        y.backward(Tensor(np.ones((2, 3))))
        assert np.isfinite(y.data).all() and np.isfinite(x.grad.data).all()
