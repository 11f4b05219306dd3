"""Hooks on modules: called before and after ``forward``, and when gradients have come back.

Source: torch.nn.Module.register_forward_pre_hook, register_forward_hook,
register_full_backward_hook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mytorch.autograd_engine import Function
from mytorch.tensor import Tensor

__all__ = ["call_with_hooks"]


class _Watch(Function):
    """The identity on several tensors; its backward shows their gradients to ``callback``."""

    @staticmethod
    def forward(ctx: Any, callback: Callable[[tuple[Any, ...]], Any], *tensors: Any) -> Any:
        ctx.callback = callback
        return tuple(tensor.new_alias() for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        replaced = ctx.callback(grad_outputs)
        return None, *(grad_outputs if replaced is None else replaced)


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``module.forward(*args, **kwargs)`` with the module's hooks around it."""
    hooks = module._hooks
    for hook in list(hooks["forward_pre"].values()):
        replaced = hook(module, args)
        if replaced is not None:
            args = replaced if isinstance(replaced, tuple) else (replaced,)
    watcher = _BackwardHooks(module, list(hooks["backward"].values()))
    output = module.forward(*(watcher.watch_inputs(args)), **kwargs)
    for hook in list(hooks["forward"].values()):
        replaced = hook(module, args, output)
        output = output if replaced is None else replaced
    return watcher.watch_outputs(output)


class _BackwardHooks:
    """Brings the gradients of one call's outputs and inputs together for the backward hooks."""

    def __init__(self, module: Any, hooks: list[Callable[..., Any]]):
        self.module = module
        self.hooks = hooks
        self.places: list[int] = []  # of the arguments that require grad
        self.count = 0
        self.outputs: list[int] = []  # places of the outputs that require grad
        self.output_count = 0
        self.grad_output: tuple[Any, ...] = ()

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, those that require grad behind a watch."""
        self.count = len(args)
        if not self.hooks:
            return args
        self.places = [
            place for place, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad
        ]
        if not self.places:
            return args
        watched = list(args)
        found = _Watch.apply(self._inputs_done, *[args[place] for place in self.places])
        for place, tensor in zip(self.places, found, strict=True):
            watched[place] = tensor
        return tuple(watched)

    def watch_outputs(self, output: Any) -> Any:
        """Return the output (a Tensor or a tuple of them) behind a watch."""
        outputs = list(output) if isinstance(output, tuple) else [output]
        self.outputs = [
            place
            for place, each in enumerate(outputs)
            if isinstance(each, Tensor) and each.requires_grad
        ]
        self.output_count = len(outputs)
        if not self.hooks or not self.outputs:
            return output
        found = _Watch.apply(self._outputs_done, *[outputs[place] for place in self.outputs])
        for place, tensor in zip(self.outputs, found, strict=True):
            outputs[place] = tensor
        return tuple(outputs) if isinstance(output, tuple) else outputs[0]

    def _outputs_done(self, gradients: tuple[Any, ...]) -> None:
        full: list[Any] = [None] * self.output_count
        for place, gradient in zip(self.outputs, gradients, strict=True):
            full[place] = gradient
        self.grad_output = tuple(full)
        if not self.places:  # no argument requires grad: this is the last that comes back
            self._call((None,) * self.count)

    def _inputs_done(self, gradients: tuple[Any, ...]) -> list[Any]:
        full: list[Any] = [None] * self.count
        for place, gradient in zip(self.places, gradients, strict=True):
            full[place] = gradient
        full = list(self._call(tuple(full)))
        return [full[place] for place in self.places]

    def _call(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            replaced = hook(self.module, grad_input, self.grad_output)
            if replaced is not None:
                grad_input = replaced if isinstance(replaced, tuple) else (replaced,)
                if len(grad_input) != self.count:
                    raise ValueError(
                        f"a backward hook of {type(self.module).__name__} returned "
                        f"{len(grad_input)} gradient(s) for {self.count} argument(s)"
                    )
        return grad_input
