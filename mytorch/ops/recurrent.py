"""The recurrent layers: simple ones, GRU and LSTM, each by its loops over time and its cell.

Source: Elman 1990; Hochreiter and Schmidhuber 1997 and Gers et al. 2000 (LSTM, with the forget
gate); Cho et al. 2014 (GRU, here with the reset gate after the product, as torch and cuDNN have
it); Sak et al. 2014 (projections).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mytorch.ops.common import select
from mytorch.ops.elementary import Sigmoid, Tanh
from mytorch.ops.linalg import Affine
from mytorch.ops.pointwise import masked
from mytorch.ops.recurrence import (
    Arrays,
    Recurrence,
    Steps,
    biases,
    by_gate,
    project,
    sigmoid,
    transposed,
)

__all__ = ["GRULayer", "LSTMLayer", "ReLULayer", "TanhLayer"]


class TanhLayer(Recurrence):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh)."""

    @staticmethod
    def activate(x: Any) -> None:
        """Apply the activation in place."""
        np.tanh(x, out=x)

    @staticmethod
    def activate_back(y: Any, grad: Any, out: Any) -> None:
        """Put the gradient of the activation's argument into ``out``; y is its result."""
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)
        out *= grad

    @staticmethod
    def activation(x: Any) -> Any:
        """Return the activation of a Tensor."""
        return Tanh.apply(x)

    @classmethod
    def run(cls, steps: Steps, x: Any, states: Arrays, weights: Arrays) -> tuple[Any, Arrays]:
        w_ih, w_hh, b_ih, b_hh, _ = weights
        (h,) = states
        after = np.empty((1, len(x), len(w_hh)), x.dtype)
        before = np.empty(after.shape[1:], x.dtype)
        project(x, w_ih, biases(b_ih, b_hh, w_hh, 1).sum(0), cls.from_input, after)
        (recurrent,) = transposed(w_hh, cls.from_state, steps)
        scratch = np.empty_like(h)
        for rows, size in steps:
            state, new = h[:size], after[0, rows]
            before[rows] = state
            new += np.matmul(state, recurrent, out=scratch[:size])
            cls.activate(new)
            state[...] = new
        result = np.empty(before.shape, x.dtype)
        result[...] = after[0]  # whoever gets it may change it
        return result, (after, before)

    @classmethod
    def run_back(cls, steps: Steps, tape: Arrays, weights: Arrays, grads: Arrays) -> Any:
        after, w_hh, (grad_rows, dh) = tape[0], weights[1], grads
        gates = np.empty(after.shape, after.dtype)
        for rows, size in reversed(steps):
            grad, gate = dh[:size], gates[0, rows]
            if grad_rows is not None:
                grad += grad_rows[rows]
            cls.activate_back(after[0, rows], grad, gate)
            np.matmul(gate, w_hh, out=grad)
        return gates, None

    @classmethod
    def cell(cls, projected: Any, states: Arrays, w_hh: Any, b_hh: Any, w_hr: Any) -> Arrays:
        return (cls.activation(projected + Affine.apply(states[0], w_hh, b_hh)),)


class ReLULayer(TanhLayer):
    """h' = max(W_ih x + b_ih + W_hh h + b_hh, 0), with slope 0 at 0."""

    @staticmethod
    def activate(x: Any) -> None:
        np.maximum(x, 0, out=x)

    @staticmethod
    def activate_back(y: Any, grad: Any, out: Any) -> None:
        out[...] = select(grad, ~(y <= 0))  # a nan stays one, with slope 1

    @staticmethod
    def activation(x: Any) -> Any:
        return masked(x, ~(x.data <= 0))


class GRULayer(Recurrence):
    """r, z = sigmoid(W_i x + b_i + W_h h + b_h); h' = (1 - z) * n + z * h with
    n = tanh(W_in x + b_in + r * q), q = W_hn h + b_hn.

    The tape has n, r, z, q of each row; the gradients of what they are computed from lie alike.
    """

    from_input = (1, 2, 0)
    from_state = (1, 2, 3)

    @classmethod
    def run(cls, steps: Steps, x: Any, states: Arrays, weights: Arrays) -> tuple[Any, Arrays]:
        w_ih, w_hh, b_ih, b_hh, _ = weights
        (h,) = states
        width = h.shape[1]
        gates = np.empty((4, len(x), width), x.dtype)
        before, after = (np.empty((len(x), width), x.dtype) for _ in range(2))
        bias, bias_state = biases(b_ih, b_hh, w_hh, 3)
        bias[:2] += bias_state[:2]
        project(x, w_ih, bias, cls.from_input, gates)
        recurrent = transposed(w_hh, (0, 1, 2), steps)  # (3, H, H)
        scratch = np.empty((3, *h.shape), x.dtype)
        one = x.dtype.type(1)
        for rows, size in steps:
            state, product = h[:size], scratch[:, :size]
            n, _, z, q = gates[:, rows]
            both = gates[1:3, rows]  # r and z
            before[rows] = state
            np.matmul(state, recurrent, out=product)
            both += product[:2]
            sigmoid(both, one)
            np.add(product[2], bias_state[2], out=q)
            n += np.multiply(both[0], q, out=product[2])
            np.tanh(n, out=n)
            state -= n
            state *= z
            state += n
            after[rows] = state
        return after, (gates, before)

    @classmethod
    def run_back(cls, steps: Steps, tape: Arrays, weights: Arrays, grads: Arrays) -> Any:
        (kept, before), w_hh, (grad_rows, dh) = tape, weights[1], grads
        gates = np.empty(kept.shape, kept.dtype)
        w = by_gate(w_hh, (0, 1, 2))
        scratch = np.empty((3, *dh.shape), dh.dtype)
        one = dh.dtype.type(1)
        for rows, size in reversed(steps):
            grad, product = dh[:size], scratch[:, :size]
            n, r, z, q = kept[:, rows]
            dn, dr, dz, dq = gates[:, rows]
            if grad_rows is not None:
                grad += grad_rows[rows]
            rest = np.subtract(one, z, out=product[0])
            np.subtract(before[rows], n, out=dz)  # dz = grad * (h - n) * z * (1 - z)
            dz *= rest
            dz *= z
            dz *= grad
            np.multiply(n, n, out=dn)  # dn = grad * (1 - z) * (1 - n * n)
            np.subtract(one, dn, out=dn)
            dn *= rest
            dn *= grad
            np.multiply(dn, r, out=dq)
            np.subtract(one, r, out=dr)  # dr = dn * q * r * (1 - r)
            dr *= q
            dr *= dq
            grad *= z
            np.matmul(gates[1:, rows], w, out=product)
            grad += product[0]
            grad += product[1]
            grad += product[2]
        return gates, None

    @classmethod
    def cell(cls, projected: Any, states: Arrays, w_hh: Any, b_hh: Any, w_hr: Any) -> Arrays:
        (h,) = states
        width = h.shape[1]
        product = Affine.apply(h, w_hh, b_hh)
        both = Sigmoid.apply(projected[:, : 2 * width] + product[:, : 2 * width])
        r, z = both[:, :width], both[:, width:]
        n = Tanh.apply(projected[:, 2 * width :] + r * product[:, 2 * width :])
        return (n + z * (h - n),)


class LSTMLayer(Recurrence):
    """i, f, o = sigmoid(W_i x + b_i + W_h h + b_h), g = tanh(likewise);
    c' = f * c + i * g, h' = o * tanh(c'), projected: W_hr h'.

    The tape has i, f, o and, behind them, what each is multiplied by: g, c and tanh(c').
    """

    from_input = from_state = (0, 1, 3, 2)

    @classmethod
    def run(cls, steps: Steps, x: Any, states: Arrays, weights: Arrays) -> tuple[Any, Arrays]:
        w_ih, w_hh, b_ih, b_hh, w_hr = weights
        h, c = states
        tape = np.empty((6, len(x), c.shape[1]), x.dtype)
        before, after = (np.empty((len(x), h.shape[1]), x.dtype) for _ in range(2))
        outputs: Any = None if w_hr is None else np.empty(tape.shape[1:], x.dtype)
        project(x, w_ih, biases(b_ih, b_hh, w_hh, 4).sum(0), cls.from_input, tape)
        recurrent = transposed(w_hh, cls.from_state, steps)  # (4, R, H)
        scratch = np.empty((4, *c.shape), x.dtype)
        one = x.dtype.type(1)
        for rows, size in steps:
            state, cell, product = h[:size], c[:size], scratch[:, :size]
            i, f, o, g, kept, tanh = tape[:, rows]
            gates = tape[:4, rows]
            before[rows] = state
            kept[...] = cell
            gates += np.matmul(state, recurrent, out=product)
            sigmoid(gates[:3], one)
            np.tanh(g, out=g)
            cell *= f
            cell += np.multiply(i, g, out=product[0])
            np.tanh(cell, out=tanh)
            if w_hr is None:
                np.multiply(o, tanh, out=state)
            else:
                np.matmul(np.multiply(o, tanh, out=outputs[rows]), w_hr.T, out=state)
            after[rows] = state
        return after, (tape, before, outputs)

    @classmethod
    def run_back(cls, steps: Steps, tape: Arrays, weights: Arrays, grads: Arrays) -> Any:
        kept, _, outputs = tape
        w_hh, w_hr = weights[1], weights[4]
        grad_rows, dh, dc = grads
        gates = np.empty((4, *kept.shape[1:]), kept.dtype)
        projected: Any = None if w_hr is None else np.empty((len(outputs), dh.shape[1]), dh.dtype)
        w = by_gate(w_hh, cls.from_state)
        scratch = np.empty((4, *dh.shape), dh.dtype)
        slopes = np.empty((2, *dc.shape), dc.dtype)
        one = dh.dtype.type(1)
        for rows, size in reversed(steps):
            grad, grad_cell, product = dh[:size], dc[:size], scratch[:, :size]
            if grad_rows is not None:
                grad += grad_rows[rows]
            through = grad
            if w_hr is not None:
                projected[rows] = grad
                through = grad @ w_hr
            tanhs = kept[3::2, rows]  # g and tanh(c')
            of_g, of_c = both = np.multiply(tanhs, tanhs, out=slopes[:, :size])
            np.subtract(one, both, out=both)  # the slopes of both
            of_c *= kept[2, rows]
            of_c *= through
            grad_cell += of_c
            sigmoids, changes = kept[:3, rows], gates[:3, rows]  # of i, f, o
            np.subtract(one, sigmoids, out=changes)
            changes *= sigmoids
            changes *= kept[3:, rows]
            changes[:2] *= grad_cell
            changes[2] *= through
            of_g *= sigmoids[0]
            np.multiply(of_g, grad_cell, out=gates[3, rows])
            grad_cell *= sigmoids[1]
            np.matmul(gates[:, rows], w, out=product)
            np.add.reduce(product, axis=0, out=grad)
        return gates, projected

    @classmethod
    def cell(cls, projected: Any, states: Arrays, w_hh: Any, b_hh: Any, w_hr: Any) -> Arrays:
        h, c = states
        width = c.shape[1]
        total = projected + Affine.apply(h, w_hh, b_hh)
        i, f, g, o = (total[:, k * width : (k + 1) * width] for k in range(4))
        c = Sigmoid.apply(f) * c + Sigmoid.apply(i) * Tanh.apply(g)
        h = Sigmoid.apply(o) * Tanh.apply(c)
        return (h if w_hr is None else Affine.apply(h, w_hr, None), c)
