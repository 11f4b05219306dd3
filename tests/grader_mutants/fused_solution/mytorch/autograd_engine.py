"""The engine of a fast solution: nodes in topological order, each visited once."""

import itertools

import numpy as np

from mytorch import tensor

COUNTER = itertools.count()


def backward(grad_fn, grad_of_outputs):
    """Visit the nodes from the youngest to the oldest, which is a topological order."""
    if grad_fn is None:
        return
    pending = {grad_fn: np.asarray(grad_of_outputs.data)}
    while pending:
        node = max(pending, key=lambda each: each.age)
        grads = node.apply(tensor.Tensor(pending.pop(node)))
        if not isinstance(grads, (tuple, list)):
            grads = [grads]
        for following, grad in zip(node.next_functions, grads, strict=False):
            if following is None or grad is None:
                continue
            known = pending.get(following)
            pending[following] = grad.data if known is None else known + grad.data


class Function:
    """An operation."""

    @classmethod
    def apply(cls, *args):
        """Compute the result and record how it came about."""
        node = BackwardFunction(cls)
        result = cls.forward(node.ctx, *args)
        node.next_functions = [node_of(arg) for arg in args]
        if any(following is not None for following in node.next_functions):
            result.requires_grad, result.is_leaf, result.grad_fn = True, False, node
        return result


def node_of(arg):
    """Return the node that a gradient of an argument goes to."""
    if not isinstance(arg, tensor.Tensor) or not arg.requires_grad:
        return None
    if arg.grad_fn is not None:
        return arg.grad_fn
    if arg.accumulator is None:
        arg.accumulator = AccumulateGrad(arg)
    return arg.accumulator


class AccumulateGrad:
    """Where gradients of a leaf end."""

    function_name = "AccumulateGrad"
    age = -1

    def __init__(self, variable):
        self.variable, self.next_functions = variable, []

    def apply(self, grad):
        """Add a gradient to the leaf's."""
        known = self.variable.grad
        total = grad.data if known is None else known.data + grad.data
        self.variable.grad = tensor.Tensor(total)
        return ()


class ContextManager:
    """What forward keeps for backward."""

    def __init__(self):
        self.saved_tensors = ()

    def save_for_backward(self, *tensors):
        """Keep tensors."""
        for each in tensors:
            if type(each).__name__ != "Tensor":
                raise TypeError(f"a Tensor is wanted, not {type(each)}")
        self.saved_tensors = tensors


class BackwardFunction:
    """The node of a result."""

    def __init__(self, operation):
        self.ctx, self.operation, self.age = ContextManager(), operation, next(COUNTER)
        self.next_functions, self.function_name = [], operation.__name__

    def apply(self, grad):
        """Compute the gradients of the arguments."""
        return self.operation.backward(self.ctx, grad)
