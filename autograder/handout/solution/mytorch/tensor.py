"""Tensor: an array that remembers how it was made."""

import numpy as np

import mytorch.nn.functional as F
from mytorch import autograd_engine


class Tensor:
    """An array and what autograd needs to know of it; HANDOUT.md, appendix A, explains its
    attributes."""

    def __init__(self, data, requires_grad=False, is_leaf=True, is_parameter=False):
        self.data = np.array(data)
        self.requires_grad = requires_grad
        self.is_leaf = is_leaf
        self.grad_fn = None
        self.grad = None
        self.is_parameter = is_parameter

    @property
    def shape(self):
        """The shape of the array."""
        return self.data.shape

    def copy(self):
        """Return a constant with the same numbers."""
        return Tensor(self.data)

    def fill_(self, fill_value):
        """Set every number."""
        self.data.fill(fill_value)
        return self

    @staticmethod
    def ones(*shape):
        """Return ones."""
        return Tensor(np.ones(shape))

    @staticmethod
    def zeros(*shape):
        """Return zeros."""
        return Tensor(np.zeros(shape))

    @staticmethod
    def randn(*shape):
        """Return standard normal numbers."""
        return Tensor(np.random.normal(0, 1, shape))

    def T(self):
        """Return the transpose."""
        return F.Transpose.apply(self)

    def log(self):
        """Return the logarithm."""
        return F.Log.apply(self)

    def exp(self):
        """Return e to the power of self."""
        return F.Exp.apply(self)

    def sum(self, axis=None, keepdims=False):
        """Return the sum over an axis."""
        return F.Sum.apply(self, axis, keepdims)

    def __add__(self, other):
        return F.Add.apply(self, to_tensor(other))

    def __sub__(self, other):
        # handout: begin 1.2 As __add__, with Sub.
        return F.Sub.apply(self, to_tensor(other))
        # handout: end

    def __mul__(self, other):
        # handout: begin 1.2 As __add__, with Mult.
        return F.Mult.apply(self, to_tensor(other))
        # handout: end

    def __truediv__(self, other):
        # handout: begin 1.2 As __add__, with Div.
        return F.Div.apply(self, to_tensor(other))
        # handout: end

    def __matmul__(self, other):
        return F.MatMul.apply(self, other)

    def __rmul__(self, other):
        return F.Mult.apply(to_tensor(other), self)

    def backward(self):
        """Compute the gradients of all leaves that this Tensor was made from."""
        # handout: begin 1.2 Start the search at this tensor: what is the gradient of a tensor
        #     with respect to itself?
        autograd_engine.backward(self.grad_fn, Tensor(np.ones(self.shape)))
        # handout: end


def to_tensor(x):
    """Turn a number into a constant."""
    return x if isinstance(x, Tensor) else Tensor(x)
