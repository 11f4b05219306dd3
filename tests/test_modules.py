"""Every row of the table of modules beside torch: names, values, gradients, buffers, errors."""

from __future__ import annotations

import copy
import pickle
import re
import warnings
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import mytorch
import mytorch.nn.functional as F
from mytorch.tensor import Tensor
from tests.module_rows import BAD, CASES, activations, losses
from tests.module_table import BadModule, ModuleCase, make


def numbered(codes: list[str]) -> list[str]:
    """Return the codes as names of tests: those that are there twice get a number."""
    return [f"{code} {codes[:i].count(code)}".removesuffix(" 0") for i, code in enumerate(codes)]


# the losses have no state but weights, most activations and the dropouts have none
WITHOUT = {case.name for case in (*activations.CASES, *losses.CASES) if case.name != "PReLU"}
WITHOUT |= {case.name for case in CASES if "Dropout" in case.name}
ROWS = pytest.mark.parametrize("case", CASES, ids=numbered([case.code for case in CASES]))
WITH_STATE = [case for case in CASES if case.name not in WITHOUT]
BAD_ROWS = pytest.mark.parametrize("bad", BAD, ids=numbered([bad.code for bad in BAD]))
# torch announces that kl_div's mean will be its batchmean
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def float32_by_default() -> Iterator[None]:
    mytorch.set_default_dtype(np.float32)
    yield
    mytorch.set_default_dtype(np.float64)


def array(tensor: Any) -> np.ndarray:
    return tensor.data if isinstance(tensor, Tensor) else tensor.detach().numpy()


def arrays(state: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: array(tensor).copy() for name, tensor in state.items()}


def same(mine: Any, theirs: Any, case: ModuleCase, dtype: Any) -> None:
    """Both tensors, or both None, of one shape and dtype and of near numbers."""
    rtol, atol = (case.close, case.close) if dtype is np.float64 else (2e-4, 2e-5)
    assert (mine is None) == (theirs is None)
    if mine is not None:
        one, two = array(mine), array(theirs)
        assert (one.shape, one.dtype) == (two.shape, two.dtype)
        np.testing.assert_allclose(one, two, rtol=rtol, atol=atol)


def both(torch: Any, case: ModuleCase, dtype: Any) -> tuple[Any, Any]:
    """The module of both libraries: random numbers, by way of a state_dict from mytorch's."""
    mine = make(case.code, mytorch).to(dtype)
    theirs = make(case.code, torch).to(torch.float64 if dtype is np.float64 else torch.float32)
    rng = np.random.default_rng(5)
    for parameter in mine.parameters():
        parameter.data[...] = rng.normal(size=parameter.shape)
    theirs.load_state_dict({name: torch.tensor(t.data) for name, t in mine.state_dict().items()})
    return mine, theirs


def run(m: Any, module: Any, case: ModuleCase, inputs: list[np.ndarray]) -> list[Any]:
    """Output and gradients of floating inputs and of parameters, for a cotangent not uniform."""
    tensors = [m.tensor(x) for x in inputs]
    for place, (tensor, x) in enumerate(zip(tensors, inputs, strict=True)):
        tensor.requires_grad = x.dtype.kind == "f" and place not in case.constant
    module.zero_grad()
    with pytest.warns(UserWarning, match=case.warns) if case.warns else nullcontext():
        output = module(*tensors)
    if output.requires_grad:
        weights = np.random.default_rng(6).normal(size=tuple(output.shape))
        (output * m.tensor(weights.astype(array(output).dtype))).sum().backward()
    return [output, *[leaf.grad for leaf in (*tensors, *module.parameters())]]


def check_steps(torch: Any, mine: Any, theirs: Any, case: ModuleCase, dtype: Any) -> None:
    """Three steps of training and one of evaluation give the same, and leave the same buffers."""
    rng = np.random.default_rng(7)
    for training in [False] if case.random else [True, True, True, False]:
        mine.train(training)
        theirs.train(training)
        inputs = case.draw(rng, dtype)
        pairs = zip(run(mytorch, mine, case, inputs), run(torch, theirs, case, inputs), strict=True)
        for one, two in pairs:
            same(one, two, case, dtype)
        for one, two in zip(mine.buffers(), theirs.buffers(), strict=True):
            same(one, two, case, dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@ROWS
def test_outputs_gradients_and_buffers_are_torchs(torch: Any, case: ModuleCase, dtype: Any) -> None:
    check_steps(torch, *both(torch, case, dtype), case, dtype)


@pytest.mark.parametrize("case", WITH_STATE, ids=numbered([case.code for case in WITH_STATE]))
def test_a_state_goes_to_torch_and_comes_back(torch: Any, case: ModuleCase) -> None:
    mine, theirs = both(torch, case, np.float64)
    if not case.random:
        run(torch, theirs, case, case.draw(RNG(), np.float64))
    back = make(case.code, mytorch).to(np.float64)
    back.load_state_dict(arrays(theirs.state_dict()))
    check_steps(torch, back, theirs, case, np.float64)


def RNG() -> np.random.Generator:
    return np.random.default_rng(9)


@pytest.mark.usefixtures("float32_by_default")
@ROWS
def test_repr_and_the_names_shapes_and_dtypes_of_a_state_are_torchs(
    torch: Any, case: ModuleCase
) -> None:
    mine, theirs = make(case.code, mytorch), make(case.code, torch)
    if "lambda" not in case.code:
        assert repr(mine) == repr(theirs)
    ours, others = arrays(mine.state_dict()), arrays(theirs.state_dict())
    assert list(ours) == list(others)
    for name in ours:
        assert (ours[name].shape, ours[name].dtype) == (others[name].shape, others[name].dtype)
    for names in ("named_parameters", "named_buffers"):
        assert [n for n, _ in getattr(mine, names)()] == [n for n, _ in getattr(theirs, names)()]


@ROWS
def test_a_copy_and_a_pickled_module_do_the_same(case: ModuleCase) -> None:
    module = make(case.code, mytorch).eval()
    copies = [copy.deepcopy(module)]
    if "lambda" not in case.code:
        copies.append(pickle.loads(pickle.dumps(module)))
    inputs = case.draw(RNG(), np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        wanted = module(*map(Tensor, inputs))
        for each in copies:
            assert type(each) is type(module) and repr(each) == repr(module)
            np.testing.assert_array_equal(each(*map(Tensor, inputs)).data, wanted.data)
            for one, two in zip(each._state().values(), module._state().values(), strict=True):
                assert not np.shares_memory(one.data, two.data)


TYPED = [
    *("Linear(5, 3, {})", "Bilinear(1, 2, 3, {})", "LazyLinear(3, {})", "PReLU({})"),
    *("Embedding(3, 2, {})", "EmbeddingBag(3, 2, {})", "LayerNorm(3, {})", "RMSNorm(3, {})"),
    *("GroupNorm(1, 3, {})", "BatchNorm1d(3, {})", "BatchNorm2d(3, {})", "LazyBatchNorm3d({})"),
    "InstanceNorm1d(3, affine=True, track_running_stats=True, {})",
]


@pytest.mark.parametrize("code", TYPED)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_layer_is_made_in_the_dtype_that_is_asked_for(torch: Any, code: str) -> None:
    ours, theirs = (make(code.format("dtype=float32"), m).state_dict() for m in (mytorch, torch))
    assert ours and {name: str(tensor.dtype) for name, tensor in ours.items()} == {
        name: str(tensor.dtype).removeprefix("torch.") for name, tensor in theirs.items()
    }
    with pytest.raises(RuntimeError, match=": device: .*no device 'cuda'"):
        make(code.format("device='cuda'"), mytorch)


def refusal(m: Any, bad: BadModule) -> Exception:
    """Return the error that the row tells of."""
    with pytest.raises(Exception) as caught:  # noqa: PT011
        module = make(bad.code, m)
        inputs = ModuleCase(bad.code, bad.inputs or ()).draw(RNG(), np.float64)
        if bad.inputs is not None:
            module.to(m.float64)(*map(m.tensor, inputs))
    return caught.value


@BAD_ROWS
def test_what_is_wrong_is_refused_with_a_message_that_says_so(bad: BadModule) -> None:
    assert re.search(bad.message, str(refusal(mytorch, bad)))


@BAD_ROWS
def test_an_except_clause_for_torchs_error_catches_ours(torch: Any, bad: BadModule) -> None:
    if bad.torch:
        assert isinstance(refusal(mytorch, bad), type(refusal(torch, bad)))


# ------------------------------------------------------------------------------ what draws

DRAWN = {
    "Dropout(0.3)": lambda x: F.dropout(x, 0.3, True),
    "Dropout1d(0.3)": lambda x: F.dropout1d(x, 0.3, True),
    "Dropout2d(0.3)": lambda x: F.dropout2d(x, 0.3, True),
    "Dropout3d(0.3)": lambda x: F.dropout3d(x, 0.3, True),
    "AlphaDropout(0.3)": lambda x: F.alpha_dropout(x, 0.3, True),
    "FeatureAlphaDropout(0.3)": lambda x: F.feature_alpha_dropout(x, 0.3, True),
    "RReLU(0.1, 0.4)": lambda x: F.rrelu(x, 0.1, 0.4, True),
}


@pytest.mark.parametrize(("code", "function"), DRAWN.items(), ids=DRAWN)
def test_in_training_a_module_draws_what_its_function_draws(code: str, function: Any) -> None:
    axes = {"Dropout1d": 3, "Dropout2d": 4, "Dropout3d": 5}.get(code.partition("(")[0], 3)
    module, x = make(code, mytorch), Tensor(RNG().normal(size=(6, 5, 4, 3, 2)[:axes]))
    mytorch.manual_seed(3)
    mine = module(x)
    mytorch.manual_seed(3)
    np.testing.assert_array_equal(mine.data, function(x).data)
    assert not np.array_equal(mine.data, module.eval()(x).data)


@pytest.mark.parametrize("name", ["Dropout", "ReLU", "Hardtanh", "RReLU", "ELU", "Hardswish"])
def test_in_place_the_input_is_overwritten(name: str) -> None:
    module, plain = make(f"{name}(inplace=True)", mytorch), make(f"{name}()", mytorch)
    data = RNG().normal(size=(3, 4))
    for training in (True, False):
        x = Tensor(data)
        mytorch.manual_seed(3)
        result = module.train(training)(x)
        mytorch.manual_seed(3)
        wanted = plain.train(training)(Tensor(data))
        assert result is x
        np.testing.assert_array_equal(x.data, wanted.data)


OLD = {(None, False): "none", (False, None): "sum", (True, True): "mean", (False, False): "none"}


@pytest.mark.parametrize("name", ["L1Loss", "NLLLoss", "MultiMarginLoss"])
@pytest.mark.parametrize(("old", "reduction"), OLD.items(), ids=str)
def test_torchs_old_arguments_mean_a_reduction_and_are_warned_of(
    torch: Any, name: str, old: tuple[Any, Any], reduction: str
) -> None:
    for m in (mytorch, torch):
        with pytest.warns(UserWarning, match="reduction="):
            loss = getattr(m.nn, name)(size_average=old[0], reduce=old[1])
        assert loss.reduction == reduction
