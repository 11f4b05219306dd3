"""One step of training LeNet-5 on images of 28 by 28, float32."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.data import classification
from benchmarks.work import Step, Work

BATCH, SIZE, CLASSES, LR = 64, 28, 10, 0.05
SHAPES = ((6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (CLASSES, 84))
PADDING = (2, 0)  # of the two convolutions
Arrays = list[np.ndarray]


def pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return batches of (N, 1, 28, 28), float32, and labels (N,) that follow a rule."""
    batches = classification(SIZE * SIZE, CLASSES, BATCH)
    return [(x.reshape(BATCH, 1, SIZE, SIZE), y) for x, y in batches]


def weights() -> Arrays:
    """Return weight and bias of each layer, drawn as torch draws them."""
    rng = np.random.default_rng(1)
    drawn = []
    for shape in SHAPES:
        bound = math.prod(shape[1:]) ** -0.5
        for each in (shape, shape[:1]):
            drawn.append(rng.uniform(-bound, bound, each).astype(np.float32))
    return drawn


# --------------------------------------------------------------------------- the libraries


def network(nn: Any) -> Any:
    """Return LeNet-5 as it is written today: with ReLU and max pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=PADDING[0]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5, padding=PADDING[1]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, CLASSES),
    )


def mytorch_step() -> Step:
    """The step that every user of MyTorch writes."""
    import mytorch

    return _step(mytorch, network(mytorch.nn).to(mytorch.float32))


def torch_step() -> Step:
    """The same in torch, eager."""
    import torch

    return _step(torch, network(torch.nn))


def _step(library: Any, model: Any) -> Step:
    tensors = map(library.tensor, weights())
    model.load_state_dict(dict(zip(model.state_dict(), tensors, strict=True)))
    criterion = library.nn.CrossEntropyLoss()
    optimizer = library.optim.SGD(model.parameters(), LR, momentum=0.9)
    batches = itertools.cycle([(library.tensor(x), library.tensor(y)) for x, y in pictures()])

    def step() -> float:
        x, y = next(batches)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_step() -> Step:
    """One compiled function for the whole step."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        for layer, padding in enumerate(PADDING):
            around = [(padding, padding)] * 2
            x = lax.conv_general_dilated(x, params[2 * layer], (1, 1), around)
            x = jnp.maximum(x + params[2 * layer + 1][:, None, None], 0)
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        x = x.reshape(BATCH, -1)
        for index in range(4, len(params), 2):
            x = x @ params[index].T + params[index + 1]
            if index + 2 < len(params):
                x = jnp.maximum(x, 0)
        return -jnp.mean(jax.nn.log_softmax(x)[jnp.arange(BATCH), y])

    def update(params: Any, momenta: Any, x: Any, y: Any) -> Any:
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        momenta = [0.9 * v - LR * g for v, g in zip(momenta, grads, strict=True)]
        return [p + v for p, v in zip(params, momenta, strict=True)], momenta, loss

    compiled = jax.jit(update, donate_argnums=(0, 1))
    first = [jnp.array(p) for p in weights()]
    state: list[Any] = [first, [jnp.zeros(p.shape) for p in first]]
    batches = itertools.cycle([(jnp.array(x), jnp.array(y)) for x, y in pictures()])

    def step() -> float:
        *state[:], loss = compiled(*state, *next(batches))
        return float(loss)

    return step


# --------------------------------------------------------------------------- by hand


def _convolve(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, padding: int) -> Any:
    """Return the result and the columns that it was made of (im2col)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))  # (N, C, H, W, h, w)
    count, _, rows, places = windows.shape[:4]
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(count * rows * places, -1)
    y = columns @ weight.reshape(len(weight), -1).T
    y += bias
    return y.reshape(count, rows, places, -1).transpose(0, 3, 1, 2), columns


def _kernel_gradients(grad: np.ndarray, columns: np.ndarray, weight: np.ndarray) -> Any:
    """Return the gradient as rows (N * H * W, O), and those of weight and bias."""
    rows = grad.transpose(0, 2, 3, 1).reshape(-1, len(weight))
    return rows, (rows.T @ columns).reshape(weight.shape), rows.sum(0)


def _image_gradient(rows: np.ndarray, weight: np.ndarray, size: int) -> np.ndarray:
    """Return the gradient of images of this size (col2im), for padding 0."""
    channels, kernel = weight.shape[1:3]
    places = size - kernel + 1
    parts = (rows @ weight.reshape(len(weight), -1)).reshape(
        -1, places, places, channels, kernel, kernel
    )
    image = np.zeros((len(parts), channels, size, size), np.float32)
    for i, j in itertools.product(range(kernel), repeat=2):
        image[:, :, i : i + places, j : j + places] += parts[..., i, j].transpose(0, 3, 1, 2)
    return image


def _tiles(x: np.ndarray) -> np.ndarray:
    """Return (N, C, H, W) as the 2 by 2 that pooling sees, (N, C, H / 2, 2, W / 2, 2)."""
    count, channels, height, width = x.shape
    return x.reshape(count, channels, height // 2, 2, width // 2, 2)


def _features(x: np.ndarray, parameters: Arrays) -> tuple[np.ndarray, list[Any]]:
    """Return what the two convolutions make of images, as rows, and what their backward needs."""
    kept = []
    for weight, bias, padding in zip(parameters[::2], parameters[1::2], PADDING, strict=True):
        z, columns = _convolve(x, weight, bias, padding)
        tiles = _tiles(np.maximum(z, 0))
        x = tiles.max((3, 5))
        kept.append((columns, tiles, x))
    return x.reshape(len(x), -1), kept


def _feature_gradients(grad: np.ndarray, parameters: Arrays, kept: list[Any]) -> Arrays:
    """Return the gradients of the convolutions' parameters, from that of the rows."""
    grads: Arrays = []
    for layer in (1, 0):
        columns, tiles, largest = kept[layer]
        taken = (tiles == largest[:, :, :, None, :, None]) & (tiles > 0)
        grad = grad.reshape(largest.shape)[:, :, :, None, :, None] * taken
        weight, size = parameters[2 * layer], 2 * largest.shape[2]
        rows, *own = _kernel_gradients(grad.reshape(BATCH, -1, size, size), columns, weight)
        grads = [*own, *grads]
        if layer:
            grad = _image_gradient(rows, weight, size + weight.shape[2] - 1)
    return grads


def _head(x: np.ndarray, y: np.ndarray, parameters: Arrays) -> tuple[float, np.ndarray, Arrays]:
    """Return the loss, the gradient of the rows x, and those of the linear layers' parameters."""
    inputs = [x]
    for index in range(0, len(parameters), 2):
        z = inputs[-1] @ parameters[index].T + parameters[index + 1]
        inputs.append(np.maximum(z, 0))
    number = np.arange(len(y))
    z -= z.max(axis=1, keepdims=True)
    picked = z[number, y]
    np.exp(z, out=z)
    total = z.sum(axis=1, keepdims=True)
    loss = float((np.log(total[:, 0]) - picked).mean())
    z /= total
    z[number, y] -= 1
    z /= len(y)
    grads: Arrays = []
    for index in reversed(range(0, len(parameters), 2)):
        before = inputs[index // 2]
        grads = [z.T @ before, z.sum(0), *grads]
        z = z @ parameters[index]
        if index:
            z *= before > 0
    return loss, z, grads


def numpy_step() -> Step:
    """The same mathematics in plain NumPy: im2col, one product for each convolution, no graph."""
    parameters = weights()
    momenta = [np.zeros_like(p) for p in parameters]
    batches = itertools.cycle(pictures())

    def step() -> float:
        x, y = next(batches)
        rows, kept = _features(x, parameters[:4])
        loss, grad, grads = _head(rows, y, parameters[4:])
        grads = _feature_gradients(grad, parameters, kept) + grads
        for p, v, g in zip(parameters, momenta, grads, strict=True):
            v *= 0.9
            v -= LR * g
            p += v
        return loss

    return step


def floor_step() -> Step:
    """Only the matrix products of a step, into buffers that are there already."""
    rows = BATCH * 784, BATCH * 100, BATCH, BATCH, BATCH  # of the columns, or of the inputs
    matrices = [weight.reshape(len(weight), -1) for weight in weights()[::2]]
    inputs = [np.ones((n, w.shape[1]), np.float32) for n, w in zip(rows, matrices, strict=True)]
    outputs = [np.ones((n, w.shape[0]), np.float32) for n, w in zip(rows, matrices, strict=True)]
    weight_grads = [np.empty_like(w) for w in matrices]
    input_grads = [np.empty_like(each) for each in inputs]

    def step() -> float:
        for x, w, y in zip(inputs, matrices, outputs, strict=True):
            np.matmul(x, w.T, out=y)
        for layer in reversed(range(len(matrices))):
            np.matmul(outputs[layer].T, inputs[layer], out=weight_grads[layer])
            if layer:
                np.matmul(outputs[layer], matrices[layer], out=input_grads[layer])
        return 0.0

    return step


MAKERS: dict[str, Callable[[], Step]] = {
    "mytorch": mytorch_step,
    "torch": torch_step,
    "jax": jax_step,
    "numpy": numpy_step,
    "floor": floor_step,
}
WORKS = [
    Work(
        "lenet",
        f"LeNet-5, {SIZE}x{SIZE}x1, batch {BATCH}, SGD with momentum (NumPy: plain im2col)",
        MAKERS,
        goals={"torch": 1.5, "numpy": 0.4},
        tolerance=1e-3,
    )
]
