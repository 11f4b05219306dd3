"""Transforms in reverse mode: functions that take a function and return its derivative.

A function may take and return Tensors, or be plain NumPy code; arguments named by ``argnums`` may
be nested tuples, lists and dicts of Tensors, arrays and floats. Where arrays are given, arrays come
back; where Tensors are given, Tensors. Transforms nest in any order.
Source: jax.grad, jax.vjp, …; autograd.elementwise_grad; torch.func, torch.autograd.functional.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd.gradients import gradients
from mytorch.autograd.trees import flatten, is_value, map_leaves
from mytorch.autograd_engine import AccumulateGrad, edge_to
from mytorch.errors import DtypeError, ShapeError
from mytorch.grad_mode import enable_grad, is_grad_enabled, is_transformed, transforms
from mytorch.graph_walk import count_uses
from mytorch.ops.shape import Alias
from mytorch.tensor import Tensor, cat

__all__ = ["elementwise_grad", "grad", "jacobian", "jacrev", "value_and_grad", "vjp"]

ArgNums = int | tuple[int, ...]


# ------------------------------------------------------------------------------ in and out


class _Call:
    """One call of a transformed function: its differentiated arguments as tensors, and back."""

    def __init__(self, name: str, args: tuple[Any, ...], argnums: ArgNums):
        self.name = name
        self.single = isinstance(argnums, int)
        self.numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for number in self.numbers:
            if not -len(args) <= number < len(args):
                raise TypeError(f"{name}: argnums has {number}, but {len(args)} argument(s) came")
        self.args = list(args)
        self.trees = tuple(args[number] for number in self.numbers)
        self.is_nested = is_transformed()  # called by a function that is transformed itself
        leaves = flatten(self.trees)
        self.wants_tensors = self.is_nested or any(isinstance(x, Tensor) for x in leaves)
        # the result of a nested call is differentiated again, and so may be that of a tensor
        self.create_graph = is_grad_enabled() and (
            transforms.get() > 0 or any(isinstance(x, Tensor) and x.requires_grad for x in leaves)
        )
        inputs = map_leaves(functools.partial(_enter, name), self.trees)
        for number, tree in zip(self.numbers, inputs, strict=True):
            self.args[number] = tree
        self.inputs = flatten(inputs)

    def run(self, function: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
        """Call the function on the tensors, recording."""
        token = transforms.set(transforms.get() + 1)
        try:
            with enable_grad():
                return function(*self.args, **kwargs)
        finally:
            transforms.reset(token)

    def gradients(self, output: Tensor, seed: Tensor | None, retain_graph: bool = False) -> Any:
        """Return the gradient of ``output`` in the structure of the arguments."""
        self.follow_closures([output])
        found = gradients(
            output,
            self.inputs,
            seed,
            retain_graph=retain_graph or self.create_graph,
            create_graph=self.create_graph,
            materialize_grads=True,
        )
        return self.like_arguments(list(found))

    def follow_closures(self, outputs: list[Any]) -> None:
        """Keep the graph of a gradient where the function used other tensors that require grad."""
        if self.wants_tensors and not self.create_graph and is_grad_enabled():
            own = {edge_to(tensor) for tensor in self.inputs}
            used = count_uses(edge_to(out) for out in outputs if edge_to(out) is not None)
            self.create_graph = any(
                type(node) is AccumulateGrad and node not in own for node in used
            )

    def like_arguments(self, leaves: list[Any]) -> Any:
        """Return ``leaves`` in the structure of the differentiated arguments."""
        rest = iter(leaves)
        trees = map_leaves(lambda _: self.leave(next(rest)), self.trees)
        return trees[0] if self.single else trees

    def leave(self, result: Any) -> Any:
        """Return a Tensor to a caller who gave Tensors, else an array (of a scalar, a number)."""
        if not isinstance(result, Tensor) or self.wants_tensors:
            keep = self.create_graph or not isinstance(result, Tensor) or self.is_nested
            return result if keep else result.detach()
        return result.data[()]


def _enter(name: str, leaf: Any) -> Tensor:
    """Return a tensor that requires grad for one leaf of an argument."""
    if not is_value(leaf):
        raise TypeError(f"{name}: cannot differentiate for a {type(leaf).__name__}")
    tensor = leaf if isinstance(leaf, Tensor) else Tensor(leaf)
    if tensor.dtype.kind != "f":
        raise DtypeError(
            f"{name}: cannot differentiate for {tensor.dtype} values; give floats, as 1.0 for 1"
        )
    if tensor.requires_grad and is_grad_enabled():
        return Alias.apply(tensor)  # a place of its own in the graph that it came from
    alias = tensor.new_alias()
    alias.requires_grad = True
    return alias


def _scalar(name: str, output: Any) -> Tensor:
    """Return the output of a function as a scalar Tensor, or say what else to use."""
    tensor = output if isinstance(output, Tensor) else Tensor(output)
    if tensor.data.size != 1:
        raise ShapeError(
            f"{name}: the function must return a scalar, it returned shape {tensor.shape}; "
            "use elementwise_grad, jacobian or vjp"
        )
    return tensor


# --------------------------------------------------------------------------- reverse mode


def value_and_grad(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return a function that gives ``(f(x), df/dx)`` for a scalar f (jax.value_and_grad).

    Args:
        function: returns a scalar; argnums: the positional argument(s) to differentiate for. An int
            gives one gradient, a tuple a tuple; each has the structure of its argument.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call("grad", args, argnums)
        output = _scalar("grad", call.run(function, kwargs))
        call.follow_closures([output])
        return call.leave(output), call.gradients(output, None)

    return wrapper


def grad(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return the gradient of a scalar function, as a function (jax.grad, autograd.grad).

    >>> grad(lambda x: x**3)(2.0)
    np.float64(12.0)
    """
    both = value_and_grad(function, argnums)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return wrapper


def elementwise_grad(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return x -> the sum over i of dy_i/dx: the derivative of a function of each element alone.

    >>> elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call("elementwise_grad", args, argnums)
        output = call.run(function, kwargs)
        output = output if isinstance(output, Tensor) else Tensor(output)
        return call.gradients(output, output.new(np.ones_like(output.data)))

    return wrapper


def vjp(function: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return ``(f(*primals), pullback)``; ``pullback(v)`` is vᵀJ, one for each primal.

    The pullback can be called several times. Source: jax.vjp, torch.func.vjp.
    """
    call = _Call("vjp", primals, tuple(range(len(primals))))
    output = call.run(function, {})
    outputs = [x if isinstance(x, Tensor) else Tensor(x) for x in flatten(output)]
    call.follow_closures(outputs)

    def pullback(cotangents: Any) -> Any:
        map_leaves(lambda *_: None, output, cotangents)  # the same structure, or an error
        seeds = [x if isinstance(x, Tensor) else Tensor(x) for x in flatten(cotangents)]
        if is_grad_enabled() and any(seed.requires_grad for seed in seeds):
            call.create_graph = True
        found = gradients(
            outputs,
            call.inputs,
            seeds,
            retain_graph=True,
            create_graph=call.create_graph,
            materialize_grads=True,
        )
        return call.like_arguments(list(found))

    return map_leaves(call.leave, output), pullback


def jacrev(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return the Jacobian of a function, row by row in reverse mode: best for few outputs.

    The result has shape output.shape + argument.shape, in the structure of the output and, below
    it, of the argument(s). Source: jax.jacrev, autograd.jacobian.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = _Call("jacobian", args, argnums)
        output = call.run(function, kwargs)
        call.follow_closures([leaf for leaf in flatten(output) if isinstance(leaf, Tensor)])
        return map_leaves(lambda leaf: _rows(call, leaf), output)

    return wrapper


def _rows(call: _Call, output: Any) -> Any:
    """Return d(output)/d(arguments), by one walk for each element of ``output``."""
    tensor = output if isinstance(output, Tensor) else Tensor(output)
    rows = []
    for position in range(tensor.data.size):
        seed = np.zeros(tensor.data.size, tensor.dtype)
        seed[position] = 1
        rows.append(
            gradients(
                tensor,
                call.inputs,
                tensor.new(seed.reshape(tensor.shape)),
                retain_graph=True,
                create_graph=call.create_graph,
                materialize_grads=True,
            )
        )
    columns = [[row[i] for row in rows] for i in range(len(call.inputs))]
    return call.like_arguments(
        [
            _stacked(parts, x).reshape(tensor.shape + x.shape)
            for parts, x in zip(columns, call.inputs, strict=True)
        ]
    )


def _stacked(parts: list[Any], like: Tensor) -> Tensor:
    """Return the parts, each of the shape of ``like``, along a new first axis."""
    if not parts:
        return like.new(np.zeros((0, *like.shape), like.dtype))
    return cat([part.reshape((1, *like.shape)) for part in parts])


jacobian = jacrev
