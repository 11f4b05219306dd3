"""``Module``, the base class of layers and models, and ``Parameter``.

Source: torch.nn.Module; the names ``is_train``, ``_parameters``, ``_submodules`` are the handout's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mytorch.conversions import destination
from mytorch.errors import BoundsError, DtypeError, ShapeError
from mytorch.hooks import RemovableHandle
from mytorch.nn.module_hooks import call_with_hooks
from mytorch.nn.parameter import Parameter, Uninitialized
from mytorch.nn.state import IncompatibleKeys, load_into
from mytorch.tensor import Tensor

__all__ = ["Module", "Parameter"]


def alias(name: str, doc: str) -> Any:
    """Return a property that is another name of the attribute ``name``."""

    def get(self: Any) -> Any:
        return getattr(self, name)

    def put(self: Any, value: Any) -> None:
        setattr(self, name, value)

    return property(get, put, doc=doc)


def _tell_where(error: Any, module: Module) -> None:
    """Put the path from ``module`` to the layer that failed before the message of ``error``."""
    if not hasattr(error, "layer"):  # the innermost is the first that gets here
        error.layer, error.told = module, str(error)
    for path, each in module.named_modules():
        if each is error.layer and path:
            error.args = (f"{path}: {error.told}",)
            return


class Module:
    """A layer or a model: parameters, submodules, and a ``forward``.

    A subclass calls ``super().__init__()``, assigns parameters and submodules as attributes, and
    defines ``forward``; calling the module calls it.

    >>> class Twice(Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> Twice()(Tensor([1.0]))
    tensor([2.])
    """

    _parameters: dict[str, Tensor]
    _buffers: dict[str, Tensor]
    _submodules: dict[str, Module]
    _hooks: dict[str, dict[int, Callable[..., Any]]]
    _volatile: set[str]  # names of buffers that are not part of the state

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_submodules"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_hooks", {})
        object.__setattr__(self, "_volatile", set())
        self.is_train = True

    # ------------------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; Parameters and Modules are also registered under their name."""
        registries = self._registries()
        if isinstance(getattr(type(self), name, None), property):  # an alias, say
            object.__setattr__(self, name, value)
            return
        kind = None
        if isinstance(value, Module):
            kind = "_submodules"
        elif isinstance(value, Tensor) and value.is_parameter:
            kind = "_parameters"
        elif isinstance(value, Tensor) and name in registries["_buffers"]:
            kind = "_buffers"
        for registry_name, registry in registries.items():
            if registry_name != kind:
                registry.pop(name, None)
        if kind is not None:
            registries[kind][name] = value
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:  # called only for names that are not there
        self._registries()
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for registry in self._registries().values():
            registry.pop(name, None)
        object.__delattr__(self, name)

    def _registries(self) -> dict[str, dict[str, Any]]:
        try:
            return {
                name: self.__dict__[name] for name in ("_parameters", "_buffers", "_submodules")
            }
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__}.__init__ must call super().__init__() before it assigns "
                "attributes or is used"
            ) from None

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep a Tensor that is part of the state but no parameter, such as a running mean.

        One that is not ``persistent`` is left out of ``state_dict``.
        """
        self._check_name(name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: {name!r} must be a Tensor or None")
        object.__setattr__(self, name, tensor)
        if tensor is not None:
            self._registries()["_buffers"][name] = tensor
        if not persistent:
            self._volatile.add(name)

    def register_parameter(self, name: str, parameter: Tensor | None) -> None:
        """Set a parameter under a name that may be computed; None for one that is left out."""
        self._check_name(name)
        if parameter is not None and not isinstance(parameter, Parameter):
            raise TypeError(f"register_parameter: {name!r} must be a Parameter or None")
        setattr(self, name, parameter)

    def register_module(self, name: str, module: Module | None) -> None:
        """Set a submodule under a name that may be computed."""
        self._check_name(name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"register_module: {name!r} must be a Module or None")
        setattr(self, name, module)

    add_module = register_module

    def _check_name(self, name: str) -> None:
        if not isinstance(name, str) or not name or "." in name:
            raise KeyError(f"{name!r} cannot be the name of an attribute: no dots, not empty")
        self._registries()

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

    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; it may return other arguments."""
        return self._register("forward_pre", hook)

    def register_forward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; it may return another output."""
        return self._register("forward", hook)

    def register_full_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` in backward, with tuples of gradients.

        It may return another ``grad_input``. The hook of a module none of whose arguments requires
        grad is called with None for each, once the gradients of its outputs are known.
        """
        return self._register("backward", hook)

    def _register(self, kind: str, hook: Callable[..., Any]) -> RemovableHandle:
        for each in ("forward_pre", "forward", "backward"):
            self._hooks.setdefault(each, {})
        return RemovableHandle(self._hooks[kind], hook)

    # ------------------------------------------------------------------------------ traversal

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield (path, module) for this module and all below it, each module once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if remove_duplicate and id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            children = module._registries()["_submodules"].items()
            stack += [(f"{path}.{name}".lstrip("."), child) for name, child in children][::-1]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) of the modules directly below."""
        return iter(self._registries()["_submodules"].items())

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below."""
        return (child for _, child in self.named_children())

    def get_submodule(self, target: str) -> Module:
        """Return the module at a path such as "encoder.layers.0"; "" is this module."""
        module = self
        for name in target.split(".") if target else ():
            found = module._registries()["_submodules"].get(name)
            if found is None:
                raise AttributeError(f"{type(module).__name__} has no submodule {name!r}: {target}")
            module = found
        return module

    def _named(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        modules = self.named_modules(prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, tensor in module._registries()[registry].items():
                if not remove_duplicate or id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield f"{path}.{name}".lstrip("."), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, parameter) of this module and all below, a shared parameter once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the parameters of this module and all below, a shared one once."""
        return (parameter for _, parameter in self.named_parameters("", recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, buffer) of this module and all below."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and all below."""
        return (buffer for _, buffer in self.named_buffers("", recurse))

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Call ``function`` on every module below, in order, and then on this one; return this."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

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

    def to(self, *args: Any, **names: Any) -> Module:
        """Convert parameters, their gradients and floating buffers, in place.

        Args:
            args, names: as of ``Tensor.to``: a floating dtype, a Tensor that has one, or the CPU.
        Returns:
            Module: this module.
        Raises:
            TypeError: ``dtype`` is not floating; RuntimeError: another device.
        """
        dtype, _ = destination("to", args, names)
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

    # ------------------------------------------------------------------------------ state

    def _state(self, prefix: str = "") -> dict[str, Tensor]:
        """Return what a ``state_dict`` has, the tensors themselves; a shared one at each path."""
        state = {}
        for path, module in self.named_modules(prefix, remove_duplicate=False):
            for registry in ("_parameters", "_buffers"):
                for name, tensor in module._registries()[registry].items():
                    if name not in module._volatile:
                        state[f"{path}.{name}".lstrip(".")] = tensor
        return state

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Return {path: Tensor} of all parameters and persistent buffers, sharing their memory."""
        return {path: tensor.detach() for path, tensor in self._state(prefix.rstrip(".")).items()}

    def load_state_dict(self, state_dict: dict[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy the values of ``state_dict`` into parameters and buffers.

        Args:
            strict: every path must be in both; else missing and unexpected ones are only returned.
        Returns:
            (missing_keys, unexpected_keys).
        Raises:
            ShapeError: entries that are missing, unexpected, of another shape or of a kind of
                number that does not fit, all told together; nothing is changed then.
        """
        if not hasattr(state_dict, "items"):
            kind = type(state_dict).__name__
            raise TypeError(f"load_state_dict({type(self).__name__}): expects a dict, got {kind}")
        state_dict = dict(state_dict)
        for path, module in self.named_modules():
            module._complete_state(f"{path}." if path else "", state_dict)
        return load_into(type(self).__name__, self._state(), state_dict, strict)

    def _complete_state(self, prefix: str, state_dict: dict[str, Any]) -> None:
        """Add to a state that is loaded what older versions of this layer did not save."""

    # ------------------------------------------------------------------------------ printing

    def extra_repr(self) -> str:
        """Return what stands between the brackets of ``repr``; a layer names its sizes."""
        return ""

    def __repr__(self) -> str:
        children = self._registries()["_submodules"].items()
        lines = [f"({name}): {child!r}" for name, child in children]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        inner = "\n".join([extra, *lines] if extra else lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {inner}\n)"
