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
from typing import Any

import numpy as np

from mytorch.dtypes import get_default_dtype
from mytorch.errors import GraphError, ShapeError
from mytorch.grad_mode import recording
from mytorch.variable import Variable

__all__ = ["AccumulateGrad", "BackwardFunction", "ContextManager", "Function", "backward"]

# --------------------------------------------------------------------------------------- nodes


class _Needed:
    """``needs_input_grad`` of a bare context: every argument's gradient is wanted."""

    def __getitem__(self, index: int) -> bool:
        return True


class ContextManager:
    """What an operation's ``forward`` leaves for its ``backward``: the argument ``ctx``.

    Tensors go through ``save_for_backward``; small plain values may be set as attributes.
    """

    __slots__ = ("__dict__", "_saved", "_versions")

    _saved: tuple[Any, ...] | None
    _versions: list[int]

    def __init__(self) -> None:
        self._saved = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep ``tensors`` (inputs, outputs or constants of forward) until backward needs them.

        Raises:
            TypeError: if one is not a Tensor; keep such a value as an attribute of ctx.
        """
        for tensor in tensors:
            if not isinstance(tensor, Variable):
                raise TypeError(
                    f"save_for_backward takes Tensors, not {type(tensor).__name__}; "
                    "keep other values as attributes: ctx.name = value"
                )
        self._saved = tensors
        self._versions = [0 if t._version is None else t._version[0] for t in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to ``save_for_backward``, unchanged since.

        Raises:
            GraphError: if they were freed by an earlier backward, or changed in place since.
        """
        saved = self._saved
        if saved is None:
            raise GraphError(
                f"backward through {self.function_name} a second time: the tensors it saved were "
                "freed by the first. Call backward(retain_graph=True) the first time, or run the "
                "forward pass again."
            )
        for tensor, version in zip(saved, self._versions if saved else (), strict=True):
            if tensor.version != version:
                raise GraphError(
                    f"a tensor of shape {tensor.data.shape} that {self.function_name} saved for "
                    f"backward was changed in place {tensor.version - version} time(s) since; "
                    "change a copy (tensor.clone()) instead, or do it after backward()."
                )
        return saved

    @property
    def function_name(self) -> str:
        """The name of the operation, for messages."""
        return "this operation"

    @property
    def needs_input_grad(self) -> Any:
        """For each argument of the operation, whether its gradient is wanted."""
        return _Needed()


class BackwardFunction(ContextManager):
    """The node of one recorded operation; it is also the ``ctx`` of that operation.

    Attributes:
        forward_cls: the operation, a subclass of ``Function``.
        next_functions: for each argument the node that its gradient goes to, or None.
        shape: of the operation's output, hence of the gradient that arrives here.
    """

    __slots__ = ("__weakref__", "_own_output", "forward_cls", "next_functions", "shape")

    def __init__(self, forward_cls: type[Function], next_functions: list[Any] | None = None):
        self._saved = ()
        self._own_output: int | None = None  # position of the output among the saved tensors
        self.forward_cls = forward_cls
        self.next_functions = [] if next_functions is None else next_functions
        self.shape: tuple[int, ...] = ()

    @property
    def function_name(self) -> str:
        """The name of the operation's class."""
        return self.forward_cls.__name__

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each argument of the operation, whether its gradient is wanted."""
        return tuple([node is not None for node in self.next_functions])

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """As ``ContextManager.saved_tensors``; a saved output is linked to this node again."""
        saved = super().saved_tensors
        position = self._own_output
        if position is None or not recording.get():
            return saved
        output = saved[position].new_view(saved[position].data)
        return (*saved[:position], self._link(output), *saved[position + 1 :])

    def attach(self, output: Any, args: tuple[Any, ...]) -> Any:
        """Make this node the ``grad_fn`` of ``output``, the result of ``forward`` on ``args``."""
        for arg in args:
            if arg is output:  # an input keeps its own place in the graph
                output = output.new_view(output.data)
        self.shape = output.data.shape
        saved = self._saved or ()
        for position, tensor in enumerate(saved):
            if tensor is output:  # a copy without history, or node and output would be a cycle
                self._own_output = position
                alias = output.new_view(output.data)
                self._saved = (*saved[:position], alias, *saved[position + 1 :])
        return self._link(output)

    def _link(self, output: Any) -> Any:
        output.grad_fn = self
        output._requires_grad = True
        output.is_leaf = False
        return output

    def apply(self, grad_output: Any) -> tuple[Any, ...]:
        """Return the gradient for each argument, given that of the output.

        Raises:
            TypeError: if the operation's ``backward`` returns the wrong number of gradients.
        """
        gradients = self.forward_cls.backward(self, grad_output)
        if not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        wanted = len(self.next_functions)
        if len(gradients) != wanted and (
            len(gradients) < wanted or any(g is not None for g in gradients[wanted:])
        ):
            raise TypeError(
                f"{self.function_name}.backward returned {len(gradients)} gradient(s) for "
                f"{wanted} argument(s); return one for each argument of forward, None for those "
                "that are not tensors"
            )
        return tuple(gradients)

    def release(self) -> None:
        """Drop the saved tensors; an operation that saved none can still be walked again."""
        if self._saved:
            self._saved = None

    def __repr__(self) -> str:
        return f"<{self.function_name}Backward>"


class AccumulateGrad:
    """The node of a leaf: adds what arrives to ``variable.grad``."""

    __slots__ = ("__weakref__", "variable")

    function_name = "AccumulateGrad"
    next_functions: tuple[Any, ...] = ()

    def __init__(self, variable: Variable):
        self.variable = variable

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the leaf."""
        return self.variable.data.shape

    def apply(self, grad: Any) -> tuple[Any, ...]:
        """Add ``grad`` to the leaf's gradient, in a buffer that belongs to this leaf alone."""
        leaf = self.variable
        if recording.get():  # create_graph: the gradient is itself a node of a graph
            leaf.grad = grad if leaf.grad is None else leaf.grad + grad
        elif leaf.grad is None:
            leaf.grad = leaf.new(np.array(grad.data, dtype=gradient_dtype(leaf.data)))
        else:
            leaf.grad.data += grad.data
            leaf.grad.mark_changed()
        return ()

    def release(self) -> None:
        """Nothing is saved here."""

    def __repr__(self) -> str:
        return f"<AccumulateGrad of {self.shape}>"


def gradient_dtype(array: np.ndarray) -> np.dtype:
    """The dtype of the gradient of ``array``: its own; for integers the default float."""
    return array.dtype if array.dtype.kind in "fc" else get_default_dtype()


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


# ----------------------------------------------------------------------------------- functions


class Function:
    """One operation: ``forward`` computes the value, ``backward`` the gradients.

    A subclass states two static methods::

        forward(ctx, *args)          takes Tensors and plain values, returns a new Tensor
        backward(ctx, grad_output)   returns a Tensor or None for each argument of forward

    ``forward`` works on ``.data`` and makes its result by ``a.new(array)``. ``backward`` is written
    in Tensor operations, so that ``create_graph=True`` can differentiate it again.
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Return the result of the operation; see the class."""
        raise NotImplementedError("an operation must define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, grad_output: Any) -> Any:
        """Return one gradient for each argument of forward; see the class."""
        raise NotImplementedError("an operation must define backward(ctx, grad_output)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run the operation, and record it if an argument requires grad and recording is on."""
        if recording.get():
            for arg in args:
                if isinstance(arg, Variable) and arg._requires_grad:
                    node = BackwardFunction(cls, [_edge_to(arg) for arg in args])
                    return node.attach(cls.forward(node, *args), args)
        return cls.forward(ContextManager(), *args)


def _edge_to(arg: Any) -> BackwardFunction | AccumulateGrad | None:
    """Return the node that the gradient of ``arg`` goes to; None for a constant."""
    if not isinstance(arg, Variable) or not arg._requires_grad:
        return None
    return arg.grad_fn if arg.grad_fn is not None else accumulator_of(arg)


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
    if grad_fn is None:
        return
    token = recording.set(create_graph)
    try:
        _walk(grad_fn, grad_of_outputs, retain_graph or create_graph)
    finally:
        recording.reset(token)


def _walk(root: Any, grad_of_root: Any, retain_graph: bool) -> None:
    waiting = _count_uses(root)  # node -> uses of its output that are not walked yet
    gradients = {root: grad_of_root}  # node -> sum of what has arrived so far
    ready = [root]
    while ready:
        node = ready.pop()
        gradient = gradients.pop(node, None)
        following = node.next_functions
        if gradient is None:  # no gradient reached this node: neither does one go on
            arrived: Any = (None,) * len(following)
        else:
            arrived = node.apply(gradient)
            if not retain_graph:
                node.release()
        for target, part in zip(following, arrived, strict=False):
            if target is None:
                continue
            if part is not None:
                if part.data.shape != target.shape:
                    raise ShapeError(
                        f"{node.function_name}.backward returned a gradient of shape "
                        f"{part.data.shape} for an argument of shape {target.shape}"
                    )
                known = gradients.get(target)
                gradients[target] = part if known is None else known + part
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)


def _count_uses(root: Any) -> dict[Any, int]:
    """Return how many edges lead to each node below ``root`` (depth first, each node once)."""
    uses: dict[Any, int] = {root: 0}
    stack = [root]
    while stack:
        for node in stack.pop().next_functions:
            if node is None:
                continue
            if node in uses:
                uses[node] += 1
            else:
                uses[node] = 1
                stack.append(node)
    return uses
