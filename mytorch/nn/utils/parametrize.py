"""Parameters that modules compute of other parameters (torch.nn.utils.parametrize).

``register_parametrization(layer, "weight", Symmetric())`` makes ``layer.weight`` what the module
``Symmetric`` computes of ``layer.parametrizations.weight.original``, each time that it is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mytorch.errors import ArgumentError, ShapeError
from mytorch.grad_mode import no_grad
from mytorch.nn.containers import ModuleDict, ModuleList
from mytorch.nn.module import Module, Parameter
from mytorch.tensor import Tensor

__all__ = [
    "ParametrizationList",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "type_before_parametrizations",
]


class ParametrizationList(ModuleList):
    """The modules that compute one tensor, one after the other, and what they compute it of.

    Args:
        modules: the first gets the original, or several of them; a module that has a
            ``right_inverse`` says by it which originals give a value.
        original: the parameter or buffer as it was.
        unsafe: do not check that shape and dtype stay.
    Attributes:
        original (Tensor): or ``original0``, ``original1``, … of modules that compute it of several.
    """

    def __init__(self, modules: Iterable[Module], original: Tensor, unsafe: bool = False):
        modules = list(modules)
        if not modules:
            raise ValueError("ParametrizationList: there must be at least one parametrization")
        super().__init__(modules)
        self.unsafe = unsafe
        value = original.detach()
        for module in reversed(modules):
            value = _inverse(module, value)
        self.is_tensor = isinstance(value, Tensor)
        is_parameter = isinstance(original, Parameter)
        if self.is_tensor:
            if is_parameter:  # the same object, which an optimiser may know
                original.data = value.data
                original.mark_changed()
                self.register_parameter("original", original)
            else:
                self.register_buffer("original", value)
            return
        for place, each in enumerate(value):
            name = f"original{place}"
            if is_parameter:
                self.register_parameter(name, Parameter(each, original.requires_grad))
            else:
                self.register_buffer(name, each)

    def originals(self) -> list[Tensor]:
        """Return what the tensor is computed of."""
        if self.is_tensor:
            return [self.original]
        names = [*self._parameters, *self._buffers]
        return [getattr(self, f"original{place}") for place in range(len(names))]

    def forward(self) -> Any:
        """Return the tensor."""
        first, *others = self
        value = first(*self.originals())
        for module in others:
            value = module(value)
        return value

    @no_grad()
    def right_inverse(self, value: Any) -> None:
        """Change the originals so that the tensor becomes ``value``.

        Raises:
            RuntimeError: a module has no ``right_inverse``; ShapeError: another shape.
        """
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                raise ArgumentError(
                    f"the parametrization {type(module).__name__} has no right_inverse: the tensor "
                    "that it computes cannot be assigned"
                )
            value = module.right_inverse(value)
        values = [value] if self.is_tensor else value
        for place, (original, each) in enumerate(zip(self.originals(), values, strict=True)):
            if original.shape != each.shape:
                raise ShapeError(
                    f"a value of a parametrized tensor: expected original {place} of shape "
                    f"{tuple(original.shape)}, got {tuple(each.shape)}"
                )
            original.data[...] = each.data
            original.mark_changed()


@no_grad()
def _inverse(module: Any, value: Any) -> Any:
    """Return the originals of a value; where nobody says which, the value itself."""
    return module.right_inverse(value) if hasattr(module, "right_inverse") else value


class _Parametrized:
    """What a class with computed tensors has beside its ``plain`` form."""

    plain: type

    def __reduce_ex__(self, protocol: Any) -> Any:  # a class made here has no importable name
        names = tuple(self.__dict__["parametrizations"])
        return _remade, (self.plain, names), self.__dict__


def _class_of(plain: type, names: Iterable[str]) -> type:
    """Return the class ``plain`` with properties that compute the tensors of these names."""

    def computed(name: str) -> property:
        return property(
            lambda self: self.parametrizations[name](),
            lambda self, value: self.parametrizations[name].right_inverse(value),
        )

    body: dict[str, Any] = {"plain": plain, **{name: computed(name) for name in names}}
    return type(f"Parametrized{plain.__name__}", (_Parametrized, plain), body)


def _remade(plain: type, names: tuple[str, ...]) -> Any:
    made: Any = _class_of(plain, names)
    return made.__new__(made)


def type_before_parametrizations(module: Any) -> type:
    """Return the class of a module before anything in it was parametrized."""
    return module.plain if isinstance(module, _Parametrized) else type(module)


def is_parametrized(module: Any, tensor_name: str | None = None) -> bool:
    """Return whether the tensor of that name is computed, or any of the module's."""
    if not isinstance(module, _Parametrized):
        return False
    return tensor_name is None or tensor_name in module.__dict__["parametrizations"]


def register_parametrization(
    module: Any, tensor_name: str, parametrization: Any, *, unsafe: bool = False
) -> Any:
    """Have a parameter or buffer computed, by ``parametrization`` behind those already there.

    Args:
        module: it becomes one of a class of its own, ``Parametrized…``, with a submodule
            ``parametrizations``; tensor_name: of its parameter or buffer.
        parametrization: a module of one Tensor. With ``right_inverse(value)``, which returns the
            original or a tuple of originals, the tensor keeps its value where this is the first
            parametrization, and it can be assigned.
        unsafe: do not check that shape and dtype stay.
    Returns:
        Module: the same module.
    Raises:
        ValueError: no such tensor, or one of another shape or dtype is computed; nothing is changed
        then. TypeError: ``parametrization`` is no Module.
    """
    if not isinstance(parametrization, Module):
        kind = type(parametrization).__name__
        raise TypeError(f"register_parametrization: expects a Module, not a {kind}")
    parametrization.train(module.is_train)
    if is_parametrized(module, tensor_name):
        known = module.parametrizations[tensor_name]
        value = known().detach()
        if not (unsafe or known.unsafe):
            _check(module, tensor_name, value, parametrization, value)
        known.append(parametrization)
        known.unsafe = known.unsafe or unsafe
        return module
    registries = module._registries()
    original = registries["_parameters"].get(tensor_name, registries["_buffers"].get(tensor_name))
    if original is None:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter or buffer "
            f"{tensor_name!r}"
        )
    if not unsafe:
        value = original.detach()
        _check(module, tensor_name, value, parametrization, _inverse(parametrization, value))
    made = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = made
    _retype(module)
    return module


def _check(module: Any, name: str, value: Tensor, parametrization: Any, originals: Any) -> None:
    """Refuse a parametrization that would change shape or dtype."""
    with no_grad():
        found = parametrization(*([originals] if isinstance(originals, Tensor) else originals))
    if not isinstance(found, Tensor) or (found.shape, found.dtype) != (value.shape, value.dtype):
        shown = f"{found.dtype} {found.shape}" if isinstance(found, Tensor) else type(found)
        raise ValueError(
            f"register_parametrization: {name!r} of {type(module).__name__} is {value.dtype} "
            f"{value.shape}, but {type(parametrization).__name__} makes {shown} of it; "
            "unsafe=True allows it"
        )


def _retype(module: Any) -> None:
    """Give the module the class that its parametrizations need."""
    plain, names = type_before_parametrizations(module), list(module.parametrizations)
    module.__class__ = _class_of(plain, names) if names else plain


def remove_parametrizations(module: Any, tensor_name: str, leave_parametrized: bool = True) -> Any:
    """Make a tensor a parameter or buffer again.

    Args:
        leave_parametrized: with the value that was computed; else with the original's.
    Raises:
        ValueError: it is not computed, or is computed of several originals and one is wanted.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(
            f"remove_parametrizations: {type(module).__name__} has none of {tensor_name!r}"
        )
    known = module.parametrizations[tensor_name]
    if not (leave_parametrized or known.is_tensor):
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is computed of {len(known.originals())} "
            "tensors: there is no single original to leave"
        )
    kept = known.originals()[0]
    with no_grad():
        value = known() if leave_parametrized else kept
    is_parameter = isinstance(kept, Parameter)
    if not known.is_tensor:
        kept = Parameter(value, kept.requires_grad) if is_parameter else value
    elif kept is not value:
        kept.data = value.data
        kept.mark_changed()
    del module.parametrizations[tensor_name]
    _retype(module)
    if not is_parametrized(module):
        del module.parametrizations
    (module.register_parameter if is_parameter else module.register_buffer)(tensor_name, kept)
    return module
