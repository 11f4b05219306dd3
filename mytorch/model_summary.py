"""A summary of a model: what each layer returns, holds, computes and keeps for backward.

Nothing of it is estimated from the kind of a layer. A copy of the model is run once on an example;
the multiply-adds are those of the operations that ran, and the bytes kept for backward those that
the recorded graph holds on to. So it is right for layers that nobody knows here.
"""

from __future__ import annotations

import contextlib
import copy
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mytorch.autograd_engine import BackwardFunction, edge_to
from mytorch.dtypes import get_default_dtype
from mytorch.errors import ShapeError
from mytorch.grad_mode import enable_grad
from mytorch.graph_walk import count_uses
from mytorch.nn.module import Module
from mytorch.profiler import operations, readable_bytes, replaced
from mytorch.random import fork_rng
from mytorch.tensor import Tensor

__all__ = ["Row", "Summary", "summary"]

_turn = threading.RLock()  # what one thread puts in place, another must not put back


@dataclass
class Row:
    """One layer: what it does itself, without the layers in it.

    Attributes:
        path: where it is in the model, as ``model.get_submodule`` takes it; "" is the model.
        kind: its class. calls: how often it was called.
        shape: of its output, of the last call; of several Tensors a tuple of shapes, of a dict a
            dict; None while there was no call.
        parameters, trainable_parameters: how many numbers; a shared one counts where it is first.
        multiply_adds: of products of matrices, convolutions and attention, as
            ``torch.utils.flop_counter`` has them (which counts two operations for each).
        bytes_kept: memory that backward needs, where it is first kept: inputs, results, masks.
            Parameters and buffers, which are there anyway, do not count.
    """

    path: str
    kind: str
    calls: int = 0
    shape: Any = None
    parameters: int = 0
    trainable_parameters: int = 0
    multiply_adds: int = 0
    bytes_kept: int = 0


class Summary:
    """The rows of a model, in the order of ``named_modules``; prints as a table.

    Attributes:
        rows (list[Row]); and of all of them together: parameters, trainable_parameters,
            multiply_adds, bytes_kept.
    """

    def __init__(self, rows: list[Row]):
        self.rows = rows

    def _total(self, name: str) -> int:
        return sum(getattr(row, name) for row in self.rows)

    parameters = property(lambda self: self._total("parameters"))
    trainable_parameters = property(lambda self: self._total("trainable_parameters"))
    multiply_adds = property(lambda self: self._total("multiply_adds"))
    bytes_kept = property(lambda self: self._total("bytes_kept"))

    def __str__(self) -> str:
        head = ("layer", "class", "output", "parameters", "multiply-adds", "kept for backward")
        cells: list[tuple[str, ...]] = [head]
        for row in self.rows:
            kind = row.kind if row.calls < 2 else f"{row.kind} ({row.calls} calls)"
            shape = "not called" if not row.calls else str(row.shape)
            cells.append((row.path or "(model)", kind, shape, *_numbers(row)))
        cells.append(("total", "", "", *_numbers(self)))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        aligned = [
            "  ".join(
                cell.ljust(width) if place < 3 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in cells
        ]
        rule = "-" * len(aligned[0])
        lines = [aligned[0], rule, *aligned[1:-1], rule, aligned[-1]]
        if self.trainable_parameters != self.parameters:
            lines.append(f"{self.trainable_parameters:,} of the parameters are trained")
        return "\n".join(line.rstrip() for line in lines)

    __repr__ = __str__


def _numbers(row: Any) -> tuple[str, ...]:
    kept = readable_bytes(row.bytes_kept) if row.bytes_kept else "-"
    return *(f"{n:,}" if n else "-" for n in (row.parameters, row.multiply_adds)), kept


def summary(model: Module, *inputs: Any, **kwargs: Any) -> Summary:
    """Run a copy of ``model`` once; return its layers with what each costs, to be printed.

    The model is left as it was, lazy layers and running statistics included, and so is NumPy's
    random generator. The copy runs in the model's mode, training or evaluation, and is recorded.

    Args:
        inputs, kwargs: the arguments of the model. For a Tensor its shape will do, with the batch:
            a tuple of ints stands for standard normal numbers, of the parameters' dtype.
    Raises:
        TypeError: ``model`` is no Module, or cannot be copied; and whatever the model raises.

    >>> from mytorch import nn
    >>> summary(nn.Sequential(nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10)), (100, 784))
    layer    class       output     parameters  multiply-adds  kept for backward
    ----------------------------------------------------------------------------
    (model)  Sequential  (100, 10)           -              -                  -
    0        Linear      (100, 20)      15,700      1,568,000          612.5 KiB
    1        ReLU        (100, 20)           -              -           15.6 KiB
    2        Linear      (100, 10)         210         20,000                  -
    ----------------------------------------------------------------------------
    total                               15,910      1,588,000          628.1 KiB
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expects a Module, got {type(model).__name__}")
    try:
        twin = copy.deepcopy(model)
    except TypeError as error:
        raise TypeError(
            f"summary: runs a copy of the model, and {type(model).__name__} cannot be copied: "
            f"{error}"
        ) from error
    dtypes = [p.dtype for p in twin.parameters() if p.dtype.kind == "f"]
    dtype = dtypes[0] if dtypes else get_default_dtype()
    args = [_example(value, dtype) for value in inputs]
    named = {name: _example(value, dtype) for name, value in kwargs.items()}
    run = _Run(twin)
    with _turn, fork_rng(), enable_grad(), run.watched():
        output = twin(*args, **named)
    run.count_parameters()
    run.count_kept(output)
    return Summary([run.row_of(module) for module in twin.modules()])


def _example(value: Any, dtype: Any) -> Any:
    """Return ``value`` with a Tensor in place of each shape."""
    if isinstance(value, tuple) and all(isinstance(size, int) for size in value):
        return Tensor(np.random.default_rng(0).standard_normal(value).astype(dtype))
    if type(value) in (list, tuple):
        return type(value)(_example(each, dtype) for each in value)
    return value


# --------------------------------------------------------------------------------- the run


class _Run:
    """One run of a model: which layer is at work, and what it does."""

    def __init__(self, model: Module):
        self.model = model
        self.rows: dict[int, Row] = {}  # by the id of the module
        self.within: list[Row] = []  # the layers that are being called, the innermost last
        self.nodes: list[tuple[BackwardFunction, Row]] = []  # what was recorded, and by whom
        self.thread = threading.get_ident()

    def row_of(self, module: Module) -> Any:
        """Return the row of a module of the model, of any other None."""
        if id(module) not in self.rows:  # at first none is there; a model may also add layers
            for path, each in self.model.named_modules():
                self.rows.setdefault(id(each), Row(path, type(each).__name__))
        return self.rows.get(id(module))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """See every call of a module and of an operation inside a ``with`` block."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(replaced(Module, "__call__", self._module(Module.__call__)))
            for operation in operations():
                watched = self._operation(operation, operation._run)
                stack.enter_context(replaced(operation, "_run", staticmethod(watched)))
            yield

    def _module(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(module: Module, *args: Any, **kwargs: Any) -> Any:
            row = self.row_of(module) if threading.get_ident() == self.thread else None
            if row is None:
                return call(module, *args, **kwargs)
            self.within.append(row)
            try:
                output = call(module, *args, **kwargs)
            finally:
                self.within.pop()
            row.kind, row.calls, row.shape = type(module).__name__, row.calls + 1, _shapes(output)
            return output

        return watched

    def _operation(self, operation: type, run: Callable[..., Any]) -> Callable[..., Any]:
        names = [each.__name__ for each in operation.__mro__ if _is_ours(each)]
        rule = next((_MULTIPLY_ADDS[name] for name in names if name in _MULTIPLY_ADDS), None)

        def watched(ctx: Any, *args: Any) -> Any:
            result = run(ctx, *args)
            if self.within and threading.get_ident() == self.thread:
                if rule is not None:
                    self.within[-1].multiply_adds += rule(result, *args)
                if isinstance(ctx, BackwardFunction):
                    self.nodes.append((ctx, self.within[-1]))
            return result

        return watched

    def count_parameters(self) -> None:
        """Count each parameter in the first layer that has it."""
        seen: set[int] = set()
        for module in self.model.modules():
            row = self.row_of(module)
            for parameter in module.parameters(recurse=False):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    count = _size(parameter)
                    row.parameters += count
                    row.trainable_parameters += count if parameter.requires_grad else 0

    def count_kept(self, output: Any) -> None:
        """Count each memory in the first layer of which an operation keeps it.

        What was recorded and dropped again is not in the graph of the output, and not kept.
        """
        edges = [edge_to(each) for each in _leaves(output)]
        reached = count_uses([edge for edge in edges if edge is not None])
        own = [each for each in (*self.model.parameters(), *self.model.buffers()) if _size(each)]
        seen = {id(_memory(each.data)) for each in own}
        for node, row in self.nodes:
            if node not in reached:
                continue
            for each in _leaves((node._saved, vars(node))):
                memory = _memory(each.data if isinstance(each, Tensor) else each)
                if id(memory) not in seen:
                    seen.add(id(memory))
                    row.bytes_kept += memory.nbytes


def _is_ours(operation: type) -> bool:
    return operation.__module__.startswith("mytorch.ops.")


def _size(tensor: Tensor) -> int:
    try:
        return tensor.data.size
    except ShapeError:  # of a lazy layer that was not called
        return 0


def _shapes(output: Any) -> Any:
    """Return the shape of a Tensor, the shapes of several in their structure."""
    if isinstance(output, Tensor):
        return tuple(output.shape)
    if isinstance(output, (tuple, list)):
        return tuple(_shapes(each) for each in output)
    if isinstance(output, dict):
        return {key: _shapes(each) for key, each in output.items()}
    return None


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the Tensors and arrays in tuples, lists and dicts."""
    if isinstance(value, (Tensor, np.ndarray)):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)


def _memory(array: np.ndarray) -> np.ndarray:
    """Return the array that owns the memory of ``array``."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


# --------------------------------------------------------------------------------- the counts


def _contraction(z: Any, a: Any, b: Any, terms: tuple[str, str, str]) -> int:
    sizes = dict(zip(terms[0] + terms[1], a.shape + b.shape, strict=True))
    return math.prod(sizes.values())


def _recurrence(rows: Any, steps: Any, x: Any, h: Any, c: Any, *weights: Any) -> int:
    w_ih, w_hh, _, _, w_hr = weights
    each = sum(weight.data.size for weight in (w_ih, w_hh, w_hr) if weight is not None)
    return each * math.prod(x.shape[:-1])


#: of an operation, what it returned and its arguments -> its multiply-adds. All others, which do
#: a few operations for each element, count for nothing.
_MULTIPLY_ADDS: dict[str, Callable[..., int]] = {
    "Affine": lambda y, x, weight, *_: y.data.size * weight.shape[1],
    "MatMul": lambda z, a, b: z.data.size * a.shape[-1],
    "Contraction": _contraction,
    "Convolution": lambda y, x, weight, *_: y.data.size * math.prod(weight.shape[1:]),
    "TransposedConvolution": lambda x, y, weight, *_: y.data.size * math.prod(weight.shape[1:]),
    "Attention": lambda y, q, k, v, *_: (
        y.data.size // (v.shape[-1] or 1) * k.shape[-2] * (k.shape[-1] + v.shape[-1])
    ),
    "Recurrence": _recurrence,
}
