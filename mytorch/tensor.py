"""``Tensor``: a NumPy array that remembers how it was computed.

What a tensor can compute is inherited from ``mytorch.methods``; here is what a tensor is.
The module is also callable, as torch's factory: ``mytorch.tensor([1.0, 2.0])``.
Source: handout appendix A; torch.Tensor.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mytorch.autograd_engine import AccumulateGrad, edge_to, seed_gradient
from mytorch.conversions import Conversions, array_of
from mytorch.devices import check_device
from mytorch.dtypes import get_default_dtype
from mytorch.errors import GraphError
from mytorch.grad_mode import is_transformed, live_levels, set_grad_enabled
from mytorch.graph_walk import RETAIN, run_backward
from mytorch.hooks import RemovableHandle
from mytorch.ops.common import normalize_axes, shape_of
from mytorch.ops.index import plain_index
from mytorch.ops.joining import cat
from mytorch.ops.pointwise import where
from mytorch.printing import represent
from mytorch.size import Size
from mytorch.variable import Variable

__all__ = ["Tensor", "cat", "tensor", "where"]


class Tensor(Conversions):
    """A multi-dimensional array that can be differentiated.

    Args:
        data: numbers, nested sequences, an array or a Tensor; always copied, the dtype kept.
        requires_grad: record operations on this tensor, and keep its gradient in ``grad``.
        is_leaf: False only for the result of an operation; ``Function.apply`` sees to it.
        is_parameter: marks a parameter of a Module.
    Attributes:
        data (np.ndarray): the values; ``grad`` (Tensor | None): the gradient, of a leaf only;
        grad_fn (BackwardFunction | None): the node that computed this tensor.
    Raises:
        DtypeError: requires_grad for an integer array (the handout's ``Tensor(1,
            requires_grad=True)`` of Python integers is allowed; its gradient is floating).

    >>> a = Tensor(2.0, requires_grad=True)
    >>> (a * a).backward()
    >>> a.grad
    tensor(4.)
    """

    __slots__ = ()

    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        is_leaf: bool = True,
        is_parameter: bool = False,
    ):
        self.data = array_of("Tensor", data)
        self.grad = self.grad_fn = self._version = self._accumulator = None
        self._base = self._hooks = self._tangents = self._views = None
        self._requires_grad = False
        if requires_grad and isinstance(data, (np.ndarray, np.generic, Variable)):
            self.requires_grad = True  # checks the dtype
        self._requires_grad = bool(requires_grad)
        self.is_leaf = bool(is_leaf)
        self.is_parameter = bool(is_parameter)

    # ------------------------------------------------------------------------------ factories

    @staticmethod
    def zeros(*shape: Any) -> Tensor:
        """Return zeros of ``shape`` and the default dtype."""
        return wrap(np.zeros(shape_of(shape), get_default_dtype()))

    @staticmethod
    def ones(*shape: Any) -> Tensor:
        """Return ones of ``shape`` and the default dtype."""
        return wrap(np.ones(shape_of(shape), get_default_dtype()))

    @staticmethod
    def empty(*shape: Any) -> Tensor:
        """Return uninitialised memory of ``shape`` and the default dtype."""
        return wrap(np.empty(shape_of(shape), get_default_dtype()))

    @staticmethod
    def arange(*interval: Any) -> Tensor:
        """Return start, start + step, … below stop, as ``np.arange``; integers stay integers."""
        return wrap(np.arange(*interval))

    @staticmethod
    def randn(*shape: Any) -> Tensor:
        """Return ``np.random.normal(0, 1, shape)``, drawn by NumPy's global generator."""
        draws = np.random.normal(0.0, 1.0, shape_of(shape))
        return wrap(np.asarray(draws, get_default_dtype()))

    # ------------------------------------------------------------------------------ attributes

    @property
    def shape(self) -> Size:
        """The size along each axis."""
        return _size(Size, self.data.shape)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the elements."""
        return self.data.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one axis."""
        return self.shape if dim is None else self.shape[normalize_axes(dim, self.ndim)[0]]

    def dim(self) -> int:
        """Return the number of axes."""
        return self.data.ndim

    ndimension = dim

    # ------------------------------------------------------------------------------ autograd

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to the ``grad`` of every leaf it was computed from.

        Args:
            gradient (Tensor): dL/d(self), of this shape; ones where not given (handout, step 1).
            retain_graph: keep the graph for a second backward (default: as ``create_graph``).
            create_graph: make the gradients differentiable themselves.
            inputs: the tensors whose ``grad`` is added to, and no other's; default: all leaves.
        Raises:
            GraphError: nothing here requires grad, or the graph was freed or changed.
            ShapeError: ``gradient`` has another shape; DtypeError: it is not floating.
        """
        if not self._requires_grad:
            raise GraphError(
                "backward: this tensor does not require grad and has no grad_fn; make an input "
                "with requires_grad=True, outside no_grad()"
            )
        root = (edge_to(self), seed_gradient("backward", self, gradient))
        keep = create_graph if retain_graph is None else retain_graph
        if inputs is None:
            run_backward([root], keep, create_graph)
            return
        tensors = [inputs] if isinstance(inputs, Variable) else list(dict.fromkeys(inputs))
        targets = [edge_to(tensor) for tensor in tensors]
        if not targets or None in targets:
            raise GraphError("backward: inputs must be tensors that require grad, at least one")
        found = run_backward([root], keep, create_graph, targets)
        for tensor, target in zip(tensors, targets, strict=True):
            if found[target] is not None and not getattr(tensor, "retains_grad", False):
                with set_grad_enabled(create_graph):
                    AccumulateGrad(tensor).apply(found[target])

    def detach(self) -> Tensor:
        """Return this tensor without its history or tangent; it shares the memory."""
        alias = self.new_alias()
        alias._tangents = None
        return alias

    def detach_(self) -> Tensor:
        """Forget the history of this tensor itself: it becomes a leaf that needs no gradient."""
        if self._base is not None:
            raise GraphError("detach_: this tensor is a view; use detach(), which makes a new one")
        if self.grad_fn is not None:
            self.mark_changed()  # or an operation that saved it would take it for a constant
        self.grad_fn = self._tangents = None
        self._requires_grad, self.is_leaf = False, True
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` in place and return the tensor."""
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this result in ``grad``, as a leaf's is."""
        if not self._requires_grad:
            raise GraphError(
                "retain_grad: this tensor does not require grad; make an input with "
                "requires_grad=True, outside no_grad()"
            )
        if self.grad_fn is None or self.retains_grad:
            return
        own = weakref.ref(self)

        def keep(gradient: Tensor) -> None:
            tensor = own()
            if tensor is not None:
                known = tensor.grad
                tensor.grad = gradient.clone() if known is None else known + gradient

        if self.grad_fn.hooks is None:
            self.grad_fn.hooks = {}
        self.grad_fn.hooks[RETAIN] = keep  # in place: handles of other hooks hold the dict

    @property
    def retains_grad(self) -> bool:
        """Whether ``retain_grad`` was called on this result."""
        return self.grad_fn is not None and RETAIN in (self.grad_fn.hooks or {})

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call ``hook(gradient)`` when the gradient of this tensor is known.

        What the hook returns, if not None, takes the gradient's place. Returns a handle whose
        ``remove()`` takes the hook off again. Source: torch.Tensor.register_hook.
        """
        if not self._requires_grad:
            raise GraphError(
                "register_hook: this tensor does not require grad; make an input with "
                "requires_grad=True, outside no_grad()"
            )
        if self.grad_fn is None:
            self._hooks = {} if self._hooks is None else self._hooks
            return RemovableHandle(self._hooks, hook)
        self.grad_fn.hooks = {} if self.grad_fn.hooks is None else self.grad_fn.hooks
        return RemovableHandle(self.grad_fn.hooks, hook)

    # ------------------------------------------------------------------------------ copies

    def copy(self) -> Tensor:
        """Return a copy without history (handout); ``clone`` keeps it."""
        return self.new(self.data.copy())

    # ------------------------------------------------------------------------------ Python

    def __len__(self) -> int:
        if not self.data.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self.data.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.data.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, value: Any) -> bool:
        return bool((self.data == plain_index(value)).any())

    def __bool__(self) -> bool:
        self._check_one_element("the truth value", "use t.data.any() or t.data.all()")
        return bool(self.data.item())

    def __float__(self) -> Any:
        if is_transformed():
            self._refuse_to_lose()
        return float(self.item())

    def _refuse_to_lose(self) -> None:
        """Raise GraphError where the derivative that is being computed would pass through here."""
        tangents = self._tangents or {}
        if self._requires_grad or not tangents.keys().isdisjoint(live_levels.get()):
            raise GraphError(
                "float: this tensor is being differentiated, and the number would not be; NumPy "
                "asks for it in `array[i] = tensor`: build the array with np.stack or "
                "np.concatenate, or write into a Tensor. For the value alone: tensor.item()"
            )

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            raise TypeError("only an integer tensor of one element can be an index")
        return int(self.data.item())

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if self.ndim else format(self.item(), spec)

    def __repr__(self) -> str:
        return represent(self)


# ------------------------------------------------------------------------------------- helpers


_size = tuple.__new__  # a Size of what are integers already
_EMPTY = Tensor(())


def wrap(array: Any, requires_grad: bool = False) -> Tensor:
    """Return a Tensor around ``array``, which is not copied: how factories make theirs."""
    made = Variable.new(_EMPTY, array)
    if requires_grad:
        made.requires_grad = True  # checks the dtype
    return made


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Return a Tensor that holds a copy of ``data`` (torch.tensor); ``mytorch.tensor(…)``.

    Args:
        data: a number, an array, a Tensor, or nested sequences of them.
        dtype: by default what an array or a Tensor has; int64 for Python's integers, and for its
            floats the default dtype.
        device: the CPU.
        requires_grad: record operations on it, and keep its gradient.
    Raises:
        DtypeError: no numbers, or they do not fit into ``dtype``, or requires_grad for integers;
        ShapeError: sequences of different lengths; ValueError: an integer too large for int64.

    >>> tensor([1, 2, 3])
    tensor([1, 2, 3])
    """
    check_device("tensor", device)
    return wrap(array_of("tensor", data, dtype), requires_grad)


class _CallableModule(types.ModuleType):
    """A module that is also torch's factory, so that ``mytorch.tensor`` is both."""

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        return tensor(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
