"""``ContextManager``: what an operation's ``forward`` leaves for its ``backward``."""

from __future__ import annotations

from typing import Any

from mytorch.errors import GraphError
from mytorch.variable import Variable

__all__ = ["ContextManager", "Promise"]


class Promise:
    """Stands for what a node has saved, where that will be computed again when it is needed.

    Attributes:
        giver: whose ``give(number)`` puts what was saved in the place of the promise.
    """

    def __init__(self, giver: Any, number: int):
        self.giver, self.number = giver, number

    def keep(self) -> None:
        """Put what was saved in the place of this promise."""
        self.giver.give(self.number)


class _Needed:
    """``needs_input_grad`` of a bare context: every argument's gradient is wanted."""

    def __getitem__(self, index: int) -> bool:
        return True

    def __iter__(self) -> Any:
        raise TypeError("a bare context does not know how many arguments there are; index it")


class ContextManager:
    """What an operation's ``forward`` leaves for its ``backward``: the argument ``ctx``.

    Tensors go through ``save_for_backward``; small plain values may be set as attributes.

    Attributes:
        bare (bool): the rule that is running computes on arrays (see ``Function.on_arrays``).
    """

    __slots__ = ("__dict__", "_saved", "_versions", "bare")

    _saved: Any  # a tuple; None once it was freed; or a ``Promise``
    _versions: tuple[int, ...]
    bare: bool

    def __init__(self) -> None:
        self._saved = self._versions = ()
        self.bare = False

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep ``tensors`` (inputs, outputs or constants of forward) until backward needs them.

        Raises:
            TypeError: if one is not a Tensor; keep such a value as an attribute of ctx.
        """
        versions = []
        for tensor in tensors:
            if tensor is None:
                versions.append(0)
            elif isinstance(tensor, Variable):
                version = tensor._version
                versions.append(0 if version is None else version[0])
            else:
                raise TypeError(
                    f"save_for_backward takes Tensors, not {type(tensor).__name__}; "
                    "keep other values as attributes: ctx.name = value"
                )
        self._saved = tensors
        self._versions = tuple(versions)

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say in ``forward`` that these of its outputs have no gradient, such as indices."""
        self.non_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether ``backward`` gets zeros (True, the default) or None for an unused output."""
        self.materialize_grads = bool(value)

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to ``save_for_backward``, unchanged since; their arrays if ``bare``.

        Raises:
            GraphError: if they were freed by an earlier backward, or changed in place since.
        """
        saved = self._saved
        if saved is None:
            raise GraphError(
                f"backward through {self.function_name} a second time: the tensors it saved were "
                "freed by the first. Call backward(retain_graph=True) the first time, or run the "
                f"forward pass again.{self.place}"
            )
        arrays: list[Any] = []
        for tensor, version in zip(saved, self._versions, strict=True):
            if tensor is None:
                arrays.append(None)
                continue
            if tensor._version is not None and tensor._version[0] != version:
                changes = tensor._version[0] - version
                raise GraphError(
                    f"a tensor of shape {tensor.data.shape} that {self.function_name} saved "
                    f"for backward was changed in place {changes} time(s) since (detach_ is one); "
                    "change a copy (tensor.clone()) instead, or do it after backward()."
                    f"{self.place}"
                )
            arrays.append(tensor.data)
        return tuple(arrays) if self.bare else self._linked(saved)

    def _linked(self, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the saved tensors for a rule on Tensors; a node links its own outputs again."""
        return saved

    @property
    def function_name(self) -> str:
        """The name of the operation, for messages."""
        return "this operation"

    @property
    def place(self) -> str:
        """Where the operation was called, for messages; known in anomaly mode."""
        return ""

    @property
    def needs_input_grad(self) -> Any:
        """For each argument of the operation, whether its gradient is wanted."""
        # ``needed`` is set while forward mode differentiates backward
        return self.__dict__.get("needed") or _Needed()
