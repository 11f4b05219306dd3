"""``Module``, the base class of layers and models, and ``Parameter``.

Source: torch.nn.Module; the names ``is_train``, ``_parameters``, ``_submodules`` are the handout's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mytorch.hooks import RemovableHandle
from mytorch.nn.module_hooks import call_with_hooks
from mytorch.tensor import Tensor

__all__ = ["Module", "Parameter"]


def Parameter(data: Any) -> Tensor:  # noqa: N802 - torch's name; a factory, so that the type is Tensor
    """Return a leaf Tensor that requires grad and is marked as a parameter, copying ``data``."""
    return Tensor(data, requires_grad=True, is_parameter=True)


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

    def __init__(self) -> None:
        for name in ("_parameters", "_buffers", "_submodules"):
            object.__setattr__(self, name, {})
        object.__setattr__(self, "_hooks", {})
        self.is_train = True

    # ------------------------------------------------------------------------------ attributes

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; Parameters and Modules are also registered under their name."""
        registries = self._registries()
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

    def register_buffer(self, name: str, tensor: Tensor) -> None:
        """Keep a Tensor that is part of the state but no parameter, such as a running mean."""
        self._registries()["_buffers"][name] = tensor
        object.__setattr__(self, name, tensor)

    # ------------------------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooks:
            return call_with_hooks(self, args, kwargs)
        return self.forward(*args, **kwargs)

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

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, module) for this module and all below it, each module once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            path, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            children = module._registries()["_submodules"].items()
            stack += [(f"{path}.{name}".lstrip("."), child) for name, child in children][::-1]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below."""
        return iter(self._registries()["_submodules"].values())

    def _named(self, registry: str) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, tensor in module._registries()[registry].items():
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield f"{path}.{name}".lstrip("."), tensor

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, parameter) of this module and all below, a shared parameter once."""
        return self._named("_parameters")

    def parameters(self) -> Iterator[Tensor]:
        """Yield the parameters of this module and all below, a shared one once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, buffer) of this module and all below."""
        return self._named("_buffers")

    def apply(self, function: Callable[[Module], Any]) -> Module:
        """Call ``function`` on every module below, in order, and then on this one; return this."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    # ------------------------------------------------------------------------------ modes

    @property
    def training(self) -> bool:
        """torch's name of ``is_train``."""
        return self.is_train

    def train(self, mode: bool = True) -> Module:
        """Put this module and all below it in training mode."""
        for module in self.modules():
            module.is_train = bool(mode)
        return self

    def eval(self) -> Module:
        """Put this module and all below it in evaluation mode."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters (set them to None)."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, dtype: Any) -> Module:
        """Convert parameters, their gradients and floating buffers to ``dtype``, in place.

        Returns:
            Module: this module.
        Raises:
            TypeError: ``dtype`` is not floating.
        """
        wanted = np.dtype(dtype)
        if wanted.kind != "f":
            raise TypeError(f"to: a module can be converted to a floating dtype, not {wanted}")
        for tensor in self._state().values():
            if tensor.data.dtype.kind == "f":
                tensor.data = tensor.data.astype(wanted)
                tensor.mark_changed()
            if tensor.grad is not None:
                tensor.grad = tensor.grad.detach().astype(wanted)
        return self

    # ------------------------------------------------------------------------------ state

    def _state(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    def state_dict(self) -> dict[str, Tensor]:
        """Return {path: Tensor} of all parameters and buffers, sharing their memory.

        One that is shared stands under its first path only.
        """
        return {path: tensor.detach() for path, tensor in self._state().items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Copy the values of ``state_dict`` into parameters and buffers.

        Raises:
            ValueError: entries that are missing, unexpected, of another shape or of a kind of
                number that does not fit, all told together; nothing is changed then.
        """
        own = self._state()
        given = {
            path: value.data if isinstance(value, Tensor) else np.asarray(value)
            for path, value in state_dict.items()
        }
        faults = [f"missing: {path}" for path in own if path not in given]
        faults += [f"unexpected: {path}" for path in given if path not in own]
        for path in [path for path in own if path in given]:
            mine, other = own[path].data, given[path]
            if mine.shape != other.shape:
                faults.append(f"{path}: expected {mine.shape}, got {other.shape}")
            elif not np.can_cast(other.dtype, mine.dtype, "same_kind"):
                faults.append(f"{path}: expected {mine.dtype}, got {other.dtype}")
        if faults:
            raise ValueError(f"load_state_dict({type(self).__name__}): " + "; ".join(faults))
        for path, tensor in own.items():
            tensor.data = np.asarray(tensor.data)  # somebody may have assigned a NumPy scalar
            tensor.data[...] = given[path]
            tensor.mark_changed()

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
