"""Modules, layers and losses: what they register, draw, compute and refuse."""

from __future__ import annotations

import copy
import gc
import importlib
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mytorch import nn
from mytorch.tensor import Tensor


@pytest.fixture
def torch() -> Any:
    """PyTorch, or a visible skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


class Block(nn.Module):
    """A linear layer, a parameter of its own, and a nested model."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.scale = nn.Parameter(np.ones(3))
        self.rest = nn.Sequential(nn.ReLU(), nn.Sequential(nn.Dropout(), nn.BatchNorm1d(3)))

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.first(x) * self.scale)


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


# ------------------------------------------------------------------------------ registration


def test_parameters_and_modules_are_registered_by_assignment() -> None:
    block = Block()
    assert list(block._parameters) == ["scale"]
    assert list(block._submodules) == ["first", "rest"]
    assert names(block) == [
        "scale",
        "first.weight",
        "first.bias",
        "rest.1.1.weight",
        "rest.1.1.bias",
    ]
    assert [name for name, _ in block.named_buffers()] == [
        "rest.1.1.running_mean",
        "rest.1.1.running_var",
        "rest.1.1.num_batches_tracked",
    ]


def test_named_paths_are_torchs(torch: Any) -> None:
    mine = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 3, bias=False)))
    sub = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 3, bias=False))
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), sub)
    assert names(mine) == [name for name, _ in theirs.named_parameters()]
    assert [n for n, _ in mine.named_modules()] == [n for n, _ in theirs.named_modules()]
    assert list(mine.state_dict()) == list(theirs.state_dict())


def test_tensors_that_are_no_parameters_are_not_registered() -> None:
    block = Block()
    block.constant = Tensor([1.0])
    block.wanted = Tensor([1.0], requires_grad=True)
    assert "constant" not in names(block) and "wanted" not in names(block)


def test_a_parameter_replaced_by_none_is_no_parameter_any_more() -> None:
    layer = nn.Linear(2, 3)
    layer.bias = None
    assert names(layer) == ["weight"] and layer.bias is None


@pytest.mark.parametrize("other", [3, Tensor([1.0]), nn.ReLU()], ids=repr)
def test_what_is_registered_is_not_replaced_by_another_kind(other: Any) -> None:
    layer = nn.Linear(2, 3)
    bias = layer.bias
    with pytest.raises(TypeError, match="Linear.bias is a parameter: expects a Parameter or None"):
        layer.bias = other
    assert names(layer) == ["weight", "bias"] and layer.bias is bias
    del layer.bias
    layer.bias = other
    assert names(layer) == ["weight"] and layer.bias is other
    block, norm = Block(), nn.BatchNorm1d(2)
    if not isinstance(other, nn.Module):
        with pytest.raises(TypeError, match="is a submodule: expects a Module or None"):
            setattr(block, next(iter(block._submodules)), other)
    if not isinstance(other, (Tensor, nn.Module)):
        with pytest.raises(TypeError, match="is a buffer: expects a Tensor or None"):
            norm.running_mean = other


def test_registries_can_be_changed_by_hand() -> None:
    block = nn.Sequential(nn.Linear(2, 3))
    block.head = nn.Linear(3, 4)
    block._modules["head"] = other = nn.Linear(3, 5)
    assert block.head is other and block.state_dict()["head.weight"].shape == (5, 3)
    layer = nn.Linear(2, 3)
    layer._parameters["weight"] = weight = nn.Parameter(np.ones((3, 2)))
    layer._parameters.update(bias=None)
    assert layer.weight is weight and layer.bias is None
    assert layer(Tensor([[1.0, 2.0]])).tolist() == [[3, 3, 3]]
    assert layer._parameters.pop("bias", 1) is None and layer._parameters.pop("bias", 1) == 1
    assert not hasattr(layer, "bias")
    layer._parameters.clear()
    assert not hasattr(layer, "weight") and list(layer.parameters()) == []
    norm = nn.BatchNorm1d(2)
    norm._buffers["running_mean"] = mean = Tensor([5.0, 6.0])
    for copied in (norm, copy.deepcopy(norm), pickle.loads(pickle.dumps(norm))):
        assert copied.running_mean.tolist() == [5, 6]
        copied._buffers["running_mean"] = mean + 1
        assert copied.running_mean.tolist() == [6, 7]
        copied._buffers["running_mean"] = mean


def test_a_module_is_freed_without_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        alive = [weakref.ref(model), weakref.ref(model[0].weight)]
        del model
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()


def test_a_name_that_was_a_passing_buffers_is_part_of_the_state_again() -> None:
    for replace in (False, True):
        module = nn.Module()
        module.register_buffer("mask", Tensor([1.0]), persistent=False)
        assert list(module.state_dict()) == []
        if replace:
            del module.mask
        module.mask = nn.Parameter([1.0])
        assert list(module.state_dict()) == ["mask"]


def test_statistics_that_are_not_tracked_any_more_stay() -> None:
    norm = nn.BatchNorm1d(1)
    norm.track_running_stats = False
    norm(Tensor([[1.0], [3.0]]))
    assert norm.running_mean.tolist() == [0] and norm.num_batches_tracked.item() == 0


def test_a_copied_model_gathers_gradients_of_its_own() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer(Tensor([[1.0]])).sum().backward()
    for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert copied.weight.grad is None and layer.weight.grad.tolist() == [[1]]
        copied(Tensor([[2.0]])).sum().backward()
        assert copied.weight.grad.tolist() == [[2]]


def test_a_parameter_replaced_by_another_keeps_its_place() -> None:
    layer = nn.Linear(2, 3)
    layer.weight = nn.Parameter(np.ones((3, 2)))
    assert names(layer) == ["weight", "bias"] and next(layer.parameters()) is layer.weight


def test_a_module_replaced_or_deleted_is_gone_from_every_traversal() -> None:
    block = Block()
    block.rest = None
    del block.scale
    assert names(block) == ["first.weight", "first.bias"]
    assert [type(module).__name__ for module in block.modules()] == ["Block", "Linear"]
    with pytest.raises(AttributeError, match="'Block' object has no attribute 'scale'"):
        block.scale  # noqa: B018
    with pytest.raises(AttributeError):
        del block.scale


def test_a_replaced_buffer_stays_a_buffer() -> None:
    layer = nn.BatchNorm1d(2)
    layer.running_mean = Tensor([5.0, 6.0])
    assert layer.state_dict()["running_mean"].tolist() == [5.0, 6.0]
    assert names(layer) == ["weight", "bias"]


def test_shared_modules_and_parameters_are_yielded_once() -> None:
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(), nn.Sequential(shared))
    tied = nn.Linear(2, 2, bias=False)
    tied.weight = shared.weight
    model = nn.Sequential(model, tied)
    assert names(model) == ["0.0.weight", "0.0.bias"]
    assert sum(module is shared for module in model.modules()) == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda module: setattr(module, "weight", nn.Parameter([1.0])),
        lambda module: setattr(module, "number", 3),
        lambda module: list(module.parameters()),
        lambda module: module.train(),
        lambda module: module.is_train,
        lambda module: module(1),
        repr,
    ],
)
def test_a_module_used_before_super_init_says_what_is_missing(use: Any) -> None:
    class Forgot(nn.Module):
        def __init__(self) -> None:
            pass

        def forward(self, x: Any) -> Any:
            return self.layer(x)

    with pytest.raises(AttributeError, match=r"Forgot.__init__ must call super\(\).__init__\(\)"):
        use(Forgot())


def test_a_module_without_forward_names_its_class() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define forward"):
        Empty()(1)


# ------------------------------------------------------------------------------ modes, traversal


def test_train_and_eval_reach_every_module() -> None:
    block = Block()
    assert block.is_train and block.training
    assert block.eval() is block and not any(module.is_train for module in block.modules())
    assert block.train() is block and all(module.is_train for module in block.modules())


def test_apply_visits_children_in_order_before_their_parent_as_torch(torch: Any) -> None:
    def visited(library: Any) -> list[str]:
        seen: list[str] = []
        inner = library.Sequential(library.ReLU(), library.Tanh())
        model = library.Sequential(library.Sigmoid(), inner, library.Linear(1, 1))
        assert model.apply(lambda module: seen.append(type(module).__name__)) is model
        return seen

    assert visited(nn) == visited(torch.nn)


def test_zero_grad_forgets_every_gradient() -> None:
    block = Block()
    block(Tensor(np.arange(8.0).reshape(4, 2))).sum().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())
    block.zero_grad()
    assert all(parameter.grad is None for parameter in block.parameters())


def test_to_converts_parameters_gradients_and_buffers_in_place() -> None:
    block = Block()
    kept = list(block.parameters())
    block(Tensor(np.arange(8.0).reshape(4, 2))).sum().backward()
    assert block.to(np.float32) is block
    assert all(a is b for a, b in zip(block.parameters(), kept, strict=True))
    *running, count = block.buffers()
    tensors = [*block.parameters(), *running]
    assert {tensor.dtype for tensor in tensors} == {np.dtype(np.float32)}
    assert count.dtype == np.int64  # num_batches_tracked
    assert {parameter.grad.dtype for parameter in kept} == {np.dtype(np.float32)}
    assert all(p.is_leaf and p.requires_grad and p.is_parameter for p in kept)
    with pytest.raises(TypeError, match="floating dtype, not int64"):
        block.to(np.int64)


def test_every_tensor_of_a_module_is_of_the_type_Tensor() -> None:  # noqa: N802
    block = Block()
    block(Tensor(np.arange(8.0).reshape(4, 2))).sum().backward()
    tensors = [*block.parameters(), *(tensor for _, tensor in block.named_buffers())]
    tensors += [parameter.grad for parameter in block.parameters()]
    assert {type(tensor).__name__ for tensor in tensors} == {"Tensor"}
    for parameter in block.parameters():
        assert parameter.is_parameter and parameter.requires_grad and parameter.is_leaf
        assert not parameter.grad.is_parameter and parameter.grad.grad_fn is None


def test_repr_is_a_tree_laid_out_as_torchs(torch: Any) -> None:
    def model(library: Any) -> Any:
        inner = library.Sequential(library.Linear(3, 2, bias=False), library.Tanh())
        return library.Sequential(library.Linear(2, 3), library.ReLU(), inner)

    assert repr(model(nn)) == repr(model(torch.nn))
    assert repr(nn.Sequential()) == repr(torch.nn.Sequential())


def test_repr_puts_extra_repr_before_the_children() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Dropout(0.2)

        def extra_repr(self) -> str:
            return "size=3"

    assert repr(Named()) == "Named(\n  size=3\n  (inner): Dropout(p=0.2, inplace=False)\n)"


# ------------------------------------------------------------------------------ state


def test_state_dict_makes_a_second_model_equal() -> None:
    first, second = Block(), Block()
    x = Tensor(np.random.default_rng(0).normal(size=(5, 2)))
    first.rest[1][0].p = second.rest[1][0].p = 0
    first(x)  # moves the running statistics
    second.load_state_dict(first.state_dict())
    assert np.array_equal(first.eval()(x).data, second.eval()(x).data)
    second.load_state_dict({name: tensor.data for name, tensor in first.state_dict().items()})


def test_state_dict_shares_memory_also_with_running_statistics() -> None:
    layer = nn.BatchNorm1d(2)
    state = layer.state_dict()
    layer(Tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert state["running_mean"].tolist() == layer.running_mean.tolist() != [0.0, 0.0]
    assert not state["weight"].requires_grad


def test_faults_of_a_state_are_told_together_and_nothing_is_changed() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    before = {name: tensor.data.copy() for name, tensor in model.state_dict().items()}
    state: dict[str, Any] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state["0.weight"] = np.zeros((3, 2))
    state["0.bias"] = np.zeros(3, complex)
    state["1.weight"] = np.zeros((3, 2))
    del state["1.bias"]
    state["2.bias"] = np.zeros(1)
    with pytest.raises(ValueError) as caught:
        model.load_state_dict(state)
    assert str(caught.value) == (
        "load_state_dict(Sequential): missing: 1.bias; unexpected: 2.bias; "
        "0.bias: expected float64, got complex128; 1.weight: expected (2, 3), got (3, 2)"
    )
    assert all(np.array_equal(t.data, before[name]) for name, t in model.state_dict().items())


def test_loading_a_state_between_forward_and_backward_is_noticed() -> None:
    layer = nn.Linear(2, 2)
    loss = (layer(Tensor([[1.0, 2.0]], requires_grad=True)) ** 2).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


# ------------------------------------------------------------------------------ names


CONTRACT = {
    "mytorch.tensor": "Tensor cat",
    "mytorch.autograd_engine": "backward Function AccumulateGrad ContextManager BackwardFunction",
    "mytorch.nn.functional": "Add Sub Mul Mult Div Transpose Reshape Log cross_entropy to_one_hot "
    "unbroadcast Dropout Sigmoid Tanh Slice Cat",
    "mytorch.nn.activations": "ReLU Tanh Sigmoid",
    "mytorch.nn.linear": "Linear",
    "mytorch.nn.batchnorm": "BatchNorm1d",
    "mytorch.nn.dropout": "Dropout",
    "mytorch.nn.sequential": "Sequential",
    "mytorch.nn.module": "Module",
    "mytorch.nn.loss": "CrossEntropyLoss Loss",
    "mytorch.optim.optimizer": "Optimizer",
    "mytorch.optim.sgd": "SGD",
    "mytorch.optim.adam": "Adam",
}
MUST_NOT_LEAK = {"nn", "torch", "np", "RNN", "RNNUnit", "pack_sequence"}


@pytest.mark.parametrize("module", CONTRACT)
def test_every_name_of_the_contract_is_there(module: str) -> None:
    loaded = importlib.import_module(module)
    assert [name for name in CONTRACT[module].split() if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", [name for name in CONTRACT if ".nn." in name])
def test_import_star_binds_no_foreign_names(module: str) -> None:
    bound: dict[str, Any] = {}
    exec(f"from {module} import *", bound)
    assert bound.keys().isdisjoint(MUST_NOT_LEAK)
    if module != "mytorch.nn.functional":
        own = {name for name in bound if getattr(bound[name], "__module__", None) == module}
        assert bound.keys() - {"__builtins__"} <= own | {"Parameter", *CONTRACT[module].split()}


def test_import_star_of_functional_binds_the_homeworks_operations_and_hides_no_layer() -> None:
    bound: dict[str, Any] = {}
    exec("from mytorch.nn.activations import *\nfrom mytorch.nn.dropout import *", bound)
    exec("from mytorch.nn.functional import *", bound)
    assert {"Add", "Sub", "Mul", "Mult", "Div"} <= bound.keys()
    assert bound["ReLU"] is nn.ReLU and bound["Dropout"] is nn.Dropout


# ------------------------------------------------------------------------------ sequential


def test_sequential_applies_its_layers_in_order_and_holds_them() -> None:
    layers = nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)
    model = nn.Sequential(*layers)
    x = Tensor([[1.0, -2.0]])
    assert np.array_equal(model(x).data, layers[2](layers[1](layers[0](x))).data)
    assert model.layers == layers == tuple(model)
    assert len(model) == 3 and model[0] is layers[0] and model[-1] is layers[2]
    assert nn.Sequential()(x) is x


def test_a_layer_that_stands_twice_in_a_sequential_is_applied_twice() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill(3.0)
    assert nn.Sequential(layer, layer)(Tensor([[2.0]])).tolist() == [[18.0]]


def test_a_replaced_layer_of_a_sequential_is_the_one_that_runs() -> None:
    model = nn.Sequential(nn.ReLU(), nn.ReLU())
    setattr(model, "1", nn.Tanh())
    assert isinstance(model.layers[1], nn.Tanh)
    assert model(Tensor([2.0])).tolist() == [np.tanh(2.0)]


def test_sequential_refuses_what_is_no_module() -> None:
    with pytest.raises(TypeError, match="argument 0 is a list"):
        nn.Sequential([nn.ReLU()])  # type: ignore[arg-type]


# ------------------------------------------------------------------------------ dtype of arrays


def test_arrays_that_were_pickled_fit_a_layer(rng: np.random.Generator) -> None:
    x = pickle.loads(pickle.dumps(rng.normal(size=(4, 2))))  # its dtype equals, but is not, float64
    assert np.array_equal(nn.Linear(2, 3)(Tensor(x)).shape, (4, 3))
    assert (Tensor(x) @ Tensor(np.ones((2, 1)))).shape == (4, 1)


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_model_keeps_its_gradients_to_itself(copier: Callable[[Any], Any]) -> None:
    model = nn.Linear(2, 1)
    x = Tensor(np.ones((1, 2)))
    graph = model(x)  # the graph of the original is alive while it is copied
    copied = copier(model)
    copied(x).backward()
    assert model.weight.grad is None and copied.weight.grad.data.tolist() == [[1.0, 1.0]]
    graph.backward()
    assert model.weight.grad.data.tolist() == [[1.0, 1.0]]


def test_a_tensor_with_views_can_be_pickled() -> None:
    tensor = Tensor([1.0, 2.0])
    view = tensor[0]
    assert pickle.loads(pickle.dumps(tensor)).data.tolist() == [1.0, 2.0] and view.item() == 1.0


def test_a_layer_without_features_has_empty_gradients() -> None:
    for shape in ((2, 4, 3), (3,), (2, 3)):
        layer, x = nn.Linear(3, 0), Tensor(np.ones(shape), requires_grad=True)
        layer(x).sum().backward()
        assert x.grad.shape == shape and not x.grad.data.any()
        assert layer.weight.grad.shape == (0, 3) and layer.bias.grad.shape == (0,)
