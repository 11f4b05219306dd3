"""The homework's operations and losses beyond the table: direct calls, labels, extreme numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.tensor import Tensor
from tests.test_operations import leaves


def gradients(tensors: list[Tensor], output: Tensor, cotangent: Any, **options: Any) -> list[Any]:
    """Return the gradient of sum(cotangent * output) for each tensor, and forget it again."""
    output.backward(Tensor(cotangent), **options)
    grads = [tensor.grad for tensor in tensors]
    for tensor in tensors:
        tensor.grad = None
    return grads


def test_the_homework_operations_can_be_called_directly() -> None:
    from mytorch.autograd_engine import ContextManager

    rng = np.random.default_rng(8)
    x, y, g = rng.normal(size=(3, 2, 3))
    wanted = {
        F.Add: (x + y, g, g),
        F.Sub: (x - y, g, -g),
        F.Mult: (x * y, g * y, g * x),
        F.Div: (x / y, g / y, -g * x / y**2),
    }
    for operation, (value, grad_a, grad_b) in wanted.items():
        ctx = ContextManager()
        result = operation.forward(ctx, Tensor(x), Tensor(y))
        grads = operation.backward(ctx, Tensor(g))
        assert type(result) is Tensor and result.grad_fn is None
        np.testing.assert_allclose(result.data, value, rtol=1e-12)
        np.testing.assert_allclose(grads[0].data, grad_a, rtol=1e-12)
        np.testing.assert_allclose(grads[1].data, grad_b, rtol=1e-12)


# ------------------------------------------------------------------------------ cross-entropy


def test_cross_entropy_of_huge_logits_is_exact_and_silent() -> None:
    logits = Tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], requires_grad=True)
    loss = F.cross_entropy(logits, Tensor([1, 2]))
    loss.backward()
    assert loss.item() == (2e4 + np.log(2.0)) / 2
    expected = np.array([[0.5, -0.5, 0.0], [0.0, 0.25, -0.25]])
    np.testing.assert_array_equal(logits.grad.data, expected)


def test_cross_entropy_of_float32_extremes_stays_finite() -> None:
    logits = Tensor(np.array([[1e4, -1e4]], np.float32), requires_grad=True)
    loss = F.cross_entropy(logits, Tensor([1]))
    loss.backward()
    assert (loss.dtype, loss.item()) == (np.float32, 2e4)
    np.testing.assert_array_equal(logits.grad.data, [[1, -1]])


@pytest.mark.parametrize("labels", [[2, 0], [2.0, 0.0], np.array([2, 0], np.uint8)])
def test_labels_may_be_integers_or_floats_with_integer_values(labels: Any) -> None:
    logits = np.random.default_rng(10).normal(size=(2, 3))
    expected = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[[0, 1], [2, 0]].mean()
    assert F.cross_entropy(Tensor(logits), Tensor(labels)).item() == pytest.approx(expected)
    assert F.cross_entropy(Tensor(logits), labels).item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 3], IndexError, r"target\[1\] is 3.*classes 0 to 2"),
        ([-1, 0], IndexError, r"target\[0\] is -1"),
        ([0.5, 1.0], TypeError, r"target\[0\] is 0\.5"),
        ([np.nan, 1.0], TypeError, r"target\[0\] is nan"),
        ([np.inf, 1.0], TypeError, r"target\[0\] is inf"),
        ([True, False], TypeError, "not bool"),
        ([0, 1, 2], ValueError, r"target of shape \(2,\), got \(3,\)"),
        ([[0, 1]], RuntimeError, r"got \(1, 2\)"),
    ],
)
def test_bad_labels_are_refused(loss: Any, labels: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        loss(Tensor(np.zeros((2, 3))), Tensor(labels))


def test_cross_entropy_of_an_empty_batch_is_nan_as_in_torch() -> None:
    logits = Tensor(np.zeros((0, 3)), requires_grad=True)
    loss = F.cross_entropy(logits, Tensor(np.zeros(0, np.int64)))
    loss.backward()
    assert np.isnan(loss.item()) and logits.grad.shape == (0, 3)


def test_logits_of_integers_or_another_rank_are_refused() -> None:
    with pytest.raises(TypeError, match="floating"):
        F.cross_entropy(Tensor([[1, 2]]), Tensor([0]))
    with pytest.raises(ValueError, match=r"\(N, C\), got \(2,\)"):
        F.cross_entropy(Tensor([1.0, 2.0]), Tensor([0]))


def test_to_one_hot_puts_a_one_at_each_label() -> None:
    np.testing.assert_array_equal(F.to_one_hot(Tensor([2, 0]), 3).data, [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(IndexError, match="classes 0 to 2"):
        F.to_one_hot(Tensor([3]), 3)


def test_domain_edges_are_silent_as_in_torch() -> None:
    x = Tensor([0.0, -1.0])
    assert x.log().data.tolist()[0] == -np.inf and np.isnan(x.log().data[1])
    assert (Tensor(1.0) / Tensor(0.0)).item() == np.inf
    assert Tensor(1e3).exp().item() == np.inf
    assert np.isnan((Tensor(-1.0) ** 0.5).item())
    assert mytorch.logsumexp(Tensor([-np.inf, -np.inf]), 0).item() == -np.inf


def test_integer_powers_of_integers_stay_integers() -> None:
    assert (Tensor([2, 3]) ** 2).data.tolist() == [4, 9]
    with pytest.raises(ValueError, match="negative integer powers"):
        Tensor([2]) ** -1


def test_dropout_scales_what_it_keeps_and_the_gradient_alike() -> None:
    np.random.seed(0)
    x = Tensor(np.ones((100, 100)), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.backward()
    np.random.seed(0)
    mask = np.random.binomial(1, 0.75, (100, 100)) / 0.75
    np.testing.assert_allclose(y.data, mask, rtol=1e-12)
    np.testing.assert_allclose(x.grad.data, mask, rtol=1e-12)
    assert F.dropout(x, 0.25, training=False) is x
    assert F.dropout(x, 1.0).data.sum() == 0
    with pytest.raises(ValueError, match="got 1.5"):
        F.dropout(x, 1.5)


def test_the_two_paths_of_hot_operations_agree() -> None:
    rng = np.random.default_rng(11)
    weights = rng.normal(size=(4, 3)), rng.normal(size=4)
    batch = rng.normal(size=(5, 3))
    results = []
    for create_graph in (False, True):
        tensors = leaves([batch, *weights])
        loss = F.cross_entropy(F.relu(F.linear(*tensors)), Tensor([0, 1, 2, 3, 0]))
        results.append(gradients(tensors, loss, 1.0, create_graph=create_graph))
    for plain, recorded in zip(*results, strict=True):
        np.testing.assert_allclose(plain.data, recorded.data, rtol=1e-12, atol=1e-15)


def test_mytorch_functions_are_the_operations() -> None:
    assert F.Mult is F.Mul
    assert {"Add", "Sub", "Mul", "Div"} <= set(F.__all__)
    assert mytorch.cat([Tensor([1.0])]).data.tolist() == [1.0]
