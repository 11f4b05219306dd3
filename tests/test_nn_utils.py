"""nn.utils: clipping gradients, parameters as one vector, weights that are computed; with torch."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import ShapeError
from mytorch.nn import utils
from mytorch.tensor import Tensor

TIGHT = {"rtol": 1e-12, "atol": 1e-14}
SHAPES = [(3, 2), (), (4,), (0, 2)]


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def array(tensor: Any) -> np.ndarray:
    return tensor.data if isinstance(tensor, Tensor) else tensor.detach().numpy()


def with_gradients(m: Any, scale: float = 3.0, without: bool = True) -> list[Any]:
    """Parameters of either library, all but the last with a gradient."""
    rng = np.random.default_rng(2)
    parameters = [m.nn.Parameter(m.tensor(rng.normal(size=shape))) for shape in SHAPES]
    for parameter in parameters:
        parameter.grad = m.tensor(rng.normal(size=tuple(parameter.shape)) * scale)
    return [*parameters, m.nn.Parameter(m.tensor([1.0]))] if without else parameters


# ------------------------------------------------------------------------------ clipping


CLIPS = {
    "norm": lambda u, p: u.clip_grad_norm_(p, 1.0),
    "norm 100": lambda u, p: u.clip_grad_norm_(iter(p), max_norm=100),
    "norm 1": lambda u, p: u.clip_grad_norm_(p, 2, norm_type=1),
    "norm inf": lambda u, p: u.clip_grad_norm_(tuple(p[:3]), 0.3, float("inf")),
    "norm 'inf'": lambda u, p: u.clip_grad_norm_(p[:3], 0.3, "inf"),
    "norm 0.5": lambda u, p: u.clip_grad_norm_(p, 0.3, 0.5, True, foreach=False),
    "one": lambda u, p: u.clip_grad_norm_(p[0], 0.3),
    "value": lambda u, p: u.clip_grad_value_(p[:3], 0.5),
    "value of one": lambda u, p: u.clip_grad_value_(p[2], clip_value=1),
    "total": lambda u, p: u.get_total_norm([q.grad for q in p[:4]], 3.0),
    "total of none": lambda u, p: u.get_total_norm([]),
    "with a norm": lambda u, p: u.clip_grads_with_norm_(p, 2.0, u.get_total_norm(p[0].grad)),
    "without gradients": lambda u, p: u.clip_grad_norm_(p[-1:], 1.0),
}


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
def test_clipping_is_torchs(torch: Any, clip: Any) -> None:
    ours, theirs = with_gradients(mytorch), with_gradients(torch)
    kept = [p.grad for p in ours]
    mine, other = clip(utils, ours), clip(torch.nn.utils, theirs)
    assert (mine is None) == (other is None)
    if mine is not None:
        assert mine.shape == tuple(other.shape) == () and not mine.requires_grad
        np.testing.assert_allclose(mine.item(), other.item(), **TIGHT)
    for one, two, before in zip(ours, theirs, kept, strict=True):
        assert one.grad is before
        if before is not None:
            np.testing.assert_allclose(one.grad.data, two.grad.numpy(), **TIGHT)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_gradients_that_are_not_finite_are_refused_or_scaled_as_in_torch(
    torch: Any, bad: float
) -> None:
    ours, theirs = with_gradients(mytorch), with_gradients(torch)
    ours[0].grad.data[1, 1] = bad
    theirs[0].grad[1, 1] = bad
    before = [p.grad.data.copy() for p in ours[:4]]
    with pytest.raises(RuntimeError, match=f"the norm of order 2.0 is {abs(bad)}"):
        utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    for parameter, array in zip(ours, before, strict=False):
        np.testing.assert_array_equal(parameter.grad.data, array)
    mine = utils.clip_grad_norm_(ours, 1.0)
    other = torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    np.testing.assert_array_equal(mine.item(), other.item())
    for one, two in zip(ours[:4], theirs[:4], strict=True):
        np.testing.assert_array_equal(one.grad.data, two.grad.numpy())


def test_clipping_keeps_float32_and_warns_of_a_generator_that_was_used_up() -> None:
    layer = nn.Linear(3, 2, dtype=np.float32)
    layer(Tensor(np.ones((1, 3), np.float32))).sum().backward()
    assert utils.clip_grad_norm_(layer.parameters(), 0.1).dtype == np.float32
    assert {p.grad.dtype for p in layer.parameters()} == {np.dtype(np.float32)}
    with pytest.warns(UserWarning, match="no parameters"):
        utils.clip_grad_value_(iter(()), 1.0)
    with pytest.warns(UserWarning, match="no parameters"):
        assert utils.clip_grad_norm_(iter(()), 1.0).item() == 0
    with pytest.raises(TypeError, match="clip_grad_norm_"):
        utils.clip_grad_norm_([1.0], 1.0)  # type: ignore[list-item]


# ------------------------------------------------------------------------------ one vector


def test_parameters_become_one_vector_and_gradients_flow_through_it(torch: Any) -> None:
    ours, theirs = with_gradients(mytorch, without=False), with_gradients(torch, without=False)
    mine = utils.parameters_to_vector(iter(ours))
    other = torch.nn.utils.parameters_to_vector(theirs)
    np.testing.assert_array_equal(mine.data, other.detach().numpy())
    for parameter in (*ours, *theirs):
        parameter.grad = None
    (mine * Tensor(np.arange(11.0))).sum().backward()
    (other * torch.arange(11.0)).sum().backward()
    for one, two in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.grad.data, two.grad.numpy())


def test_a_vector_becomes_the_parameters_in_their_memory(torch: Any) -> None:
    ours, theirs = with_gradients(mytorch), with_gradients(torch)
    vector = np.arange(13.0)  # one more than there are elements
    kept = [p.data for p in ours]
    utils.vector_to_parameters(Tensor(vector), iter(ours))
    torch.nn.utils.vector_to_parameters(torch.tensor(vector), theirs)
    for one, two, memory in zip(ours, theirs, kept, strict=True):
        assert one.data is memory and one.is_leaf and one.requires_grad
        np.testing.assert_array_equal(one.data, two.detach().numpy())
    back = utils.parameters_to_vector(ours)
    assert back.tolist() == list(range(12))


def test_a_vector_that_is_too_short_changes_nothing() -> None:
    ours = with_gradients(mytorch)
    before = [p.data.copy() for p in ours]
    with pytest.raises(ShapeError, match="5 elements for parameters that have 12"):
        utils.vector_to_parameters(Tensor(np.zeros(5)), ours)
    assert all(np.array_equal(p.data, b) for p, b in zip(ours, before, strict=True))
    with pytest.raises(TypeError, match="vector_to_parameters"):
        utils.vector_to_parameters([1.0], ours)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cat"):
        utils.parameters_to_vector([])


# ------------------------------------------------------------------------------ weights computed


COMPUTED = {
    "weight_norm": (lambda m, u: u.weight_norm(m.Linear(3, 4)), (5, 3)),
    "weight_norm 1": (lambda m, u: u.weight_norm(m.Linear(3, 4), dim=1), (5, 3)),
    "weight_norm None": (lambda m, u: u.weight_norm(m.Linear(3, 4), "weight", None), (5, 3)),
    "weight_norm bias": (lambda m, u: u.weight_norm(m.Linear(3, 4), name="bias"), (5, 3)),
    "weight_norm Bilinear": (lambda m, u: u.weight_norm(m.Bilinear(3, 3, 4), dim=2), (5, 3)),
    "spectral_norm": (lambda m, u: u.spectral_norm(m.Linear(3, 4)), (5, 3)),
    "spectral_norm 1": (lambda m, u: u.spectral_norm(m.Linear(3, 4), "weight", 3, dim=1), (5, 3)),
    "spectral_norm Bilinear": (lambda m, u: u.spectral_norm(m.Bilinear(3, 3, 4)), (5, 3)),
}
COMPUTED_ROWS = pytest.mark.parametrize(("make", "shape"), COMPUTED.values(), ids=COMPUTED)
pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated")


def steps(m: Any, module: Any, x: np.ndarray, modes: tuple[bool, ...]) -> list[np.ndarray]:
    """Outputs, gradients and state over some steps of gradient descent."""
    seen = []
    for training in modes:
        module.train(training)
        module.zero_grad()
        output = module(*[m.tensor(x)] * (2 if hasattr(module, "in1_features") else 1))
        (output**2).sum().backward()
        seen += [array(output).copy(), *[array(p.grad).copy() for p in module.parameters()]]
        for parameter in module.parameters():
            parameter.data -= 0.1 * parameter.grad.data
        seen += [array(tensor).copy() for tensor in module.state_dict().values()]
    return seen


@COMPUTED_ROWS
def test_computed_weights_train_as_torchs(torch: Any, make: Any, shape: Any) -> None:
    mine, theirs = make(nn, utils), make(torch.nn, torch.nn.utils).double()
    ours, others = mine.state_dict(), theirs.state_dict()
    assert {k: tuple(v.shape) for k, v in ours.items()} == {
        k: tuple(v.shape) for k, v in others.items()
    } and list(ours) == list(others)
    assert repr(mine) == repr(theirs)
    mine.load_state_dict({name: tensor.numpy() for name, tensor in others.items()})
    x, modes = np.random.default_rng(3).normal(size=shape), (True, True, False, True)
    for one, two in zip(
        steps(mytorch, mine, x, modes), steps(torch, theirs, x, modes), strict=True
    ):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)


@COMPUTED_ROWS
def test_a_computed_weight_is_part_of_the_graph_and_not_of_the_state(make: Any, shape: Any) -> None:
    module = make(nn, utils)
    name = next(n for n in ("weight", "bias") if n not in module.state_dict())
    before = getattr(module, name)
    module(*[Tensor(np.ones(shape))] * (2 if hasattr(module, "in1_features") else 1))
    after = getattr(module, name)
    assert after is not before and after.requires_grad and not after.is_leaf
    assert name not in dict(module.named_parameters())
    for copied in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        x = np.random.default_rng(1).normal(size=shape)
        results = [steps(mytorch, each, x, (True,)) for each in (copied, copy.deepcopy(module))]
        for one, two in zip(*results, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
def test_removing_it_leaves_the_weight_that_it_computed(torch: Any, kind: str) -> None:
    make, remove = getattr(utils, kind), getattr(utils, f"remove_{kind}")
    module = make(nn.Linear(3, 4))
    x = Tensor(np.ones((2, 3)))
    module(x)
    wanted = module.eval()(x)
    assert remove(module) is module
    assert sorted(module.state_dict()) == ["bias", "weight"] and module.weight.is_leaf
    assert isinstance(module.weight, nn.Parameter) and module.weight.requires_grad
    np.testing.assert_allclose(module.train()(x).data, wanted.data, **TIGHT)
    for call, library in ((remove, nn), (getattr(torch.nn.utils, f"remove_{kind}"), torch.nn)):
        with pytest.raises(ValueError, match="of 'weight'"):
            call(library.Linear(3, 4))


def test_spectral_norm_makes_the_largest_singular_value_one() -> None:
    module = utils.spectral_norm(nn.Linear(6, 5), n_power_iterations=200)
    module(Tensor(np.ones((1, 6))))
    values = np.linalg.svd(module.weight.data, compute_uv=False)
    assert abs(values[0] - 1) < 1e-6 and values[1] < 1


def test_weight_norm_starts_with_the_weight_as_it_was() -> None:
    layer = nn.Linear(3, 4)
    x, wanted = Tensor(np.ones((1, 3))), layer.weight.data.copy()
    y = layer(x)
    utils.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.data, wanted, **TIGHT)
    np.testing.assert_allclose(layer(x).data, y.data, **TIGHT)


def test_what_cannot_be_computed_is_refused_and_nothing_is_changed() -> None:
    for make in (utils.weight_norm, utils.spectral_norm):
        layer = make(nn.Linear(3, 4))
        with pytest.raises(RuntimeError, match="'weight' of Linear has one already"):
            make(layer)
        with pytest.raises(AttributeError, match="no parameter 'scale'"):
            make(nn.Linear(3, 4), "scale")
    plain = nn.Linear(3, 4)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        utils.spectral_norm(plain, n_power_iterations=0)
    with pytest.raises(IndexError):
        utils.spectral_norm(plain, dim=2)
    with pytest.raises(IndexError):
        utils.weight_norm(plain, dim=2)
    assert list(plain.state_dict()) == ["weight", "bias"] and not plain._hooks
