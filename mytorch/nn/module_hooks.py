"""Hooks on modules: called before and after ``forward``, and when gradients have come back.

Source: torch.nn.Module.register_forward_pre_hook, register_forward_hook,
register_full_backward_pre_hook, register_full_backward_hook.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from mytorch.autograd_engine import Function
from mytorch.errors import ArgumentError
from mytorch.tensor import Tensor

__all__ = ["Hook", "call_with_hooks"]


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


class Hook(NamedTuple):
    """A function that a user registered, and how it is to be called."""

    call: Callable[..., Any]
    with_kwargs: bool = False
    always: bool = False


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``module.forward(*args, **kwargs)`` with the module's hooks around it."""
    for hook in _registered(module, "forward_pre"):
        args, kwargs = _changed(hook, module, args, kwargs)
    watcher = _BackwardHooks(module)
    left, output = _registered(module, "forward"), None
    try:
        output = module.forward(*watcher.watch_inputs(args), **kwargs)
        while left:
            output = _replaced(left.pop(0), module, args, kwargs, output)
        return watcher.watch_outputs(output)
    except Exception:
        _call_always(left, module, args, kwargs, output)
        raise


def _registered(module: Any, kind: str) -> list[Hook]:
    return list(module._hooks.get(kind, {}).values())


def _changed(hook: Hook, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the arguments after a hook before forward."""
    if not hook.with_kwargs:
        found = hook.call(module, args)
        if found is None:
            return args, kwargs
        return (found if isinstance(found, tuple) else (found,)), kwargs
    found = hook.call(module, args, kwargs)
    if found is None:
        return args, kwargs
    if not isinstance(found, tuple) or len(found) != 2:
        raise ArgumentError(
            f"a forward pre-hook of {type(module).__name__} with_kwargs must return None or a pair "
            f"(args, kwargs), not {found!r}"
        )
    return found


def _replaced(
    hook: Hook, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> Any:
    """Return the output after a hook behind forward."""
    given = (args, kwargs, output) if hook.with_kwargs else (args, output)
    found = hook.call(module, *given)
    return output if found is None else found


def _call_always(
    hooks: list[Hook], module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> None:
    """Call those of the hooks that want it after an error; an error of theirs is a warning."""
    for hook in hooks:
        if hook.always:
            try:
                output = _replaced(hook, module, args, kwargs, output)
            except Exception as error:
                warnings.warn(
                    f"a forward hook with always_call=True raised {error!r}, which was silenced: "
                    "another error came first",
                    UserWarning,
                    stacklevel=2,
                )


class _BackwardHooks:
    """Brings the gradients of one call's outputs and inputs together for the backward hooks."""

    def __init__(self, module: Any):
        self.module = module
        self.before = _registered(module, "backward_pre")
        self.hooks = _registered(module, "backward")
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
        if not (self.hooks or self.before) or not self.outputs:
            return output
        found = _Watch.apply(self._outputs_done, *[outputs[place] for place in self.outputs])
        for place, tensor in zip(self.outputs, found, strict=True):
            outputs[place] = tensor
        return tuple(outputs) if isinstance(output, tuple) else outputs[0]

    def _outputs_done(self, gradients: tuple[Any, ...]) -> list[Any]:
        full: list[Any] = [None] * self.output_count
        for place, gradient in zip(self.outputs, gradients, strict=True):
            full[place] = gradient
        self.grad_output = tuple(full)
        for hook in self.before:
            found = hook.call(self.module, self.grad_output)
            self.grad_output = self._checked(found, self.grad_output, "output")
        if not self.places:  # no argument requires grad: this is the last that comes back
            self._call((None,) * self.count)
        return [self.grad_output[place] for place in self.outputs]

    def _inputs_done(self, gradients: tuple[Any, ...]) -> list[Any]:
        full: list[Any] = [None] * self.count
        for place, gradient in zip(self.places, gradients, strict=True):
            full[place] = gradient
        full = list(self._call(tuple(full)))
        return [full[place] for place in self.places]

    def _call(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            found = hook.call(self.module, grad_input, self.grad_output)
            grad_input = self._checked(found, grad_input, "argument")
        return grad_input

    def _checked(self, found: Any, gradients: tuple[Any, ...], what: str) -> tuple[Any, ...]:
        """Return the gradients that a hook gave back, or those before."""
        if found is None:
            return gradients
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(gradients):
            raise ArgumentError(
                f"a backward hook of {type(self.module).__name__} returned {len(found)} "
                f"gradient(s) for {len(gradients)} {what}(s)"
            )
        return found
