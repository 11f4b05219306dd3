"""The Tensor of a terse solution: its operators are made in a loop."""

import numpy as np

from mytorch import autograd_engine
from mytorch.nn import functional


class Tensor:
    """An array and its history."""

    def __init__(self, data, requires_grad=False, is_leaf=True, is_parameter=False):
        self.data = np.array(data)
        self.__dict__.update(requires_grad=requires_grad, is_leaf=is_leaf)
        self.__dict__.update(is_parameter=is_parameter, grad=None, grad_fn=None)

    @property
    def shape(self):
        """The shape."""
        return self.data.shape

    def backward(self):
        """Start from ones."""
        autograd_engine.backward(self.grad_fn, Tensor(np.ones_like(self.data, dtype=float)))


def _operator(name):
    def method(self, other):
        operand = other if isinstance(other, Tensor) else Tensor(other)
        return getattr(functional, name).apply(self, operand)

    return method


for _dunder, _name in {"add": "Add", "sub": "Sub", "mul": "Mult", "truediv": "Div"}.items():
    setattr(Tensor, f"__{_dunder}__", _operator(_name))
Tensor.__rmul__ = Tensor.__mul__
Tensor.__matmul__ = _operator("MatMul")
Tensor.T = lambda self: functional.Transpose.apply(self)
Tensor.__neg__ = lambda self: self * -1.0
