"""The operations of a terse solution: each is a forward and its gradients, as functions."""

import numpy as np

from mytorch import tensor
from mytorch.autograd_engine import Function


def unbroadcast(grad, shape):
    """Sum a gradient to a shape."""
    grad = np.asarray(grad)
    while grad.ndim > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis, keepdims=True)
    return grad


def operation(name, compute, *gradients):
    """Return an operation: compute(*arrays), and for each argument gradient(g, out, *arrays)."""

    def forward(ctx, *args):
        out = tensor.Tensor(compute(*(arg.data for arg in args)))
        ctx.save_for_backward(out, *args)
        return out

    def backward(ctx, grad_output):
        out, *args = ctx.saved_tensors
        arrays = [arg.data for arg in args]
        return tuple(
            tensor.Tensor(unbroadcast(rule(grad_output.data, out.data, *arrays), arg.shape))
            for rule, arg in zip(gradients, args, strict=True)
        )

    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(name, (Function,), members)


Add = operation("Add", lambda a, b: a + b, lambda g, *_: g, lambda g, *_: g)
Sub = operation("Sub", lambda a, b: a - b, lambda g, *_: g, lambda g, *_: -g)
Mult = operation("Mult", lambda a, b: a * b, lambda g, o, a, b: g * b, lambda g, o, a, b: g * a)
Div = operation("Div", lambda a, b: a / b, lambda g, o, a, b: g / b, lambda g, o, a, b: -g * o / b)
MatMul = operation(
    "MatMul", lambda a, b: a @ b, lambda g, o, a, b: g @ b.T, lambda g, o, a, b: a.T @ g
)
Transpose = operation("Transpose", lambda a: a.T, lambda g, o, a: g.T)
ReLU = operation("ReLU", lambda a: a * (a > 0), lambda g, o, a: g * (a > 0))
LogSumExp = operation(
    "LogSumExp",
    lambda z: (
        z.max(1, keepdims=True) + np.log(np.exp(z - z.max(1, keepdims=True)).sum(1, keepdims=True))
    ),
    lambda g, o, z: g * np.exp(z - o),
)
Total = operation("Total", lambda a: a.sum(), lambda g, o, a: g * np.ones(a.shape))


def cross_entropy(logits, target):
    """Return the mean over rows of log(sum(exp(z))) - z[label]."""
    rows, classes = logits.shape
    one_hot = tensor.Tensor(np.eye(classes)[target.data.astype(int)])
    return (Total.apply(LogSumExp.apply(logits)) - Total.apply(logits * one_hot)) / float(rows)
