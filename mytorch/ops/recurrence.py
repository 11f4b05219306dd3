"""``Recurrence``: a recurrent layer in one direction, over all of its steps, as one operation.

The rows of all steps are projected by one product before the loop over time, and the gradients of
the weights are one product over all rows after the loop backwards; in between, a step is a product
with the recurrent weights and what is done element by element, into arrays that are there already.
The gates of a step lie one behind the other, (gates, rows, size): so the product is one of small
matrices for each gate, which BLAS computes faster than that of a wide matrix, and each gate is
contiguous. The layers themselves are in ``recurrent.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mytorch.autograd_engine import Function, edge_to
from mytorch.grad_mode import recording
from mytorch.graph_walk import run_backward
from mytorch.ops.joining import Cat
from mytorch.ops.linalg import Affine
from mytorch.ops.shape import Alias
from mytorch.ops.splitting import Split

__all__ = [
    "Arrays",
    "Recurrence",
    "Steps",
    "biases",
    "by_gate",
    "project",
    "sigmoid",
    "steps_of",
    "transposed",
]

#: for each step, in the order in which they are taken: its rows, and how many they are
Steps = list[tuple[slice, int]]
Arrays = tuple[Any, ...]

_MANY = 4  # steps that pay for a transposed copy of the recurrent weights


def steps_of(batch_sizes: Sequence[int], is_reversed: bool = False) -> Steps:
    """Return the steps of packed sequences: of each step the rows of those that last so long."""
    steps, start = [], 0
    for size in batch_sizes:
        steps.append((slice(start, start + size), size))
        start += size
    return steps[::-1] if is_reversed else steps


class Recurrence(Function):
    """Rows of all steps, (S, I), and states (N, H) -> rows (S, H), and the states after the end.

    ``forward(ctx, steps, x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr)``, where a second state c, biases
    and a projection may be None; x may also be (T, N, I), and so is the result then. A sequence
    takes part in the steps that it lasts for: its state rests after them, or in reverse before.

    A subclass states ``run`` and ``run_back`` on arrays, for the first derivatives, and ``cell``,
    one step in differentiable operations, for all higher ones and those of forward mode.

    Attributes:
        from_input, from_state: where among the gradients that ``run_back`` returns are those of
            each gate, in torch's order: of its projection of the input, and of the state.
    """

    on_arrays = True
    from_input: tuple[int, ...] = (0,)
    from_state: tuple[int, ...] = (0,)

    @classmethod
    def run(cls, steps: Steps, x: Any, states: Arrays, weights: Arrays) -> tuple[Any, Arrays]:
        """Return the rows after each step, and the tape: what ``run_back`` needs.

        The states are overwritten with those at the end. The second part of the tape is the state
        before each step, (S, H); the third, of projected states, is what is projected.
        """
        raise NotImplementedError

    @classmethod
    def run_back(cls, steps: Steps, tape: Arrays, weights: Arrays, grads: Arrays) -> Any:
        """Return the gradients of the gates, (gates, S, H), and those of projected states or None.

        ``grads`` are those of the rows, or None, and of the states, overwritten with those at the
        start.
        """
        raise NotImplementedError

    @classmethod
    def cell(cls, projected: Any, states: Arrays, w_hh: Any, b_hh: Any, w_hr: Any) -> Arrays:
        """Return the states after one step; ``projected`` is W_ih x + b_ih, (N, gates * H)."""
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, steps: Steps, *tensors: Any) -> Any:
        x, *states, w_ih, w_hh, b_ih, b_hh, w_hr = _contiguous([_data(each) for each in tensors])
        states = [state.copy() for state in states if state is not None]
        with np.errstate(all="ignore"):  # e**-x of a closed gate is infinite, and its inverse 0
            rows, tape = cls.run(steps, _rows(x), tuple(states), (w_ih, w_hh, b_ih, b_hh, w_hr))
        new = tensors[0].new
        ctx.steps, ctx.count = steps, len(tensors)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *[None if each is None else new(each) for each in tape])
        return new(rows.reshape(*x.shape[:-1], rows.shape[1])), *[new(state) for state in states]

    @classmethod
    def backward(cls, ctx: Any, grad_rows: Any, *grad_states: Any) -> Any:
        if not ctx.bare:
            return None, *cls._back_by_cells(ctx, (grad_rows, *grad_states))
        x, *starts, w_ih, w_hh, b_ih, b_hh, w_hr = _contiguous(ctx.saved_tensors[: ctx.count])
        tape, needs = ctx.saved_tensors[ctx.count :], ctx.needs_input_grad
        states = [
            np.zeros_like(start) if grad is None else np.array(grad)
            for start, grad in zip([s for s in starts if s is not None], grad_states, strict=True)
        ]
        weights, rows = (w_ih, w_hh, b_ih, b_hh, w_hr), _rows(x)
        arrived = None if grad_rows is None else _rows(grad_rows)
        gates, projected = cls.run_back(ctx.steps, tape, weights, (arrived, *states))
        sums: Any = None
        if needs[6] or needs[7]:  # over the rows: BLAS is faster than a sum
            sums = np.matmul(np.ones(len(rows), rows.dtype), gates)
        return (
            None,
            _times(gates, cls.from_input, w_ih).reshape(x.shape) if needs[1] else None,
            *states,
            *[None] * (2 - len(states)),
            _over_rows(gates, cls.from_input, rows) if needs[4] else None,
            _over_rows(gates, cls.from_state, tape[1]) if needs[5] else None,
            sums[list(cls.from_input)].reshape(-1) if needs[6] else None,
            sums[list(cls.from_state)].reshape(-1) if needs[7] else None,
            projected.T @ tape[2] if needs[8] else None,
        )

    @classmethod
    def _back_by_cells(cls, ctx: Any, grad_outputs: Arrays) -> list[Any]:
        """Return the gradients as differentiable Tensors: of the same layer, cell by cell."""
        tensors, needs, is_recorded = ctx.saved_tensors, ctx.needs_input_grad, recording.get()
        token = recording.set(True)
        try:
            inputs = [
                _place_of(tensors[i]) if tensors[i] is not None and needs[1 + i] else tensors[i]
                for i in range(ctx.count)
            ]
            outputs = cls.by_cells(ctx.steps, *inputs)
        finally:
            recording.reset(token)
        places = [edge_to(each) if needs[1 + i] else None for i, each in enumerate(inputs)]
        roots = [
            (edge_to(output), grad)
            for output, grad in zip(outputs, grad_outputs, strict=True)
            if grad is not None and edge_to(output) is not None
        ]
        targets = [place for place in places if place is not None]
        found = run_backward(roots, False, is_recorded, targets)
        return [None if place is None else found[place] for place in places]

    @classmethod
    def by_cells(
        cls, steps: Steps, x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
        w_hr: Any,
    ) -> Arrays:  # fmt: skip
        """Return what ``forward`` does, computed by ``cell``, step by step."""
        in_order = sorted(steps, key=lambda step: step[0].start)
        sizes = tuple([size for _, size in in_order])
        parts = Split.apply(Affine.apply(_rows(x), w_ih, b_ih), 0, sizes)
        projected = {rows.start: part for (rows, _), part in zip(in_order, parts, strict=True)}
        states, made = (h,) if c is None else (h, c), {}
        for rows, size in steps:
            is_part = size < states[0].shape[0]
            active = tuple([state[:size] for state in states]) if is_part else states
            active = cls.cell(projected[rows.start], active, w_hh, b_hh, w_hr)
            made[rows.start] = active[0]
            if is_part:
                both = zip(active, states, strict=True)
                active = tuple([Cat.apply(0, new, old[size:]) for new, old in both])
            states = active
        joined = Cat.apply(0, *[made[rows.start] for rows, _ in in_order])
        return joined.reshape(*x.shape[:-1], joined.shape[1]), *states


def _rows(x: Any) -> Any:
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _data(tensor: Any) -> Any:
    return None if tensor is None else tensor.data


def _contiguous(arrays: Sequence[Any]) -> list[Any]:
    return [None if array is None else np.ascontiguousarray(array) for array in arrays]


def _place_of(tensor: Any) -> Any:
    """Return the tensor at a place of its own in the graph, where its gradient is to arrive."""
    if tensor.requires_grad:
        return Alias.apply(tensor)
    alias = tensor.new_alias()
    alias.requires_grad = True
    return alias


# --------------------------------------------------------------------------- parts of the loops


def project(x: Any, w: Any, bias: Any, places: tuple[int, ...], gates: Any) -> None:
    """Put x Wᵀ + b of each gate at its place in ``gates``, for all rows at once."""
    for weight, shift, place in zip(np.split(w, len(places)), bias, places, strict=True):
        np.matmul(x, weight.T, out=gates[place])
        gates[place] += shift


def by_gate(w: Any, order: tuple[int, ...]) -> Any:
    """Return the matrix of each gate, in this order: (gates, H, I)."""
    return w.reshape(len(order), -1, w.shape[1])[list(order)]


def transposed(w: Any, order: tuple[int, ...], steps: Steps) -> Any:
    """Return Wᵀ of each gate, in this order: for many steps copied, as BLAS reads that faster."""
    turned = by_gate(w, order).mT
    return turned.copy() if len(steps) >= _MANY else turned


def biases(b_ih: Any, b_hh: Any, w_hh: Any, count: int) -> Any:
    """Return both biases, (2, gates, H); zeros where there is none."""
    none = np.zeros(len(w_hh), w_hh.dtype)
    both = [none if bias is None else bias for bias in (b_ih, b_hh)]
    return np.stack(both).reshape(2, count, -1)


def sigmoid(x: Any, one: Any) -> None:
    """Make x 1 / (1 + e**-x)."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    np.add(x, one, out=x)
    np.divide(one, x, out=x)  # faster than np.reciprocal


def _times(gates: Any, places: tuple[int, ...], w: Any) -> Any:
    """Return the gradient of what the gates were projected from: the sum of gate times weight."""
    result = None
    for weight, place in zip(np.split(w, len(places)), places, strict=True):
        part = np.matmul(gates[place], weight)
        result = part if result is None else np.add(result, part, out=result)
    return result


def _over_rows(gates: Any, places: tuple[int, ...], rows: Any) -> Any:
    """Return the gradient of a weight, (gates * H, I): the product over all rows."""
    result = np.empty((len(places), gates.shape[2], rows.shape[1]), gates.dtype)
    for gate, place in enumerate(places):
        np.matmul(gates[place].T, rows, out=result[gate])
    return result.reshape(-1, rows.shape[1])
