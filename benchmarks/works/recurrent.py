"""One step of training a GRU or an LSTM with a linear head on its last output, float32."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.data import classification
from benchmarks.work import Step, Work

STEPS, BATCH, FEATURES, HIDDEN, CLASSES, LR = 50, 32, 32, 128, 10, 0.05
GATES = {"GRU": 3, "LSTM": 4}
Arrays = list[np.ndarray]


def sequences() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of (T, N, I), float32, and labels (N,) that follow a rule."""
    return [
        (np.ascontiguousarray(x.reshape(BATCH, STEPS, FEATURES).transpose(1, 0, 2)), y)
        for x, y in classification(STEPS * FEATURES, CLASSES, BATCH)
    ]


def weights(kind: str) -> Arrays:
    """Return w_ih, w_hh, b_ih, b_hh and the head's weight and bias, drawn as torch draws them."""
    rng = np.random.default_rng(1)
    rows = GATES[kind] * HIDDEN
    shapes = [(rows, FEATURES), (rows, HIDDEN), (rows,), (rows,), (CLASSES, HIDDEN), (CLASSES,)]
    bound = HIDDEN**-0.5
    return [rng.uniform(-bound, bound, shape).astype(np.float32) for shape in shapes]


def work(kind: str, goals: dict[str, float]) -> Work:
    """Return the step of one network."""
    makers: dict[str, Callable[[str, Arrays, Any], Step]] = {
        "mytorch": mytorch_step,
        "torch": torch_step,
        "jax": jax_step,
        "numpy": numpy_step,
        "floor": floor_step,
    }

    def prepared(maker: Callable[[str, Arrays, Any], Step]) -> Callable[[], Step]:
        return lambda: maker(kind, weights(kind), sequences())

    return Work(
        kind.lower(),
        f"{kind} {FEATURES}->{HIDDEN}, T={STEPS}, batch {BATCH}, SGD with momentum",
        {system: prepared(maker) for system, maker in makers.items()},
        goals=goals,
        tolerance=1e-3,
    )


# --------------------------------------------------------------------------- the libraries


def mytorch_step(kind: str, parameters: Arrays, batches: Any) -> Step:
    """The step that every user of MyTorch writes."""
    import mytorch
    from mytorch import nn, optim

    network = getattr(nn, kind)(FEATURES, HIDDEN, dtype=np.float32)
    head = nn.Linear(HIDDEN, CLASSES).to(np.float32)
    return _step(mytorch, network, head, nn.CrossEntropyLoss(), optim.SGD, parameters, batches)


def torch_step(kind: str, parameters: Arrays, batches: Any) -> Step:
    """The same in torch, eager."""
    import torch
    from torch import nn, optim

    network, head = getattr(nn, kind)(FEATURES, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    return _step(torch, network, head, nn.CrossEntropyLoss(), optim.SGD, parameters, batches)


def _step(
    library: Any, network: Any, head: Any, criterion: Any, sgd: Any, arrays: Arrays, batches: Any
) -> Step:
    tensors = [library.tensor(array) for array in arrays]
    for module, own in ((network, tensors[:4]), (head, tensors[4:])):
        module.load_state_dict(dict(zip(module.state_dict(), own, strict=True)))
    optimizer = sgd([*network.parameters(), *head.parameters()], LR, momentum=0.9)
    wrapped = itertools.cycle([(library.tensor(x), library.tensor(y)) for x, y in batches])

    def step() -> float:
        x, y = next(wrapped)
        optimizer.zero_grad()
        output, _ = network(x)
        loss = criterion(head(output[-1]), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_step(kind: str, parameters: Arrays, batches: Any) -> Step:
    """One compiled function for the whole step; the loop over time is ``lax.scan``."""
    import jax
    import jax.numpy as jnp

    def gru(h: Any, projected: Any, w_hh: Any, b_hh: Any) -> Any:
        ir, iz, i_n = jnp.split(projected, 3, axis=1)
        hr, hz, hn = jnp.split(h @ w_hh.T + b_hh, 3, axis=1)
        r, z = jax.nn.sigmoid(ir + hr), jax.nn.sigmoid(iz + hz)
        n = jnp.tanh(i_n + r * hn)
        return n + z * (h - n)

    def lstm(state: Any, projected: Any, w_hh: Any, b_hh: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(projected + h @ w_hh.T + b_hh, 4, axis=1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    cell = gru if kind == "GRU" else lstm
    zeros = jnp.zeros((BATCH, HIDDEN), jnp.float32)
    start = zeros if kind == "GRU" else (zeros, zeros)

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        w_ih, w_hh, b_ih, b_hh, w, b = params
        projected = x @ w_ih.T + b_ih
        state, _ = jax.lax.scan(lambda s, p: (cell(s, p, w_hh, b_hh), None), start, projected)
        h = state if kind == "GRU" else state[0]
        logits = jax.nn.log_softmax(h @ w.T + b)
        return -jnp.mean(logits[jnp.arange(BATCH), y])

    def update(params: Any, momenta: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        momenta = [0.9 * v - LR * g for v, g in zip(momenta, grads, strict=True)]
        return [p + v for p, v in zip(params, momenta, strict=True)], momenta, loss

    compiled = jax.jit(update, donate_argnums=(0, 1))
    state: list[Any] = [
        [jnp.array(p) for p in parameters],
        [jnp.zeros(p.shape) for p in parameters],
    ]
    wrapped = itertools.cycle([(jnp.array(x), jnp.array(y)) for x, y in batches])

    def step() -> float:
        *state[:], loss = compiled(*state, *next(wrapped))
        return float(loss)

    return step


# --------------------------------------------------------------------------- by hand


def _sigmoid(x: np.ndarray) -> None:
    """Make x 1 / (1 + e**-x), in place."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def _gru(x: np.ndarray, parameters: Arrays) -> tuple[np.ndarray, Any]:
    """Return the last state and the function that returns the gradients of the weights.

    The gates take the place of the projections, and their gradients the place of the gates.
    """
    w_ih, w_hh, b_ih, b_hh = parameters
    count = 2 * HIDDEN  # of r and z
    gates = x @ w_ih.T  # (T, N, 3 H)
    gates += b_ih
    recurrent = w_hh.T.copy()
    states = np.zeros((STEPS + 1, BATCH, HIDDEN), np.float32)
    products = np.empty_like(gates)
    for t in range(STEPS):
        h, gate = states[t], gates[t]
        product = np.matmul(h, recurrent, out=products[t])
        product += b_hh
        both, n = gate[:, :count], gate[:, count:]
        both += product[:, :count]
        _sigmoid(both)
        n += both[:, :HIDDEN] * product[:, count:]
        np.tanh(n, out=n)
        new = np.subtract(h, n, out=states[t + 1])
        new *= both[:, HIDDEN:]
        new += n

    def backward(grad: np.ndarray) -> Arrays:
        for t in reversed(range(STEPS)):
            gate, product = gates[t], products[t]
            r, z, n = gate[:, :HIDDEN], gate[:, HIDDEN:count], gate[:, count:]
            q = product[:, count:]
            rest = 1 - z
            grad_z = states[t] - n
            grad_z *= rest
            grad_z *= z
            grad_z *= grad
            rest *= grad
            grad = grad * z
            z[:] = grad_z
            n *= n
            np.subtract(1, n, out=n)
            n *= rest  # now the gradient
            grad_r = q * n
            np.multiply(n, r, out=q)
            grad_r *= r
            np.subtract(1, r, out=r)
            r *= grad_r
            product[:, :count] = gate[:, :count]
            grad += product @ w_hh
        rows = gates.reshape(-1, 3 * HIDDEN)
        rows_h = products.reshape(-1, 3 * HIDDEN)
        before = states[:-1].reshape(-1, HIDDEN)
        return [rows.T @ x.reshape(-1, FEATURES), rows_h.T @ before, rows.sum(0), rows_h.sum(0)]

    return states[-1], backward


def _lstm(x: np.ndarray, parameters: Arrays) -> tuple[np.ndarray, Any]:
    """As ``_gru``."""
    w_ih, w_hh, b_ih, b_hh = parameters
    gates = x @ w_ih.T  # (T, N, 4 H)
    gates += b_ih + b_hh
    recurrent = w_hh.T.copy()
    states, cells = np.zeros((2, STEPS + 1, BATCH, HIDDEN), np.float32)
    tanhs = np.empty_like(states[1:])
    parts = [slice(k * HIDDEN, (k + 1) * HIDDEN) for k in range(4)]
    for t in range(STEPS):
        gate = gates[t]
        gate += states[t] @ recurrent
        i, f, g, o = (gate[:, part] for part in parts)
        _sigmoid(gate[:, : 2 * HIDDEN])
        _sigmoid(o)
        np.tanh(g, out=g)
        c = np.multiply(f, cells[t], out=cells[t + 1])
        c += i * g
        np.tanh(c, out=tanhs[t])
        np.multiply(o, tanhs[t], out=states[t + 1])

    def backward(grad: np.ndarray) -> Arrays:
        grad_c = np.zeros_like(grad)
        for t in reversed(range(STEPS)):
            gate, tanh = gates[t], tanhs[t]
            i, f, g, o = (gate[:, part] for part in parts)
            change = 1 - tanh * tanh
            change *= o
            change *= grad
            grad_c += change
            tanh *= grad
            changes = (i, grad_c * g), (f, grad_c * cells[t]), (o, tanh)
            grad_g = grad_c * i
            grad_c *= f
            for s, grad_s in changes:
                grad_s *= s
                np.subtract(1, s, out=s)
                s *= grad_s  # now the gradient
            g *= g
            np.subtract(1, g, out=g)
            g *= grad_g
            grad = gate @ w_hh
        rows = gates.reshape(-1, 4 * HIDDEN)
        bias = rows.sum(0)
        before = states[:-1].reshape(-1, HIDDEN)
        return [rows.T @ x.reshape(-1, FEATURES), rows.T @ before, bias, bias]

    return states[-1], backward


def numpy_step(kind: str, parameters: Arrays, batches: Any) -> Step:
    """The same mathematics by hand: one product for all projections, in place, no graph."""
    network = _gru if kind == "GRU" else _lstm
    *own, w, b = parameters
    momenta = [np.zeros_like(p) for p in parameters]
    cycled, rows = itertools.cycle(batches), np.arange(BATCH)

    def step() -> float:
        x, y = next(cycled)
        h, backward = network(x, own)
        z = h @ w.T
        z += b
        z -= z.max(axis=1, keepdims=True)
        picked = z[rows, y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).mean())
        z /= total
        z[rows, y] -= 1
        z /= BATCH
        for p, v, g in zip(parameters, momenta, [*backward(z @ w), z.T @ h, z.sum(0)], strict=True):
            v *= 0.9
            v -= LR * g
            p += v
        return loss

    return step


def floor_step(kind: str, parameters: Arrays, batches: Any) -> Step:
    """Only the matrix products of a step, into buffers that are there already."""
    w_ih, w_hh, *_ = parameters
    x = batches[0][0].reshape(-1, FEATURES)
    gates = np.ones((STEPS, BATCH, len(w_hh)), np.float32)
    rows, states = gates.reshape(-1, len(w_hh)), np.ones((len(x), HIDDEN), np.float32)
    product, h = np.empty_like(gates[0]), np.ones((BATCH, HIDDEN), np.float32)
    grad_ih, grad_hh = np.empty_like(w_ih), np.empty_like(w_hh)
    recurrent = w_hh.T.copy()

    def step() -> float:
        np.matmul(x, w_ih.T, out=rows)
        for _ in range(STEPS):
            np.matmul(h, recurrent, out=product)
        for gate in gates:
            np.matmul(gate, w_hh, out=h)
        np.matmul(rows.T, x, out=grad_ih)
        np.matmul(rows.T, states, out=grad_hh)
        return 0.0

    return step


WORKS = [
    work("GRU", {"torch": 0.8, "numpy": 1.00}),
    work("LSTM", {"torch": 2.0, "numpy": 1.10}),
]
