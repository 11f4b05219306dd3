"""A submission as programs see it: its names, its Tensors, and what they hold as plain values."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


class Complaint(Exception):
    """The submission gave something of the wrong kind; the text tells the student what."""


class Library:
    """The submission's modules and names, imported when they are first asked for."""

    def __init__(self, submission: str) -> None:
        self.submission = submission

    def name(self, module: str, *names: str) -> Any:
        """Return the first of the names that a module of the submission has.

        Raises:
            Complaint: it has none of them.
        """
        imported = importlib.import_module(module)
        for name in names:
            if hasattr(imported, name):
                return getattr(imported, name)
        raise Complaint(f"{module} has no {' or '.join(names)}")

    def tensor(self, array: Any, requires_grad: bool = False, is_parameter: bool = False) -> Any:
        """Return a new leaf Tensor of the submission's."""
        make = self.name("mytorch.tensor", "Tensor")
        return make(array, requires_grad=requires_grad, is_parameter=is_parameter)

    def backward(self, output: Any, cotangent: np.ndarray | None) -> None:
        """Run the submission's backward pass, from ones (None) or from the gradient given."""
        if cotangent is None:
            output.backward()
        else:
            if output.grad_fn is None:
                raise Complaint(
                    "the output's grad_fn is None: Function.apply did not record the operation, "
                    "or the output does not require a gradient"
                )
            run = self.name("mytorch.autograd_engine", "backward")
            run(output.grad_fn, self.tensor(cotangent))


def value(tensor: Any, name: str) -> np.ndarray:
    """Return a Tensor's array, as plain numbers.

    Raises:
        Complaint: it is no Tensor, or does not hold numbers.
    """
    if not any(cls.__name__ == "Tensor" for cls in type(tensor).__mro__):
        raise Complaint(f"{name} is a {type(tensor).__name__}; it should be a Tensor")
    data = tensor.data
    if not isinstance(data, np.ndarray | np.generic | float | int):
        raise Complaint(f"{name}.data is a {type(data).__name__}; it should be a np.ndarray")
    array = np.array(data)
    if array.dtype.kind not in "biuf":
        raise Complaint(f"{name}.data has dtype {array.dtype}; it should hold numbers")
    return array if array.dtype.itemsize <= 8 else array.astype(np.float64)


def gradient(tensor: Any, name: str) -> np.ndarray | None:
    """Return the array of a Tensor's gradient, or None where it has none."""
    return None if tensor.grad is None else value(tensor.grad, f"{name}.grad")


def plain(flag: Any) -> bool | str:
    """Return a flag as bool, or say what else it is."""
    return bool(flag) if isinstance(flag, bool | np.bool_) else f"a {type(flag).__name__}"


def node(grad_fn: Any) -> str:
    """Return the class name of a graph's node."""
    return "None" if grad_fn is None else type(grad_fn).__name__
