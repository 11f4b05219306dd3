"""Transforms in forward mode: ``jvp`` and ``jacfwd``; see ``reverse`` for what goes in and out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mytorch.autograd.reverse import ArgNums
from mytorch.autograd.trees import flatten, is_value, map_leaves
from mytorch.errors import DtypeError, ShapeError
from mytorch.forward_mode import new_level, set_tangent, tangent_of
from mytorch.grad_mode import is_grad_enabled, is_transformed
from mytorch.ops.shape import Alias
from mytorch.tensor import Tensor, cat

__all__ = ["jacfwd", "jvp"]


def jvp(function: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return ``(f(*primals), J t)``: value and directional derivative in one forward pass.

    Args:
        primals: a tuple of arguments; tangents: a tuple of the same structure and shapes.
    Source: jax.jvp, torch.func.jvp.
    """
    if not isinstance(primals, (tuple, list)):
        raise TypeError(f"jvp: primals must be a tuple of arguments, not {type(primals).__name__}")
    leaves = flatten((primals, tangents))
    wants_tensors = is_transformed() or any(isinstance(leaf, Tensor) for leaf in leaves)

    def leave(result: Any) -> Any:
        return result if wants_tensors or not isinstance(result, Tensor) else result.data[()]

    with _Duals(primals, tangents) as duals:
        output = function(*duals.args)
        tangent = map_leaves(duals.tangent, output)
    return map_leaves(lambda x: leave(duals.primal(x)), output), map_leaves(leave, tangent)


class _Duals:
    """The arguments of a function with tangents at a level of their own."""

    def __init__(self, primals: Any, tangents: Any):
        self.pairs = (tuple(primals), tuple(tangents))
        self._opening = new_level()

    def __enter__(self) -> _Duals:
        pairs = [self.pairs[0], self.pairs[1]]
        tensors = map_leaves(_dual_input, pairs[0])
        directions = map_leaves(_direction, tensors, pairs[1])
        self.level = self._opening.__enter__()
        self.args = map_leaves(self._with_tangent, tensors, directions)
        return self

    def __exit__(self, *error: object) -> None:
        self._opening.__exit__(*error)

    def _with_tangent(self, tensor: Tensor, direction: Tensor) -> Tensor:
        tensor._tangents = dict(tensor._tangents or {})  # not shared with the argument
        set_tangent(tensor, self.level, direction)
        return tensor

    def tangent(self, output: Any) -> Any:
        """Return the tangent of an output, zeros where it does not depend on the arguments."""
        found = tangent_of(output, self.level)
        tensor = output if isinstance(output, Tensor) else Tensor(output)
        return tensor.new(np.zeros_like(tensor.data)) if found is None else found

    def primal(self, output: Any) -> Any:
        """Return an output without its tangent at this level."""
        if isinstance(output, Tensor) and output._tangents:
            output._tangents = {k: v for k, v in output._tangents.items() if k != self.level}
        return output


def _dual_input(leaf: Any) -> Tensor:
    if not is_value(leaf):
        raise TypeError(f"jvp: cannot differentiate for a {type(leaf).__name__}")
    tensor = leaf if isinstance(leaf, Tensor) else Tensor(leaf)
    if tensor.dtype.kind != "f":
        raise DtypeError(f"jvp: cannot differentiate for {tensor.dtype} values; give floats")
    if tensor.requires_grad and is_grad_enabled():
        return Alias.apply(tensor)
    return tensor.new_alias()


def _direction(tensor: Tensor, direction: Any) -> Tensor:
    own = direction if isinstance(direction, Tensor) else Tensor(np.array(direction, tensor.dtype))
    if own.shape != tensor.shape:
        raise ShapeError(f"jvp: a tangent of shape {own.shape} for a primal of {tensor.shape}")
    return own


def jacfwd(function: Callable[..., Any], argnums: ArgNums = 0) -> Callable[..., Any]:
    """Return the Jacobian of a function, column by column in forward mode: best for few inputs.

    The result is that of ``jacrev``. Source: jax.jacfwd.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        single = isinstance(argnums, int)
        numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen = tuple(args[number] for number in numbers)

        def of_chosen(*values: Any) -> Any:
            full = list(args)
            for number, value in zip(numbers, values, strict=True):
                full[number] = value
            return function(*full, **kwargs)

        columns = [
            _columns(of_chosen, chosen, position) for position in range(len(flatten(chosen)))
        ]
        output = columns[0][0]

        def assemble(index: int) -> Any:
            rest = iter(parts[1][index] for parts in columns)
            trees = map_leaves(lambda _: next(rest), chosen)
            return trees[0] if single else trees

        counter = iter(range(len(flatten(output))))
        return map_leaves(lambda _: assemble(next(counter)), output)

    return wrapper


def _columns(function: Callable[..., Any], args: Any, position: int) -> tuple[Any, list[Any]]:
    """Return the output and, for each of its leaves, its Jacobian for one leaf of the arguments."""
    leaf = flatten(args)[position]
    data = leaf.data if isinstance(leaf, Tensor) else np.asarray(leaf, float)
    output, columns = None, []
    for element in range(max(data.size, 1)):
        basis = np.zeros(data.size, data.dtype)
        basis[element : element + 1] = 1
        places = iter(range(len(flatten(args))))
        tangents = map_leaves(
            lambda x, places=places, basis=basis: (
                basis.reshape(data.shape)
                if next(places) == position
                else np.zeros(np.shape(x.data if isinstance(x, Tensor) else x))
            ),
            args,
        )
        output, tangent = jvp(function, args, tangents)
        columns.append(flatten(tangent))
    results = []
    for parts in zip(*columns[: data.size], strict=True) if data.size else ():
        tensors = [part if isinstance(part, Tensor) else Tensor(part) for part in parts]
        shape = tensors[0].shape
        joined = cat([tensor.reshape(*shape, 1) for tensor in tensors], -1)
        full = joined.reshape(shape + data.shape)
        results.append(full if isinstance(parts[0], Tensor) else full.data)
    if not data.size:
        results = [np.zeros(np.shape(x) + data.shape) for x in flatten(output)]
    return output, results
