"""Where operations get their names: ``@operation`` is the one place that an operation registers in.

One definition serves the function (``mytorch.exp``), the method (``Tensor.exp``), the in-place
method (``Tensor.exp_``) and NumPy's function on Tensors (``np.exp``). The modules that own these
places (``mytorch/__init__.py``, ``nn/functional.py``, ``linalg.py``, …, ``methods.py``,
``in_place.py``, ``numpy_protocol.py``) fetch from the tables below what has been registered.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

from mytorch.variable import Variable

__all__ = [
    "IN_PLACE",
    "METHODS",
    "NUMPY",
    "NUMPYS_NAMES",
    "RESHAPING",
    "SPACES",
    "operation",
    "parameter_names",
]

Operation = Callable[..., Any]

#: the public functions by namespace: mytorch, mytorch.nn.functional, mytorch.linalg, …
SPACES: dict[str, dict[str, Operation]] = {
    name: {} for name in ("mytorch", "functional", "linalg", "special")
}
#: the methods of Tensor by name; the tensor is the first argument
METHODS: dict[str, Operation] = {}
#: the operations that also have an in-place method, by its name, as "exp_"
IN_PLACE: dict[str, Operation] = {}
#: those whose in-place method changes the shape and leaves the memory, as "squeeze_"
RESHAPING: dict[str, Operation] = {}
#: NumPy's functions that a Tensor answers by an operation
NUMPY: dict[Any, Operation] = {}


def operation(
    space: str | Iterable[str] = "mytorch",
    *,
    method: bool | None = None,
    in_place: bool | str = False,
    aliases: Iterable[str] = (),
    numpy: Any = None,
    name: str | None = None,
    numbers: bool = False,
) -> Callable[[Operation], Operation]:
    """Register the decorated function under its names; it is returned as it is.

    A public function whose first parameter is called ``input`` refuses what is no Tensor. One that
    has ``dim`` or ``keepdim`` takes NumPy's ``axis`` and ``keepdims`` as well.

    Args:
        space: the namespaces of the function: "mytorch", "functional", "linalg", "special"; ()
            for what is only a method.
        method: whether Tensor has it as a method; default: if ``space`` has "mytorch".
        in_place: whether Tensor has it in place too, as ``name_``; "shape" if that changes only the
            shape of the tensor, and not its memory.
        aliases: further names, in all of these places.
        numpy: the function of NumPy (or several) with the same arguments, to answer by this one.
        name: the name, where it cannot be the function's own.
        numbers: the first argument may be a number or an array instead of a Tensor.
    """
    spaces = (space,) if isinstance(space, str) else tuple(space)

    def register(function: Operation) -> Operation:
        own = name or function.__name__
        parameters = parameter_names(function)
        flexible = _with_numpys_names(own, function, parameters)
        takes_tensor = parameters[:1] == ("input",) and not numbers
        public = _for_tensors(own, flexible) if takes_tensor else flexible
        is_method = "mytorch" in spaces if method is None else method
        for each in (own, *aliases):
            for where in spaces:
                SPACES[where][each] = public
            if is_method:
                METHODS[each] = flexible
            if in_place:
                (RESHAPING if in_place == "shape" else IN_PLACE)[f"{each}_"] = flexible
        for each in numpy if isinstance(numpy, tuple) else (numpy,):
            if each is not None:
                NUMPY[each] = flexible
        return function

    return register


#: NumPy's names of arguments, and torch's
NUMPYS_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def parameter_names(function: Operation) -> tuple[str, ...]:
    """Return the names of the parameters, as inspect.signature, in a tenth of its time."""
    code = inspect.unwrap(function).__code__
    is_bound = isinstance(function, MethodType)
    return code.co_varnames[is_bound : code.co_argcount + code.co_kwonlyargcount]


def _with_numpys_names(name: str, function: Operation, own: tuple[str, ...]) -> Operation:
    """Return ``function`` taking ``axis`` for ``dim`` and ``keepdims`` for ``keepdim``."""
    renamed = {
        theirs: ours for theirs, ours in NUMPYS_NAMES.items() if ours in own and theirs not in own
    }
    if not renamed:
        return function

    @functools.wraps(function)
    def flexible(*args: Any, **names: Any) -> Any:
        if names:
            for theirs, ours in renamed.items():
                if theirs in names:
                    if ours in names:
                        raise TypeError(f"{name}() got both {ours!r} and {theirs!r}: one is enough")
                    names[ours] = names.pop(theirs)
        return function(*args, **names)

    return flexible


def _for_tensors(name: str, function: Operation) -> Operation:
    """Return ``function`` refusing a first argument that should be a Tensor and is none."""

    @functools.wraps(function)
    def public(*args: Any, **names: Any) -> Any:
        given = args[0] if args else names.get("input")
        if not isinstance(given, Variable):
            if not args and "input" not in names:
                raise TypeError(f"{name}() misses its first argument, the tensor `input`")
            kind = type(given).__name__
            raise TypeError(
                f"{name}: expects a Tensor as `input`, got {kind}; wrap it: mytorch.tensor(…)"
            )
        return function(*args, **names)

    return public
