"""One step of training a multi-layer perceptron: Linear-ReLU-…-Linear, cross-entropy, float32."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.data import classification, layers
from benchmarks.work import Step, Work

BETAS, EPS = (0.9, 0.999), 1e-8


def work(
    name: str, sizes: tuple[int, ...], batch: int, goals: dict[str, float], adam: bool = False
) -> Work:
    """Return the step of one network: SGD with momentum 0.9, or Adam."""
    lr = 1e-3 if adam else 0.05
    makers = {
        "mytorch": mytorch_step,
        "torch": torch_step,
        "jax": jax_step,
        "autograd": autograd_step,
        "numpy": numpy_step,
        "floor": floor_step,
    }

    def prepared(system: str, maker: Callable[..., Step]) -> Callable[[], Step]:
        def make() -> Step:
            wrap = _wrapper(system)
            batches = classification(sizes[0], sizes[-1], batch)
            wrapped = itertools.cycle([(wrap(x), wrap(y)) for x, y in batches])
            return maker(layers(*sizes), wrapped, lr, adam)

        return make

    optimizer = "Adam" if adam else "SGD with momentum"
    return Work(
        name,
        f"MLP {'-'.join(map(str, sizes))}, batch {batch}, {optimizer}",
        {system: prepared(system, maker) for system, maker in makers.items()},
        goals=goals,
        tolerance=1e-3,
    )


def _wrapper(system: str) -> Callable[[np.ndarray], Any]:
    """Return what makes an array a batch of the system."""
    if system == "mytorch":
        import mytorch

        return mytorch.tensor
    if system == "torch":
        import torch

        return torch.tensor
    if system == "jax":
        import jax.numpy

        return jax.numpy.array
    return np.asarray


def mytorch_model(parameters: list[np.ndarray], lr: float, adam: bool) -> tuple[Any, Any, Any]:
    """Return model, loss and optimiser."""
    from mytorch import nn, optim, tensor

    modules: list[Any] = []
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[0]).to(np.float32)
        linear.load_state_dict({"weight": tensor(weight), "bias": tensor(bias)})
        modules += [linear, nn.ReLU()]
    model, criterion = nn.Sequential(*modules[:-1]), nn.CrossEntropyLoss()
    optimizer: Any = (
        optim.Adam(model.parameters(), lr)
        if adam
        else optim.SGD(model.parameters(), lr, momentum=0.9)
    )
    return model, criterion, optimizer


def torch_model(parameters: list[np.ndarray], lr: float, adam: bool) -> tuple[Any, Any, Any]:
    """As ``mytorch_model``."""
    import torch

    modules: list[Any] = []
    for weight, bias in zip(parameters[::2], parameters[1::2], strict=True):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        modules += [linear, torch.nn.ReLU()]
    model, criterion = torch.nn.Sequential(*modules[:-1]), torch.nn.CrossEntropyLoss()
    optimizer: Any = (
        torch.optim.Adam(model.parameters(), lr)
        if adam
        else torch.optim.SGD(model.parameters(), lr, momentum=0.9)
    )
    return model, criterion, optimizer


def mytorch_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """The step that every user of MyTorch writes."""
    return _training_step(*mytorch_model(parameters, lr, adam), batches)


def torch_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """The same in torch, eager."""
    return _training_step(*torch_model(parameters, lr, adam), batches)


def _training_step(model: Any, criterion: Any, optimizer: Any, batches: Any) -> Step:
    def step() -> float:
        x, y = next(batches)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _functional_loss(np: Any, parameters: list[Any], x: Any, y: Any) -> Any:
    """The loss in the style of JAX and HIPS autograd; ``np`` is their NumPy."""
    for index in range(0, len(parameters), 2):
        x = np.dot(x, parameters[index].T) + parameters[index + 1]
        if index + 2 < len(parameters):
            x = np.maximum(x, 0)
    x = x - np.max(x, axis=1, keepdims=True)
    return np.mean(np.log(np.sum(np.exp(x), axis=1)) - x[np.arange(len(y)), y])


def jax_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """One compiled function for the whole step, which reuses the memory of its arguments."""
    import jax
    import jax.numpy as jnp

    params = [jnp.array(p) for p in parameters]
    first = [jnp.zeros_like(p) for p in params]
    second = [jnp.zeros_like(p) for p in params]

    def update(params: Any, first: Any, second: Any, t: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(lambda p: _functional_loss(jnp, p, x, y))(params)
        if not adam:
            first = [0.9 * v - lr * g for v, g in zip(first, grads, strict=True)]
            return [p + v for p, v in zip(params, first, strict=True)], first, second, loss
        b1, b2 = BETAS
        first = [b1 * m + (1 - b1) * g for m, g in zip(first, grads, strict=True)]
        second = [b2 * v + (1 - b2) * g * g for v, g in zip(second, grads, strict=True)]
        rate, root = lr / (1 - b1**t), jnp.sqrt(1 - b2**t)
        triples = zip(params, first, second, strict=True)
        return (
            [p - rate * m / (jnp.sqrt(v) / root + EPS) for p, m, v in triples],
            first,
            second,
            loss,
        )

    compiled = jax.jit(update, donate_argnums=(0, 1, 2))
    state: list[Any] = [params, first, second]
    count = itertools.count(1)

    def step() -> float:
        *state[:], loss = compiled(*state, float(next(count)), *next(batches))
        return float(loss)

    return step


def autograd_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """HIPS autograd for the gradients, and NumPy for the update."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    loss_and_grads = value_and_grad(lambda p, x, y: _functional_loss(anp, p, x, y))
    update = _numpy_update(parameters, lr, adam)

    def step() -> float:
        loss, grads = loss_and_grads(parameters, *next(batches))
        update(grads)
        return float(loss)

    return step


def _numpy_update(parameters: list[np.ndarray], lr: float, adam: bool) -> Callable[[Any], None]:
    """The optimiser in plain NumPy, in place on the parameters."""
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    count = itertools.count(1)

    def sgd(grads: Any) -> None:
        for p, v, g in zip(parameters, first, grads, strict=True):
            v *= 0.9
            v -= lr * g
            p += v

    def adaptive(grads: Any) -> None:
        (b1, b2), t = BETAS, next(count)
        rate, root = lr / (1 - b1**t), float(np.sqrt(1 - b2**t))
        for p, m, v, g in zip(parameters, first, second, grads, strict=True):
            m *= b1
            m += (1 - b1) * g
            v *= b2
            v += (1 - b2) * (g * g)
            p -= rate * m / (np.sqrt(v) / root + EPS)

    return adaptive if adam else sgd


def numpy_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """The same mathematics by hand: no graph, in-place updates, in-place ReLU and softmax."""
    update = _numpy_update(parameters, lr, adam)
    depth = len(parameters) // 2

    def step() -> float:
        x, y = next(batches)
        inputs = [x]
        for index in range(depth):
            z = inputs[-1] @ parameters[2 * index].T
            z += parameters[2 * index + 1]
            if index + 1 < depth:
                np.maximum(z, 0, out=z)
            inputs.append(z)
        z = inputs.pop()
        z -= z.max(axis=1, keepdims=True)
        rows, picked = np.arange(len(y)), z[np.arange(len(y)), y]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).mean())
        z /= total
        z[rows, y] -= 1
        z /= len(y)
        grads: list[Any] = [None] * len(parameters)
        for index in reversed(range(depth)):
            grads[2 * index] = z.T @ inputs[index]
            grads[2 * index + 1] = z.sum(axis=0)
            if index:
                z = z @ parameters[2 * index]
                z *= inputs[index] > 0
        update(grads)
        return loss

    return step


def floor_step(parameters: list[np.ndarray], batches: Any, lr: float, adam: bool) -> Step:
    """Only the matrix products of a step, into buffers that are there already."""
    x, _ = next(batches)
    weights = parameters[::2]
    shapes = [(len(x), w.shape[0]) for w in weights]
    outputs = [np.ones(shape, np.float32) for shape in shapes]
    inputs = [x, *outputs[:-1]]
    weight_grads = [np.empty_like(w) for w in weights]
    input_grads = [np.empty_like(each) for each in inputs]

    def step() -> float:
        for i, w, z in zip(inputs, weights, outputs, strict=True):
            np.matmul(i, w.T, out=z)
        for k in reversed(range(len(weights))):
            np.matmul(outputs[k].T, inputs[k], out=weight_grads[k])
            if k:
                np.matmul(outputs[k], weights[k], out=input_grads[k])
        return 0.0

    return step


WORKS = [
    work("mlp-20", (784, 20, 10), 100, {"torch": 0.45, "numpy": 1.15}),
    work("mlp-128", (784, 128, 10), 64, {"torch": 0.55, "numpy": 1.00}),
    work("mlp-512", (784, 512, 512, 10), 100, {"torch": 0.60, "numpy": 0.92}),
    work("mlp-512-adam", (784, 512, 512, 10), 100, {"torch": 0.65, "numpy": 0.80}, adam=True),
    work("mlp-1024", (784, 1024, 1024, 10), 128, {"torch": 0.55, "numpy": 0.92}),
]
