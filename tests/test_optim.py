"""The optimisers: trajectories, state, what they leave alone, and what they refuse."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mytorch import nn, optim
from mytorch.tensor import Tensor

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "GD": lambda params: optim.GD(params, lr=0.05),
    "SGD": lambda params: optim.SGD(params, lr=0.05),
    "momentum": lambda params: optim.SGD(params, lr=0.05, momentum=0.9),
    "Nesterov": lambda params: optim.SGD(params, 0.05, 0.9, nesterov=True, weight_decay=0.1),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.05),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.05, momentum=0.5, centered=True),
    "Adadelta": lambda params: optim.Adadelta(params, weight_decay=0.1),
    "Adam": lambda params: optim.Adam(params, lr=0.05, betas=(0.8, 0.95), eps=1e-6),
    "AdamW": lambda params: optim.AdamW(params, lr=0.05, amsgrad=True),
    "Adamax": lambda params: optim.Adamax(params, lr=0.05),
    "NAdam": lambda params: optim.NAdam(params, lr=0.05),
    "RAdam": lambda params: optim.RAdam(params, lr=0.05),
    "Rprop": lambda params: optim.Rprop(params, lr=0.05),
}
every_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch with its own numbers in float64, or a visible skip."""
    library = pytest.importorskip("torch", reason="torch is not installed")
    library.set_default_dtype(library.float64)
    yield library
    library.set_default_dtype(library.float32)


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


TRAJECTORIES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "velocity": "torch"}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "velocity": "torch"}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    (
        "Adagrad",
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2},
    ),
    ("Adagrad", {"lr": 0.1, "eps": 1e-3, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02, "centered": True, "eps": 1e-3, "maximize": True}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.9}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.05, "betas": (0.8, 0.7), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.05, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.1), "maximize": True}),
]


def twins(torch: Any) -> tuple[Any, Any, Any, Any]:
    """Return the same network here and in torch, and inputs and targets."""
    rng = np.random.default_rng(3)
    mine = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    library = torch.nn
    theirs = library.Sequential(library.Linear(4, 5), library.Tanh(), library.Linear(5, 2)).double()
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in mine.state_dict().items()})
    return mine, theirs, rng.normal(size=(8, 4)), rng.normal(size=(8, 2))


def assert_equal(mine: Any, theirs: Any) -> None:
    for ours, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(ours.data, other.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("name", "options"), TRAJECTORIES, ids=str)
def test_ten_steps_are_torchs(torch: Any, name: str, options: dict[str, Any]) -> None:
    mine, theirs, x, target = twins(torch)
    optimizer = getattr(optim, name)(mine.parameters(), **options)
    train(mine, optimizer, Tensor(x), Tensor(target), 10, nn.MSELoss())
    options = {key: value for key, value in options.items() if key != "velocity"}
    optimizer = getattr(torch.optim, name)(theirs.parameters(), **options)
    train(theirs, optimizer, torch.tensor(x), torch.tensor(target), 10, torch.nn.MSELoss())
    assert_equal(mine, theirs)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "NAdam", "Adagrad", "Adadelta"])
def test_a_state_dict_of_torch_goes_on_here(torch: Any, name: str) -> None:
    mine, theirs, x, target = twins(torch)
    options: dict[str, Any] = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(torch.optim, name)(theirs.parameters(), lr=0.05, **options)
    train(theirs, optimizer, torch.tensor(x), torch.tensor(target), 5, torch.nn.MSELoss())
    if name == "SGD":
        options["velocity"] = "torch"
    ours = getattr(optim, name)(mine.parameters(), **options)
    state = optimizer.state_dict()
    ours.load_state_dict(state)
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    train(mine, ours, Tensor(x), Tensor(target), 5, nn.MSELoss())
    train(theirs, optimizer, torch.tensor(x), torch.tensor(target), 5, torch.nn.MSELoss())
    assert_equal(mine, theirs)


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1, "max_iter": 4},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 5, "lr": 0.5},
    ],
    ids=str,
)
def test_lbfgs_goes_where_torchs_goes(torch: Any, options: dict[str, Any]) -> None:
    def rosenbrock(w: Any) -> Any:
        return ((1 - w[:-1]) ** 2).sum() + 100 * ((w[1:] - w[:-1] ** 2) ** 2).sum()

    def quartic(w: Any) -> Any:
        return (w**4 - 3 * w**2 + w).sum() + (w[1:] * w[:-1]).sum()

    for function in (rosenbrock, quartic):
        start = np.array([-1.2, 1.0, 0.5, 0.3])
        mine = nn.Parameter(start)
        theirs = torch.tensor(start, requires_grad=True)
        found = []
        for library, w in ((optim, mine), (torch.optim, theirs)):
            scale = 0.01 if "line_search_fn" not in options else 1.0
            optimizer = library.LBFGS([w], **{**options, "lr": options.get("lr", 1) * scale})

            def closure(w: Any = w, optimizer: Any = optimizer, function: Any = function) -> Any:
                optimizer.zero_grad()
                loss = function(w)
                loss.backward()
                return loss

            found.append([optimizer.step(closure).item() for _ in range(6)])
        np.testing.assert_allclose(found[0], found[1], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mine.data, theirs.detach().numpy(), rtol=1e-8)


def test_lbfgs_finds_the_minimum_of_rosenbrocks_valley() -> None:
    w = nn.Parameter([-1.2, 1.0])
    optimizer = optim.LBFGS([w], max_iter=60, tolerance_change=1e-15, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    np.testing.assert_allclose(w.data, [1, 1], rtol=1e-6)


def test_newton_solves_a_quadratic_in_one_step_and_converges_quadratically() -> None:
    rng = np.random.default_rng(1)
    root, target = rng.normal(size=(3, 3)), rng.normal(size=3)
    a, b = nn.Parameter(np.zeros(2)), nn.Parameter(0.0)
    optimizer = optim.Newton([a, b])

    def quadratic() -> Any:
        from mytorch import cat

        residual = Tensor(root) @ cat([a, b.reshape(1)]) - Tensor(target)
        return (residual * residual).sum()

    optimizer.step(quadratic)
    np.testing.assert_allclose([*a.data, b.item()], np.linalg.solve(root, target), rtol=1e-10)
    w = nn.Parameter([2.0])
    optimizer, errors = optim.Newton([w]), []
    for _ in range(5):
        optimizer.step(lambda: (w.exp() - 3 * w).sum())
        errors.append(abs(w.item() - np.log(3)))
    assert all(e2 <= e1**2 for e1, e2 in zip(errors[1:], errors[2:], strict=False))
    with pytest.raises(np.linalg.LinAlgError):
        optim.Newton([w]).step(lambda: (w * 2.0).sum())


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
    assert np.allclose(optimizer.state[w]["exp_avg"].data, [1e-4, -5.0], rtol=1e-12)
    assert np.allclose(optimizer.state[w]["exp_avg_sq"].data, [1e-9, 2.5], rtol=1e-12)


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
        kept = [x.data for s in optimizer.state.values() for x in s.values() if hasattr(x, "data")]
        return [p.data for p in layer.parameters()] + kept

    train(layer, optimizer, Tensor.ones(3, 2), Tensor.ones(3, 2), 1, nn.MSELoss())
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
    assert all(x.dtype == np.float32 for x in optimizer.state[w].values() if hasattr(x, "dtype"))


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


@pytest.mark.parametrize("name", ["SGD", "Rprop"])
def test_a_run_begun_in_torch_is_continued(torch: Any, name: str) -> None:
    options = {"lr": 0.1, "momentum": 0.9} if name == "SGD" else {"lr": 0.1}
    theirs = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([theirs], **options)

    def step(w: Any, optimizer: Any, k: int, new: Any) -> None:
        w.grad = new([1.0 + k, 0.5 - k])
        optimizer.step()

    def double(values: list[float]) -> Any:
        return torch.tensor(values, dtype=torch.float64)

    for k in range(4):
        step(theirs, optimizer, k, double)
    w = nn.Parameter(theirs.detach().numpy())
    ours = getattr(optim, name)([w], **options)
    ours.load_state_dict(optimizer.state_dict())
    for k in range(4):
        step(theirs, optimizer, k, double)
        step(w, ours, k, Tensor)
        np.testing.assert_allclose(w.data, theirs.detach().numpy(), rtol=1e-12)


def test_a_state_keeps_what_schedules_and_users_put_into_groups() -> None:
    optimizer = optim.SGD([parameter(1.0)], lr=0.5)
    optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.param_groups[0]["name"] = "first"
    other = optim.SGD([parameter(1.0)], lr=0.1)
    other.load_state_dict({**optimizer.state_dict()})
    group = other.param_groups[0]
    assert (group["initial_lr"], group["lr"], group["name"]) == (0.5, 0.5, "first")


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing() -> None:
    w = parameter(1.0, grad=[1.0])
    optimizer = optim.Adam([w], lr=0.5)
    optimizer.step()
    wide = parameter(1.0, 2.0, grad=[1.0, 1.0])
    other = optim.Adam([wide])
    other.step()
    with pytest.raises(ValueError, match=r"exp_avg has shape \(2,\), not \(1,\)"):
        optimizer.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match=r"load_state_dict\(Adam\): missing .*'betas'"):
        optimizer.load_state_dict(optim.SGD([parameter(1.0)]).state_dict())
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, this optimizer has \[1\]"):
        optimizer.load_state_dict(optim.Adam([parameter(1.0), parameter(1.0)]).state_dict())
    assert optimizer.lr == 0.5 and optimizer.t == 1 and optimizer.state[w]["exp_avg"].item() != 0


# ------------------------------------------------------------------------------ groups, closures


def test_groups_have_settings_of_their_own() -> None:
    a, b = parameter(1.0, grad=[1.0]), parameter(1.0, grad=[1.0])
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
    c = parameter(1.0, grad=[1.0])
    optimizer.add_param_group({"params": c, "lr": 0.25, "momentum": 0.5})
    optimizer.step()
    assert [x.item() for x in (a, b, c)] == [0.9, 0.5, 0.75]
    assert optimizer.lr == 0.1
    optimizer.lr = 1.0
    assert [group["lr"] for group in optimizer.param_groups] == [1.0] * 3
    with pytest.raises(ValueError, match="given twice"):
        optimizer.add_param_group({"params": [a]})
    with pytest.raises(ValueError, match="lr must be at least 0, got -1"):
        optimizer.add_param_group({"params": [parameter(1.0)], "lr": -1})
    with pytest.raises(TypeError, match="a dict with the key"):
        optimizer.add_param_group([parameter(1.0)])  # type: ignore[arg-type]
    assert len(optimizer.param_groups) == 3


def test_a_closure_is_recorded_and_its_loss_returned() -> None:
    from mytorch import no_grad

    w = parameter(2.0)
    optimizer = optim.SGD([w], lr=0.1)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == pytest.approx(1.6)


def test_gradients_can_be_zeroed_in_place() -> None:
    w = parameter(1.0, grad=[3.0])
    grad = w.grad
    optim.SGD([w]).zero_grad(set_to_none=False)
    assert w.grad.tolist() == [0.0] and np.shares_memory(w.grad.data, grad.data)


def test_a_saved_state_survives_the_file(tmp_path: Any) -> None:
    from mytorch import load, save

    w = parameter(1.0, 2.0, grad=[3.0, -4.0])
    optimizer = optim.Adam([w], lr=0.1)
    optimizer.step()
    save(optimizer.state_dict(), tmp_path / "state.npz")
    other = optim.Adam([nn.Parameter(w.data)])
    other.load_state_dict(load(tmp_path / "state.npz"))
    assert other.betas == (0.9, 0.999) and other.t == 1 and other.lr == 0.1
    np.testing.assert_array_equal(
        *[o.state[o.params[0]]["exp_avg"].data for o in (optimizer, other)]
    )


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
        (optim.SGD, {"weight_decay": -1.0}),
        (optim.SGD, {"velocity": "mine"}),
        (optim.Adagrad, {"lr_decay": -1.0}),
        (optim.RMSprop, {"alpha": -1.0}),
        (optim.Adadelta, {"rho": 1.5}),
        (optim.Rprop, {"etas": (1.5, 2.0)}),
        (optim.NAdam, {"momentum_decay": -1.0}),
        (optim.LBFGS, {"line_search_fn": "armijo"}),
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
        Lazy([parameter(1.0, grad=[1.0])], 0.1).step()
