"""``Optimizer``, the base class: which parameters, and what every optimiser does alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mytorch.tensor import Tensor

__all__ = ["Optimizer"]


class Optimizer:
    """Holds parameters; a subclass defines ``step``, one update from the parameters' gradients.

    Args:
        params: an iterable of parameters, such as ``model.parameters()``.
        lr: the learning rate.
    Attributes:
        params (list[Tensor]): the parameters.
    Raises:
        ValueError: no parameters, one given twice, or a negative rate; TypeError: one that is no
            floating Tensor.
    """

    #: names of the numbers, and of the lists of arrays (one for each parameter), that are its state
    _numbers: tuple[str, ...] = ("lr",)
    _buffers: tuple[str, ...] = ()

    lr: float

    def __init__(self, params: Iterable[Tensor], lr: float):
        if isinstance(params, Tensor):
            raise TypeError("params must be an iterable of Tensors: use [tensor]")
        self.params = list(params)
        if not self.params:
            raise ValueError("the optimizer got no parameters")
        for position, parameter in enumerate(self.params):
            if not isinstance(parameter, Tensor):
                raise TypeError(f"params[{position}] is a {type(parameter).__name__}, no Tensor")
            if parameter.dtype.kind not in "fc":
                raise TypeError(
                    f"params[{position}] is {parameter.dtype}; only floats can be moved"
                )
        if len({id(parameter) for parameter in self.params}) < len(self.params):
            raise ValueError("a parameter was given twice; it would be updated twice a step")
        if not lr >= 0:
            raise ValueError(f"lr must be at least 0, got {lr}")
        self.lr = lr

    def step(self) -> None:
        """Update every parameter that has a gradient, in place, outside the graph."""
        raise NotImplementedError(f"{type(self).__name__} must define step()")

    def zero_grad(self) -> None:
        """Forget the gradients (set them to None), so that the next backward starts afresh."""
        for parameter in self.params:
            parameter.grad = None

    def _zeros(self) -> list[np.ndarray]:
        """Return one array of zeros for each parameter."""
        return [np.zeros_like(parameter.data) for parameter in self.params]

    def state_dict(self) -> dict[str, Any]:
        """Return the numbers and copies of the arrays that ``step`` depends on."""
        state: dict[str, Any] = {name: getattr(self, name) for name in self._numbers}
        for name in self._buffers:
            state[name] = [array.copy() for array in getattr(self, name)]
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned.

        Raises:
            ValueError: entries missing, or arrays of other shapes; nothing is changed then.
        """
        shapes = [parameter.data.shape for parameter in self.params]
        missing = [name for name in (*self._numbers, *self._buffers) if name not in state]
        if missing:
            raise ValueError(f"load_state_dict({type(self).__name__}): missing {missing}")
        for name in self._buffers:
            given = [np.shape(array) for array in state[name]]
            if given != shapes:
                raise ValueError(
                    f"load_state_dict({type(self).__name__}): {name} has shapes {given}, "
                    f"the parameters {shapes}"
                )
        for name in self._numbers:
            setattr(self, name, state[name])
        for name in self._buffers:
            for own, array in zip(getattr(self, name), state[name], strict=True):
                own[...] = array
