"""Schedules by the batch that go up and down, and the one that waits for progress."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mytorch.optim.optimizer import Optimizer
from mytorch.optim.schedules import LRScheduler, _one_for_each

__all__ = ["CyclicLR", "OneCycleLR", "ReduceLROnPlateau"]


def _momentum_name(name: str, optimizer: Optimizer, cycle_momentum: bool) -> str | None:
    """Return which setting is the momentum, "momentum" or "betas"; None if it is left alone."""
    if not cycle_momentum:
        return None
    for key in ("momentum", "betas"):
        if all(key in group for group in optimizer.param_groups):
            return key
    raise ValueError(
        f"{name}: the optimizer has neither momentum nor betas; pass cycle_momentum=False"
    )


def _set_momentum(group: dict[str, Any], key: str, value: float) -> None:
    group[key] = (value, *group[key][1:]) if key == "betas" else value


class CyclicLR(LRScheduler):
    """lr goes from base_lr to max_lr in step_size_up steps, back in step_size_down, and again.

    Args:
        optimizer: whose rates are changed; base_lr, max_lr: numbers, or lists with one a group.
        step_size_up, step_size_down: steps; down defaults to up.
        mode: "triangular"; "triangular2" halves the height each cycle; "exp_range" scales it by
            gamma**step. scale_fn: instead of a mode, a function of the cycle or of the step, as
            scale_mode ("cycle" or "iterations") says.
        cycle_momentum: let momentum go from max_momentum to base_momentum and back.
    Source: Smith 2015, arXiv:1506.01186; torch.optim.lr_scheduler.CyclicLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Any,
        max_lr: Any,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.8,
        max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ):
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode must be triangular, triangular2 or exp_range, got {mode!r}")
        self.max_lrs = _one_for_each(optimizer, "max_lr", max_lr)
        lows = _one_for_each(optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for group, low in zip(optimizer.param_groups, lows, strict=True):
                group["lr"] = low
        self.total_size = float(step_size_up + (step_size_down or step_size_up))
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma = mode, gamma
        self.scale_mode = scale_mode if scale_fn else "cycle"
        if mode == "exp_range" and not scale_fn:
            self.scale_mode = "iterations"
        self._scale_fn = scale_fn
        self._momentum = _momentum_name("CyclicLR", optimizer, cycle_momentum)
        self.base_momentums = _one_for_each(optimizer, "base_momentum", base_momentum)
        self.max_momentums = _one_for_each(optimizer, "max_momentum", max_momentum)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows

    def _scale(self, x: float) -> float:
        if self._scale_fn is not None:
            return self._scale_fn(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """Return the rates, and set the momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self._momentum:
            spans = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, spans, strict=True):
                _set_momentum(group, self._momentum, high - (high - low) * height * scale)
        return [
            low + (high - low) * height * scale
            for low, high in zip(self.base_lrs, self.max_lrs, strict=True)
        ]


class OneCycleLR(LRScheduler):
    """One rise to max_lr, and one fall far below the start: for a number of steps known before.

    lr goes from max_lr / div_factor to max_lr in the first pct_start of the steps, and then to the
    start / final_div_factor; momentum goes the other way. Called after every batch.

    Args:
        max_lr: a number, or a list with one a group.
        total_steps: or else epochs and steps_per_epoch.
        anneal_strategy: "cos" or "linear".
        three_phase: fall as long as the rise first, and then to the end.
    Source: Smith and Topin 2017, arXiv:1708.07120; torch.optim.lr_scheduler.OneCycleLR.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Any,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Any = 0.85,
        max_momentum: Any = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1 or total_steps != int(total_steps):
            raise ValueError(f"total_steps must be a positive integer, got {total_steps}")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start must be in [0, 1], got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f'anneal_strategy must be "cos" or "linear", got {anneal_strategy!r}')
        self.total_steps, self.anneal_strategy = int(total_steps), anneal_strategy
        self._momentum = _momentum_name("OneCycleLR", optimizer, cycle_momentum)
        highs = _one_for_each(optimizer, "max_lr", max_lr)
        lows = _one_for_each(optimizer, "base_momentum", base_momentum)
        tops = _one_for_each(optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for group, high in zip(optimizer.param_groups, highs, strict=True):
                group["initial_lr"] = high / div_factor
        starts = [float(group["initial_lr"]) for group in optimizer.param_groups]
        rise = float(pct_start * total_steps) - 1
        ends = [rise, total_steps - 1.0]
        rates = [list(each) for each in zip(starts, highs, strict=True)]
        momentums = [list(each) for each in zip(tops, lows, strict=True)]
        if three_phase:
            ends.insert(1, 2 * float(pct_start * total_steps) - 2)
            rates = [[start, high, start] for start, high in rates]
            momentums = [[top, low, top] for top, low in momentums]
        #: of each group, the values at the ends of the phases
        self._rate_levels = [
            [*each, start / final_div_factor] for each, start in zip(rates, starts, strict=True)
        ]
        self._momentum_levels = [[*each, each[0]] for each in momentums]
        self._ends = ends
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates, and set the momentum.

        Raises:
            ValueError: all steps have been taken.
        """
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: step {step} of a schedule of {self.total_steps} steps")
        start = 0.0
        phase = 0
        while step > self._ends[phase] and phase < len(self._ends) - 1:
            start, phase = self._ends[phase], phase + 1
        share = (step - start) / (self._ends[phase] - start)
        if self._momentum:
            for group, levels in zip(
                self.optimizer.param_groups, self._momentum_levels, strict=True
            ):
                value = self._between(levels[phase], levels[phase + 1], share)
                _set_momentum(group, self._momentum, value)
        return [
            self._between(levels[phase], levels[phase + 1], share) for levels in self._rate_levels
        ]

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
        return (end - start) * share + start


class ReduceLROnPlateau(LRScheduler):
    """lr = lr * factor when a measure has not improved for more than ``patience`` steps.

    ``step(measure)`` is called with what is watched, such as the validation loss.

    Args:
        mode: "min" or "max": which is better; factor, patience, min_lr: as above.
        threshold, threshold_mode: what counts as better: by the share ("rel") or amount ("abs").
        cooldown: steps after a reduction in which nothing is counted.
        eps: a smaller change of the rate is not made.
    Source: torch.optim.lr_scheduler.ReduceLROnPlateau.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: Any = 0.0,
        eps: float = 1e-8,
    ):
        if factor >= 1:
            raise ValueError(f"factor must be below 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f'mode must be "min" or "max", got {mode!r}')
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f'threshold_mode must be "rel" or "abs", got {threshold_mode!r}')
        self.optimizer = optimizer
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.min_lrs = _one_for_each(optimizer, "min_lr", min_lr)
        self.last_epoch = 0
        self._last_lr = self._rates()
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0

    def step(self, metrics: Any) -> None:  # type: ignore[override]
        """Take note of the measure after one more epoch."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            pairs = zip(self._rates(), self.min_lrs, strict=True)
            wanted = [max(rate * self.factor, low) for rate, low in pairs]
            self._set(
                [
                    new if rate - new > self.eps else rate
                    for rate, new in zip(self._rates(), wanted, strict=True)
                ]
            )
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * current < sign * self.best * (1 - sign * self.threshold)
        return sign * current < sign * self.best - self.threshold
