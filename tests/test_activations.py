"""Activation functions beyond the table: tails, random slopes, in place, dtypes."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.errors import GraphError
from mytorch.ops.activations import Ndtr
from mytorch.tensor import Tensor

EXTREMES = [-3e38, -1e4, -100.0, -20.0, -1e-30, 0.0, 1e-30, 20.0, 100.0, 1e4, 3e38]
SMOOTH = {
    "gelu": (0.0, 1.0),
    "silu": (0.0, 1.0),
    "mish": (0.0, 1.0),
    "softplus": (0.0, 1.0),
    "logsigmoid": (1.0, 0.0),
    "softsign": (0.0, 0.0),
    "elu": (0.0, 1.0),
    "sigmoid": (0.0, 0.0),
}  # fmt: skip - the slopes far below and far above


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SMOOTH)
def test_the_tails_are_finite_silent_and_have_the_slopes_of_the_limits(
    name: str, dtype: Any
) -> None:
    x = Tensor(np.array(EXTREMES, dtype), requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = getattr(F, name)(x)
        (slope,) = mytorch.autograd.gradients([y], [x], [mytorch.ones(11).astype(dtype)], True)
        y.backward()
    assert np.isfinite(y.data[1:-1]).all() and y.dtype == dtype
    below, above = SMOOTH[name]
    np.testing.assert_allclose(x.grad.data[[1, -2]], [below, above], atol=1e-7)
    np.testing.assert_allclose(slope.data, x.grad.data, rtol=1e-5)


def test_the_normal_distribution_is_exact_in_the_lower_tail() -> None:
    x = np.linspace(-37.5, 9, 3001)
    exact = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
    np.testing.assert_allclose(Ndtr.value(x), exact, rtol=1e-12)
    single = x[x > -12].astype(np.float32)
    exact = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in single.astype(float)])
    np.testing.assert_allclose(Ndtr.value(single), exact, rtol=2e-5)
    np.testing.assert_allclose(Ndtr.value(single), exact, atol=3e-7, rtol=0)
    half = Ndtr.value(np.array([-5.0, 0, 5.0], np.float16))
    assert half.dtype == np.float16 and half.tolist()[1:] == [0.5, 1.0] and half[0] > 0


def test_softplus_takes_the_identity_beyond_its_threshold() -> None:
    x = Tensor([19.0, 21.0], requires_grad=True)
    y = F.softplus(x)
    assert y.data[0] == np.log1p(np.exp(-19.0)) + 19 and y.data[1] == 21
    (slope,) = mytorch.autograd.gradients([y], [x], [mytorch.ones(2)], create_graph=True)
    (bend,) = mytorch.autograd.gradients([slope], [x], [mytorch.ones(2)])
    assert slope.data[1] == 1 and bend.data[1] == 0 and 0 < bend.data[0] < 1e-8


# ------------------------------------------------------------------------------------- in place

IN_PLACE = ["relu", "leaky_relu", "elu", "selu", "celu", "rrelu", "hardtanh"]
ONLY_ARGUMENT = ["relu6", "hardsigmoid", "hardswish", "silu", "mish"]


@pytest.mark.parametrize("name", IN_PLACE + ONLY_ARGUMENT)
def test_inplace_overwrites_the_input_and_returns_it(name: str) -> None:
    x = np.linspace(-4.0, 7.0, 12)
    wanted = getattr(F, name)(Tensor(x)).data
    forms = [lambda t: getattr(F, name)(t, inplace=True)]
    if name in IN_PLACE:
        forms.append(getattr(F, f"{name}_"))
    for form in forms:
        tensor = Tensor(x)
        memory = tensor.data
        assert form(tensor) is tensor and tensor.data is memory
        np.testing.assert_array_equal(memory, wanted)


def test_inplace_on_a_leaf_that_requires_grad_is_refused() -> None:
    x = Tensor([1.0, -1.0], requires_grad=True)
    for call in (
        lambda: F.elu(x, inplace=True),
        lambda: F.relu_(x),
        lambda: F.dropout(x, 0.5, True, True),
    ):
        with pytest.raises(GraphError, match="a leaf that requires grad"):
            call()
    assert x.data.tolist() == [1.0, -1.0]


def test_what_an_operation_saved_may_not_be_overwritten() -> None:
    x = Tensor([1.0, -1.0], requires_grad=True)
    y = x.exp()
    F.leaky_relu(y, inplace=True)
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


# -------------------------------------------------------------------------------------- random


def test_rrelu_draws_a_slope_for_each_negative_element() -> None:
    np.random.seed(0)
    x = Tensor(np.concatenate([np.full(5000, -2.0), np.ones(10)]), requires_grad=True)
    y = F.rrelu(x, 0.1, 0.3, training=True)
    y.backward()
    slopes = y.data[:5000] / -2
    assert slopes.min() >= 0.1 and slopes.max() <= 0.3 and abs(slopes.mean() - 0.2) < 0.005
    np.testing.assert_allclose(x.grad.data, [*slopes, *np.ones(10)])
    assert y.data[5000:].tolist() == [1.0] * 10


def test_gumbel_softmax_draws_from_the_distribution() -> None:
    np.random.seed(1)
    p = np.array([0.1, 0.2, 0.7])
    logits = Tensor(np.tile(np.log(p), (20000, 1)), requires_grad=True)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    np.testing.assert_allclose(hard.data.sum(1), 1.0)
    np.testing.assert_allclose(hard.data.mean(0), p, atol=0.015)
    hard.backward(Tensor(np.random.normal(size=hard.shape)))
    assert np.isfinite(logits.grad.data).all() and logits.grad.data.any()
    np.random.seed(2)
    soft = F.gumbel_softmax(logits, tau=0.5)
    np.random.seed(2)
    drawn = F.gumbel_softmax(logits, tau=0.5, hard=True)
    np.testing.assert_array_equal(drawn.data.argmax(1), soft.data.argmax(1))


# -------------------------------------------------------------------------------------- softmax


def test_softmax_converts_to_dtype_before_it_computes() -> None:
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    for function in (F.softmax, F.log_softmax, F.softmin):
        y = function(x, -1, dtype=np.float64)
        y.backward(Tensor([1.0, 0.0]))
        assert y.dtype == np.float64 and x.grad.dtype == np.float32
    assert x.softmax(-1).dtype == np.float32
    assert F.softmax(Tensor([1, 2]), -1, dtype=np.float32).dtype == np.float32


def test_temperature_goes_from_the_largest_alone_to_all_alike() -> None:
    logits = Tensor([2.0, 1.0, 0.1])
    np.testing.assert_allclose(F.softmax(logits, -1, temperature=1e-3).data, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(F.softmax(logits, -1, temperature=1e9).data, [1 / 3] * 3, rtol=1e-8)
    assert F.softmax(logits, -1, temperature=np.inf).data.tolist() == [1 / 3] * 3
