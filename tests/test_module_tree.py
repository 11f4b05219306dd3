"""What Module and its containers hold and how it is reached: the same calls here and in torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def model(m: Any) -> Any:
    """A model with a shared layer, a container in a container, and buffers."""
    n = m.nn
    shared = n.Linear(2, 2)
    return n.Sequential(
        n.ModuleDict({"a": shared, "b": n.Sequential(n.BatchNorm1d(2), n.ReLU())}),
        shared,
        n.ParameterList([m.tensor([1.0, 2.0])]),
    )


def bare(m: Any) -> Any:
    return m.nn.Module()


def after(module: Any, *calls: Callable[[Any], Any]) -> Any:
    """Return the module after the calls."""
    for call in calls:
        call(module)
    return module


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


def shown(module: Any) -> list[Any]:
    """All names that a module has."""
    return [
        repr(module).replace("torch.", "").replace("FloatTensor", "float32"),
        list(module.state_dict()),
        names(module.named_parameters()),
        names(module.named_buffers()),
        names(module.named_modules()),
        names(module.named_children()),
    ]


def sizes(n: Any, *values: int) -> list[Any]:
    return [n.Linear(value, value) for value in values]


def parameter(m: Any, *values: float) -> Any:
    return m.nn.Parameter(m.tensor(list(values), dtype=m.float32))


SCENARIOS: dict[str, Callable[[Any], Any]] = {
    # ------------------------------------------------------------------ traversal
    "all names": lambda m: shown(model(m)),
    "every path": lambda m: names(model(m).named_modules(remove_duplicate=False)),
    "a prefix": lambda m: names(model(m).named_modules(prefix="net")),
    "a memo": lambda m: names((t := model(m)).named_modules({t[1]})),
    "parameters with a prefix": lambda m: names(model(m).named_parameters("net")),
    "parameters at every path": lambda m: names(
        model(m).named_parameters(remove_duplicate=False)
    ),
    "own parameters": lambda m: names(model(m)[1].named_parameters(recurse=False)),
    "no own parameters": lambda m: names(model(m).named_parameters(recurse=False)),
    "buffers with a prefix": lambda m: names(model(m).named_buffers("net")),
    "modules": lambda m: [type(x).__name__ for x in model(m).modules()],
    "modules at every path": lambda m: len(list(model(m).modules(remove_duplicate=False))),
    "children once": lambda m: len(list(m.nn.Sequential(*[m.nn.ReLU()] * 3).children())),
    "get_submodule": lambda m: repr(model(m).get_submodule("0.b.0")),
    "get_submodule of nothing": lambda m: type((t := model(m)).get_submodule("")) is type(t),
    "get_submodule not there": lambda m: model(m).get_submodule("0.c"),
    "get_parameter": lambda m: tuple(model(m).get_parameter("0.a.weight").shape),
    "get_parameter of a buffer": lambda m: model(m).get_parameter("0.b.0.running_mean"),
    "get_buffer": lambda m: tuple(model(m).get_buffer("0.b.0.running_var").shape),
    "get_buffer of a parameter": lambda m: model(m).get_buffer("1.weight"),
    "set_submodule": lambda m: shown(
        after(model(m), lambda t: t.set_submodule("0.b.0", m.nn.Tanh()))
    ),
    "set_submodule anew": lambda m: shown(
        after(model(m), lambda t: t.set_submodule("0.c", m.nn.Tanh()))
    ),
    "set_submodule strict": lambda m: model(m).set_submodule("0.c", m.nn.Tanh(), strict=True),
    "set_submodule empty": lambda m: model(m).set_submodule("", m.nn.Tanh()),
    "apply": lambda m: (
        seen := [],
        model(m).apply(lambda t: seen.append(type(t).__name__)),
        list(seen),
    )[2],
    # ------------------------------------------------------------------ registering
    "a parameter that comes later": lambda m: shown(
        after(
            bare(m),
            lambda t: t.register_parameter("bias", None),
            lambda t: t.register_parameter("weight", parameter(m, 1.0)),
            lambda t: setattr(t, "bias", parameter(m, 2.0)),
        )
    ),
    "a parameter that goes and comes": lambda m: shown(
        after(
            m.nn.Linear(2, 2),
            lambda t: setattr(t, "weight", None),
            lambda t: setattr(t, "weight", parameter(m, 1.0)),
        )
    ),
    "a buffer that comes later": lambda m: shown(
        after(
            bare(m),
            lambda t: t.register_buffer("mask", None),
            lambda t: setattr(t, "mask", m.tensor([1.0])),
        )
    ),
    "a buffer that is not persistent": lambda m: shown(
        after(bare(m), lambda t: t.register_buffer("mask", m.tensor([1.0]), persistent=False))
    ),
    "a buffer that is persistent again": lambda m: shown(
        after(
            bare(m),
            lambda t: t.register_buffer("mask", m.tensor([1.0]), False),
            lambda t: t.register_buffer("mask", m.tensor([1.0])),
        )
    ),
    "a module that is None": lambda m: shown(
        after(bare(m), lambda t: t.register_module("inner", None))
    )[1:],
    "a module put in by hand": lambda m: repr(
        after(bare(m), lambda t: t._modules.update(x=m.nn.ReLU())).x
    ),
    "a module put in by hand and deleted": lambda m: shown(
        after(
            bare(m),
            lambda t: t._modules.update(x=m.nn.ReLU()),
            lambda t: delattr(t, "x"),
        )
    ),
    "a buffer over an attribute": lambda m: m.nn.Linear(1, 1).register_buffer("in_features", None),
    "a parameter over a method": lambda m: bare(m).register_parameter("forward", None),
    "a module over a parameter": lambda m: m.nn.Linear(1, 1).add_module("weight", m.nn.ReLU()),
    "a name with a dot": lambda m: bare(m).register_buffer("a.b", None),
    "no name": lambda m: bare(m).add_module("", m.nn.ReLU()),
    "a name that is no string": lambda m: bare(m).register_parameter(1, None),
    "a buffer that is no tensor": lambda m: bare(m).register_buffer("a", 1.0),
    "a parameter that is none": lambda m: bare(m).register_parameter("a", m.tensor([1.0])),
    "a module that is none": lambda m: bare(m).add_module("a", 1.0),
    "train(1)": lambda m: bare(m).train(1),
    "to an integer dtype": lambda m: m.nn.Linear(1, 1).to(m.int64),
    "dtypes": lambda m: [
        str(t.dtype).removeprefix("torch.")
        for dtype in (m.float64, m.float32, m.float16)
        for t in model(m).to(dtype).state_dict().values()
    ],
    "type and float and double and half": lambda m: [
        str(t[1].weight.dtype).removeprefix("torch.")
        for t in (model(m).type(m.float64), model(m).float(), model(m).double(), model(m).half())
    ],
    "cpu": lambda m: (t := model(m)).cpu() is t,
    "requires_grad_": lambda m: {
        p.requires_grad for p in model(m).requires_grad_(False).parameters()
    },
    "a prefix of a state": lambda m: list(model(m).state_dict(prefix="x")),
    "a state in a dict": lambda m: list(m.nn.Linear(1, 1).state_dict(destination=OrderedDict(a=1))),
    "tensors of a state": lambda m: [
        m.nn.Linear(1, 1).state_dict(keep_vars=kept)["weight"].requires_grad
        for kept in (True, False)
    ],
    # ------------------------------------------------------------------ Sequential
    "sequential of a dict": lambda m: shown(
        m.nn.Sequential(OrderedDict(first=m.nn.ReLU(), second=m.nn.Tanh()))
    ),
    "sequential sliced": lambda m: shown(m.nn.Sequential(*sizes(m.nn, 1, 2, 3, 4))[1::2]),
    "sequential by name sliced": lambda m: shown(
        m.nn.Sequential(OrderedDict(a=m.nn.ReLU(), b=m.nn.Tanh(), c=m.nn.Tanh()))[1:]
    ),
    "sequential without": lambda m: shown(
        after(m.nn.Sequential(*sizes(m.nn, 1, 2, 3)), lambda t: t.__delitem__(-2))
    ),
    "sequential without a slice": lambda m: shown(
        after(m.nn.Sequential(*sizes(m.nn, 1, 2, 3)), lambda t: t.__delitem__(slice(0, 2)))
    ),
    "sequential inserted": lambda m: shown(
        m.nn.Sequential(*sizes(m.nn, 1, 2)).insert(1, m.nn.ReLU()).insert(-1, m.nn.Tanh())
    ),
    "sequential popped": lambda m: repr(m.nn.Sequential(*sizes(m.nn, 1, 2)).pop(0)),
    "sequential added": lambda m: shown(
        m.nn.Sequential(*sizes(m.nn, 1)) + m.nn.Sequential(*sizes(m.nn, 2))
    ),
    "sequential added to": lambda m: shown(
        after(m.nn.Sequential(*sizes(m.nn, 1)), lambda t: t.__iadd__(m.nn.Sequential(t[0])))
    ),
    "sequential times": lambda m: shown(m.nn.Sequential(*sizes(m.nn, 1, 2)) * 2),
    "times sequential": lambda m: shown(3 * m.nn.Sequential(m.nn.ReLU())),
    "sequential times in place": lambda m: shown(
        after(m.nn.Sequential(*sizes(m.nn, 1, 2)), lambda t: t.__imul__(2))
    ),
    "sequential times 0": lambda m: m.nn.Sequential(m.nn.ReLU()) * 0,
    "sequential times 1.5": lambda m: m.nn.Sequential(m.nn.ReLU()) * 1.5,
    "sequential and a list": lambda m: m.nn.Sequential(m.nn.ReLU()) + [m.nn.ReLU()],
    "sequential too far": lambda m: m.nn.Sequential(m.nn.ReLU())[1],
    "sequential without too much": lambda m: m.nn.Sequential(m.nn.ReLU()).__delitem__(2),
    "sequential inserted too far": lambda m: m.nn.Sequential().insert(3, m.nn.ReLU()),
    # ------------------------------------------------------------------ lists and dicts
    "list": lambda m: shown(m.nn.ModuleList(sizes(m.nn, 1, 2))),
    "list of equals": lambda m: repr(
        m.nn.ModuleList([m.nn.ReLU(), *sizes(m.nn, 2, 2, 2), m.nn.Sequential(m.nn.Tanh())])
    ),
    "empty list": lambda m: (repr(m.nn.ModuleList()), len(m.nn.ModuleList())),
    "list changed": lambda m: shown(
        after(
            m.nn.ModuleList(sizes(m.nn, 1, 2)),
            lambda t: t.append(m.nn.ReLU()).extend(sizes(m.nn, 3)),
            lambda t: t.insert(1, m.nn.Tanh()),
            lambda t: t.__setitem__(-1, m.nn.ReLU()),
            lambda t: t.pop(0),
            lambda t: t.__iadd__([m.nn.GELU()]),
        )
    ),
    "list sliced and added": lambda m: shown(
        m.nn.ModuleList(sizes(m.nn, 1, 2))[::-1] + sizes(m.nn, 3)
    ),
    "list too far": lambda m: m.nn.ModuleList()[0],
    "list called": lambda m: m.nn.ModuleList()(1),
    "dict": lambda m: shown(
        after(
            m.nn.ModuleDict({"b": m.nn.ReLU(), "a": m.nn.Tanh()}),
            lambda t: t.update([("c", m.nn.Linear(1, 1)), ("b", m.nn.GELU())]),
            lambda t: t.__setitem__("d", m.nn.ReLU()),
            lambda t: t.__delitem__("a"),
        )
    ),
    "dict popped": lambda m: repr(m.nn.ModuleDict({"a": m.nn.ReLU()}).pop("a")),
    "dict not there": lambda m: m.nn.ModuleDict()["a"],
    "dict without what is not there": lambda m: m.nn.ModuleDict().__delitem__("training"),
    "dict with a method's name": lambda m: m.nn.ModuleDict({"pop": m.nn.ReLU()}),
    "dict of a number": lambda m: m.nn.ModuleDict(3),
    "dict of triples": lambda m: m.nn.ModuleDict([("a", m.nn.ReLU(), 1)]),
    "parameters": lambda m: shown(m.nn.ParameterList([parameter(m, 1.0, 2.0), parameter(m, 3.0)])),
    "parameters changed": lambda m: shown(
        after(
            m.nn.ParameterList([parameter(m, 1.0)]),
            lambda t: t.append(m.tensor([1.0, 2.0], dtype=m.float32)),
            lambda t: t.extend([parameter(m, 2.0)]),
            lambda t: t.__setitem__(0, parameter(m, 4.0, 5.0, 6.0)),
            lambda t: t.__iadd__([parameter(m, 2.0)]),
        )
    ),
    "parameters sliced": lambda m: shown(
        m.nn.ParameterList([parameter(m, 1.0), parameter(m, 2.0, 3.0)])[1:]
    ),
    "no parameters": lambda m: shown(m.nn.ParameterList()),
    "parameters of a tensor": lambda m: m.nn.ParameterList(3),
    "parameters too far": lambda m: m.nn.ParameterList()[0],
    "named parameters": lambda m: shown(
        m.nn.ParameterDict({"b": parameter(m, 1.0), "a": parameter(m, 2.0)})
    ),
    "named parameters changed": lambda m: shown(
        after(
            m.nn.ParameterDict(OrderedDict(b=parameter(m, 1.0), a=parameter(m, 2.0))),
            lambda t: t.setdefault("c", parameter(m, 3.0, 4.0)),
            lambda t: t.setdefault("a", parameter(m, 3.0, 4.0)),
            lambda t: t.pop("b"),
            lambda t: t.update([("d", parameter(m, 1.0)), ("e", parameter(m, 1.0))]),
            lambda t: t.popitem(),
        )
    ),
    "named parameters as a dict": lambda m: [
        list((d := m.nn.ParameterDict({"b": parameter(m, 1.0)})).keys()),
        len(list(d.values())), len(list(d.items())), list(reversed(d)), "b" in d, len(d),
        d.get("c"), d.get("c", 5), d.get("b") is d["b"], list(d.copy()), list(d.fromkeys("xy")),
        list(d | {"z": parameter(m, 1.0)}), d.clear(), len(d),
    ],
    "last of no named parameters": lambda m: m.nn.ParameterDict().popitem(),
}  # fmt: skip


def outcome(call: Any, m: Any) -> Any:
    try:
        return call(m)
    except Exception as error:
        return error


@pytest.mark.parametrize("call", SCENARIOS.values(), ids=SCENARIOS)
def test_the_same_is_there_and_the_same_is_refused_as_in_torch(torch: Any, call: Any) -> None:
    mytorch.set_default_dtype(np.float32)
    try:
        ours, theirs = outcome(call, mytorch), outcome(call, torch)
    finally:
        mytorch.set_default_dtype(np.float64)
    if isinstance(theirs, Exception):
        assert isinstance(ours, type(theirs)), ours
    else:
        assert ours == theirs
