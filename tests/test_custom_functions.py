"""Functions that a user writes: several outputs, plain arguments, and what is told when wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import autograd
from mytorch.autograd import Function, once_differentiable
from mytorch.errors import GraphError
from mytorch.tensor import Tensor


class SumAndProduct(Function):
    """(x + y, x * y), with a plain argument that scales both."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any, scale: float) -> Any:
        ctx.scale = scale
        total, product = x.new(scale * (x.data + y.data)), x.new(scale * x.data * y.data)
        ctx.save_for_backward(x, y, product)
        return total, product

    @staticmethod
    def backward(ctx: Any, of_sum: Any, of_product: Any) -> Any:
        x, y, product = ctx.saved_tensors
        assert product.data == ctx.scale * x.data * y.data
        return (
            ctx.scale * (of_sum + of_product * y),
            ctx.scale * (of_sum + of_product * x) if ctx.needs_input_grad[1] else None,
            None,
        )


def test_several_outputs_give_their_gradients_together() -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(5.0, requires_grad=True)
    total, product = SumAndProduct.apply(x, y, 3.0)
    (total * 7 + product * product).backward()
    assert x.grad.item() == 3 * (7 + 2 * 30 * 5) and y.grad.item() == 3 * (7 + 2 * 30 * 2)
    assert type(total).__name__ == "Tensor" and total.grad_fn.function_name == "SumAndProduct"


def test_an_unused_output_counts_as_zeros() -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(5.0)
    SumAndProduct.apply(x, y, 1.0)[1].backward()
    assert x.grad.item() == 5.0 and y.grad is None


def test_several_outputs_differentiate_to_any_order_and_forwards() -> None:
    def function(x: Any, y: Any) -> Any:
        total, product = SumAndProduct.apply(x, y, 1.0)
        return product * total  # x**2 y + x y**2

    found = autograd.hessian(function, (0, 1))(2.0, 5.0)
    assert found == ((10.0, 14.0), (14.0, 4.0))
    assert autograd.jvp(function, (2.0, 5.0), (1.0, 0.0))[1] == 45.0


def test_materialize_grads_can_be_turned_off() -> None:
    seen: list[Any] = []

    class Pair(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x.new(x.data * 1), x.new(x.data * 2)

        @staticmethod
        def backward(ctx: Any, first: Any, second: Any) -> Any:
            seen.append(first)
            return second * 2

    x = Tensor(1.0, requires_grad=True)
    Pair.apply(x)[1].backward()
    assert seen == [None] and x.grad.item() == 2.0


def test_non_differentiable_outputs_are_constants() -> None:
    class Sorted(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            order = np.argsort(x.data)
            ctx.order = order
            indices = x.new(order)
            ctx.mark_non_differentiable(indices)
            return x.new(x.data[order]), indices

        @staticmethod
        def backward(ctx: Any, grad: Any, _: Any) -> Any:
            return grad[np.argsort(ctx.order)]

    x = Tensor([3.0, 1.0, 2.0], requires_grad=True)
    values, indices = Sorted.apply(x)
    assert indices.is_leaf and not indices.requires_grad and values.requires_grad
    (values * Tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.data.tolist() == [100.0, 1.0, 10.0]


def test_once_differentiable_refuses_a_second_derivative_by_name() -> None:
    class OnArrays(Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.new(x.data**2)

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            return x.new(2 * x.data * grad.data)

    x = Tensor(3.0, requires_grad=True)
    OnArrays.apply(x).backward()
    assert x.grad.item() == 6.0
    with pytest.raises(GraphError, match="OnArrays is marked once_differentiable"):
        autograd.grad(autograd.grad(OnArrays.apply))(3.0)


class Broken(Function):
    """Does in ``forward`` what its argument says."""

    @staticmethod
    def forward(ctx: Any, x: Any, action: Any) -> Any:
        return action(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, None


def test_a_forward_that_changes_its_input_is_refused_by_name() -> None:
    def change(x: Any) -> Any:
        x.data += 1
        return x.new(x.data)

    x = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GraphError, match=r"Broken.forward changes an input in place.*copy"):
        Broken.apply(x, change)
    assert x.data.tolist() == [1.0, 2.0]
    x.data += 1  # writable again


def test_a_forward_that_returns_no_tensor_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Broken.forward must return a Tensor.*not ndarray"):
        Broken.apply(Tensor([1.0], requires_grad=True), lambda x: x.data)


def test_a_forward_in_tensor_operations_records_only_itself() -> None:
    x = Tensor([3.0], requires_grad=True)
    y = Broken.apply(x, lambda x: x * x * x)
    assert y.grad_fn.function_name == "Broken" and y.grad_fn.next_functions[1] is None
    y.backward()
    assert x.grad.item() == 1.0


def test_a_function_without_forward_or_backward_says_what_to_define() -> None:
    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match=r"forward\(ctx, \*args\)"):
        Empty.apply(Tensor([1.0]))


class Sum(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        return a + b.sum()

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad, grad.sum() * mytorch.ones(3)


class Reversed(Function):
    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data[::-1])

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad.flip(0)


def test_a_view_and_its_base_may_be_arguments_together_and_stay_writeable() -> None:
    for is_first in (False, True):
        p = Tensor([1.0, 2.0, 3.0], requires_grad=True)
        Sum.apply(*((p[:2], p) if is_first else (p, p[:2])))
        assert p.data.flags.writeable
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = Reversed.apply(x)
    assert y.data.flags.writeable


class Sign(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, marked: bool = True) -> Any:
        output = a.new(np.sign(a.data))
        if marked:
            ctx.mark_non_differentiable(output)
        return output

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None


class Doubled(Function):
    @staticmethod
    def forward(ctx: Any, a: Any) -> Any:
        return a.new(a.data * 2)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad * 2


class Largest(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, both: bool) -> Any:
        place = a.new(a.data.argmax())
        return (a.new(a.data.max()), place) if both else place

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, None


def test_outputs_that_are_marked_or_whole_numbers_are_constants() -> None:
    x = Tensor([1.0, 3.0], requires_grad=True)
    assert not Sign.apply(x).requires_grad and Sign.apply(x, False).requires_grad
    assert not Largest.apply(x, False).requires_grad
    number = Tensor(3, requires_grad=True)  # the handout's leaves may be integers
    (number * 1).backward()
    twice = Doubled.apply(number)
    assert twice.requires_grad and twice.dtype.kind == number.dtype.kind
    value, place = Largest.apply(x, True)
    assert value.requires_grad and not place.requires_grad and place.item() == 1


NAMES = (
    "shape dtype number hooks place is_leaf forward_cls function apply release attach names "
    + ("needed trace non_differentiable materialize_grads axis size data variable _saved _own")
)


@pytest.mark.parametrize("name", NAMES.split())
@pytest.mark.parametrize("on_arrays", [False, True])
def test_any_name_may_be_set_on_the_context(name: str, on_arrays: bool) -> None:
    class Halves(Function):
        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            setattr(ctx, name, a.data.shape)
            ctx.save_for_backward(a)
            return a.new(a.data[: a.data.shape[0] // 2] * 3)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (a,) = ctx.saved_tensors
            assert a.shape == getattr(ctx, name) == (4,) and ctx.needs_input_grad[0]
            grad = grad * 3
            return np.concatenate((grad, grad * 0))  # NumPy's functions take Tensors too

        @staticmethod
        def jvp(ctx: Any, tangent: Any) -> Any:
            assert getattr(ctx, name) == (4,)
            return tangent[:2] * 3

    Halves.on_arrays = on_arrays
    x = Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    Halves.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3, 0, 0]
    autograd.gradcheck(Halves.apply, (x,))
    assert autograd.jvp(Halves.apply, (x.data,), (x.data,))[1].tolist() == [3, 6]
    assert Halves.apply(x.detach()).tolist() == [3, 6]


@pytest.mark.parametrize("name", ["shape", "dtype", "number", "axis", "size", "name", "data"])
def test_operations_of_the_library_too_may_set_the_names_that_come_to_mind(name: str) -> None:
    class Reshape(Function):
        __module__ = "mytorch.nn.functional"  # where a student writes it

        @staticmethod
        def forward(ctx: Any, a: Any) -> Any:
            setattr(ctx, name, a.data.shape)
            return a.new(a.data.reshape(-1))

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad.reshape(*getattr(ctx, name))

    x = Tensor(np.ones((2, 3)), requires_grad=True)
    (Reshape.apply(x) * Tensor(np.arange(6.0))).sum().backward()
    assert x.grad.tolist() == [[0, 1, 2], [3, 4, 5]]
