"""Schedules of the learning rate beside torch's, epoch by epoch, and after being restored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mytorch import nn, optim
from mytorch.optim import lr_scheduler
from mytorch.tensor import Tensor

# Each makes a schedule of ``s`` (mytorch's or torch's lr_scheduler) for an optimizer ``o``.
SCHEDULES: dict[str, Any] = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda e: 0.9**e / (1 + e)),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.9 + 0.01 * e),
    "step": lambda s, o: s.StepLR(o, 3, 0.5),
    "multistep": lambda s, o: s.MultiStepLR(o, [2, 5, 5, 9], 0.5),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 4),
    "linear": lambda s, o: s.LinearLR(o, 0.1, 0.8, 6),
    "linear default": lambda s, o: s.LinearLR(o),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.8),
    "polynomial": lambda s, o: s.PolynomialLR(o, 7, 2.0),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 5, 0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "one cycle": lambda s, o: s.OneCycleLR(o, 1.0, total_steps=20),
    "one cycle linear": lambda s, o: s.OneCycleLR(
        o, [1.0, 2.0], epochs=4, steps_per_epoch=5, anneal_strategy="linear", pct_start=0.4,
        div_factor=5, final_div_factor=10,
    ),
    "one cycle of three phases": lambda s, o: s.OneCycleLR(o, 1.0, 20, three_phase=True),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.1, 1.0, 4),
    "cyclic 2": lambda s, o: s.CyclicLR(o, 0.1, [1.0, 2.0], 3, 2, mode="triangular2"),
    "cyclic exp": lambda s, o: s.CyclicLR(o, 0.1, 1.0, 3, mode="exp_range", gamma=0.9),
    "cyclic own": lambda s, o: s.CyclicLR(
        o, 0.1, 1.0, 3, scale_fn=lambda x: 1 / x, cycle_momentum=False
    ),
    "sequence": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=4), s.ExponentialLR(o, 0.9)], [4]
    ),
    "sequence of three": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.StepLR(o, 2, 0.5), s.CosineAnnealingLR(o, 4)], [3, 8]
    ),
    "sequence with a sequence first": lambda s, o: s.SequentialLR(
        o,
        [
            s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 5), s.StepLR(o, 2, 0.5)], [3]),
            s.ExponentialLR(o, 0.9),
        ],
        [8],
    ),
    "sequence to cycles": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1), s.CyclicLR(o, 0.01, 0.7, 4)], [3]
    ),
    "sequence to a multiplicative": lambda s, o: s.SequentialLR(
        o, [s.MultiplicativeLR(o, lambda e: 0.9), s.MultiplicativeLR(o, lambda e: 0.5)], [2]
    ),
    "chain": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.5, 4), s.ExponentialLR(o, 0.9)]),
}  # fmt: skip
EPOCHS = 19


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch, or a visible skip."""
    yield pytest.importorskip("torch", reason="torch is not installed")


def mine() -> Any:
    groups = [{"params": [nn.Parameter([1.0])]}, {"params": [nn.Parameter([1.0])], "lr": 0.2}]
    return optim.SGD(groups, lr=0.5, momentum=0.9)


def settings(optimizer: Any) -> list[float]:
    groups = optimizer.param_groups
    return [group["lr"] for group in groups] + [group["momentum"] for group in groups]


@pytest.mark.filterwarnings("ignore")  # torch's of itself
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_epoch_has_torchs_rate(torch: Any, name: str) -> None:
    tensors = [torch.ones(1, requires_grad=True) for _ in range(2)]
    theirs = torch.optim.SGD(
        [{"params": [tensors[0]]}, {"params": [tensors[1]], "lr": 0.2}], lr=0.5, momentum=0.9
    )
    found = []
    for library, optimizer in ((lr_scheduler, mine()), (torch.optim.lr_scheduler, theirs)):
        scheduler = SCHEDULES[name](library, optimizer)
        rates = [settings(optimizer)]
        for _ in range(EPOCHS):
            optimizer.step()
            scheduler.step()
            rates.append(settings(optimizer))
            np.testing.assert_allclose(scheduler.get_last_lr(), rates[-1][:2], rtol=1e-12)
        found.append(rates)
    np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_a_plateau_is_noticed_when_torch_notices_it(
    torch: Any, mode: str, threshold_mode: str
) -> None:
    theirs = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    ours = optim.SGD([nn.Parameter([1.0])], lr=0.5)
    measures = [5, 4, 4, 4, 4, 3.9999, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, float("nan"), 1]
    found = []
    for library, optimizer in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs)):
        scheduler = library.ReduceLROnPlateau(
            optimizer, mode, 0.5, 2, 1e-3, threshold_mode, cooldown=1, min_lr=0.01
        )
        rates = []
        for measure in measures:
            scheduler.step(Tensor(measure) if library is lr_scheduler else measure)
            rates.append(optimizer.param_groups[0]["lr"])
        found.append(rates)
    assert found[0] == found[1]


@pytest.mark.parametrize("name", [name for name in SCHEDULES if "lambda" not in name])
def test_a_restored_schedule_goes_on(name: str) -> None:
    whole = mine()
    scheduler = SCHEDULES[name](lr_scheduler, whole)
    saved: Any = None
    expected = []
    for epoch in range(12):
        if epoch == 6:
            saved = whole.state_dict(), scheduler.state_dict()
        whole.step()
        scheduler.step()
        expected.append(settings(whole))
    other = mine()
    scheduler = SCHEDULES[name](lr_scheduler, other)
    other.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    for wanted in expected[6:]:
        other.step()
        scheduler.step()
        assert settings(other) == wanted


def test_warm_up_rises_from_a_share_and_stays() -> None:
    optimizer = mine()
    scheduler = lr_scheduler.WarmupLR(optimizer, 4)
    rates = [optimizer.lr]
    for _ in range(5):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.lr)
    np.testing.assert_allclose(rates, [0.125, 0.25, 0.375, 0.5, 0.5, 0.5])


def test_restarts_can_be_set_to_a_fraction_of_an_epoch(torch: Any) -> None:
    theirs = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.5)
    ours, found = optim.SGD([nn.Parameter([1.0])], lr=0.5), []
    for library, optimizer in ((lr_scheduler, ours), (torch.optim.lr_scheduler, theirs)):
        scheduler = library.CosineAnnealingWarmRestarts(optimizer, 3, 2)
        optimizer.step()
        rates = []
        for epoch in (0.5, 2.9, 3.0, 7.25, 9.0, 21.0, 1.5):
            scheduler.step(epoch)
            rates.append(optimizer.param_groups[0]["lr"])
        found.append(rates)
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_schedule_stepped_before_the_optimizer_is_warned_of() -> None:
    scheduler = lr_scheduler.StepLR(mine(), 1)
    with pytest.warns(UserWarning, match=r"scheduler.step\(\) was called before optimizer.step"):
        scheduler.step()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: lr_scheduler.StepLR("x", 1), TypeError, "str is no Optimizer"),
        (lambda o: lr_scheduler.StepLR(o, 1, last_epoch=3), KeyError, "initial_lr"),
        (lambda o: lr_scheduler.LambdaLR(o, [abs]), ValueError, "1 values for 2 groups"),
        (lambda o: lr_scheduler.ConstantLR(o, 2.0), ValueError, "factor must be in"),
        (lambda o: lr_scheduler.LinearLR(o, 0.0), ValueError, "start_factor must be"),
        (lambda o: lr_scheduler.LinearLR(o, 0.5, -1.0), ValueError, "end_factor must be"),
        (lambda o: lr_scheduler.WarmupLR(o, 0), ValueError, "warmup_iters must be"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0), ValueError, "total_steps, or epochs"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, pct_start=2), ValueError, "pct_start"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, anneal_strategy="x"), ValueError, "anneal"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 1.0, mode="x"), ValueError, "mode must be"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1), ValueError, "factor must be"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, mode="x"), ValueError, "mode must be"),
        (lambda o: lr_scheduler.SequentialLR(o, [], []), ValueError, "at least one"),
        (lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)], [1]), ValueError,
         "need 0 milestones"),
        (lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(mine(), 1)], o), ValueError,
         "belongs to another"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "from 1 on"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make(mine())


def test_a_momentum_that_is_not_there_is_asked_to_be_left_alone() -> None:
    with pytest.raises(ValueError, match="cycle_momentum=False"):
        lr_scheduler.OneCycleLR(optim.Adagrad([nn.Parameter([1.0])]), 1.0, 5)
    adam = optim.Adam([nn.Parameter([1.0])])
    lr_scheduler.OneCycleLR(adam, 1.0, 5)
    assert adam.betas == (0.95, 0.999)


def test_one_cycle_ends() -> None:
    optimizer = mine()
    scheduler = lr_scheduler.OneCycleLR(optimizer, 1.0, 3)
    optimizer.step()
    with pytest.raises(ValueError, match="step 4 of a schedule of 3 steps"):
        for _ in range(9):
            scheduler.step()


RESUMABLE = [
    *("lambda", "lambdas", "multiplicative", "step", "multistep", "linear", "exponential"),
    *("polynomial", "cosine", "one cycle", "cyclic"),
]


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_schedule_made_anew_from_an_epoch_on_has_torchs_rates(torch: Any, name: str) -> None:
    def resumed(s: Any, make: Any) -> list[list[float]]:
        first = make()
        schedule = SCHEDULES[name](s, first)
        for _ in range(5):
            first.step()
            schedule.step()
        second = make()
        second.load_state_dict(first.state_dict())

        class From:  # passes last_epoch to whichever schedule is made
            def __getattr__(self, kind: str) -> Any:
                return lambda *args, **options: getattr(s, kind)(*args, **options, last_epoch=4)

        schedule = SCHEDULES[name](From(), second)
        rates = [[group["lr"] for group in second.param_groups]]
        for _ in range(6):
            second.step()
            schedule.step()
            rates.append([group["lr"] for group in second.param_groups])
        return rates

    def theirs() -> Any:
        groups = [{"params": [torch.zeros(1)]}, {"params": [torch.zeros(1)], "lr": 0.2}]
        return torch.optim.SGD(groups, lr=0.5, momentum=0.9)

    expected = resumed(torch.optim.lr_scheduler, theirs)
    np.testing.assert_allclose(resumed(lr_scheduler, mine), expected, rtol=1e-12)


def test_a_chain_may_be_part_of_a_sequence() -> None:
    optimizer = mine()
    chain = lr_scheduler.ChainedScheduler(
        [lr_scheduler.ConstantLR(optimizer, 0.5, 2), lr_scheduler.ExponentialLR(optimizer, 0.1)]
    )
    schedule = lr_scheduler.SequentialLR(
        optimizer, [lr_scheduler.ConstantLR(optimizer, 1.0, 9), chain], [2]
    )
    rates = []
    for _ in range(6):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates, [0.5, 0.5, 0.25, 0.025, 0.005, 0.0005])
    optimizer = mine()
    chain = lr_scheduler.ChainedScheduler([lr_scheduler.ExponentialLR(optimizer, 0.1)])
    later = lr_scheduler.ConstantLR(optimizer, 1.0, 9)
    schedule = lr_scheduler.SequentialLR(optimizer, [chain, later], [2])
    assert optimizer.param_groups[0]["lr"] == 0.5  # torch's makes a step too much here
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="scheduler 1 is a ReduceLROnPlateau, whose step needs"):
        lr_scheduler.SequentialLR(optimizer, [chain, plateau], [2])
