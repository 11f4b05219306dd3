"""Linear, BatchNorm1d, Dropout, activations and losses, against torch and closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import ShapeError
from mytorch.tensor import Tensor

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
DTYPES = [np.float64, np.float32]


@pytest.fixture
def torch() -> Any:
    """PyTorch, or a visible skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def float32_by_default() -> Iterator[None]:
    mytorch.set_default_dtype(np.float32)
    yield
    mytorch.set_default_dtype(np.float64)


def backward(module: Any, x: Any, weights: Any) -> Any:
    """Return module(x) after a backward pass whose gradient at the output is ``weights``."""
    y = module(x)
    (y * weights).sum().backward()
    return y


# ------------------------------------------------------------------------------ linear


def test_linear_draws_weight_then_bias_as_the_contract_says() -> None:
    np.random.seed(11)
    layer = nn.Linear(5, 3)
    np.random.seed(11)
    assert np.array_equal(layer.weight.data, 1 / 5 * (np.random.rand(3, 5) - 0.5))
    assert np.array_equal(layer.bias.data, 1 / 5 * (np.random.rand(3) - 0.5))
    assert layer.weight.dtype == np.float64


def test_linear_without_bias_has_none_and_draws_none() -> None:
    np.random.seed(11)
    layer = nn.Linear(5, 3, bias=False)
    following = np.random.rand()
    np.random.seed(11)
    np.random.rand(3, 5)
    assert following == np.random.rand()
    assert layer.bias is None and len(list(layer.parameters())) == 1
    x = np.arange(10.0).reshape(2, 5)
    assert np.allclose(layer(Tensor(x)).data, x @ layer.weight.data.T, **TIGHT)


def test_reset_parameters_draws_by_torchs_rule_in_place() -> None:
    layer = nn.Linear(4, 500)
    weight, array = layer.weight, layer.weight.data
    layer.reset_parameters()
    assert layer.weight is weight and weight.data is array and weight.is_leaf
    for parameter in (layer.weight, layer.bias):  # U(-1/2, 1/2)
        assert 0.49 < np.abs(parameter.data).max() <= 0.5
        assert abs(parameter.data.mean()) < 0.05
        assert abs(parameter.data.std() - 1 / np.sqrt(12)) < 0.02


def test_layers_follow_the_default_dtype(float32_by_default: None) -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(), nn.Sigmoid())
    floats = [t for name, t in model.state_dict().items() if "num_batches" not in name]
    assert {t.dtype for t in floats} == {np.dtype(np.float32)}
    y = model(Tensor(np.ones((4, 2), np.float32)))
    y.sum().backward()
    assert y.dtype == np.float32
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    model[0].reset_parameters()
    assert model[0].weight.dtype == np.float32


@pytest.mark.parametrize("shape", [(5,), (1, 5), (4, 5), (2, 3, 5), (0, 5)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_torchs(
    torch: Any, rng: np.random.Generator, shape: tuple[int, ...], bias: bool
) -> None:
    mine = nn.Linear(5, 3, bias=bias)
    theirs = torch.nn.Linear(5, 3, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for parameter, other in zip(mine.parameters(), theirs.parameters(), strict=True):
            other.copy_(torch.tensor(parameter.data))
    data, weights = rng.normal(size=shape), rng.normal(size=(*shape[:-1], 3))
    x, other_x = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, other_y = backward(mine, x, weights), backward(theirs, other_x, torch.tensor(weights))
    assert y.shape == tuple(other_y.shape)
    assert np.allclose(y.data, other_y.detach().numpy(), **TIGHT)
    assert np.allclose(x.grad.data, other_x.grad.numpy(), **TIGHT)
    for parameter, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(parameter.grad.data, other.grad.numpy(), **TIGHT)


def test_linear_names_the_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"input \(2, 4\) and weight \(3, 5\) do not fit"):
        nn.Linear(5, 3)(Tensor.ones(2, 4))
    with pytest.raises(ShapeError, match=r"input \(\) and weight \(3, 5\)"):
        nn.Linear(5, 3)(Tensor(1.0))
    with pytest.raises(TypeError, match="input is float32 but weight is float64"):
        nn.Linear(5, 3)(Tensor.ones(2, 5).float())
    with pytest.raises(ValueError, match="in_features must be at least 1, got 0"):
        nn.Linear(0, 3)


# ------------------------------------------------------------------------------ batchnorm


@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
def test_batchnorm_is_torchs_in_both_modes(
    torch: Any, rng: np.random.Generator, dtype: Any
) -> None:
    mine = nn.BatchNorm1d(3, eps=1e-3, momentum=0.3).to(dtype)
    theirs = torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.3)
    theirs = theirs.double() if dtype is np.float64 else theirs
    for parameter, other in ((mine.gamma, theirs.weight), (mine.beta, theirs.bias)):
        parameter.data = rng.normal(size=3).astype(dtype)
        other.data = torch.tensor(parameter.data)
    bounds = TIGHT if dtype is np.float64 else {"rtol": 1e-4, "atol": 1e-5}

    def same(a: Tensor, b: Any) -> None:
        assert a.dtype == dtype and np.allclose(a.data, b.detach().numpy(), **bounds)

    for training in (True, True, False):
        mine.train(training)
        theirs.train(training)
        mine.zero_grad()
        theirs.zero_grad()
        data = rng.normal(2, 5, (8, 3)).astype(dtype)
        weights = rng.normal(size=(8, 3)).astype(dtype)
        x, other_x = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
        same(backward(mine, x, weights), backward(theirs, other_x, torch.tensor(weights)))
        same(x.grad, other_x.grad)
        same(mine.gamma.grad, theirs.weight.grad)
        same(mine.beta.grad, theirs.bias.grad)
        same(mine.running_mean, theirs.running_mean)
        same(mine.running_var, theirs.running_var)


def test_batchnorm_starts_as_the_contract_says_and_takes_the_unbiased_variance() -> None:
    layer = nn.BatchNorm1d(2)
    assert type(layer.num_features) is int and (layer.eps, layer.momentum) == (1e-5, 0.1)
    assert layer.gamma.tolist() == [1, 1] and layer.beta.tolist() == [0, 0]
    assert layer.running_mean.tolist() == [0, 0] and layer.running_var.tolist() == [1, 1]
    x = np.array([[1.0, 0.0], [3.0, 8.0]])
    y = layer(Tensor(x))
    assert np.allclose(y.data, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5), **TIGHT)
    assert np.allclose(layer.running_mean.data, 0.1 * x.mean(0), **TIGHT)
    assert np.allclose(layer.running_var.data, 0.9 + 0.1 * x.var(0, ddof=1), **TIGHT)


def test_batchnorm_in_evaluation_changes_no_statistics_and_takes_one_row() -> None:
    layer = nn.BatchNorm1d(2).eval()
    assert layer(Tensor([[3.0, 4.0]])).shape == (1, 2)
    assert layer.running_mean.tolist() == [0, 0] and layer.running_var.tolist() == [1, 1]


def test_batchnorm_refuses_other_shapes_and_one_row_in_training_and_stays_as_it_was() -> None:
    layer = nn.BatchNorm1d(2)
    for shape in [(4, 3), (2,), (2, 3, 2), (2, 2, 2, 2)]:
        with pytest.raises(ShapeError, match=r"expected \(N, 2\) or \(N, 2, L\), got"):
            layer(Tensor.ones(*shape))
    with pytest.raises(ShapeError, match="more than one value a channel"):
        layer(Tensor.ones(1, 2))
    assert layer.running_mean.tolist() == [0, 0] and layer.num_batches_tracked.item() == 0


# ------------------------------------------------------------------------------ dropout


@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
def test_dropout_scales_what_its_mask_keeps_and_backward_alike(dtype: Any) -> None:
    layer = nn.Dropout(0.3)
    x = Tensor(np.arange(1.0, 13.0).reshape(3, 4).astype(dtype), requires_grad=True)
    weights = np.arange(12.0).reshape(3, 4).astype(dtype)
    np.random.seed(5)
    y = backward(layer, x, weights)
    np.random.seed(5)
    mask = np.random.binomial(1, 0.7, (3, 4))
    assert 0 < mask.sum() < 12
    assert y.dtype == x.grad.dtype == dtype
    assert np.allclose(y.data, x.data * mask / 0.7, rtol=1e-6)
    assert np.allclose(x.grad.data, weights * mask / 0.7, rtol=1e-6)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_mean_and_drops_the_right_share(p: float) -> None:
    np.random.seed(1)
    y = nn.Dropout(p)(Tensor.ones(400, 250)).data
    assert abs((y == 0).mean() - p) < 0.01
    assert abs(y.mean() - 1) < 0.03


def test_dropout_in_evaluation_is_the_identity_and_draws_nothing() -> None:
    layer = nn.Dropout(0.5).eval()
    x = Tensor([1.0, 2.0], requires_grad=True)
    np.random.seed(3)
    y = backward(layer, x, 3.0)
    following = np.random.rand()
    np.random.seed(3)
    assert following == np.random.rand()
    assert y.tolist() == [1, 2] and x.grad.tolist() == [3, 3]


def test_dropout_of_nothing_and_of_everything() -> None:
    x = Tensor([1.0, 2.0])
    assert nn.Dropout(0.0)(x).tolist() == [1, 2] and nn.Dropout(1.0)(x).tolist() == [0, 0]
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"p must be in \[0, 1\]"):
            nn.Dropout(p)


# ------------------------------------------------------------------------------ activations


@pytest.mark.parametrize("name", ["ReLU", "Sigmoid", "Tanh"])
def test_activations_are_torchs(torch: Any, name: str) -> None:
    data, weights = np.array([[-800.0, -1.5, 0.0], [0.3, 2.0, 800.0]]), np.arange(6.0).reshape(2, 3)
    x, other_x = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y = backward(getattr(nn, name)(), x, weights)
    other_y = backward(getattr(torch.nn, name)(), other_x, torch.tensor(weights))
    assert np.allclose(y.data, other_y.detach().numpy(), **TIGHT)
    assert np.allclose(x.grad.data, other_x.grad.numpy(), **TIGHT)


# ------------------------------------------------------------------------------ losses


@pytest.mark.parametrize("scale", [1, 1e4])
@pytest.mark.parametrize("dtype", DTYPES, ids=["float64", "float32"])
def test_cross_entropy_loss_is_torchs(
    torch: Any, rng: np.random.Generator, dtype: Any, scale: float
) -> None:
    data, labels = (scale * rng.normal(size=(6, 4))).astype(dtype), rng.integers(0, 4, 6)
    x, other_x = Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    loss = nn.CrossEntropyLoss()(x, Tensor(labels))
    other = torch.nn.CrossEntropyLoss()(other_x, torch.tensor(labels))
    (3 * loss).backward()
    (3 * other).backward()
    bounds = TIGHT if dtype is np.float64 else {"rtol": 1e-5, "atol": 1e-6}
    assert loss.shape == () and loss.dtype == x.grad.dtype == dtype
    assert np.allclose(loss.data, other.detach().numpy(), **bounds)
    assert np.allclose(x.grad.data, other_x.grad.numpy(), **bounds)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float64], ids=["int64", "uint8", "float"])
def test_cross_entropy_loss_takes_labels_of_any_kind_in_tensors_and_arrays(kind: Any) -> None:
    logits = Tensor([[0.0, 0.0], [np.log(3.0), 0.0]])
    expected = (np.log(2) + np.log(4)) / 2
    labels = np.array([0, 1]).astype(kind)
    assert np.allclose(nn.CrossEntropyLoss()(logits, Tensor(labels)).item(), expected, **TIGHT)
    assert np.allclose(nn.CrossEntropyLoss()(logits, labels).item(), expected, **TIGHT)


def test_mse_loss_is_torchs_and_does_not_broadcast(torch: Any, rng: np.random.Generator) -> None:
    data, target = rng.normal(size=(5, 2)), rng.normal(size=(5, 2))
    tensors = [Tensor(data, requires_grad=True), Tensor(target, requires_grad=True)]
    others = [torch.tensor(data, requires_grad=True), torch.tensor(target, requires_grad=True)]
    loss, other = nn.MSELoss()(*tensors), torch.nn.MSELoss()(*others)
    loss.backward()
    other.backward()
    assert loss.shape == () and np.allclose(loss.item(), other.item(), **TIGHT)
    for tensor, twin in zip(tensors, others, strict=True):
        assert np.allclose(tensor.grad.data, twin.grad.numpy(), **TIGHT)
    with pytest.raises(ShapeError, match=r"\(5, 2\) and target \(5,\) differ"):
        nn.MSELoss()(tensors[0], Tensor.ones(5))


def test_losses_are_modules_of_the_kind_Loss() -> None:  # noqa: N802
    for loss in (nn.CrossEntropyLoss(), nn.MSELoss()):
        assert isinstance(loss, nn.Loss) and isinstance(loss, nn.Module)
        assert list(loss.parameters()) == []


@pytest.mark.parametrize(
    "layer",
    [nn.Linear(3, 2), nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.BatchNorm1d(3), nn.Dropout()],
    ids=lambda layer: type(layer).__name__,
)
def test_an_array_in_place_of_a_tensor_is_told_as_that(layer: nn.Module) -> None:
    with pytest.raises(TypeError, match=r"expects a Tensor.*, got ndarray; wrap it: "):
        layer(np.ones((2, 3)))
