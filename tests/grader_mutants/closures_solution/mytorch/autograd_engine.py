"""The engine of a terse solution: counts the uses of each node, and releases it after the last."""

from collections import Counter, deque

from mytorch import tensor


def backward(grad_fn, grad_of_outputs):
    """Hand gradients on in the order of Kahn (1962)."""
    uses, seen = Counter(), {id(grad_fn)}
    waiting = [grad_fn]
    while waiting:
        for following in filter(None, waiting.pop().next_functions):
            uses[id(following)] += 1
            if id(following) not in seen:
                seen.add(id(following))
                waiting.append(following)
    totals, ready = {id(grad_fn): grad_of_outputs.data}, deque([grad_fn])
    while ready:
        node = ready.popleft()
        grads = node.apply(tensor.Tensor(totals.pop(id(node))))
        for following, grad in zip(node.next_functions, grads, strict=False):
            if following is None:
                continue
            key = id(following)
            totals[key] = totals[key] + grad.data if key in totals else grad.data
            uses[key] -= 1
            if not uses[key]:
                ready.append(following)


class Function:
    """An operation; functional.py makes its subclasses."""

    @classmethod
    def apply(cls, *args):
        """Run forward, and remember whom a gradient goes to."""
        node = BackwardFunction(cls)
        out = cls.forward(node.ctx, *args)
        node.next_functions = [edge(arg) for arg in args]
        out.requires_grad = any(node.next_functions)
        out.is_leaf = not out.requires_grad
        out.grad_fn = node if out.requires_grad else None
        return out


def edge(arg):
    """Return the node of an argument."""
    if not getattr(arg, "requires_grad", False):
        return None
    return arg.grad_fn or arg.__dict__.setdefault("_edge", AccumulateGrad(arg))


class AccumulateGrad:
    """A leaf's node."""

    next_functions = ()
    function_name = "AccumulateGrad"

    def __init__(self, leaf):
        self.variable = leaf

    def apply(self, grad):
        """Add up."""
        if self.variable.grad is None:
            self.variable.grad = tensor.Tensor(0 * grad.data)
        self.variable.grad.data = self.variable.grad.data + grad.data
        return ()


class ContextManager:
    """What is kept."""

    def __init__(self):
        self.saved_tensors = []

    def save_for_backward(self, *args):
        """Keep tensors."""
        assert all(type(arg).__name__ == "Tensor" for arg in args), "Tensors are wanted"
        self.saved_tensors += args


class BackwardFunction:
    """A result's node."""

    def __init__(self, cls):
        self.ctx, self.cls, self.function_name = ContextManager(), cls, cls.__name__
        self.next_functions = []

    def apply(self, grad):
        """Run backward."""
        return self.cls.backward(self.ctx, grad)
