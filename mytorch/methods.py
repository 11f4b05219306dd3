"""``Operations``: the operators and methods of a tensor, each a call of one operation.

Nothing is computed here; the operations are in ``mytorch.nn.functional`` and ``mytorch/ops/``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import mytorch.nn.functional as F
from mytorch.dtypes import scalar_dtype
from mytorch.ops.common import Axes, check_broadcast, normalize_axes
from mytorch.variable import Variable

__all__ = ["Operations", "shape_of"]


def shape_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape given as ``f(2, 3)`` or as ``f((2, 3))``."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple(int(size) for size in sizes)


def _reduction(name: str, axis: Any, keepdims: bool, names: dict[str, Any]) -> tuple[Any, bool]:
    """Return (axis, keepdims), either of which may be named as in torch: dim, keepdim."""
    axis, keepdims = names.pop("dim", axis), names.pop("keepdim", keepdims)
    if names:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(names))!r}")
    return axis, keepdims


def _operator(operation: Any, reflected: bool = False) -> Callable[[Any, Any], Any]:
    """Return the method behind an operator: ``operation`` on this tensor and the other operand."""
    apply = operation.apply

    def method(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            other = self._operand(other)
            if other is None:
                return NotImplemented
        return apply(other, self) if reflected else apply(self, other)

    return method


def _comparison(ufunc: Any) -> Callable[[Any, Any], Any]:
    """Return the method behind a comparison: a boolean tensor, never recorded."""

    def method(self: Any, other: Any) -> Any:
        other = self._operand(other)
        if other is None:
            return NotImplemented
        check_broadcast(ufunc.__name__, self.data.shape, other.data.shape)
        return self.new(ufunc(self.data, other.data))

    return method


class Operations(Variable):
    """What tensors compute with: ``+ - * / ** @ ==``, indexing, reductions, shapes."""

    __slots__ = ()
    __array_priority__ = 1000  # beside an array of NumPy's, a tensor decides

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        from mytorch.numpy_protocol import call_ufunc

        return call_ufunc(ufunc, method, inputs, keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        from mytorch.numpy_protocol import call_function

        return call_function(function, types, args, keywords)

    # ------------------------------------------------------------------------------ arithmetic

    def _operand(self, other: Any) -> Any:
        """Return ``other`` as a constant beside this tensor, or None if it is no number or array.

        A Python number takes this tensor's dtype (an integer tensor with a float: the default).
        """
        if isinstance(other, (bool, int, float)):
            return self.new(np.asarray(other).astype(scalar_dtype(other, self.data.dtype)))
        if isinstance(other, (np.ndarray, np.generic)):
            return self.new(np.asarray(other))
        return other if isinstance(other, Variable) else None

    __add__, __radd__ = _operator(F.Add), _operator(F.Add, reflected=True)
    __sub__, __rsub__ = _operator(F.Sub), _operator(F.Sub, reflected=True)
    __mul__, __rmul__ = _operator(F.Mul), _operator(F.Mul, reflected=True)
    __truediv__, __rtruediv__ = _operator(F.Div), _operator(F.Div, reflected=True)
    __pow__, __rpow__ = _operator(F.Pow), _operator(F.Pow, reflected=True)
    __matmul__, __rmatmul__ = _operator(F.MatMul), _operator(F.MatMul, reflected=True)

    def __neg__(self) -> Any:
        return F.Neg.apply(self)

    def __pos__(self) -> Any:
        return self

    __eq__, __ne__ = _comparison(np.equal), _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__  # by identity, as torch: == compares elements

    # ------------------------------------------------------------------------------ functions

    def exp(self) -> Any:
        """Return e**x."""
        return F.Exp.apply(self)

    def log(self) -> Any:
        """Return the natural logarithm."""
        return F.Log.apply(self)

    def relu(self) -> Any:
        """Return max(x, 0)."""
        return F.relu(self)

    def sigmoid(self) -> Any:
        """Return 1 / (1 + e**-x)."""
        return F.sigmoid(self)

    def tanh(self) -> Any:
        """Return the hyperbolic tangent."""
        return F.tanh(self)

    def softmax(self, dim: int = -1) -> Any:
        """Return e**x_i / sum_j e**x_j along ``dim``."""
        return F.softmax(self, dim)

    def log_softmax(self, dim: int = -1) -> Any:
        """Return log softmax(x) along ``dim``."""
        return F.log_softmax(self, dim)

    def sum(self, axis: Axes = None, keepdims: bool = False, **names: Any) -> Any:
        """Return the sum over ``axis`` (also ``dim``), None for all."""
        return F.Sum.apply(self, *_reduction("sum", axis, keepdims, names))

    def mean(self, axis: Axes = None, keepdims: bool = False, **names: Any) -> Any:
        """Return the mean over ``axis`` (also ``dim``), None for all; of floats only."""
        return F.Mean.apply(self, *_reduction("mean", axis, keepdims, names))

    def logsumexp(self, axis: Axes = None, keepdims: bool = False, **names: Any) -> Any:
        """Return log sum e**x over ``axis`` (also ``dim``), without overflow."""
        return F.LogSumExp.apply(self, *_reduction("logsumexp", axis, keepdims, names))

    def max(self, axis: int | None = None, keepdims: bool = False, **names: Any) -> Any:
        """Return the largest element, or ``(values, indices)`` along one axis (also ``dim``).

        Ties as torch: over everything they share the gradient, along an axis the first takes it.
        """
        axis, keepdims = _reduction("max", axis, keepdims, names)
        if axis is None:
            return F.Max.apply(self)
        indices = self.argmax(axis, keepdims=True)
        values = F.Gather.apply(self, indices.data, axis) if self.data.ndim else F.Clone.apply(self)
        if keepdims or not self.data.ndim:
            return values, indices
        return values.squeeze(axis), indices.squeeze(axis)

    def argmax(self, axis: int | None = None, keepdims: bool = False, **names: Any) -> Any:
        """Return the index of the first largest element (a nan is the largest), as int64."""
        axis, keepdims = _reduction("argmax", axis, keepdims, names)
        normalize_axes(axis, self.data.ndim)
        if self.data.size == 0:
            raise IndexError(f"argmax: nothing to choose from in shape {self.data.shape}")
        if self.data.ndim == 0:
            return self.new(np.zeros((), np.int64))
        return self.new(np.asarray(self.data.argmax(axis=axis, keepdims=keepdims), np.int64))

    # ------------------------------------------------------------------------------ shape

    def reshape(self, *shape: Any) -> Any:
        """Return the same elements in another shape; one size may be -1."""
        return F.Reshape.apply(self, shape_of(shape))

    def transpose(self, dim0: int, dim1: int) -> Any:
        """Return the tensor with two axes exchanged."""
        axes = list(range(self.data.ndim))
        first, second = normalize_axes(dim0, len(axes)), normalize_axes(dim1, len(axes))
        if axes:  # a 0-d tensor has nothing to exchange
            axes[first[0]], axes[second[0]] = second[0], first[0]
        return F.Transpose.apply(self, tuple(axes))

    @property
    def mT(self) -> Any:  # noqa: N802 - torch's name
        """The tensor with its last two axes exchanged."""
        return self.transpose(-1, -2)

    def T(self) -> Any:  # noqa: N802 - the handout's name
        """Return the transpose, all axes reversed: a method, as in the handout."""
        return F.Transpose.apply(self)

    def unsqueeze(self, dim: int = 0) -> Any:
        """Return the tensor with an axis of size 1 inserted at ``dim``."""
        return F.Unsqueeze.apply(self, dim)

    def squeeze(self, dim: Axes = None) -> Any:
        """Return the tensor without its axes of size 1, or only those of ``dim``."""
        return F.Squeeze.apply(self, dim)

    def expand(self, *shape: Any) -> Any:
        """Return the tensor repeated to ``shape`` by broadcasting, without a copy."""
        return F.Expand.apply(self, shape_of(shape))

    def __getitem__(self, index: Any) -> Any:
        return F.Slice.apply(self, index)
