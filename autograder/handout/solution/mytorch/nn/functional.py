"""The operations: each is a Function with a forward and a backward. Add is the example."""

import numpy as np

from mytorch import tensor
from mytorch.autograd_engine import Function


def unbroadcast(grad, shape):
    """Sum a gradient back to the shape of an input that was broadcast."""
    while len(grad.shape) != len(shape):
        grad = grad.sum(axis=0)
    for i in range(len(shape)):
        if grad.shape[i] != shape[i]:
            grad = grad.sum(axis=i, keepdims=True)
    return grad


class Add(Function):
    """a + b."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return tensor.Tensor(a.data + b.data)

    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        grad_a = np.ones(a.shape) * grad_output.data
        grad_b = np.ones(b.shape) * grad_output.data
        return (
            tensor.Tensor(unbroadcast(grad_a, a.shape)),
            tensor.Tensor(unbroadcast(grad_b, b.shape)),
        )


class Sub(Function):
    """a - b."""

    @staticmethod
    def forward(ctx, a, b):
        # handout: begin 1.1 Return a - b as a new Tensor, and save in ctx what backward will need.
        ctx.save_for_backward(a, b)
        return tensor.Tensor(a.data - b.data)
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 1.1 d(a - b)/da = 1 and d(a - b)/db = -1, each times grad_output; then
        #     unbroadcast.
        a, b = ctx.saved_tensors
        grad_a, grad_b = grad_output.data, -grad_output.data
        return (
            tensor.Tensor(unbroadcast(grad_a, a.shape)),
            tensor.Tensor(unbroadcast(grad_b, b.shape)),
        )
        # handout: end


class Mult(Function):
    """a * b."""

    @staticmethod
    def forward(ctx, a, b):
        # handout: begin 1.1 Return a * b as a new Tensor, and save in ctx what backward will need.
        ctx.save_for_backward(a, b)
        return tensor.Tensor(a.data * b.data)
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 1.1 d(a b)/da = b and d(a b)/db = a, each times grad_output; then
        #     unbroadcast.
        a, b = ctx.saved_tensors
        grad_a, grad_b = grad_output.data * b.data, grad_output.data * a.data
        return (
            tensor.Tensor(unbroadcast(grad_a, a.shape)),
            tensor.Tensor(unbroadcast(grad_b, b.shape)),
        )
        # handout: end


class Div(Function):
    """a / b."""

    @staticmethod
    def forward(ctx, a, b):
        # handout: begin 1.1 Return a / b as a new Tensor, and save in ctx what backward will need.
        ctx.save_for_backward(a, b)
        return tensor.Tensor(a.data / b.data)
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 1.1 d(a / b)/da = 1 / b; find d(a / b)/db; each times grad_output; then
        #     unbroadcast.
        a, b = ctx.saved_tensors
        grad_a = grad_output.data / b.data
        grad_b = -grad_output.data * a.data / b.data**2
        return (
            tensor.Tensor(unbroadcast(grad_a, a.shape)),
            tensor.Tensor(unbroadcast(grad_b, b.shape)),
        )
        # handout: end


class MatMul(Function):
    """a @ b."""

    @staticmethod
    def forward(ctx, a, b):
        # handout: begin 2.1 Return the matrix product as a new Tensor; save both.
        ctx.save_for_backward(a, b)
        return tensor.Tensor(a.data @ b.data)
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 2.1 Which product of grad_output with b has the shape of a? Which with a
        #     has that of b?
        a, b = ctx.saved_tensors
        return tensor.Tensor(grad_output.data @ b.data.T), tensor.Tensor(
            a.data.T @ grad_output.data
        )
        # handout: end


class Transpose(Function):
    """a.T."""

    @staticmethod
    def forward(ctx, a):
        return tensor.Tensor(a.data.T)

    @staticmethod
    def backward(ctx, grad_output):
        return tensor.Tensor(grad_output.data.T)


class ReLU(Function):
    """max(a, 0)."""

    @staticmethod
    def forward(ctx, a):
        # handout: begin 2.1 Return max(a, 0), element by element.
        ctx.save_for_backward(a)
        return tensor.Tensor(np.maximum(a.data, 0))
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 2.1 Pass grad_output on where a > 0, and 0 elsewhere, at a = 0 too.
        (a,) = ctx.saved_tensors
        return tensor.Tensor(grad_output.data * (a.data > 0))
        # handout: end


class Log(Function):
    """log(a)."""

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return tensor.Tensor(np.log(a.data))

    @staticmethod
    def backward(ctx, grad_output):
        return tensor.Tensor(grad_output.data / ctx.saved_tensors[0].data)


class Exp(Function):
    """exp(a)."""

    @staticmethod
    def forward(ctx, a):
        # handout: begin 2.3 Return e to the power of a; its derivative is e**a again.
        out = tensor.Tensor(np.exp(a.data))
        ctx.save_for_backward(out)
        return out
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 2.3 Multiply grad_output by e**a.
        return tensor.Tensor(grad_output.data * ctx.saved_tensors[0].data)
        # handout: end


class Sum(Function):
    """Sum over an axis."""

    @staticmethod
    def forward(ctx, a, axis, keepdims):
        # handout: begin 2.3 Return the sum over the axis; ctx can keep plain values as attributes.
        ctx.save_for_backward(a)
        ctx.axis, ctx.keepdims = axis, keepdims
        return tensor.Tensor(a.data.sum(axis=axis, keepdims=keepdims))
        # handout: end

    @staticmethod
    def backward(ctx, grad_output):
        # handout: begin 2.3 Every element of a got the weight 1: spread grad_output over a's shape.
        grad = grad_output.data
        if ctx.axis is not None and not ctx.keepdims:
            grad = np.expand_dims(grad, ctx.axis)
        return tensor.Tensor(np.ones(ctx.saved_tensors[0].shape) * grad), None, None
        # handout: end


def cross_entropy(predicted, target):
    """Return the mean cross-entropy of logits (N, C) against labels (N,), a Tensor of shape ()."""
    # handout: begin 2.3 Appendix B: LogSoftmax with the LogSumExp trick, then the mean of minus
    #     the right ones.
    batch_size, num_classes = predicted.shape
    shift = tensor.Tensor(predicted.data.max(axis=1, keepdims=True))
    z = predicted - shift
    log_softmax = z - z.exp().sum(axis=1, keepdims=True).log()
    picked = log_softmax * to_one_hot(target, num_classes)
    return picked.sum() * tensor.Tensor(-1.0 / batch_size)
    # handout: end


def to_one_hot(arr, num_classes):
    """Turn labels into rows of 0 and 1."""
    labels = arr.data.astype(int)
    a = np.zeros((labels.shape[0], num_classes))
    a[np.arange(len(a)), labels] = 1
    return tensor.Tensor(a)
