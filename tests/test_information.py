"""Information theory: the numbers of the textbook, zero probabilities, units, identities."""

from __future__ import annotations

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.special import cross_entropy_of, entropy, kl_divergence
from mytorch.tensor import Tensor


def test_the_numbers_of_the_textbook() -> None:
    assert entropy(Tensor([0.5, 0.5]), base=2).item() == 1
    assert entropy(Tensor([0.99, 0.01]), base=2).item() == pytest.approx(0.08, abs=1e-3)
    assert entropy(Tensor([1.0, 0.0])).item() == 0
    assert entropy(Tensor(np.full(8, 0.125)), base=2).item() == pytest.approx(3)
    assert entropy(Tensor([0.5, 0.5])).item() == np.log(2)


def test_cross_entropy_is_entropy_plus_divergence() -> None:
    rng = np.random.default_rng(0)
    p, q = (Tensor(rng.dirichlet(np.ones(5), 3)) for _ in range(2))
    for base in (None, 2, 10.0):
        total = entropy(p, base=base) + kl_divergence(p, q, base=base)
        np.testing.assert_allclose(cross_entropy_of(p, q, base=base).data, total.data, rtol=1e-12)
    assert (kl_divergence(p, q).data > 0).all()
    assert not np.allclose(kl_divergence(p, q).data, kl_divergence(q, p).data)
    assert kl_divergence(p, p).data.tolist() == [0] * 3


def test_close_distributions_have_an_exact_divergence() -> None:
    p = np.array([0.5, 0.5])
    d = 1e-7
    found = kl_divergence(Tensor(p), Tensor(p + [d, -d])).item()
    assert found == pytest.approx(2 * d * d, rel=1e-2)


def test_zero_probabilities_are_exact() -> None:
    p, q = Tensor([0.0, 1.0, 0.0]), Tensor([0.0, 0.5, 0.5])
    assert entropy(p).item() == 0
    assert cross_entropy_of(p, q).item() == np.log(2) == kl_divergence(p, q).item()
    assert cross_entropy_of(q, p).item() == np.inf == kl_divergence(q, p).item()
    assert F.kl_div(q.log(), p, reduction="sum").item() == np.log(2)
    log_p = p.log()
    assert F.kl_div(q.log(), log_p, reduction="sum", log_target=True).item() == np.log(2)


def test_the_gradient_through_softmax_is_prediction_minus_target() -> None:
    logits = Tensor([2.0, 1.0, 0.1], requires_grad=True)
    truth = Tensor([0.0, 1.0, 0.0])
    loss = cross_entropy_of(truth, logits.softmax(-1))
    (grad,) = mytorch.autograd.gradients([loss], [logits])
    np.testing.assert_allclose(grad.data, (logits.softmax(-1) - truth).data, atol=1e-15)
    assert loss.item() == pytest.approx(F.cross_entropy(logits, Tensor(1)).item())
    (same,) = mytorch.autograd.gradients([kl_divergence(truth, logits.softmax(-1))], [logits])
    np.testing.assert_allclose(same.data, grad.data, atol=1e-15)


def test_units_and_axes() -> None:
    p = Tensor(np.full((2, 4), 0.25))
    assert entropy(p, base=2).tolist() == [2, 2] and entropy(p, 0, base=2).tolist() == [1] * 4
    assert entropy(p, (0, 1), base=4).item() == 2 and entropy(p, axis=None, base=4).item() == 2
    for base in (0.5, 1, 0, -2):
        with pytest.raises(ValueError, match="base must be more than 1"):
            entropy(p, base=base)
    with pytest.raises(ValueError, match="take softmax"):
        entropy(Tensor([2.0, -1.0]))
