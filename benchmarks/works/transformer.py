"""One step of training a Transformer's encoder layer with a linear head on the mean, float32."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.data import classification
from benchmarks.work import Step, Work

WIDTH, HEADS, INNER, STEPS, BATCH, CLASSES, LR, EPS = 128, 4, 512, 64, 16, 10, 0.05, 1e-5
HEAD_WIDTH = WIDTH // HEADS
ROWS = BATCH * STEPS
Arrays = dict[str, np.ndarray]

#: of the layer, in the order of its state, then of the head
SHAPES = {
    "self_attn.in_proj_weight": (3 * WIDTH, WIDTH),
    "self_attn.in_proj_bias": (3 * WIDTH,),
    "self_attn.out_proj.weight": (WIDTH, WIDTH),
    "self_attn.out_proj.bias": (WIDTH,),
    "linear1.weight": (INNER, WIDTH),
    "linear1.bias": (INNER,),
    "linear2.weight": (WIDTH, INNER),
    "linear2.bias": (WIDTH,),
    "norm1.weight": (WIDTH,),
    "norm1.bias": (WIDTH,),
    "norm2.weight": (WIDTH,),
    "norm2.bias": (WIDTH,),
    "weight": (CLASSES, WIDTH),
    "bias": (CLASSES,),
}


def sequences() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of (N, T, E), float32, and labels (N,) that follow a rule."""
    batches = classification(STEPS * WIDTH, CLASSES, BATCH)
    return [(x.reshape(BATCH, STEPS, WIDTH), y) for x, y in batches]


def weights() -> Arrays:
    """Return all parameters: weights by the sizes of their inputs, those of the norms 1."""
    rng = np.random.default_rng(1)
    drawn = {}
    for name, shape in SHAPES.items():
        bound = shape[-1] ** -0.5
        array = rng.uniform(-bound, bound, shape)
        drawn[name] = (array + (name.startswith("norm") and name.endswith("weight"))).astype("f4")
    return drawn


# --------------------------------------------------------------------------- the libraries


def mytorch_step() -> Step:
    """The step that every user of MyTorch writes."""
    import mytorch
    from mytorch import nn, optim

    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, 0.0, batch_first=True)
    head = nn.Linear(WIDTH, CLASSES)
    modules = layer.to(np.float32), head.to(np.float32)
    return _step(mytorch, *modules, nn.CrossEntropyLoss(), optim.SGD)


def torch_step() -> Step:
    """The same in torch, eager."""
    import torch
    from torch import nn, optim

    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, 0.0, batch_first=True)
    return _step(torch, layer, nn.Linear(WIDTH, CLASSES), nn.CrossEntropyLoss(), optim.SGD)


def _step(library: Any, layer: Any, head: Any, criterion: Any, sgd: Any) -> Step:
    state = {name: library.tensor(array) for name, array in weights().items()}
    for module in (head, layer):
        module.load_state_dict({name: state.pop(name) for name in module.state_dict()})
    optimizer = sgd([*layer.parameters(), *head.parameters()], LR, momentum=0.9)
    batches = itertools.cycle([(library.tensor(x), library.tensor(y)) for x, y in sequences()])

    def step() -> float:
        x, y = next(batches)
        optimizer.zero_grad()
        loss = criterion(head(layer(x).mean(1)), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_step() -> Step:
    """One compiled function for the whole step."""
    import jax
    import jax.numpy as jnp

    def norm(x: Any, w: Any, b: Any) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        return centred / jnp.sqrt((centred * centred).mean(-1, keepdims=True) + EPS) * w + b

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        w_in, b_in, w_out, b_out, w_1, b_1, w_2, b_2, n_1, m_1, n_2, m_2, w, b = params
        parts = (x @ w_in.T + b_in).reshape(BATCH, STEPS, 3, HEADS, HEAD_WIDTH)
        q, k, v = parts.transpose(2, 0, 3, 1, 4)
        seen = jax.nn.softmax(q @ k.swapaxes(2, 3) * HEAD_WIDTH**-0.5) @ v
        seen = seen.swapaxes(1, 2).reshape(x.shape)
        x = norm(x + seen @ w_out.T + b_out, n_1, m_1)
        inner = jax.nn.relu(x @ w_1.T + b_1)
        x = norm(x + inner @ w_2.T + b_2, n_2, m_2)
        logits = jax.nn.log_softmax(x.mean(1) @ w.T + b)
        return -jnp.mean(logits[jnp.arange(BATCH), y])

    def update(params: Any, momenta: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        momenta = [0.9 * v - LR * g for v, g in zip(momenta, grads, strict=True)]
        return [p + v for p, v in zip(params, momenta, strict=True)], momenta, loss

    compiled = jax.jit(update, donate_argnums=(0, 1))
    params = [jnp.array(p) for p in weights().values()]
    state: list[Any] = [params, [jnp.zeros(p.shape) for p in params]]
    batches = itertools.cycle([(jnp.array(x), jnp.array(y)) for x, y in sequences()])

    def step() -> float:
        *state[:], loss = compiled(*state, *next(batches))
        return float(loss)

    return step


# --------------------------------------------------------------------------- by hand


def _norm(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, Any]:
    """Normalise x in place; return the result, and the function that returns the gradients."""
    x -= x.mean(axis=1, keepdims=True)
    inverse = np.einsum("ij,ij->i", x, x)[:, None]
    inverse /= WIDTH
    inverse += EPS
    np.sqrt(inverse, out=inverse)
    x /= inverse
    result = x * w
    result += b

    def backward(grad: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        grad_w, grad_b = np.einsum("ij,ij->j", grad, x), grad.sum(0)
        grad = grad * w
        drift = x * (np.einsum("ij,ij->i", grad, x)[:, None] / WIDTH)
        grad -= grad.mean(axis=1, keepdims=True)
        grad -= drift
        grad /= inverse
        return grad, grad_w, grad_b

    return result, backward


def _attention(qkv: np.ndarray) -> tuple[np.ndarray, Any]:
    """Return (rows, E) of the projections (rows, 3 E), and the function for their gradient."""
    qkv[:, :WIDTH] *= HEAD_WIDTH**-0.5
    q, k, v = qkv.reshape(BATCH, STEPS, 3, HEADS, HEAD_WIDTH).transpose(2, 0, 3, 1, 4)
    p = q @ k.mT  # (N, H, T, T)
    p -= p.max(axis=-1, keepdims=True)
    np.exp(p, out=p)
    p /= p.sum(axis=-1, keepdims=True)
    result = np.empty((ROWS, WIDTH), np.float32)
    by_heads = (BATCH, STEPS, HEADS, HEAD_WIDTH)
    np.matmul(p, v, out=result.reshape(by_heads).transpose(0, 2, 1, 3))

    def backward(grad: np.ndarray) -> np.ndarray:
        grad = grad.reshape(by_heads).transpose(0, 2, 1, 3)
        grads = np.empty_like(qkv)
        parts = grads.reshape(BATCH, STEPS, 3, HEADS, HEAD_WIDTH).transpose(2, 0, 3, 1, 4)
        np.matmul(p.mT, grad, out=parts[2])
        slope = grad @ v.mT
        slope *= p
        slope -= p * slope.sum(axis=-1, keepdims=True)
        np.matmul(slope, k, out=parts[0])
        np.matmul(slope.mT, q, out=parts[1])
        grads[:, :WIDTH] *= HEAD_WIDTH**-0.5
        return grads

    return result, backward


def _loss(z: np.ndarray, y: np.ndarray) -> float:
    """Return the cross-entropy of logits, and make its gradient of them, in place."""
    rows = np.arange(BATCH)
    z -= z.max(axis=1, keepdims=True)
    picked = z[rows, y]
    np.exp(z, out=z)
    sums = z.sum(axis=1, keepdims=True)
    z /= sums
    z[rows, y] -= 1
    z /= BATCH
    return float((np.log(sums[:, 0]) - picked).mean())


def numpy_step() -> Step:
    """The same mathematics by hand: in place where that is possible, no graph."""
    parameters = list(weights().values())
    momenta = [np.zeros_like(p) for p in parameters]
    w_in, b_in, w_out, b_out, w_1, b_1, w_2, b_2, n_1, m_1, n_2, m_2, w, b = parameters
    batches = itertools.cycle([(x.reshape(ROWS, WIDTH), y) for x, y in sequences()])

    def affine(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
        z = x @ weight.T
        z += bias
        return z

    def step() -> float:
        x, y = next(batches)
        seen, attention_back = _attention(affine(x, w_in, b_in))
        h = affine(seen, w_out, b_out)
        h += x
        h, first_back = _norm(h, n_1, m_1)
        inner = affine(h, w_1, b_1)
        np.maximum(inner, 0, out=inner)
        z = affine(inner, w_2, b_2)
        z += h
        z, second_back = _norm(z, n_2, m_2)
        mean = z.reshape(BATCH, STEPS, WIDTH).mean(1)
        logits = affine(mean, w, b)
        loss = _loss(logits, y)

        grad = np.repeat(logits @ w / STEPS, STEPS, axis=0)
        grad, *grads_2 = second_back(grad)
        grad_inner = grad @ w_2
        grad_inner *= inner > 0
        into = grad_inner @ w_1
        into += grad
        grads = [grad_inner.T @ h, grad_inner.sum(0), grad.T @ inner, grad.sum(0)]
        into, *grads_1 = first_back(into)
        projected = attention_back(into @ w_out)
        own = [projected.T @ x, projected.sum(0), into.T @ seen, into.sum(0)]
        grads = [*own, *grads, *grads_1, *grads_2, logits.T @ mean, logits.sum(0)]
        for p, v, g in zip(parameters, momenta, grads, strict=True):
            v *= 0.9
            g *= LR
            v -= g
            p += v
        return loss

    return step


def floor_step() -> Step:
    """Only the matrix products of a step, into buffers that are there already."""
    matrices = [p for p in weights().values() if p.ndim == 2 and len(p) > CLASSES]
    inputs = [np.ones((ROWS, matrix.shape[1]), np.float32) for matrix in matrices]
    outputs = [np.ones((ROWS, matrix.shape[0]), np.float32) for matrix in matrices]
    grads = [np.empty_like(matrix) for matrix in matrices]
    into = [None, *[np.empty_like(x) for x in inputs[1:]]]  # nobody asks for the layer's input's
    q, k, v, seen, other = np.ones((5, BATCH * HEADS, STEPS, HEAD_WIDTH), np.float32)
    p, slope = np.ones((2, BATCH * HEADS, STEPS, STEPS), np.float32)

    def step() -> float:
        for x, matrix, y in zip(inputs, matrices, outputs, strict=True):
            np.matmul(x, matrix.T, out=y)
        np.matmul(q, k.mT, out=p)
        np.matmul(p, v, out=seen)
        np.matmul(p.mT, seen, out=other)
        np.matmul(seen, v.mT, out=slope)
        np.matmul(slope, k, out=other)
        np.matmul(slope.mT, q, out=other)
        for x, matrix, y, grad, back in zip(inputs, matrices, outputs, grads, into, strict=True):
            np.matmul(y.T, x, out=grad)
            if back is not None:
                np.matmul(y, matrix, out=back)
        return 0.0

    return step


WORKS = [
    Work(
        "transformer",
        f"Transformer encoder layer, d={WIDTH}, {HEADS} heads, T={STEPS}, batch {BATCH}, SGD",
        {
            "mytorch": mytorch_step,
            "torch": torch_step,
            "jax": jax_step,
            "numpy": numpy_step,
            "floor": floor_step,
        },
        goals={"torch": 1.2, "numpy": 1.10},
        tolerance=1e-3,
    )
]
