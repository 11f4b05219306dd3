"""Losses beyond the table: ignored rows, weights, extreme logits, fused and composed forms."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.errors import GraphError, ShapeError
from mytorch.tensor import Tensor


def gradient(loss: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of x and its gradient."""
    leaf = Tensor(x, requires_grad=True)
    value = loss(leaf)
    (grad,) = mytorch.autograd.gradients([value], [leaf], [mytorch.ones(value.shape)])
    return value.data, grad.data


# ----------------------------------------------------------------------------- cross-entropy


@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"reduction": "none"}])
def test_an_ignored_row_counts_for_nothing_whatever_is_in_it(function: Any, options: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    x[1], x[3] = [np.nan, np.inf, 0], -np.inf
    target = Tensor([2, -100, 0, -100])
    value, grad = gradient(lambda t: function(t, target, **options), x)
    kept, kept_grad = gradient(lambda t: function(t, Tensor([2, 0]), **options), x[[0, 2]])
    np.testing.assert_array_equal(value[[0, 2]] if value.ndim else value, kept)
    np.testing.assert_allclose(grad[[0, 2]], kept_grad, rtol=1e-14)
    assert not grad[[1, 3]].any()
    if options.get("reduction") == "none":
        assert value[[1, 3]].tolist() == [0, 0]


def test_the_ignored_label_may_be_a_class_and_smoothing_leaves_ignored_rows_out() -> None:
    x = np.random.default_rng(1).normal(size=(3, 4))
    for options in ({}, {"label_smoothing": 0.1}, {"weight": Tensor([1.0, 2, 3, 4])}):
        value, grad = gradient(
            lambda t, o=options: F.cross_entropy(t, Tensor([0, 3, 1]), ignore_index=0, **o), x
        )
        kept, kept_grad = gradient(
            lambda t, o=options: F.cross_entropy(t, Tensor([3, 1]), **o), x[1:]
        )
        np.testing.assert_allclose(value, kept, rtol=1e-14)
        np.testing.assert_allclose(grad, [[0] * 4, *kept_grad], rtol=1e-14)


@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.2}])
def test_the_mean_of_nothing_is_nan_and_its_gradient_zero(options: Any) -> None:
    value, grad = gradient(
        lambda t: F.cross_entropy(t, Tensor([-100, -100]), **options), np.ones((2, 3))
    )
    assert np.isnan(value) and not grad.any()
    value, _ = gradient(
        lambda t: F.cross_entropy(t, Tensor([-100, -100]), reduction="sum", **options),
        np.ones((2, 3)),
    )
    assert value == 0


def test_cross_entropy_is_nll_loss_of_log_softmax() -> None:
    rng = np.random.default_rng(2)
    x, target = rng.normal(size=(2, 5, 3, 4)), Tensor(rng.integers(0, 5, (2, 3, 4)))
    weight = Tensor(rng.uniform(0.5, 2, 5))
    for reduction in ("mean", "sum", "none"):
        options = {"weight": weight, "reduction": reduction, "ignore_index": 1}
        fused = gradient(lambda t, o=options: F.cross_entropy(t, target, **o), x)
        composed = gradient(lambda t, o=options: F.nll_loss(F.log_softmax(t, 1), target, **o), x)
        for one, other in zip(fused, composed, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_one_hot_probabilities_are_the_labels() -> None:
    rng = np.random.default_rng(3)
    x, labels = rng.normal(size=(4, 3)), np.array([2, 0, 1, 1])
    p = Tensor(np.eye(3)[labels])
    for smoothing in (0.0, 0.3):
        by_label = gradient(lambda t, s=smoothing: F.cross_entropy(
            t, Tensor(labels), label_smoothing=s), x)  # fmt: skip
        by_probability = gradient(lambda t, s=smoothing: F.cross_entropy(
            t, p, label_smoothing=s), x)  # fmt: skip
        for one, other in zip(by_label, by_probability, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_class_of_probability_zero_may_have_a_logit_of_minus_infinity() -> None:
    x = np.array([[0.0, -np.inf, 0.0]])
    value, grad = gradient(lambda t: F.cross_entropy(t, Tensor([[0.5, 0.0, 0.5]])), x)
    assert value == np.log(2)
    np.testing.assert_allclose(grad, [[0, 0, 0]], atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("soft", [False, True])
def test_extreme_logits_are_exact_and_silent(dtype: Any, soft: bool) -> None:
    x = Tensor(np.array([[1e30, -1e30], [-1e4, 1e4]], dtype), requires_grad=True)
    target = Tensor(np.array([[0, 1], [1, 0]], dtype)) if soft else Tensor([1, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses = F.cross_entropy(x, target, reduction="none")
        losses.backward()
    np.testing.assert_allclose(losses.data, [2e30, 2e4], rtol=1e-6)
    assert losses.dtype == dtype and x.grad.data.tolist() == [[1, -1], [-1, 1]]


def test_weights_are_constants_and_say_so() -> None:
    weight = Tensor(np.ones(3), requires_grad=True)
    x = Tensor(np.ones((2, 3)))
    for call in (
        lambda: F.cross_entropy(x, Tensor([0, 1]), weight),
        lambda: F.nll_loss(x, Tensor([0, 1]), weight),
        lambda: F.cross_entropy(x, x, weight),
        lambda: F.multi_margin_loss(x, Tensor([0, 1]), weight=weight),
    ):
        with pytest.raises(GraphError, match=r"weight is taken as constant; give weight\.detach"):
            call()
    with mytorch.no_grad():
        F.cross_entropy(x, Tensor([0, 1]), weight)


@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (2, 3)])
def test_shapes_that_would_broadcast_are_refused(shape: tuple[int, ...]) -> None:
    for name in (
        "mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss", "poisson_nll_loss",
        "soft_margin_loss", "hinge_embedding_loss", "binary_cross_entropy_with_logits",
    ):  # fmt: skip
        with pytest.raises(ShapeError, match=f"{name}: input .* differ"):
            getattr(F, name)(Tensor(np.ones(shape)), Tensor(np.ones(3)))


# ------------------------------------------------------------------------- elementwise losses


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_of_extreme_logits_is_exact_and_silent(dtype: Any) -> None:
    x = Tensor(np.array([-1e30, -1e4, -50, 0, 50, 1e4, 1e30], dtype), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for target, wanted in ((0, [0, 0, np.exp(-50), np.log(2), 50, 1e4, 1e30]),
                               (1, [1e30, 1e4, 50, np.log(2), np.exp(-50), 0, 0])):  # fmt: skip
            t = Tensor(np.full(7, target, dtype))
            losses = F.binary_cross_entropy_with_logits(x, t, reduction="none")
            np.testing.assert_allclose(losses.data, wanted, rtol=1e-6)
            (grad,) = mytorch.autograd.gradients([losses], [x], [mytorch.ones(7).astype(dtype)])
            assert np.isfinite(grad.data).all() and grad.dtype == dtype


def test_pos_weight_changes_nothing_where_it_is_one() -> None:
    rng = np.random.default_rng(4)
    x, target = rng.normal(size=(5, 3)) * 10, Tensor(rng.uniform(size=(5, 3)))
    plain = gradient(lambda t: F.binary_cross_entropy_with_logits(t, target), x)
    ones = Tensor(np.ones(3))
    weighted = gradient(lambda t: F.binary_cross_entropy_with_logits(t, target, pos_weight=ones), x)
    for one, other in zip(plain, weighted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_integer_and_float_targets_may_be_mixed_with_float32() -> None:
    x = Tensor(np.array([0.5, 2.0], np.float32), requires_grad=True)
    for name in ("binary_cross_entropy_with_logits", "mse_loss", "huber_loss", "soft_margin_loss"):
        loss = getattr(F, name)(x, Tensor([1, 1]))
        loss.backward()
        assert loss.dtype == np.float32 and x.grad.dtype == np.float32


def test_a_long_batch_takes_no_quadratic_memory() -> None:
    x = Tensor(np.zeros((200_000, 4), np.float32), requires_grad=True)
    labels = Tensor(np.zeros(200_000, np.int64))
    for loss in (F.cross_entropy, F.multi_margin_loss):
        loss(x, labels).backward()
    assert np.isfinite(x.grad.data).all()


def test_the_mean_of_many_float16_losses_is_finite() -> None:
    x = Tensor(np.zeros((40_000, 8), np.float16), requires_grad=True)
    loss = F.cross_entropy(x, Tensor(np.zeros(40_000, np.int64)))
    assert loss.dtype == np.float16 and loss.item() == np.float16(np.log(8))


def test_binary_cross_entropy_at_the_ends_is_cut_off_at_100() -> None:
    x, target = Tensor([0.0, 1.0, 0.0, 1.0]), Tensor([1.0, 0.0, 0.0, 1.0])
    losses = F.binary_cross_entropy(x, target, reduction="none")
    assert losses.tolist() == [100, 100, 0, 0]


def test_vectors_shorter_than_eps_have_torchs_gradient() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    short, other = np.array([3e-9, 4e-9, 0.0]), np.array([1.0, 2.0, 2.0])
    ours, theirs = Tensor(short, requires_grad=True), torch.tensor(short, requires_grad=True)
    y = F.cosine_similarity(ours, Tensor(other), 0)
    z = torch.nn.functional.cosine_similarity(theirs, torch.tensor(other), 0)
    y.backward()
    z.backward()
    assert y.item() == pytest.approx(z.item(), rel=1e-12)
    np.testing.assert_allclose(ours.grad.data, theirs.grad.numpy(), rtol=1e-9)


def test_a_target_that_no_path_reads_as_has_an_infinite_loss_or_none() -> None:
    x = np.random.default_rng(5).normal(size=(2, 2, 3))
    args = Tensor([[1, 2], [2, 2]]), Tensor([2, 2]), Tensor([2, 2])  # 2, 2 needs a blank between
    for zero, wanted in ((False, np.inf), (True, 0.0)):
        losses, grad = gradient(
            lambda t, z=zero: F.ctc_loss(
                F.log_softmax(t, 2), *args, reduction="none", zero_infinity=z
            ),
            x,
        )
        assert losses[1] == wanted and np.isfinite(losses[0])
        assert grad[:, 0].any() and not grad[:, 1].any()
