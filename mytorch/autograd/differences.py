"""Central differences of a function of tensors: what ``gradcheck`` holds derivatives against.

For every element x_j of an input and y_i of an output the difference quotient is

    Q_ij = (f(x + h e_j) - f(x - h e_j))_i / 2h    with h = eps * max(1, |x_j|).

In float64 (u = 1.1e-16) it is off by about h**2 |f'''| / 6 + u |f| / h: with eps = 1e-6, and f and
its derivatives of size 1, by 1e-10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from mytorch.autograd.forward import jvp
from mytorch.autograd.gradients import gradients
from mytorch.errors import DtypeError
from mytorch.tensor import Tensor

__all__ = [
    "Columns",
    "GradcheckError",
    "Mismatch",
    "Subject",
    "as_tuple",
    "columns_of",
    "rounding_of",
]


class Mismatch(NamedTuple):
    """The element at which a derivative is the most wrong.

    Attributes:
        input, output: positions among the arguments and the results of the function.
        input_index, output_index: the element of each; None stands for a random direction (of the
            input) or a random cotangent (of the output).
        analytic, numeric: the derivative by the engine and by central differences.
        allowed: the absolute error that the tolerances allow here.
    """

    input: int
    output: int
    input_index: tuple[int, ...] | None
    output_index: tuple[int, ...] | None
    analytic: float
    numeric: float
    allowed: float

    @property
    def absolute_error(self) -> float:
        """|analytic - numeric|, nan where either is."""
        return abs(self.analytic - self.numeric)

    @property
    def relative_error(self) -> float:
        """|analytic - numeric| / |numeric|; infinite where numeric is 0."""
        return self.absolute_error / abs(self.numeric) if self.numeric else float("inf")


class GradcheckError(RuntimeError):
    """A derivative is wrong or cannot be checked; ``worst`` is its Mismatch, if there is one."""

    def __init__(self, message: str, worst: Mismatch | None = None):
        super().__init__(message)
        self.worst = worst


def as_tuple(values: Any) -> tuple[Any, ...]:
    """Return a tuple or list as a tuple, and anything else as a tuple of one."""
    return tuple(values) if isinstance(values, (tuple, list)) else (values,)


class Subject:
    """The function that is checked, where it is checked, and what its parts are called.

    Attributes:
        places: the positions of the inputs that are checked, which are those that require grad.
        points: the arrays of these inputs.
        input_names, output_word: what messages call an input, and an output.
    Raises:
        ValueError: no input requires grad; DtypeError: one that does is not float64.
    """

    def __init__(self, check: str, func: Callable[..., Any], inputs: tuple[Any, ...]):
        self.check, self.func, self.inputs = check, func, inputs
        self.input_names = [f"input {place}" for place in range(len(inputs))]
        self.output_word = "output"
        self.places = [
            place for place, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad
        ]
        if not self.places:
            raise ValueError(
                f"{check}: no input requires grad, so there is nothing to check; make one with "
                "mytorch.tensor(values, requires_grad=True)"
            )
        for place in self.places:
            dtype = inputs[place].dtype
            if dtype != np.float64:
                raise DtypeError(
                    f"{check}: input {place} is {dtype}, but only in float64 do central "
                    "differences stand out from rounding; convert with x.double()"
                )
        self.points: list[np.ndarray] = [inputs[place].data for place in self.places]

    def leaves(self) -> list[Tensor]:
        """Return copies of the checked inputs."""
        return [Tensor(point, requires_grad=True) for point in self.points]

    def call(self, *leaves: Tensor) -> dict[int, Tensor]:
        """Return the floating outputs by position, with ``leaves`` for the checked inputs."""
        arguments = list(self.inputs)
        for place, leaf in zip(self.places, leaves, strict=True):
            arguments[place] = leaf
        result = self.func(*arguments)
        outputs = as_tuple(result)
        if not any(isinstance(out, Tensor) for out in outputs):
            raise TypeError(
                f"{self.check}: the function must return a Tensor or a tuple of them, not "
                f"{type(result).__name__}"
            )
        return {
            place: out
            for place, out in enumerate(outputs)
            if isinstance(out, Tensor) and out.dtype.kind in "fc"
        }

    def gradients(self, *arguments: Any) -> tuple[Any, ...]:
        """Return the gradient for each of the inputs, which come first in ``arguments``.

        After them come the gradients of the outputs. An input that is not checked gets None.
        """
        leaves = [arguments[place] for place in self.places]
        outputs, cotangents = list(self.call(*leaves).values()), arguments[len(self.inputs) :]
        found = gradients(outputs, leaves, cotangents, create_graph=True, materialize_grads=True)
        result: list[Any] = [None] * len(self.inputs)
        for place, gradient in zip(self.places, found, strict=True):
            result[place] = gradient
        return tuple(result)

    def check_shapes(self, outputs: dict[int, Tensor], others: dict[int, Tensor]) -> None:
        """Raise GradcheckError if two calls gave outputs of different shapes."""
        before, after = [{k: x.data.shape for k, x in each.items()} for each in (outputs, others)]
        if before != after:
            raise GradcheckError(
                f"{self.check}: the shapes of the outputs change between calls: "
                f"{list(before.values())}, then {list(after.values())}"
            )


def rounding_of(values: np.ndarray) -> float:
    """Return the error that rounding may leave in ``values``: 16 u max|values|."""
    return 8 * float(np.finfo(np.float64).eps) * float(np.abs(values).max(initial=0))


class Columns(NamedTuple):
    """Derivatives of one output (m elements) along d directions of one input (n elements)."""

    quotients: np.ndarray  # (m, d), by central differences
    rounding: np.ndarray  # (m, d), how far these may be off by the rounding of the outputs
    tangents: np.ndarray | None  # (m, d), by forward mode, where asked for
    directions: np.ndarray | None  # (n, d), each of largest component 1; None: the axes


def columns_of(
    subject: Subject,
    number: int,
    outputs: dict[int, Tensor],
    direction: np.ndarray | None,
    eps: float,
    forward: bool,
) -> dict[int, Columns]:
    """Return the derivatives of every output along the axes of one input.

    Args:
        number: of the input, among those that are checked.
        outputs: what the function returned at the point itself.
        direction: differentiate along this one only.
        eps: the step, see the module; forward: whether to compute tangents as well.
    """
    point = subject.points[number]
    quotients: dict[int, list[Any]] = {place: [] for place in outputs}
    rounding: dict[int, list[Any]] = {place: [] for place in outputs}
    tangents: dict[int, list[Any]] = {place: [] for place in outputs}
    directions = []
    for step in _steps(point, direction, eps):
        width = 2 * np.abs(step).max()
        high, low = [_moved(subject, number, x, outputs) for x in (point + step, point - step)]
        if direction is not None:
            directions.append(2 * step.reshape(-1) / width)
        along = _tangents(subject, number, 2 * step / width) if forward else {}
        for place in outputs:
            quotients[place].append((high[place] - low[place]) / width)
            noise = rounding_of(high[place]) / width
            rounding[place].append(np.full_like(high[place], noise))
            if forward:
                tangents[place].append(along[place].data.reshape(-1))
    return {
        place: Columns(
            _table(quotients[place], out.data.size),
            _table(rounding[place], out.data.size),
            _table(tangents[place], out.data.size) if forward else None,
            None if direction is None else _table(directions, point.size),
        )
        for place, out in outputs.items()
    }


def _table(columns: list[Any], size: int) -> np.ndarray:
    """Return columns of ``size`` numbers side by side, also where there are none."""
    return np.array(columns, np.float64).reshape(len(columns), size).T


def _steps(point: np.ndarray, direction: np.ndarray | None, eps: float) -> Iterator[np.ndarray]:
    """Yield a step along each axis, or one along ``direction``; none where there is no element."""
    scale = eps * np.maximum(1.0, np.abs(point))
    if direction is not None and point.size:
        yield scale * direction
    elif direction is None:
        for element in np.ndindex(point.shape):
            step = np.zeros(point.shape)
            step[element] = scale[element]
            yield step


def _moved(
    subject: Subject, number: int, point: np.ndarray, outputs: dict[int, Tensor]
) -> dict[int, np.ndarray]:
    """Return the flat outputs with another point for one of the inputs."""
    leaves = subject.leaves()
    leaves[number] = Tensor(point, requires_grad=True)
    found = subject.call(*leaves)
    subject.check_shapes(outputs, found)
    return {place: out.data.reshape(-1) for place, out in found.items()}


def _tangents(subject: Subject, number: int, direction: np.ndarray) -> dict[int, Tensor]:
    """Return the derivative of each output along a direction of one input, by forward mode."""
    directions = [np.zeros(point.shape) for point in subject.points]
    directions[number] = direction
    return jvp(subject.call, tuple(subject.leaves()), tuple(directions))[1]
