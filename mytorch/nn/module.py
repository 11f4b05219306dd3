"""``Module``, the base class of layers and models, and ``Parameter``.

Source: torch.nn.Module; the name ``is_train`` is the handout's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mytorch.conversions import destination
from mytorch.dtypes import as_dtype
from mytorch.errors import BoundsError, DtypeError, ShapeError
from mytorch.hooks import RemovableHandle
from mytorch.nn.module_hooks import Hook, call_with_hooks
from mytorch.nn.module_tree import ModuleTree, alias
from mytorch.nn.parameter import Parameter, Uninitialized
from mytorch.nn.state import IncompatibleKeys, find_faults, load_into
from mytorch.tensor import Tensor

__all__ = ["Module", "Parameter"]


def _tell_where(error: Any, module: Module) -> None:
    """Put the path from ``module`` to the layer that failed before the message of ``error``."""
    if not hasattr(error, "layer"):  # the innermost is the first that gets here
        error.layer, error.told = module, str(error)
    for path, each in module.named_modules():
        if each is error.layer and path:
            error.args = (f"{path}: {error.told}",)
            return


class Module(ModuleTree):
    """A layer or a model: parameters, submodules, and a ``forward``.

    A subclass calls ``super().__init__()``, assigns parameters and submodules as attributes, and
    defines ``forward``; calling the module calls it.

    >>> class Twice(Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> Twice()(Tensor([1.0]))
    tensor([2.])
    """

    _hooks: dict[str, OrderedDict[int, Hook]]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_hooks", {})
        self.is_train = True

    # ------------------------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except (ShapeError, DtypeError, BoundsError) as error:
            _tell_where(error, self)
            raise

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; a subclass must define it."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, …)")

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; it may return other arguments.

        Args:
            prepend: call it before those that are there already.
            with_kwargs: call ``hook(module, args, kwargs)``; it may return a pair of them.
        """
        return self._register("forward_pre", Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; it may return another output.

        Args:
            prepend: call it before those that are there already.
            with_kwargs: call ``hook(module, args, kwargs, output)``.
            always_call: call it also after an error, with what output there was, perhaps None.
        """
        return self._register("forward", Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known.

        It may return another ``grad_output``, with which backward goes on.
        """
        return self._register("backward_pre", Hook(hook), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` in backward, with tuples of gradients.

        It may return another ``grad_input``. The hook of a module none of whose arguments requires
        grad is called with None for each, once the gradients of its outputs are known.
        """
        return self._register("backward", Hook(hook), prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before a state is made."""
        return self._register("state_pre", Hook(hook))

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, metadata)`` on a state, which it may change.

        ``prefix`` is what the paths of this module begin with; the metadata are an empty dict.
        """
        return self._register("state_post", Hook(hook))

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call a hook on a copy of a state before it is loaded; it may change it.

        It is called as in torch, ``hook(module, state_dict, prefix, metadata, strict, missing_keys,
        unexpected_keys, error_msgs)``: ``prefix`` is what the paths of this module begin with, the
        metadata are an empty dict, and what it adds to the last three, lists, is reported.
        """
        return self._register("load_pre", Hook(hook))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after a state was loaded."""
        return self._register("load_post", Hook(hook))

    def _register(self, kind: str, hook: Hook, prepend: bool = False) -> RemovableHandle:
        hooks = self._hooks.setdefault(kind, OrderedDict())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    # ------------------------------------------------------------------------------ modes

    training = alias("is_train", "torch's name of ``is_train``.")

    def train(self, mode: bool = True) -> Module:
        """Put this module and all below it in training mode."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: the mode is True or False, not {mode!r}")
        for module in self.modules():
            module.is_train = mode
        return self

    def eval(self) -> Module:
        """Put this module and all below it in evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Say of all parameters whether they are trained: False freezes them."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters: None, or else zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach()
                parameter.grad.zero_()

    def to(self, *args: Any, **kwargs: Any) -> Module:
        """Convert parameters, their gradients and floating buffers, in place.

        Args:
            args, kwargs: as of ``Tensor.to``: a floating dtype, a Tensor that has one, or the CPU.
        Returns:
            Module: this module.
        Raises:
            TypeError: ``dtype`` is not floating; RuntimeError: another device.
        """
        dtype, _ = destination("to", args, kwargs)
        return self if dtype is None else self._convert(dtype)

    def _convert(self, wanted: np.dtype) -> Module:
        if wanted.kind != "f":
            raise TypeError(f"to: a module can be converted to a floating dtype, not {wanted}")
        for tensor in [*self.parameters(), *self.buffers()]:
            if isinstance(tensor, Uninitialized):
                tensor.data = np.empty(0, wanted)
            elif tensor.data.dtype.kind == "f":
                tensor.data = tensor.data.astype(wanted)
                tensor.mark_changed()
            if tensor.grad is not None:
                tensor.grad = tensor.grad.detach().astype(wanted)
        return self

    def float(self) -> Module:
        """Convert to float32, in place."""
        return self._convert(np.dtype(np.float32))

    def double(self) -> Module:
        """Convert to float64, in place."""
        return self._convert(np.dtype(np.float64))

    def half(self) -> Module:
        """Convert to float16, in place."""
        return self._convert(np.dtype(np.float16))

    def type(self, dst_type: Any) -> Module:
        """Convert to a floating dtype, in place."""
        return self._convert(as_dtype("type", dst_type))

    def cpu(self) -> Module:
        """Return this module: all is on the CPU."""
        return self

    # ------------------------------------------------------------------------------ state

    def _state(self, prefix: str = "") -> dict[str, Tensor]:
        """Return what a ``state_dict`` has, the tensors themselves; a shared one at each path."""
        state = {}
        for path, module in self.named_modules(remove_duplicate=False):
            start = f"{prefix}{path}." if path else prefix
            for registry in ("_parameters", "_buffers"):
                for name, tensor in module._registries()[registry].items():
                    if tensor is not None and name not in module._volatile:
                        state[start + name] = tensor
        return state

    def state_dict(
        self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Return {path: Tensor} of all parameters and persistent buffers, sharing their memory.

        Args:
            destination: a dict that gets them and is returned; prefix: what every path begins with.
            keep_vars: the Tensors themselves, which may require grad.
        """
        modules = list(self.named_modules())
        for path, module in modules:
            module._call_hooks("state_pre", f"{prefix}{path}." if path else prefix, keep_vars)
        state = {} if destination is None else destination
        for path, tensor in self._state(prefix).items():
            state[path] = tensor if keep_vars else tensor.detach()
        for path, module in self._with_extra_state(prefix):
            state[path] = module.get_extra_state()
        for path, module in reversed(modules):
            module._call_hooks("state_post", state, f"{prefix}{path}." if path else prefix, {})
        return state

    def _call_hooks(self, kind: str, *args: Any) -> None:
        for hook in list(self._hooks.get(kind, {}).values()):
            hook.call(self, *args)

    def load_state_dict(
        self, state_dict: Any, strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of ``state_dict`` into parameters and buffers.

        Args:
            strict: every path must be in both; else missing and unexpected ones are only returned.
            assign: take the arrays as they are, with their dtypes, instead of copying their values:
                parameters stay the same objects, which an optimiser knows.
        Returns:
            (missing_keys, unexpected_keys).
        Raises:
            ShapeError: entries that are missing, unexpected, of another shape or of a kind of
                number that does not fit, all told together; nothing is changed then.
        """
        if not hasattr(state_dict, "items"):
            kind = type(state_dict).__name__
            raise TypeError(f"load_state_dict({type(self).__name__}): expects a dict, got {kind}")
        state_dict, keys = dict(state_dict), IncompatibleKeys([], [])
        faults: list[str] = []
        for path, module in self.named_modules():
            prefix = f"{path}." if path else ""
            module._complete_state(prefix, state_dict)
            module._call_hooks("load_pre", state_dict, prefix, {}, strict, *keys, faults)
        extra = list(self._with_extra_state())
        given = {path: state_dict.pop(path) for path, _ in extra if path in state_dict}
        keys.missing_keys.extend(path for path, _ in extra if path not in given)
        find_faults(self._state(), state_dict, strict, assign, keys, faults)
        if faults:
            raise ShapeError(f"load_state_dict({type(self).__name__}): " + "; ".join(faults))
        load_into(self._state(), state_dict, assign)
        for path, module in extra:
            if path in given:
                module.set_extra_state(given[path])
        for module in self.modules():
            module._call_hooks("load_post", keys)
        return keys

    def get_extra_state(self) -> Any:
        """Return what else a state has: under ``_extra_state``, where a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__} must define get_extra_state(self)")

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` returned; a subclass that defines that defines this too."""
        raise NotImplementedError(f"{type(self).__name__} must define set_extra_state(self, state)")

    def _with_extra_state(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, module) for each that defines ``get_extra_state``."""
        for path, module in self.named_modules():
            if type(module).get_extra_state is not Module.get_extra_state:
                yield f"{prefix}{path}._extra_state" if path else f"{prefix}_extra_state", module

    def _complete_state(self, prefix: str, state_dict: dict[str, Any]) -> None:
        """Bring a state that is loaded from what older versions of this layer saved to date."""

    # ------------------------------------------------------------------------------ printing

    def extra_repr(self) -> str:
        """Return what stands between the brackets of ``repr``; a layer names its sizes."""
        return ""

    def _lines(self) -> list[str]:
        """Return what ``repr`` shows of the modules directly below."""
        children = self._registries()["_submodules"].items()
        return [f"({name}): {child!r}" for name, child in children]

    def __repr__(self) -> str:
        extra, lines = self.extra_repr(), self._lines()
        if not lines and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        inner = "\n".join([extra, *lines] if extra else lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {inner}\n)"
