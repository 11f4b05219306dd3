"""Operations of a fast solution: a layer, or a loss, is one of them."""

import numpy as np

from mytorch import tensor
from mytorch.autograd_engine import Function


def unbroadcast(grad, shape):
    """Sum a gradient to a shape, over all axes at once."""
    extra = grad.ndim - len(shape)
    axes = [i for i in range(grad.ndim) if i < extra or (shape[i - extra] == 1 != grad.shape[i])]
    return grad.sum(axis=tuple(axes)).reshape(shape) if axes else grad


class Add(Function):
    """a + b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.shapes = a.shape, b.shape
        return tensor.Tensor(a.data + b.data)

    @staticmethod
    def backward(ctx, grad_output):
        return tuple(tensor.Tensor(unbroadcast(grad_output.data, s)) for s in ctx.shapes)


class Sub(Function):
    """a - b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.shapes = a.shape, b.shape
        return tensor.Tensor(np.subtract(a.data, b.data))

    @staticmethod
    def backward(ctx, grad_output):
        left, right = ctx.shapes
        g = grad_output.data
        return tensor.Tensor(unbroadcast(g, left)), tensor.Tensor(-unbroadcast(g, right))


class Mul(Function):
    """a * b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return tensor.Tensor(np.multiply(a.data, b.data))

    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        pairs = ((b, a), (a, b))
        return tuple(
            tensor.Tensor(unbroadcast(grad_output.data * x.data, y.shape)) for x, y in pairs
        )


class Div(Function):
    """a / b."""

    @staticmethod
    def forward(ctx, a, b):
        quotient = tensor.Tensor(np.divide(a.data, b.data))
        ctx.save_for_backward(a, b, quotient)
        return quotient

    @staticmethod
    def backward(ctx, grad_output):
        a, b, quotient = ctx.saved_tensors
        scaled = grad_output.data / b.data
        return (
            tensor.Tensor(unbroadcast(scaled, a.shape)),
            tensor.Tensor(unbroadcast(-scaled * quotient.data, b.shape)),
        )


class Affine(Function):
    """x W^T + b, as one operation."""

    @staticmethod
    def forward(ctx, x, weight, bias):
        ctx.save_for_backward(x, weight)
        return tensor.Tensor(x.data @ weight.data.T + bias.data)

    @staticmethod
    def backward(ctx, grad_output):
        x, weight = ctx.saved_tensors
        g = grad_output.data  # (N, out)
        return tensor.Tensor(g @ weight.data), tensor.Tensor(g.T @ x.data), tensor.Tensor(g.sum(0))


class ReLU(Function):
    """max(x, 0)."""

    @staticmethod
    def forward(ctx, x):
        ctx.positive = x.data > 0
        return tensor.Tensor(np.where(ctx.positive, x.data, 0.0))

    @staticmethod
    def backward(ctx, grad_output):
        return tensor.Tensor(np.where(ctx.positive, grad_output.data, 0.0))


class CrossEntropy(Function):
    """The mean cross-entropy, as one operation."""

    @staticmethod
    def forward(ctx, logits, target):
        rows = np.arange(len(logits.data))
        shifted = logits.data - logits.data.max(axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = exponentials.sum(axis=1)
        ctx.softmax = exponentials / sums[:, None]
        ctx.softmax[rows, target.data.astype(int)] -= 1.0
        return tensor.Tensor(np.mean(np.log(sums) - shifted[rows, target.data.astype(int)]))

    @staticmethod
    def backward(ctx, grad_output):
        return tensor.Tensor(ctx.softmax / len(ctx.softmax) * grad_output.data), None


def cross_entropy(logits, target):
    """Return the mean cross-entropy of logits against labels."""
    return CrossEntropy.apply(logits, target)
