"""``explain``: the backward walk of a tensor, told step by step as in the handout's section 0.1.

A step is one call of the handout's recursive ``autograd_engine.backward``: a depth-first search
from the final tensor down, argument by argument. An operation hands a gradient to each argument; a
leaf adds what arrives to its ``grad``. On a result that is used several times the handout is
silent, and the engine is followed: its operation has one step, with the sum of the gradients, after
the last use.
Source: handout section 0.1.3.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from mytorch.autograd_engine import AccumulateGrad, edge_to, seed_gradient
from mytorch.errors import GraphError
from mytorch.grad_mode import no_grad
from mytorch.graph_walk import RETAIN, add_to, count_uses
from mytorch.tensor import Tensor

__all__ = ["explain"]


def explain(
    tensor: Tensor,
    file: IO[str] | None = None,
    *,
    gradient: Any = None,
    names: Mapping[str, Tensor] | None = None,
    max_steps: int = 50,
) -> None:
    """Print what ``tensor.backward(gradient)`` would do, step by step; nothing is changed.

    No ``grad`` is touched, no hook is called, and the graph is not freed.

    Args:
        tensor: the final tensor, usually the loss.
        file: where to print; default: standard output.
        gradient: dL/d(tensor), of its shape; default: ones.
        names: what to call tensors, as ``{"a": a, "b": b}``. Without a name the tensor itself is
            "final", leaves are "leaf 1", "leaf 2", …, and the result of an addition is "Op: Add".
        max_steps: how many steps to tell; the nodes of the rest are only counted.
    Raises:
        GraphError: the tensor has no graph, or the graph was freed; TypeError: not a Tensor;
            ShapeError or DtypeError: ``gradient`` does not fit.

    >>> a = Tensor(3.0, requires_grad=True)
    >>> explain(a * 2, names={"a": a})
    The gradient of final with respect to itself is all ones: ∂final/∂final = [1]
    <BLANKLINE>
    Step 1: Mul, which made final
      incoming: ∂final/∂final = [1]
      rule:     z = x * y, element by element;  dz/dx = y, dz/dy = x
      outgoing: ∂final/∂a = [2], to step 2
                2nd argument: a constant, no gradient needed
    <BLANKLINE>
    Step 2: AccumulateGrad of a
      incoming: ∂final/∂a = [2]
      a.grad = [2]
    <BLANKLINE>
    Result: a.grad = [2]
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"explain: expects a Tensor, not {type(tensor).__name__}")
    if not tensor.requires_grad:
        raise GraphError(
            "explain: this tensor does not require grad and has no grad_fn, so there is no walk to "
            "tell; make an input with requires_grad=True, outside no_grad()"
        )
    seed = seed_gradient("explain", tensor, gradient)
    with no_grad():
        walk = _Walk(edge_to(tensor), seed, max_steps)
    story = _Story(tensor, names or {})
    text = "\n\n".join(story.paragraphs(walk, seed, gradient is None)) + "\n"
    stream = sys.stdout if file is None else file
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))  # ∂ is not in every encoding


# -------------------------------------------------------------------------------------- the walk


@dataclass
class _Edge:
    """A gradient on its way from an operation to one of its arguments."""

    source: Any  # the node that computed it; None for the seed
    target: Any  # the node that it goes to; None for a constant
    gradient: Any  # Tensor, or None: no gradient
    origins: list[_Edge] = field(default_factory=list)  # summed up into this one on the way
    step: int | None = None  # the number of the step in which it is used

    def used_in(self, step: int) -> None:
        self.step = step
        for origin in self.origins:
            origin.used_in(step)


@dataclass
class _Step:
    """One call of backward: of an operation (with edges), or of a leaf."""

    node: Any
    incoming: Any  # Tensor; for an operation with several outputs a list of Tensors and None
    uses: int = 1  # how many gradients were summed up into ``incoming``
    edges: list[_Edge] = field(default_factory=list)
    before: np.ndarray | None = None  # of a leaf: its grad before this step
    after: np.ndarray | None = None  # and after it


class _Walk:
    """The depth-first search from ``root``, with an explicit stack; its ``steps`` in order."""

    def __init__(self, root: Any, seed: Tensor, max_steps: int):
        self.steps: list[_Step] = []
        self.is_cut = False  # whether max_steps were not enough
        self.waiting = count_uses([root])  # node -> uses of its output that are to come
        self.waiting[root] = 1
        self._arrived: dict[Any, list[_Edge]] = {}
        self._grads: dict[Any, np.ndarray] = {}  # what the grad of a leaf would be by now
        stack = [iter([_Edge(None, root, seed)])]
        while stack and not self.is_cut:
            edge = next(stack[-1], None)
            if edge is None:
                stack.pop()
            elif edge.gradient is not None and len(self.steps) >= max_steps:
                self.is_cut = edge.target is not None
            elif edge.target is not None:
                stack.append(iter(self._follow(edge)))

    def _follow(self, edge: _Edge) -> list[_Edge]:
        """Let ``edge`` arrive; return the edges that leave its target, if that was the last."""
        node = edge.target
        if type(node) is AccumulateGrad:
            self._accumulate(edge)
            return []
        arrived = self._arrived.setdefault(node, [])
        arrived.append(edge)
        self.waiting[node] -= 1
        if self.waiting[node]:
            return []
        gradients: dict[Any, Any] = {}
        for each in arrived:
            if each.gradient is not None and each.source is None:
                gradients[node] = each.gradient
            elif each.gradient is not None:
                add_to(gradients, each.source, node, each.gradient)
        incoming = gradients.get(node)
        if node.output_number is not None:  # no step of its own: it hands on to the operation
            return [_Edge(node, node.next_functions[0], incoming, arrived)]
        return self._operate(node, incoming, arrived)

    def _operate(self, node: Any, incoming: Any, arrived: list[_Edge]) -> list[_Edge]:
        """Tell the step of an operation, unless no gradient has come; return its edges."""
        if incoming is None:
            return [_Edge(node, target, None) for target in node.next_functions]
        parts = node.materialized(incoming) if type(incoming) is list else (incoming,)
        outgoing = zip(node.next_functions, node.apply(*parts), strict=False)
        edges = [_Edge(node, target, part) for target, part in outgoing]
        uses = sum(edge.gradient is not None for edge in arrived)
        self._tell(_Step(node, incoming, uses, edges), arrived)
        return edges

    def _accumulate(self, edge: _Edge) -> None:
        """Tell the step of a leaf, one for each gradient that comes."""
        node = edge.target
        if edge.gradient is None:
            return
        if node not in self._grads and node.variable.grad is not None:
            self._grads[node] = node.variable.grad.data
        before = self._grads.get(node)
        after = edge.gradient.data if before is None else before + edge.gradient.data
        self._grads[node] = after
        self._tell(_Step(node, edge.gradient, before=before, after=after), [edge])

    def _tell(self, step: _Step, arrived: list[_Edge]) -> None:
        self.steps.append(step)
        for edge in arrived:
            edge.used_in(len(self.steps))


# ------------------------------------------------------------------------------------- the story


class _Story:
    """The words for a walk."""

    def __init__(self, tensor: Tensor, names: Mapping[str, Tensor]):
        self._names = {edge_to(named): name for name, named in names.items()}
        self._names.pop(None, None)  # constants have no place in the graph
        self.final = self._names.setdefault(edge_to(tensor), "final")
        self._leaves = 0  # that have no name

    def paragraphs(self, walk: _Walk, seed: Tensor, is_ones: bool) -> Iterator[str]:
        """Yield the paragraphs of the text."""
        start = f"{self._partial(self.final)} = {_show(seed.data)}"
        if is_ones:
            yield f"The gradient of {self.final} with respect to itself is all ones: {start}"
        else:
            yield f"The walk starts from the gradient that was given: {start}"
        for step in walk.steps:
            self._name(step.node)  # numbers the leaves in the order of their steps
        for number, step in enumerate(walk.steps, 1):
            is_leaf = type(step.node) is AccumulateGrad
            lines = self._leaf(step) if is_leaf else self._operation(step)
            if set(step.node.hooks or ()) - {RETAIN}:
                lines.append("it has hooks, which may change it; they are not called here")
            yield f"Step {number}: " + "\n  ".join(lines)
        told = {step.node for step in walk.steps}
        if walk.is_cut:
            rest = [x for x in walk.waiting if x not in told and x.output_number is None]
            yield f"… and {len(rest)} more nodes" if rest else "… and more uses of these leaves"
        else:
            grads = {step.node: step.after for step in walk.steps if step.after is not None}
            results = [f"{self._grad(node)} = {_show(grad)}" for node, grad in grads.items()]
            yield f"Result: {', '.join(results) or 'no gradient reaches a leaf'}"

    def _operation(self, step: _Step) -> list[str]:
        """Return the lines of an operation's step."""
        node = step.node
        made = f", which made {self._names[node]}" if node in self._names else ""
        lines = [f"{node.function_name}{made}"]
        if type(step.incoming) is list:
            for number, part in enumerate(step.incoming):
                of = self._partial(f"{_ordinal(number)} output")
                value = "none has come" if part is None else _show(part.data)
                lines.append(f"incoming: {of} = {value}")
        else:
            total = f", the sum of {step.uses} gradients" if step.uses > 1 else ""
            name = self._name(node)
            lines.append(f"incoming: {self._partial(name)} = {_show(step.incoming.data)}{total}")
        lines.append(f"rule:     {_rule(node.forward_cls)}")
        outgoing = [self._outgoing(edge) for edge in step.edges if edge.target is not None]
        constants = [k for k, edge in enumerate(step.edges) if edge.target is None]
        if constants:
            kind = "a constant" if len(constants) == 1 else "constants"
            which = ", ".join(map(_ordinal, constants))
            outgoing.append(f"{which} argument: {kind}, no gradient needed")
        return [*lines, "outgoing: " + ("\n  " + " " * len("outgoing: ")).join(outgoing)]

    def _outgoing(self, edge: _Edge) -> str:
        partial = self._partial(self._name(edge.target))
        if edge.gradient is None:
            return f"{partial}: none"
        place = "" if edge.step is None else f", to step {edge.step}"
        return f"{partial} = {_show(edge.gradient.data)}{place}"

    def _leaf(self, step: _Step) -> list[str]:
        """Return the lines of a leaf's step."""
        name, grad, part = self._name(step.node), self._grad(step.node), _show(step.incoming.data)
        shape = f", shape {step.node.output_shape}" if step.node.output_shape else ""
        lines = [f"AccumulateGrad of {name}{shape}", f"incoming: {self._partial(name)} = {part}"]
        if step.before is None:
            return [*lines, f"{grad} = {part}"]
        return [*lines, f"{grad}: {_show(step.before)} += {part} -> {_show(step.after)}"]

    def _name(self, node: Any) -> str:
        """Return what to call the tensor that ``node`` made, or the leaf that it stands for."""
        if node not in self._names and type(node) is AccumulateGrad:
            self._leaves += 1
            self._names[node] = f"leaf {self._leaves}"
        if node.output_number is not None:
            operation = f"{_ordinal(node.output_number)} output of {node.function_name}"
        else:
            operation = f"Op: {node.function_name}"
        return self._names.get(node, operation)

    def _partial(self, name: str) -> str:
        return f"∂{_word(self.final)}/∂{_word(name)}"

    def _grad(self, leaf: Any) -> str:
        return f"{_word(self._name(leaf))}.grad"


def _word(name: str) -> str:
    return f"({name})" if " " in name else name


def _rule(operation: type) -> str:
    """Return the formula that the operation's docstring begins with."""
    lines = inspect.cleandoc(operation.__doc__ or "").splitlines()
    if not lines or not lines[0]:
        return f"{operation.__name__}.backward (its docstring states no formula)"
    return lines[0].split(". ")[0].rstrip(".")


def _ordinal(position: int) -> str:
    """Return "1st" for position 0, and so on."""
    number = position + 1
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number in (11, 12, 13) else endings.get(number % 10, 'th')}"


def _show(array: Any) -> str:
    """Return a small array on one line, as the handout's [1]; of a large one what it is like."""
    if array.size > 10:
        return f"{array.shape} from {array.min():.4g} to {array.max():.4g}"
    if not array.size:
        return f"[] of shape {array.shape}"
    text = np.array2string(
        np.atleast_1d(array), separator=", ", formatter={"all": lambda x: f"{x:.4g}"}
    )
    return " ".join(text.split())
