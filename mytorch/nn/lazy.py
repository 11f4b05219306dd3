"""Layers that learn the size of their input from the first input (torch.nn.modules.lazy)."""

from __future__ import annotations

from typing import Any

from mytorch.nn.parameter import Uninitialized

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """Makes the lazy form of a layer: ``class LazyLinear(LazyModuleMixin, Linear)``.

    Its constructor sets ``UninitializedParameter`` and ``UninitializedBuffer`` as attributes. The
    first call has ``initialize_parameters`` materialize them, and turns the layer into one of the
    class ``cls_to_become``. Parameters stay the same objects, and a ``state_dict`` may be loaded
    before the first call: then they have its shapes.
    """

    cls_to_become: Any

    def has_uninitialized_params(self) -> bool:
        """Return whether a parameter or buffer has no shape yet."""
        registries: Any = self.__dict__
        tensors = [*registries["_parameters"].values(), *registries["_buffers"].values()]
        return any(isinstance(tensor, Uninitialized) for tensor in tensors)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes and first values, from the arguments of the call.

        It is also called where all were loaded: then only sizes that the layer knows are to be set.
        """
        raise NotImplementedError(f"{type(self).__name__} must define initialize_parameters")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.initialize_parameters(*args, **kwargs)
        self.__class__ = self.cls_to_become
        return self(*args, **kwargs)
