"""SGD and Adam: trajectories, state, what they leave alone, and what they refuse."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mytorch import nn, optim
from mytorch.tensor import Tensor

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: optim.SGD(params, lr=0.05),
    "momentum": lambda params: optim.SGD(params, lr=0.05, momentum=0.9),
    "Adam": lambda params: optim.Adam(params, lr=0.05, betas=(0.8, 0.95), eps=1e-6),
}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


@pytest.fixture
def torch() -> Any:
    """PyTorch, or a visible skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


def parameter(*values: float, grad: list[float] | None = None, dtype: Any = np.float64) -> Tensor:
    made = nn.Parameter(np.array(values, dtype))
    made.grad = None if grad is None else Tensor(np.array(grad, dtype))
    return made


def train(model: Any, optimizer: Any, x: Any, target: Any, steps: int, loss: Any) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        loss(model(x), target).backward()
        optimizer.step()


# ------------------------------------------------------------------------------ trajectories


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.05}),
        ("SGD", {"lr": 0.05, "momentum": 0.9}),
        ("Adam", {}),
        ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}),
    ],
    ids=str,
)
def test_ten_steps_are_torchs(torch: Any, name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    x, target = rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
    mine = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    library = torch.nn
    theirs = library.Sequential(library.Linear(4, 5), library.Tanh(), library.Linear(5, 2)).double()
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in mine.state_dict().items()})
    optimizer = getattr(optim, name)(mine.parameters(), **options)
    train(mine, optimizer, Tensor(x), Tensor(target), 10, nn.MSELoss())
    optimizer = getattr(torch.optim, name)(theirs.parameters(), **options)
    train(theirs, optimizer, torch.tensor(x), torch.tensor(target), 10, library.MSELoss())
    for ours, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert np.allclose(ours.data, other.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_sgd_step_is_the_closed_form() -> None:
    w = parameter(1.0, -2.0, grad=[0.5, 4.0])
    optim.SGD([w], lr=0.1).step()
    assert np.allclose(w.data, [1 - 0.1 * 0.5, -2 - 0.1 * 4], rtol=1e-15)


def test_momentum_is_the_handouts_also_when_the_rate_changes() -> None:
    w, v = 1.0, 0.0
    tensor = parameter(1.0)
    optimizer = optim.SGD([tensor], lr=0.1, momentum=0.9)
    for lr, grad in [(0.1, 2.0), (0.1, -1.0), (0.01, 3.0)]:
        optimizer.lr = lr
        tensor.grad = Tensor([grad])
        optimizer.step()
        v = 0.9 * v - lr * grad
        w += v
        assert np.allclose([tensor.item(), optimizer.momentums[0][0]], [w, v], rtol=1e-14)


def test_first_adam_step_is_the_rate_times_the_sign_of_the_gradient() -> None:
    w = parameter(1.0, 2.0, grad=[1e-3, -50.0])
    optimizer = optim.Adam([w], lr=0.1, eps=0.0)
    optimizer.step()
    assert np.allclose(w.data, [0.9, 2.1], rtol=1e-12) and optimizer.t == 1
    assert np.allclose(optimizer.state["m"][0], [1e-4, -5.0], rtol=1e-12)
    assert np.allclose(optimizer.state["v"][0], [1e-9, 2.5], rtol=1e-12)


def test_the_defaults_are_the_contracts() -> None:
    sgd, adam = optim.SGD([parameter(1.0)]), optim.Adam([parameter(1.0)])
    assert (sgd.lr, sgd.momentum) == (0.001, 0.0) and len(sgd.momentums) == 1
    assert (adam.lr, adam.betas, adam.eps, adam.t) == (1e-3, (0.9, 0.999), 1e-8, 0)


# ------------------------------------------------------------------------------ what a step leaves


@every_optimizer
def test_parameters_stay_leaves_and_nothing_is_recorded(make: Any) -> None:
    layer = nn.Linear(2, 2)
    kept = list(layer.parameters())
    train(layer, make(layer.parameters()), Tensor.ones(3, 2), Tensor.ones(3, 2), 2, nn.MSELoss())
    assert all(a is b for a, b in zip(layer.parameters(), kept, strict=True))
    for tensor in kept:
        assert tensor.is_leaf and tensor.requires_grad and tensor.is_parameter
        assert tensor.grad_fn is None and tensor.grad is not None and tensor.grad.grad_fn is None


@every_optimizer
def test_parameters_without_gradient_are_skipped(make: Any) -> None:
    still, moving = parameter(1.0), parameter(1.0, grad=[1.0])
    make([still, moving]).step()
    assert still.item() == 1.0 and moving.item() < 1.0


@every_optimizer
def test_a_step_leaves_the_gradient_as_it_was(make: Any) -> None:
    w = parameter(1.0, 2.0, grad=[3.0, -4.0])
    grad = w.grad
    make([w]).step()
    assert w.grad is grad and grad.tolist() == [3.0, -4.0]


@every_optimizer
def test_a_step_between_forward_and_backward_is_noticed_not_miscomputed(make: Any) -> None:
    w = parameter(2.0, grad=[1.0])
    loss = (w * w).sum()
    make([w]).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


@every_optimizer
def test_state_and_parameters_are_updated_in_place(make: Any) -> None:
    layer = nn.Linear(2, 2)
    optimizer = make(layer.parameters())

    def arrays() -> list[np.ndarray]:
        lists = [getattr(optimizer, name) for name in optimizer._buffers]
        return [p.data for p in layer.parameters()] + [array for each in lists for array in each]

    before = arrays()
    train(layer, optimizer, Tensor.ones(3, 2), Tensor.ones(3, 2), 3, nn.MSELoss())
    assert all(a is b for a, b in zip(before, arrays(), strict=True))


@every_optimizer
def test_a_step_allocates_no_arrays(make: Any) -> None:
    w = nn.Parameter(np.ones(100_000))
    w.grad = Tensor(np.ones(100_000))
    optimizer = make([w])
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < w.data.nbytes / 10


@every_optimizer
def test_float32_stays_float32(make: Any) -> None:
    w = parameter(1.0, grad=[2.0], dtype=np.float32)
    optimizer = make([w])
    optimizer.lr = np.float64(optimizer.lr)  # as a schedule computed with NumPy leaves it
    optimizer.step()
    assert w.dtype == np.float32
    for name in optimizer._buffers:
        assert getattr(optimizer, name)[0].dtype == np.float32


@every_optimizer
def test_empty_and_zero_dimensional_parameters_are_updated(make: Any) -> None:
    empty, scalar = nn.Parameter(np.zeros((0, 3))), nn.Parameter(2.0)
    empty.grad, scalar.grad = Tensor(np.zeros((0, 3))), Tensor(1.0)
    make([empty, scalar]).step()
    assert empty.shape == (0, 3) and scalar.shape == () and scalar.item() < 2


@every_optimizer
def test_zero_grad_forgets_the_gradients(make: Any) -> None:
    w = parameter(1.0, grad=[1.0])
    make([w]).zero_grad()
    assert w.grad is None


# ------------------------------------------------------------------------------ state


@every_optimizer
def test_a_restored_state_continues_to_the_bit(make: Any) -> None:
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(8, 3))

    def steps(tensor: Tensor, optimizer: Any, part: np.ndarray) -> None:
        for grad in part:
            tensor.grad = Tensor(grad)
            optimizer.step()

    whole, first = parameter(1.0, 2.0, 3.0), parameter(1.0, 2.0, 3.0)
    steps(whole, make([whole]), gradients)
    optimizer = make([first])
    steps(first, optimizer, gradients[:4])
    state = optimizer.state_dict()
    second = nn.Parameter(first.data)
    steps(first, optimizer, gradients[4:])  # must not reach into the state that was taken
    optimizer = make([second])
    optimizer.lr = 99.0
    optimizer.load_state_dict(state)
    steps(second, optimizer, gradients[4:])
    assert second.data.tobytes() == first.data.tobytes() == whole.data.tobytes()


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    optimizer = optim.Adam([parameter(1.0, grad=[1.0])], lr=0.5)
    optimizer.step()
    state = optim.Adam([parameter(1.0, 2.0)]).state_dict()
    with pytest.raises(ValueError, match=r"_m has shapes \[\(2,\)\], the parameters \[\(1,\)\]"):
        optimizer.load_state_dict(state)
    with pytest.raises(ValueError, match=r"load_state_dict\(Adam\): missing \['betas'"):
        optimizer.load_state_dict(optim.SGD([parameter(1.0)]).state_dict())
    assert optimizer.lr == 0.5 and optimizer.t == 1 and optimizer.state["m"][0] != 0


# ------------------------------------------------------------------------------ errors


def test_a_generator_is_accepted() -> None:
    layer = nn.Linear(2, 2)
    assert len(optim.SGD(layer.parameters()).params) == 2
    assert len(optim.SGD(tensor for tensor in [parameter(1.0)]).params) == 1


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([], ValueError, "no parameters"),
        (nn.ReLU().parameters(), ValueError, "no parameters"),
        (Tensor([1.0]), TypeError, r"use \[tensor\]"),
        ([Tensor([1.0]), np.ones(1)], TypeError, r"params\[1\] is a ndarray"),
        ([Tensor([1, 2])], TypeError, r"params\[0\] is int64"),
        ([parameter(1.0)] * 2, ValueError, "given twice"),
    ],
)
def test_parameters_that_cannot_be_trained_are_refused(
    make: Any, params: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        make(params)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (optim.SGD, {"lr": -0.1}),
        (optim.SGD, {"lr": float("nan")}),
        (optim.SGD, {"momentum": -0.1}),
        (optim.Adam, {"lr": -0.1}),
        (optim.Adam, {"betas": (1.0, 0.9)}),
        (optim.Adam, {"betas": (0.9, -0.1)}),
        (optim.Adam, {"betas": (0.9,)}),
        (optim.Adam, {"eps": -1e-8}),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused_by_name(make: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        make([parameter(1.0)], **options)


def test_an_optimizer_without_step_names_its_class() -> None:
    class Lazy(optim.Optimizer):
        pass

    with pytest.raises(NotImplementedError, match="Lazy must define step"):
        Lazy([parameter(1.0)], 0.1).step()
