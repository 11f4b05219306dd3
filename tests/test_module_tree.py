"""What Module and its containers hold and how it is reached: the same calls here and in torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import DtypeError, ShapeError
from mytorch.tensor import Tensor


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


# ------------------------------------------------------------------------------ hooks


def record(m: Any, seen: list[Any]) -> Any:
    """A layer whose hooks tell what they saw, in the order of their calls."""
    layer = m.nn.Tanh()

    def told(name: str) -> Any:
        return lambda module, *given: seen.append((name, len(given)))

    layer.register_forward_pre_hook(told("pre"))
    layer.register_forward_pre_hook(told("pre kwargs"), with_kwargs=True)
    layer.register_forward_pre_hook(told("pre first"), prepend=True)
    layer.register_forward_hook(told("post"))
    layer.register_forward_hook(told("post kwargs"), with_kwargs=True)
    layer.register_forward_hook(told("post first"), prepend=True, always_call=True)
    layer.register_full_backward_pre_hook(told("backward pre"))
    layer.register_full_backward_hook(told("backward"))
    layer.register_full_backward_hook(told("backward first"), prepend=True)
    return layer


def test_hooks_are_called_in_the_order_and_with_the_arguments_of_torchs(torch: Any) -> None:
    seen: list[Any] = []
    told = []
    for m in (mytorch, torch):
        seen.clear()
        record(m, seen)(m.tensor([1.0, 2.0], requires_grad=True)).sum().backward()
        told.append(list(seen))
    assert told[0] == told[1] and len(told[0]) == 9


def test_a_hook_that_is_always_called_sees_an_error_pass(torch: Any) -> None:
    for m in (mytorch, torch):
        seen: list[Any] = []
        with pytest.raises((TypeError, AttributeError)):
            record(m, seen)("no tensor")
        assert [name for name, _ in seen][-1] == "post first"
        layer = m.nn.Tanh()
        layer.register_forward_hook(lambda *args: 1 / 0, always_call=True)
        with (
            pytest.warns(UserWarning, match="silenced"),
            pytest.raises((TypeError, AttributeError)),
        ):
            layer("no tensor")


def test_hooks_may_change_keyword_arguments_and_gradients_of_outputs(torch: Any) -> None:
    grads = []
    for m in (mytorch, torch):

        class Scale(m.nn.Module):  # type: ignore[name-defined]
            def forward(self, x: Any, by: float = 1.0) -> Any:
                return x * by

        layer = Scale()
        layer.register_forward_pre_hook(
            lambda module, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
        )
        layer.register_full_backward_pre_hook(lambda module, go: (go[0] * 10,))
        x = m.tensor([1.0, 2.0], requires_grad=True)
        y = layer(x, by=2.0)
        y.sum().backward()
        grads.append((y.tolist(), x.grad.tolist()))
        layer.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
        with pytest.raises(RuntimeError):
            layer(x, by=2.0)
    assert grads[0] == grads[1] == ([3.0, 6.0], [30.0, 30.0])
    layer = nn.Tanh()
    layer.register_full_backward_pre_hook(lambda module, go: (go[0], go[0]))
    with pytest.raises(RuntimeError, match=r"Tanh returned 2 gradient\(s\) for 1 output"):
        layer(Tensor([1.0], requires_grad=True)).backward()


def test_hooks_see_a_state_before_and_after_it_is_loaded() -> None:
    outer = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    seen: list[Any] = []
    outer[1].register_load_state_dict_pre_hook(
        lambda module, state, prefix: state.update({f"{prefix}bias": state.pop("old")})
    )
    handle = outer.register_load_state_dict_post_hook(
        lambda module, keys: seen.append((module is outer, keys.missing_keys))
    )
    state: dict[str, Any] = {k: v.clone() for k, v in outer.state_dict().items()}
    state["old"] = np.array([7.0])
    del state["1.bias"]
    outer.load_state_dict(state)
    assert outer[1].bias.item() == 7.0 and seen == [(True, [])] and "old" in state
    handle.remove()
    outer.load_state_dict(state)
    assert len(seen) == 1


# ------------------------------------------------------------------------------ states


def test_without_strict_only_what_fits_is_loaded_and_the_rest_is_told(torch: Any) -> None:
    told = []
    for m in (mytorch, torch):
        net = m.nn.Sequential(m.nn.Linear(2, 3), m.nn.Linear(3, 1))
        state = dict(net.state_dict())
        state["2.bias"] = state.pop("0.bias")
        state["1.bias"] = m.tensor([4.0])
        keys = net.load_state_dict(state, strict=False)
        told.append((list(keys.missing_keys), list(keys.unexpected_keys), net[1].bias.item()))
        state["0.weight"] = m.tensor([[1.0]])
        with pytest.raises(RuntimeError, match="0.weight"):
            net.load_state_dict(state, strict=False)
    assert told[0] == told[1] == (["0.bias"], ["2.bias"], 4.0)


def test_assigning_takes_the_arrays_and_their_dtype_and_keeps_the_parameters() -> None:
    net = nn.Linear(2, 1)
    weight, given = net.weight, np.ones((1, 2), np.float32)
    net.load_state_dict({"weight": given, "bias": Tensor([3.0])}, assign=True)
    assert net.weight is weight and weight.data is given and weight.is_leaf
    assert isinstance(weight, nn.Parameter) and weight.requires_grad
    with pytest.raises(ShapeError, match="weight: expected float32, got int64"):
        net.load_state_dict({"weight": np.ones((1, 2), int), "bias": net.bias}, assign=True)
    net.load_state_dict({"weight": np.ones((1, 2), int), "bias": net.bias})


def test_the_handouts_names_of_batch_norm_can_be_loaded_and_used() -> None:
    layer = nn.BatchNorm1d(2)
    state: dict[str, Any] = {"gamma": [1.0, 2.0], "beta": [3.0, 4.0]}
    state |= {"running_mean": [0.0, 1.0], "running_var": [1.0, 2.0]}
    net = nn.Sequential(layer)
    net.load_state_dict({f"0.{name}": np.array(value) for name, value in state.items()})
    assert layer.gamma is layer.weight and layer.beta is layer.bias
    assert layer.gamma.tolist() == [1.0, 2.0] and layer.beta.tolist() == [3.0, 4.0]
    layer.gamma = nn.Parameter([5.0, 6.0])
    assert layer.state_dict()["weight"].tolist() == [5.0, 6.0]


def test_errors_name_the_layer_by_its_path() -> None:
    net = nn.Sequential(
        nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(2, 1))
    )
    with pytest.raises(ShapeError, match=r"^0: linear: input \(2, 5\) and weight \(3, 4\)"):
        net(Tensor.ones(2, 5))
    with pytest.raises(ShapeError, match=r"^1.2: linear: input \(2, 3\) and weight \(1, 2\)"):
        net(Tensor.ones(2, 4))
    with pytest.raises(ShapeError, match=r"^1.1: BatchNorm1d: training needs|^1.1: batch_norm"):
        net(Tensor.ones(1, 4))
    with pytest.raises(DtypeError, match="^0: linear: input is float32 but weight is float64"):
        net(Tensor.ones(2, 4).float())
    state = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.BatchNorm1d(3))).state_dict()
    with pytest.raises(ShapeError) as caught:
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).load_state_dict(state)
    message = str(caught.value)
    assert "0.weight: expected (3, 2), got (3, 4)" in message
    assert "missing: 1.weight; missing: 1.bias; missing: 1.running_mean" in message
    assert "unexpected: 1.1.weight" in message


# ------------------------------------------------------------------------------ lazy layers

LAZY: dict[str, Any] = {
    "LazyLinear": (lambda m: m.LazyLinear(3), (4, 5)),
    "LazyLinear bare": (lambda m: m.LazyLinear(3, bias=False), (2, 4, 5)),
    "LazyBatchNorm1d": (lambda m: m.LazyBatchNorm1d(1e-3), (4, 5)),
    "LazyBatchNorm2d": (lambda m: m.LazyBatchNorm2d(affine=False), (4, 5, 2, 2)),
    "LazyBatchNorm3d": (lambda m: m.LazyBatchNorm3d(bias=False), (2, 5, 2, 2, 2)),
    "LazyInstanceNorm1d": (lambda m: m.LazyInstanceNorm1d(affine=True), (4, 5, 3)),
    "LazyInstanceNorm2d": (lambda m: m.LazyInstanceNorm2d(track_running_stats=True), (2, 5, 3, 2)),
    "LazyInstanceNorm3d": (lambda m: m.LazyInstanceNorm3d(), (2, 5, 3, 2, 2)),
}
LAZY_ROWS = pytest.mark.parametrize(("build", "shape"), LAZY.values(), ids=LAZY)


@pytest.mark.filterwarnings("ignore:Lazy modules")
@LAZY_ROWS
def test_a_lazy_layer_becomes_torchs_at_its_first_call(torch: Any, build: Any, shape: Any) -> None:
    mine, theirs = build(nn), build(torch.nn).double()
    assert repr(mine) == repr(theirs) and list(mine.state_dict()) == list(theirs.state_dict())
    x = np.random.default_rng(0).normal(size=shape)
    held = list(mine.parameters())
    mine(Tensor(x))
    theirs(torch.tensor(x))
    assert repr(mine) == repr(theirs) and type(mine).__name__ == type(theirs).__name__
    assert all(a is b for a, b in zip(held, mine.parameters(), strict=True))
    mine.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    np.testing.assert_allclose(
        mine(Tensor(x)).data, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-9, atol=1e-10
    )


@LAZY_ROWS
def test_a_lazy_layer_gets_its_shape_from_a_state(build: Any, shape: Any) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=shape))
    first, second = build(nn), build(nn)
    second.load_state_dict(first.state_dict())  # both without a shape
    first(x)
    second.load_state_dict(first.state_dict())
    np.testing.assert_array_equal(first.eval()(x).data, second.eval()(x).data)
    assert type(second) is type(first)


def test_a_lazy_layer_is_converted_copied_and_refused_before_its_first_call() -> None:
    layer = nn.LazyLinear(3).to(np.float32)
    with pytest.raises(ShapeError, match="Call the model on a batch"):
        layer.weight.sum()
    assert layer(Tensor(np.ones((2, 4), np.float32))).dtype == np.float32
    with pytest.raises(ShapeError, match="got an UninitializedParameter"):
        nn.Linear(4, 3).load_state_dict(nn.LazyLinear(3).state_dict())
    assert isinstance(nn.LazyLinear(3).weight, nn.UninitializedParameter)
