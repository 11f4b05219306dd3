"""Schedules that are made of several: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from mytorch.optim.cycles import ReduceLROnPlateau
from mytorch.optim.optimizer import Optimizer
from mytorch.optim.schedules import CosineAnnealingWarmRestarts, LRScheduler

__all__ = ["ChainedScheduler", "SequentialLR"]


class SequentialLR(LRScheduler):
    """One schedule after the other: the next one starts at each of ``milestones``.

    A ``ChainedScheduler`` among them starts at its first rates; torch's skips them, or cannot.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Any],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ):
        _check_schedulers("SequentialLR", optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} "
                f"milestones, got {len(milestones)}"
            )
        self.optimizer, self._schedulers = optimizer, list(schedulers)
        self._milestones, self.last_epoch = list(milestones), last_epoch + 1
        for group in optimizer.param_groups:  # as if only the first had begun
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            _undo(scheduler)
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._first_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:
        """Go on by one epoch."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index and self._milestones[index - 1] == self.last_epoch:
            _begin(scheduler)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch and the state of every schedule."""
        return {
            "last_epoch": self.last_epoch,
            "_milestones": self._milestones,
            "_last_lr": self._last_lr,
            "_schedulers": [each.state_dict() for each in self._schedulers],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        rest = dict(state_dict)
        for each, state in zip(self._schedulers, rest.pop("_schedulers"), strict=True):
            each.load_state_dict(state)
        self.__dict__.update(rest)


def _undo(scheduler: Any) -> None:
    """Take back the first step of a schedule, or of those that it is made of."""
    for each in getattr(scheduler, "_schedulers", ()):
        _undo(each)
    if not hasattr(scheduler, "_schedulers"):
        scheduler.last_epoch -= 1


def _begin(scheduler: Any) -> None:
    """Let a schedule begin at epoch 0 from the initial rates."""
    if scheduler._from_initial:
        for group in scheduler.optimizer.param_groups:
            group["lr"] = group["initial_lr"]
    _set_back(scheduler)
    if scheduler._from_initial:
        scheduler._first_step()
    else:
        scheduler.step()


def _set_back(scheduler: Any) -> None:
    """Set a schedule, and those that it is made of, to before its first step."""
    for each in getattr(scheduler, "_schedulers", ()):
        _set_back(each)
    scheduler.last_epoch = -1
    if isinstance(scheduler, CosineAnnealingWarmRestarts):
        scheduler.T_cur, scheduler.T_i = -1.0, scheduler.T_0


class ChainedScheduler(LRScheduler):
    """Several schedules at once: each multiplies into the rate."""

    def __init__(self, schedulers: Sequence[Any], optimizer: Optimizer | None = None):
        optimizer = optimizer or (schedulers[0].optimizer if schedulers else None)
        _check_schedulers("ChainedScheduler", optimizer, schedulers)
        self.optimizer, self._schedulers = schedulers[0].optimizer, list(schedulers)
        self._last_lr = self._schedulers[-1]._rates()

    def _first_step(self) -> None:
        for scheduler in self._schedulers:
            scheduler._first_step()
        self._last_lr = self._schedulers[-1]._rates()

    def step(self) -> None:
        """Go on by one epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._schedulers[-1]._rates()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every schedule."""
        return {
            "_last_lr": self._last_lr,
            "_schedulers": [each.state_dict() for each in self._schedulers],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned."""
        for each, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            each.load_state_dict(state)
        self._last_lr = state_dict["_last_lr"]


def _check_schedulers(name: str, optimizer: Any, schedulers: Sequence[Any]) -> None:
    if not schedulers:
        raise ValueError(f"{name}: expects at least one scheduler")
    for position, scheduler in enumerate(schedulers):
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(
                f"{name}: scheduler {position} is a ReduceLROnPlateau, whose step needs a measure"
            )
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{name}: scheduler {position} belongs to another optimizer")
