"""The engine: it records operations, and walks them backwards for gradients."""

from mytorch import tensor


def backward(grad_fn, grad_of_outputs):
    """Walk from a node of the graph to the leaves, and hand each parent its gradient.

    Args:
        grad_fn: the node: a BackwardFunction, or an AccumulateGrad, at which a way ends.
        grad_of_outputs (Tensor): the gradient of the loss by the result of that node.
    """
    # handout: begin 1.2 Apply the node to its gradient; hand each parent in next_functions the
    #     gradient that is its.
    grads = grad_fn.apply(grad_of_outputs)
    if type(grads) is not tuple:
        grads = (grads,)
    for node, grad in zip(grad_fn.next_functions, grads, strict=False):
        if node is not None:
            backward(node, grad)
    # handout: end


class Function:
    """An operation: the parent of all in functional.py."""

    @classmethod
    def apply(cls, *args):
        """Run forward, add a node to the graph if a gradient is wanted, and return the result."""
        backward_function = BackwardFunction(cls)
        output = cls.forward(backward_function.ctx, *args)
        # handout: begin 1.2 Fill next_functions, one entry an argument; set the output's flags
        #     and grad_fn (appendix A).
        for arg in args:
            backward_function.next_functions.append(parent_node(arg))
        output.requires_grad = any(n is not None for n in backward_function.next_functions)
        output.is_leaf = not output.requires_grad
        if output.requires_grad:
            output.grad_fn = backward_function
        return output
        # handout: end


# handout: cut 1.2
def parent_node(arg):
    """Return the node of an argument, None if it needs no gradient."""
    if type(arg).__name__ != "Tensor" or not arg.requires_grad:
        return None
    if arg.is_leaf:
        return AccumulateGrad(arg)
    return arg.grad_fn


# handout: end
class AccumulateGrad:
    """The node of a leaf: it adds what arrives to the leaf's gradient."""

    def __init__(self, input_tensor):
        self.variable = input_tensor
        self.next_functions = []
        self.function_name = "AccumulateGrad"

    def apply(self, arg):
        """Add to the leaf's gradient."""
        if self.variable.grad is None:
            self.variable.grad = tensor.Tensor(arg.data)
        else:
            self.variable.grad.data += arg.data
        shape, grad_shape = self.variable.shape, self.variable.grad.shape
        assert shape == grad_shape, (shape, grad_shape)
        return ()


class ContextManager:
    """What an operation keeps from forward to backward."""

    def __init__(self):
        self.saved_tensors = []

    def save_for_backward(self, *args):
        """Keep copies of tensors."""
        for arg in args:
            if type(arg).__name__ != "Tensor":
                raise Exception(f"Got type {type(arg)} of object {arg}. Expected Tensor.")
            self.saved_tensors.append(arg.copy())


class BackwardFunction:
    """The node of a result: it knows the operation, its context, and the nodes of the arguments."""

    def __init__(self, cls):
        self.ctx = ContextManager()
        self._forward_cls = cls
        self.next_functions = []
        self.function_name = cls.__name__

    def apply(self, *args):
        """Run the operation's backward."""
        return self._forward_cls.backward(self.ctx, *args)
