"""The autograd engine: record operations on the way forward, walk them backwards for gradients.

``Function.apply`` runs an operation and, while recording, leaves a ``BackwardFunction`` node in
``output.grad_fn``. The node's ``next_functions`` hold one entry for each argument of the operation:
the argument's own ``grad_fn``, an ``AccumulateGrad`` for a leaf that wants a gradient, or None for
a constant. ``backward`` walks these nodes from the output to the leaves, once each.

Nothing here knows any operation, nor the ``Tensor`` class: the engine sees a ``Variable``.
Source: handout section 0.1 and appendix A; torch.autograd.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from mytorch import grad_mode
from mytorch.context import ContextManager, Promise
from mytorch.custom import by_rule, watched
from mytorch.dtypes import get_default_dtype
from mytorch.errors import DtypeError, ShapeError
from mytorch.grad_mode import live_levels, recording, watching
from mytorch.graph_walk import run_backward
from mytorch.variable import Variable

__all__ = ["AccumulateGrad", "BackwardFunction", "ContextManager", "Function", "backward"]

# --------------------------------------------------------------------------------------- nodes


class BackwardFunction(ContextManager):
    """The node of one recorded operation; it is also the ``ctx`` of that operation.

    Attributes:
        forward_cls: the operation, a subclass of ``Function``.
        next_functions: for each argument the node that its gradient goes to, or None.
        output_shape: of the operation's output, hence of the gradient that arrives here.
        hooks: {id: function} called with the gradient that arrives, or None.
    """

    __slots__ = ("__weakref__", "forward_cls", "next_functions", "output_dtype", "output_shape")

    hooks: dict[int, Any] | None = None
    output_shape: Any
    output_number: int | None = None
    is_leaf = False
    _own: tuple[tuple[int, int], ...] = ()  # (place among the saved, output's number)

    def __init__(self, forward_cls: type[Function], next_functions: list[Any] | None = None):
        self._saved = self._versions = ()
        self.bare = False
        self.forward_cls = forward_cls
        self.next_functions = [] if next_functions is None else next_functions
        if watch := watching.get():
            grad_mode.note_made(self, watch)

    @property
    def function_name(self) -> str:
        """The name of the operation's class."""
        return self.forward_cls.__name__

    @property
    def place(self) -> str:
        """Where the operation was called, for messages; known in anomaly mode."""
        trace = self.__dict__.get("trace")
        return f" It was called at {trace}." if trace else ""

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of the operation, whether its gradient is wanted."""
        needed = self.__dict__.get("needed")
        return needed or tuple([node is not None for node in self.next_functions])

    def _linked(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        if not self._own or not recording.get():
            return saved
        linked = list(saved)
        for place, number in self._own:
            node = OutputNode(self, number) if type(self.output_shape) is list else self
            linked[place] = _link(saved[place].new_alias(), node)
        return tuple(linked)

    def attach(self, output: Any, args: tuple[Any, ...]) -> Any:
        """Make this node the ``grad_fn`` of ``output``, the result of ``forward`` on ``args``."""
        if isinstance(output, tuple):
            return self._attach_many(output, args)
        for arg in args:
            if arg is output:  # an input keeps its own place in the graph
                output = output.new_view(output.data)
        array = output.data
        self.output_shape, self.output_dtype = array.shape, array.dtype
        if self._saved:
            self._detach_saved(output, 0)
        output.grad_fn = self
        output._requires_grad, output.is_leaf = True, False
        return output

    def _attach_many(self, outputs: tuple[Any, ...], args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.output_shape = [(out.data.shape, out.data.dtype) for out in outputs]
        constants = self.__dict__.pop("non_differentiable", ())
        linked = []
        for number, output in enumerate(outputs):
            own = output.new_view(output.data) if any(output is x for x in args) else output
            self._detach_saved(own, number)
            is_constant = any(output is constant for constant in constants)
            linked.append(own if is_constant else _link(own, OutputNode(self, number)))
        return tuple(linked)

    def _detach_saved(self, output: Any, number: int) -> None:
        """Save an alias of an output without its history, or node and output would be a cycle."""
        for place, tensor in enumerate(self._saved or ()):
            if tensor is output:
                self._own += ((place, number),)
                saved = list(self._saved or ())
                saved[place] = output.new_alias()
                self._saved = tuple(saved)

    def apply(self, *grad_outputs: Any) -> Sequence[Any]:
        """Return the gradient for each argument, given that of the output (or of each output).

        Raises:
            TypeError: if the operation's ``backward`` returns the wrong number of gradients.
        """
        self.bare = False
        if self._saved.__class__ is Promise:
            self._saved.keep()
        return self._checked(self.forward_cls._rule(self, *grad_outputs))

    def apply_on_arrays(self, new: Any, *grad_outputs: Any) -> Sequence[Any]:
        """As ``apply``, of arrays, which ``new`` makes Tensors: while nobody follows the walk."""
        cls = self.forward_cls
        if cls.on_arrays:
            self.bare = True
            if self._saved.__class__ is Promise:
                self._saved.keep()
            return self._checked(cls._rule(self, *grad_outputs))
        gradients = self.apply(*[None if grad is None else new(grad) for grad in grad_outputs])
        for gradient in gradients:
            if gradient is not None and not isinstance(gradient, Variable):
                raise TypeError(
                    f"{self.function_name}.backward must return Tensors or None, not "
                    f"{type(gradient).__name__}; wrap an array: grad_output.new(array){self.place}"
                )
        return [None if gradient is None else gradient.data for gradient in gradients]

    def _checked(self, gradients: Any) -> Sequence[Any]:
        """Return the gradients that a ``backward`` returned as a sequence, one an argument."""
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        wanted = len(self.next_functions)
        if len(gradients) != wanted and (
            len(gradients) < wanted or any(g is not None for g in gradients[wanted:])
        ):
            raise TypeError(
                f"{self.function_name}.backward returned {len(gradients)} gradient(s) for "
                f"{wanted} argument(s); return one for each argument of forward, None for those "
                f"that are not tensors.{self.place}"
            )
        return gradients

    def materialized(self, parts: list[Any]) -> list[Any]:
        """Return one gradient for each of several outputs, zeros for those that have none."""
        if not self.__dict__.get("materialize_grads", True):
            return parts
        known = next(part for part in parts if part is not None)
        new = known.new if isinstance(known, Variable) else np.asarray
        return [
            new(np.zeros(*shape_and_dtype)) if part is None else part
            for part, shape_and_dtype in zip(parts, self.output_shape, strict=True)
        ]

    def release(self) -> None:
        """Drop the saved tensors; an operation that saved none can still be walked again."""
        if self._saved:
            self._saved = None

    def __repr__(self) -> str:
        return f"<{self.function_name}Backward>"


class CustomNode(BackwardFunction):
    """The node of an operation that a user wrote, some of whose outputs may be constants."""

    __slots__ = ()

    def attach(self, output: Any, args: tuple[Any, ...]) -> Any:
        """As of any node; outputs that were marked so, and integers from floats, are constants."""
        outputs = output if isinstance(output, tuple) else (output,)
        marked = self.__dict__.get("non_differentiable", ())
        wanted = [a for a in args if isinstance(a, Variable) and a._requires_grad]
        kinds = "fc" if any(a.data.dtype.kind in "fc" for a in wanted) else "biufc"
        constants = [
            each
            for each in outputs
            if each.data.dtype.kind not in kinds or any(each is other for other in marked)
        ]
        if constants and outputs is not output:
            return output
        self.non_differentiable = tuple(constants)
        return super().attach(output, args)


class OutputNode(BackwardFunction):
    """One output of an operation that has several; hands its gradient to the operation's node."""

    __slots__ = ("output_number",)

    def __init__(self, node: BackwardFunction, number: int):
        super().__init__(node.forward_cls, [node])
        self.output_number = number
        self.output_shape, self.output_dtype = node.output_shape[number]


class AccumulateGrad:
    """The node of a leaf: adds what arrives to ``variable.grad``."""

    __slots__ = ("__weakref__", "variable")

    function_name = "AccumulateGrad"
    next_functions: tuple[Any, ...] = ()
    place = ""
    output_number = None
    is_leaf = True

    def __init__(self, variable: Variable):
        self.variable = variable

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the leaf."""
        return self.variable.data.shape

    @property
    def output_dtype(self) -> np.dtype:
        """The dtype of the leaf's gradient."""
        return gradient_dtype(self.variable.data)

    @property
    def hooks(self) -> dict[int, Any] | None:
        """The hooks of the leaf."""
        return self.variable._hooks

    def apply(self, grad: Any) -> tuple[Any, ...]:
        """Add ``grad`` to the leaf's gradient, in a buffer that belongs to this leaf alone."""
        leaf = self.variable
        if not grad_mode.is_traced():
            self.gather(leaf.new, grad.data)
        elif leaf._requires_grad:  # create_graph: the gradient is itself a node of a graph
            leaf.grad = grad.clone() if leaf.grad is None else leaf.grad + grad
        return ()

    def gather(self, new: Any, grad: Any, is_spare: bool = False) -> None:
        """As ``apply``, of an array; one that is ``is_spare``, held by nobody else, is taken."""
        leaf = self.variable
        if not leaf._requires_grad:  # no longer, since the forward pass
            return
        if leaf.grad is None:
            is_own = is_spare and grad.base is None and grad.__class__ is np.ndarray
            leaf.grad = new(grad if is_own and grad.flags.c_contiguous else np.array(grad))
        elif leaf.grad._requires_grad:  # from create_graph: others may still differentiate it
            leaf.grad = leaf.grad.detach() + grad
        else:
            leaf.grad.data += grad
            leaf.grad.mark_changed()

    def release(self) -> None:
        """Nothing is saved here."""

    def __repr__(self) -> str:
        return f"<AccumulateGrad of {self.output_shape}>"


def gradient_dtype(array: np.ndarray) -> np.dtype:
    """The dtype of the gradient of ``array``: its own; for integers the default float."""
    return array.dtype if array.dtype.kind in "fc" else get_default_dtype()


def seed_gradient(name: str, output: Any, gradient: Any) -> Any:
    """Return ``gradient`` as a Tensor that fits ``output``; None means ones.

    Raises:
        ShapeError: another shape; DtypeError: a gradient that is not floating.
    """
    dtype = gradient_dtype(output.data)
    if gradient is None:
        return output.new(np.ones(output.data.shape, dtype))
    if not isinstance(gradient, Variable):
        gradient = output.new(np.array(gradient, dtype))
    if gradient.data.shape != output.data.shape:
        raise ShapeError(
            f"{name}: gradient has shape {gradient.data.shape}, the tensor {output.data.shape}"
        )
    if gradient.data.dtype.kind not in "fc":
        raise DtypeError(
            f"{name}: the gradient is {gradient.data.dtype}; it must be {dtype}: convert it with "
            f"gradient.astype(np.{dtype})"
        )
    return gradient if gradient.data.dtype == dtype else gradient.astype(dtype)


def accumulator_of(leaf: Variable) -> AccumulateGrad:
    """Return the one node that gathers the gradient of ``leaf``.

    The node holds the leaf and the leaf only a weak reference to the node: no cycle, so that
    reference counting alone frees the graph.
    """
    node = leaf._accumulator() if leaf._accumulator is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf._accumulator = weakref.ref(node)
    return node


def edge_to(arg: Any) -> BackwardFunction | AccumulateGrad | None:
    """Return the node that the gradient of ``arg`` goes to; None for a constant."""
    if not isinstance(arg, Variable) or not arg._requires_grad:
        return None
    return arg.grad_fn if arg.grad_fn is not None else accumulator_of(arg)


def edges_to(args: tuple[Any, ...]) -> list[Any]:
    """Return ``edge_to`` of each argument."""
    edges: list[Any] = []
    for arg in args:
        wanted = isinstance(arg, Variable) and arg._requires_grad
        edges.append((arg.grad_fn or accumulator_of(arg)) if wanted else None)
    return edges


def _link(output: Any, node: BackwardFunction) -> Any:
    output.grad_fn = node
    output._requires_grad = True
    output.is_leaf = False
    return output


# ----------------------------------------------------------------------------------- functions


class Function:
    """One operation: ``forward`` computes the value, ``backward`` the gradients.

    A subclass states two static methods, and may state a third::

        forward(ctx, *args)          takes Tensors and plain values, returns a new Tensor
                                     (or a tuple of them)
        backward(ctx, *grad_outputs) one gradient for each output comes in; returns a Tensor or
                                     None for each argument of forward
        jvp(ctx, *tangents)          forward mode: a tangent or None for each argument comes in;
                                     returns the tangent of the output

    ``forward`` works on ``.data`` and makes its result by ``a.new(array)``. ``backward`` and
    ``jvp`` are written in Tensor operations, so that they can be differentiated again. Without a
    ``jvp``, forward mode differentiates ``backward``.

    Attributes:
        on_arrays (bool): ``backward`` and ``jvp`` use nothing but operators, NumPy's functions and
            what arrays and Tensors both have (``shape``, ``sum``, ``reshape``, ``mT``, …). Then the
            engine runs them on arrays, ``ctx.saved_tensors`` being arrays too, unless somebody
            follows: the same lines give the first derivative at NumPy's speed, and on Tensors the
            higher ones.
    """

    jvp: Any = None
    on_arrays = False
    _run: Any  # forward
    _rule: Any  # backward; of what a user wrote, both with an OpenContext (custom.py)
    _node: Any  # the class of its nodes

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        is_own = cls.__module__.startswith("mytorch.")
        cls._run = cls.forward if is_own else staticmethod(partial(watched, cls))
        cls._rule = cls.backward if is_own else staticmethod(partial(by_rule, cls, "backward"))
        cls._node = BackwardFunction if is_own else CustomNode

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Return the result of the operation; see the class."""
        raise NotImplementedError("an operation must define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return one gradient for each argument of forward; see the class."""
        raise NotImplementedError("an operation must define backward(ctx, *grad_outputs)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run the operation, and record it if an argument requires grad and recording is on."""
        if live := live_levels.get():
            from mytorch.forward_mode import apply_dual

            return apply_dual(cls, args, live)
        if recording.get():
            edges = edges_to(args)
            if any(edges):
                node = cls._node(cls, edges)
                return node.attach(cls._run(node, *args), args)
        return cls._run(_unrecorded(ContextManager), *args)


_unrecorded = object.__new__  # what a context that is forgotten is made by: it is not set up


def apply_to_pair(cls: type[Function], a: Variable, b: Variable) -> Any:
    """Return ``cls.apply(a, b)`` of two Tensors: the operators' way, which is shorter."""
    if live := live_levels.get():
        from mytorch.forward_mode import apply_dual

        return apply_dual(cls, (a, b), live)
    if (a._requires_grad or b._requires_grad) and recording.get():
        edges = [
            (a.grad_fn or accumulator_of(a)) if a._requires_grad else None,
            (b.grad_fn or accumulator_of(b)) if b._requires_grad else None,
        ]
        node = BackwardFunction(cls, edges)
        return node.attach(cls._run(node, a, b), (a, b))
    return cls._run(_unrecorded(ContextManager), a, b)


# ------------------------------------------------------------------------------------ backward


def backward(
    grad_fn: BackwardFunction | AccumulateGrad | None,
    grad_of_outputs: Any,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Walk the graph from ``grad_fn`` to the leaves and add to each leaf's ``grad``.

    The handout's depth-first search with its call stack made explicit, and each node visited once,
    after everything that uses its output: a value used k times costs one visit, and a chain of a
    million operations does not overflow the stack.

    Args:
        grad_fn: the node of the final tensor; None does nothing.
        grad_of_outputs (Tensor): gradient of the final tensor, of its shape.
        retain_graph: keep the saved tensors, so that backward can be called again.
        create_graph: record the walk itself, so that the gradients can be differentiated.
    Raises:
        GraphError: a saved tensor was freed or changed; ShapeError: an operation returned a
            gradient of the wrong shape.
    """
    if grad_fn is not None:
        run_backward([(grad_fn, grad_of_outputs)], retain_graph, create_graph)
