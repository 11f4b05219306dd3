"""Schedules of the learning rate: ``scheduler.step()`` once an epoch, after ``optimizer.step()``.

A schedule changes ``group["lr"]`` of each group, from ``group["initial_lr"]`` on. Most state the
rate relative to the one before, so that several can act on one optimizer (``ChainedScheduler``).
In the formulas e counts the calls of ``step``, and lr_0 is the initial rate.
Source: torch.optim.lr_scheduler.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from mytorch.optim.optimizer import Optimizer

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
    "WarmupLR",
]


class LRScheduler:
    """Base class: a subclass gives the rates of the groups in ``get_lr``.

    Args:
        optimizer: whose rates are changed; last_epoch: the e to go on from, -1 to start.
    Attributes:
        last_epoch (int): e; base_lrs (list[float]): lr_0 of each group.
    """

    _from_initial = True  # in a sequence it begins at lr_0, wherever the one before has left off

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is no Optimizer")
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param_groups[{number}] has no 'initial_lr', which going on from epoch "
                    f"{last_epoch} needs"
                )
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._first_step()

    def _first_step(self) -> None:
        """Take the step that sets the first rates: going on from an epoch, those that are there."""
        self._is_started = False
        self.step()
        self._is_started = True

    def get_lr(self) -> list[float]:
        """Return the rate of each group at epoch ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr()")

    def get_last_lr(self) -> list[float]:
        """Return the rates that were set last."""
        return self._last_lr

    def step(self) -> None:
        """Go on by one epoch."""
        self._warn_if_first()
        self.last_epoch += 1
        self._set(self.get_lr())

    def _warn_if_first(self) -> None:
        if self._is_started and self.last_epoch == 0 and not self.optimizer.steps:
            warnings.warn(
                "scheduler.step() was called before optimizer.step(): the first rate of the "
                "schedule is skipped; call optimizer.step() first",
                UserWarning,
                stacklevel=3,
            )

    def _set(self, rates: Sequence[float]) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = list(rates)

    def _rates(self) -> list[float]:
        """Return the present rate of each group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimizer and functions."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name != "optimizer" and not _has_functions(value)
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        self.__dict__.update(state_dict)


def _has_functions(value: Any) -> bool:
    return callable(value) or (isinstance(value, list) and any(map(callable, value)))


class LambdaLR(LRScheduler):
    """lr = lr_0 * lr_lambda(e); one function for all groups, or a list with one for each."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        self.lr_lambdas = _one_for_each(optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr_0 * lr_lambda(e)."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * function(self.last_epoch) for base, function in pairs]


class MultiplicativeLR(LRScheduler):
    """lr = lr * lr_lambda(e) after the first; one function for all groups, or a list."""

    _from_initial = False

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        self.lr_lambdas = _one_for_each(optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr * lr_lambda(e)."""
        if not self._is_started:
            return self._rates()
        pairs = zip(self._rates(), self.lr_lambdas, strict=True)
        return [rate * function(self.last_epoch) for rate, function in pairs]


def _one_for_each(optimizer: Optimizer, name: str, given: Any) -> list[Any]:
    """Return a list with an entry for each group; a single value is repeated."""
    count = len(optimizer.param_groups)
    if not isinstance(given, (list, tuple)):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"{name}: {len(given)} values for {count} groups of parameters")
    return list(given)


class StepLR(LRScheduler):
    """lr = lr_0 * gamma ** floor(e / step_size)."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr, times gamma where e is a multiple of step_size."""
        turns = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [rate * self.gamma if turns else rate for rate in self._rates()]


class MultiStepLR(LRScheduler):
    """lr falls by the factor gamma at each of ``milestones``."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        self.milestones, self.gamma = dict(Counter(milestones)), gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr, times gamma at a milestone."""
        return [
            rate * self.gamma ** self.milestones.get(self.last_epoch, 0) for rate in self._rates()
        ]


class ConstantLR(LRScheduler):
    """lr = lr_0 * factor until e = total_iters, then lr_0."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0 <= factor <= 1:
            raise ValueError(f"factor must be in [0, 1], got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr, times factor at the start and divided by it at the end."""
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._rates()]
        back = 1 / self.factor if self.last_epoch == self.total_iters else 1.0
        return [rate * back for rate in self._rates()]


class LinearLR(LRScheduler):
    """lr goes from lr_0 * start_factor to lr_0 * end_factor in total_iters steps: a warm-up."""

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor must be in (0, 1], got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor must be in [0, 1], got {end_factor}")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr times the ratio of two neighbouring factors."""
        start, end, total = self.start_factor, self.end_factor, self.total_iters
        if self.last_epoch == 0:
            return [rate * start for rate in self._rates()]
        if not self._is_started or self.last_epoch > total:
            return self._rates()
        before = total * start + (self.last_epoch - 1) * (end - start)
        return [rate * (1 + (end - start) / before) for rate in self._rates()]


class WarmupLR(LRScheduler):
    """lr = lr_0 * min(1, (e + 1) / warmup_iters): no step is taken with a rate of 0.

    Early gradients are dominated by the random initial weights; a small rate keeps them from
    throwing the weights far away. Source: Goyal et al. 2017, arXiv:1706.02677.
    """

    def __init__(self, optimizer: Optimizer, warmup_iters: int, last_epoch: int = -1):
        if warmup_iters < 1:
            raise ValueError(f"warmup_iters must be at least 1, got {warmup_iters}")
        self.warmup_iters = warmup_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr times the ratio of two neighbouring factors."""
        now, before = self.last_epoch + 1, self.last_epoch
        if now > self.warmup_iters or (before and not self._is_started):
            return self._rates()
        ratio = now / before if before else 1 / self.warmup_iters
        return [rate * ratio for rate in self._rates()]


class ExponentialLR(LRScheduler):
    """lr = lr_0 * gamma ** e."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr * gamma."""
        return [rate * self.gamma if self._is_started else rate for rate in self._rates()]


class PolynomialLR(LRScheduler):
    """lr = lr_0 * (1 - e / total_iters) ** power, 0 after that."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr times the ratio of two neighbouring factors."""
        e, total = self.last_epoch, self.total_iters
        if not self._is_started or e > total:
            return self._rates()
        ratio = ((1 - e / total) / (1 - (e - 1) / total)) ** self.power
        return [rate * ratio for rate in self._rates()]


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (lr_0 - eta_min) * (1 + cos(pi * e / T_max)) / 2.

    Source: Loshchilov and Hutter 2016, arXiv:1608.03983.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - torch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return lr times the ratio of two neighbouring cosines."""
        e, period, low = self.last_epoch, self.T_max, self.eta_min
        if not self._is_started:
            return self._rates()
        if (e - 1 - period) % (2 * period) == 0:  # the cosine before was 0
            rise = (1 - math.cos(math.pi / period)) / 2
            return [
                rate + (base - low) * rise
                for rate, base in zip(self._rates(), self.base_lrs, strict=True)
            ]
        ratio = (1 + math.cos(math.pi * e / period)) / (1 + math.cos(math.pi * (e - 1) / period))
        return [ratio * (rate - low) + low for rate in self._rates()]


class CosineAnnealingWarmRestarts(LRScheduler):
    """The cosine, begun anew after T_0 steps, then after T_0 * T_mult, T_0 * T_mult**2, … steps.

    ``step(e)`` goes to any e, which may be a fraction of an epoch.
    Source: Loshchilov and Hutter 2016, arXiv:1608.03983.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - torch's name
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        if T_0 < 1 or T_mult < 1 or int(T_0) != T_0 or int(T_mult) != T_mult:
            raise ValueError(f"T_0 and T_mult must be integers from 1 on, got {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = int(T_0), int(T_mult), eta_min
        self.T_i, self.T_cur = self.T_0, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates at T_cur of a period of T_i steps."""
        factor = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * factor for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on by one epoch, or to the given one."""
        self._warn_if_first()
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        elif epoch < 0:
            raise ValueError(f"epoch must be at least 0, got {epoch}")
        else:
            self.last_epoch, self.T_i, self.T_cur = math.floor(epoch), self.T_0, float(epoch)
            while self.T_cur >= self.T_i:
                if self.T_mult == 1:
                    self.T_cur %= self.T_i
                    break
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self._set(self.get_lr())
