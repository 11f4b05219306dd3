"""MultiheadAttention, the layers of transformers and their stacks, beside torch's."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.errors import AssertedError
from mytorch.tensor import Tensor

TIGHT = {"rtol": 1e-9, "atol": 1e-10}
L, S, N, E, H = 5, 4, 3, 8, 2
Build = Callable[[Any], Any]


@pytest.fixture(scope="module")
def torch() -> Any:
    """PyTorch, or a visible skip."""
    return pytest.importorskip("torch", reason="torch is not installed")


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def array(tensor: Any) -> np.ndarray:
    return tensor.data if isinstance(tensor, Tensor) else tensor.detach().numpy()


def both(torch: Any, build: Build) -> tuple[Any, Any]:
    """The same module of both libraries; its state has gone from torch to mytorch and back."""
    mine, theirs = build(mytorch.nn), build(torch.nn).double()
    numbers = rng()
    for parameter in theirs.parameters():
        parameter.data.copy_(torch.tensor(numbers.normal(size=tuple(parameter.shape)) / 2))
    state = theirs.state_dict()
    assert [(k, v.shape) for k, v in mine.state_dict().items()] == [
        (k, tuple(v.shape)) for k, v in state.items()
    ]
    mine.load_state_dict({name: value.numpy() for name, value in state.items()})
    for parameter in theirs.parameters():
        parameter.data.zero_()
    theirs.load_state_dict({k: torch.tensor(v.data) for k, v in mine.state_dict().items()})
    return mine, theirs


def outcome(m: Any, module: Any, call: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs, then gradients of inputs and parameters, for a cotangent that is not uniform."""
    inputs = [m.tensor(x, requires_grad=True) for x in arrays]
    result, numbers = call(m, module, *inputs), rng()
    found = [
        part for part in (result if isinstance(result, tuple) else (result,)) if part is not None
    ]
    weighted = [(part * m.tensor(numbers.normal(size=tuple(part.shape)))).sum() for part in found]
    sum(weighted).backward()
    grads = [leaf.grad for leaf in (*inputs, *module.parameters())]
    return [array(x) for x in found] + [np.zeros(()) if g is None else array(g) for g in grads]


def check(
    torch: Any, build: Build, call: Any, *shapes: tuple[int, ...], training: bool = True
) -> None:
    """``call(m, module, *inputs)`` gives the same of both libraries, and the same gradients."""
    modules = both(torch, build)
    numbers = rng()
    arrays = [numbers.normal(size=shape) for shape in shapes]
    results = []
    for m, module in zip((mytorch, torch), modules, strict=True):
        module.train(training)
        results.append(outcome(m, module, call, arrays))
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, **TIGHT)


# ------------------------------------------------------------------------------ attention

MASKS: dict[str, Callable[[], dict[str, np.ndarray]]] = {
    "no mask": dict,
    "boolean": lambda: {"attn_mask": np.triu(np.ones((L, S), bool), 1)},
    "float": lambda: {"attn_mask": rng().normal(size=(L, S))},
    "of each head": lambda: {"attn_mask": rng().normal(size=(N * H, L, S))},
    "padding": lambda: {"key_padding_mask": np.arange(S) >= np.array([[2], [4], [3]])},
    "float padding": lambda: {"key_padding_mask": rng().normal(size=(N, S))},
    "both boolean": lambda: {
        "attn_mask": np.triu(np.ones((L, S), bool), 1),
        "key_padding_mask": np.arange(S) >= np.array([[2], [4], [3]]),
    },
    "both float": lambda: {
        "attn_mask": rng().normal(size=(N * H, L, S)),
        "key_padding_mask": rng().normal(size=(N, S)),
    },
}
MODULES: dict[str, Build] = {
    "plain": lambda m: m.MultiheadAttention(E, H),
    "no bias": lambda m: m.MultiheadAttention(E, H, bias=False),
    "one head": lambda m: m.MultiheadAttention(E, 1),
    "extras": lambda m: m.MultiheadAttention(E, H, add_bias_kv=True, add_zero_attn=True),
    "bias_kv": lambda m: m.MultiheadAttention(E, H, 0.0, True, True),
    "zeros": lambda m: m.MultiheadAttention(E, H, add_zero_attn=True, bias=False),
}


def attended(**options: Any) -> Any:
    """A call with options, of which masks are arrays."""

    def call(m: Any, module: Any, *inputs: Any) -> Any:
        given = {k: m.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        return module(*inputs, **given)

    return call


@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("build", ["plain", "extras"])
def test_attention_under_every_mask_is_torchs(
    torch: Any, masks: str, need_weights: bool, build: str
) -> None:
    call = attended(need_weights=need_weights, **MASKS[masks]())
    check(torch, MODULES[build], call, (L, N, E), (S, N, E), (S, N, E))


@pytest.mark.parametrize("build", MODULES)
@pytest.mark.parametrize("training", [True, False])
def test_every_kind_of_attention_is_torchs(torch: Any, build: str, training: bool) -> None:
    if build == "one head":
        call = attended(attn_mask=rng().normal(size=(N, L, S)))
    else:
        call = attended(average_attn_weights=False, **MASKS["both float"]())
    check(torch, MODULES[build], call, (L, N, E), (S, N, E), (S, N, E), training=training)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("sizes", [(6, 7), (6, None), (None, 7)], ids=str)
def test_keys_and_values_of_other_sizes_are_projected_as_by_torch(
    torch: Any, sizes: Any, batch_first: bool, need_weights: bool
) -> None:
    k, v = (size or E for size in sizes)
    shapes = [(L, N, E), (S, N, k), (S, N, v)]
    if batch_first:
        shapes = [(b, a, c) for a, b, c in shapes]

    def build(m: Any) -> Any:
        return m.MultiheadAttention(E, H, kdim=sizes[0], vdim=sizes[1], batch_first=batch_first)

    check(torch, build, attended(need_weights=need_weights), *shapes)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("need_weights", [False, True])
def test_one_tensor_in_several_places_gets_the_sum_of_their_gradients(
    torch: Any, batch_first: bool, need_weights: bool
) -> None:
    def build(m: Any) -> Any:
        return m.MultiheadAttention(E, H, batch_first=batch_first)

    def itself(m: Any, module: Any, x: Any) -> Any:
        return module(x, x, x, need_weights=need_weights)

    def other(m: Any, module: Any, x: Any, y: Any) -> Any:
        return module(x, y, y, need_weights=need_weights)

    check(torch, build, itself, (L, N, E))
    shapes = ((N, L, E), (N, S, E)) if batch_first else ((L, N, E), (S, N, E))
    check(torch, build, other, *shapes)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_a_sequence_without_a_batch_is_attended_to(
    torch: Any, batch_first: bool, average: bool
) -> None:
    def build(m: Any) -> Any:
        return m.MultiheadAttention(E, H, batch_first=batch_first, add_zero_attn=True)

    masks = {"attn_mask": rng().normal(size=(H, L, S)), "key_padding_mask": np.linspace(0, 1, S)}
    for options in ({}, masks, {"need_weights": False, **masks}):
        call = attended(average_attn_weights=average, **options)
        check(torch, build, call, (L, E), (S, E), (S, E))


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("padding", [False, True])
def test_a_mask_that_is_said_to_be_causal(torch: Any, need_weights: bool, padding: bool) -> None:
    later = np.triu(np.full((L, L), -np.inf), 1)
    options = {"key_padding_mask": np.zeros((N, L))} if padding else {}
    call = attended(attn_mask=later, is_causal=True, need_weights=need_weights, **options)
    check(torch, MODULES["plain"], lambda m, a, x: call(m, a, x, x, x), (L, N, E))


def test_static_keys_and_values_stand_for_the_projected_ones(torch: Any) -> None:
    def call(m: Any, module: Any, x: Any, k: Any, v: Any) -> Any:
        return m.nn.functional.multi_head_attention_forward(
            x, x, x, E, H, module.in_proj_weight, module.in_proj_bias, None, None, True, 0.0,
            module.out_proj.weight, module.out_proj.bias, static_k=k, static_v=v,
            attn_mask=m.tensor(np.triu(np.ones((L, L), bool), 1)),
        )  # fmt: skip

    check(torch, MODULES["plain"], call, (L, N, E), (N * H, L, E // H), (N * H, L, E // H))


def test_a_query_that_sees_nothing_has_no_attention_and_no_weights(torch: Any) -> None:
    mask = np.zeros((L, S), bool)
    mask[1] = True
    for library, module in zip((mytorch, torch), both(torch, MODULES["plain"]), strict=True):
        q, k = (library.tensor(np.ones(shape)) for shape in ((L, N, E), (S, N, E)))
        y, _ = module(q, k, k, need_weights=False, attn_mask=library.tensor(mask))
        np.testing.assert_allclose(array(y)[1], array(module.out_proj.bias)[None].repeat(N, 0))
        y, weights = module(q, k, k, attn_mask=library.tensor(mask))
        assert np.isnan(array(weights)[:, 1]).all() and np.isfinite(array(y)[[0, 2, 3, 4]]).all()


def test_a_floating_mask_may_be_learned(torch: Any) -> None:
    def call(m: Any, module: Any, x: Any, mask: Any, padding: Any) -> Any:
        return module(x, x, x, padding, False, mask)

    check(torch, MODULES["plain"], call, (L, N, E), (L, L), (N, L))


def test_dropout_drops_weights_in_training_alone() -> None:
    module = nn.MultiheadAttention(E, H, dropout=0.5)
    x = Tensor(rng().normal(size=(60, N, E)))
    np.random.seed(0)
    _, weights = module(x, x, x, average_attn_weights=False)
    assert abs((weights.data == 0).mean() - 0.5) < 0.02
    before = module(x, x, x, need_weights=False)[0].data
    assert not np.array_equal(before, module(x, x, x, need_weights=False)[0].data)
    module.eval()
    assert (module(x, x, x)[1].data > 0).all()


def test_parameters_are_drawn_by_torchs_rules() -> None:
    np.random.seed(0)
    plain, apart = nn.MultiheadAttention(64, 4), nn.MultiheadAttention(64, 4, kdim=128)
    for weight, bound in (
        (plain.in_proj_weight, (6 / 256) ** 0.5),
        (apart.q_proj_weight, (6 / 128) ** 0.5),
        (apart.k_proj_weight, (6 / 192) ** 0.5),
        (apart.v_proj_weight, (6 / 128) ** 0.5),
        (plain.out_proj.weight, 1 / 8),
    ):
        assert 0.99 * bound < np.abs(weight.data).max() <= bound
        assert abs(weight.data.std() / bound - 3**-0.5) < 0.02
    assert not plain.in_proj_bias.data.any() and not plain.out_proj.bias.data.any()
    learned = nn.MultiheadAttention(2500, 1, add_bias_kv=True, dtype=np.float32)
    assert abs(learned.bias_k.data.std() * 50 - 1) < 0.05 and learned.bias_k.dtype == np.float32
    layer = nn.TransformerEncoderLayer(64, 4)
    assert 0.12 < np.abs(layer.linear1.weight.data).max() <= 1 / 8


def test_float32_stays_float32_and_is_near_torchs(torch: Any) -> None:
    mine, theirs = both(torch, lambda m: m.TransformerEncoderLayer(E, H, 16, 0.0))
    x = rng().normal(size=(L, N, E)).astype(np.float32)
    y = mine.float()(Tensor(x))
    y.sum().backward()
    assert y.dtype == np.float32
    assert {p.grad.dtype for p in mine.parameters()} == {np.dtype(np.float32)}
    expected = theirs.float()(torch.tensor(x))
    np.testing.assert_allclose(y.data, array(expected), rtol=1e-4, atol=1e-5)
    whole = nn.Transformer(E, H, 1, 1, 8, dtype=mytorch.float32)
    assert whole(Tensor(x), Tensor(x)).dtype == np.float32


# ------------------------------------------------------------------------------ layers

LAYERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "norm_first": {"norm_first": True},
    "gelu, batch_first": {"activation": "gelu", "batch_first": True},
    "a function": {"activation": lambda x: x * x},
    "no bias": {"bias": False, "layer_norm_eps": 0.1, "norm_first": True},
}


@pytest.mark.parametrize("options", LAYERS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_an_encoder_layer_is_torchs(torch: Any, options: str, training: bool, masked: bool) -> None:
    given = LAYERS[options]
    shape = (N, L, E) if given.get("batch_first") else (L, N, E)
    masks = {
        "src_mask": np.triu(np.ones((L, L), bool), 1),
        "src_key_padding_mask": np.arange(L) >= np.array([[2], [5], [3]]),
    }
    check(
        torch,
        lambda m: m.TransformerEncoderLayer(E, H, 16, 0.0, **given),
        attended(**masks if masked else {}),
        shape,
        training=training,
    )


@pytest.mark.parametrize("options", LAYERS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_a_decoder_layer_is_torchs(torch: Any, options: str, training: bool, masked: bool) -> None:
    given = LAYERS[options]
    shapes = [(L, N, E), (S, N, E)]
    if given.get("batch_first"):
        shapes = [(b, a, c) for a, b, c in shapes]
    masks = {
        "tgt_mask": np.triu(np.full((L, L), -np.inf), 1),
        "memory_mask": rng().normal(size=(L, S)),
        "tgt_key_padding_mask": np.where(np.arange(L) >= [[2], [5], [3]], -np.inf, 0),
        "memory_key_padding_mask": rng().normal(size=(N, S)),
    }
    check(
        torch,
        lambda m: m.TransformerDecoderLayer(E, H, 16, 0.0, **given),
        attended(**masks if masked else {}),
        *shapes,
        training=training,
    )


def test_layers_take_a_sequence_without_a_batch(torch: Any) -> None:
    encoder = lambda m: m.TransformerEncoderLayer(E, H, 16, 0.0, batch_first=True)  # noqa: E731
    check(torch, encoder, attended(), (L, E))
    decoder = lambda m: m.TransformerDecoderLayer(E, H, 16, 0.0)  # noqa: E731
    check(torch, decoder, attended(tgt_mask=np.triu(np.ones((L, L), bool), 1)), (L, E), (S, E))


def test_a_causal_hint_is_passed_on(torch: Any) -> None:
    call = attended(src_mask=np.triu(np.full((L, L), -np.inf), 1), is_causal=True)
    check(torch, lambda m: m.TransformerEncoderLayer(E, H, 16, 0.0), call, (L, N, E))


# ------------------------------------------------------------------------------ stacks


def silently(build: Build) -> Build:
    """torch warns of its nested tensors."""

    def quiet(m: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return build(m)

    return quiet


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("is_causal", [None, True, False])
def test_stacks_are_torchs(torch: Any, norm: bool, is_causal: Any) -> None:
    @silently
    def encoder(m: Any) -> Any:
        layer = m.TransformerEncoderLayer(E, H, 16, 0.0)
        return m.TransformerEncoder(layer, 2, m.LayerNorm(E) if norm else None)

    def decoder(m: Any) -> Any:
        layer = m.TransformerDecoderLayer(E, H, 16, 0.0, norm_first=True)
        return m.TransformerDecoder(layer, 2, m.LayerNorm(E) if norm else None)

    later = np.triu(np.full((L, L), -np.inf), 1)
    check(torch, encoder, attended(mask=later, is_causal=is_causal), (L, N, E))
    check(torch, encoder, attended(), (L, N, E))
    call = attended(tgt_mask=later, tgt_is_causal=is_causal)
    check(torch, decoder, call, (L, N, E), (S, N, E))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_transformer_is_torchs(torch: Any, batch_first: bool, norm_first: bool) -> None:
    @silently
    def build(m: Any) -> Any:
        return m.Transformer(
            E, H, 1, 2, 16, 0.0, "gelu", batch_first=batch_first, norm_first=norm_first
        )

    def call(m: Any, module: Any, src: Any, tgt: Any) -> Any:
        mask = m.nn.Transformer.generate_square_subsequent_mask(L).to(m.float64)
        padding = m.tensor(np.where(np.arange(S) >= [[2], [4], [3]], -np.inf, 0))
        return module(
            src, tgt, tgt_mask=mask, src_key_padding_mask=padding, memory_key_padding_mask=padding
        )

    shapes = ((N, S, E), (N, L, E)) if batch_first else ((S, N, E), (L, N, E))
    check(torch, build, call, *shapes)
    check(torch, build, call, *shapes, training=False)


def test_a_transformer_of_given_parts(torch: Any) -> None:
    def build(m: Any) -> Any:
        parts = {"custom_encoder": Echo(m), "custom_decoder": Echo(m)}
        return m.Transformer(E, H, **parts)

    def call(m: Any, module: Any, src: Any, tgt: Any) -> Any:
        return module(src, tgt)

    check(torch, build, call, (S, N, E), (L, N, E))


def Echo(m: Any) -> Any:  # noqa: N802
    """A module that doubles its last positional argument, and takes any mask."""

    class Echo(m.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = m.Linear(E, E)

        def forward(self, *inputs: Any, **masks: Any) -> Any:
            return self.linear(inputs[-1])

    return Echo()


def test_transformers_draw_all_matrices_by_their_sizes_and_copies_start_equal() -> None:
    np.random.seed(0)
    model = nn.Transformer(16, 2, 2, 1, 32)
    first, second = model.encoder.layers
    assert np.abs(first.linear1.weight.data).max() > 0.33  # sqrt(6 / 48) = 0.354
    assert not np.array_equal(first.linear1.weight.data, second.linear1.weight.data)
    layer = nn.TransformerEncoderLayer(16, 2, 32)
    stack = nn.TransformerEncoder(layer, 2)
    assert all(
        np.array_equal(x.linear1.weight.data, layer.linear1.weight.data) for x in stack.layers
    )
    assert stack.layers[0].linear1.weight is not stack.layers[1].linear1.weight


def test_the_mask_of_what_comes_later(torch: Any) -> None:
    for m in (mytorch, torch):
        mask = m.nn.Transformer.generate_square_subsequent_mask(3, dtype=m.float32)
        assert mask.dtype == m.float32
        assert mask.tolist() == [[0, -np.inf, -np.inf], [0, 0, -np.inf], [0, 0, 0]]
        assert m.nn.Transformer.generate_square_subsequent_mask(0).shape == (0, 0)


@pytest.mark.parametrize("name", ["LayerNorm", "TransformerEncoderLayer"])
def test_a_layer_can_be_copied_and_hooked(name: str) -> None:
    layer = {
        "LayerNorm": lambda: nn.LayerNorm(E),
        "TransformerEncoderLayer": lambda: nn.TransformerEncoderLayer(E, H, 16, 0.0),
    }[name]()
    seen = []
    twin = copy.deepcopy(layer)
    for module in twin.modules():
        module.register_forward_hook(lambda m, args, output: seen.append(type(m).__name__))
        module.register_full_backward_hook(lambda m, into, out: seen.append(type(m).__name__))
    x = Tensor(rng().normal(size=(L, N, E)), requires_grad=True)
    y = twin(x)
    np.testing.assert_allclose(y.data, layer(x).data, **TIGHT)
    y.sum().backward()
    assert seen.count(name) == 2


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.LayerNorm(E),
        lambda m: m.LayerNorm([L, E], 0.1),
        lambda m: m.LayerNorm((E,), elementwise_affine=False),
        lambda m: m.LayerNorm(E, bias=False),
    ],
)
def test_layer_norm_is_torchs(torch: Any, build: Build) -> None:
    check(torch, build, attended(), (N, L, E))
    assert repr(build(nn)) == repr(build(torch.nn))


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.MultiheadAttention(E, H),
        lambda m: m.TransformerEncoderLayer(E, H, 16, activation=m.ReLU()),
        lambda m: m.TransformerDecoderLayer(E, H, 16, bias=False),
        silently(lambda m: m.Transformer(E, H, 1, 1, 16)),
    ],
    ids=["attention", "encoder layer", "decoder layer", "transformer"],
)
def test_modules_are_printed_as_by_torch(torch: Any, build: Build) -> None:
    mine, theirs = repr(build(nn)), repr(build(torch.nn))
    for own in ("NonDynamicallyQuantizable", ", inplace=False"):  # the first is Linear for torch
        mine, theirs = mine.replace(own, ""), theirs.replace(own, "")
    assert mine == theirs


# ------------------------------------------------------------------------------ bad input


def bad(message: str, call: Callable[[Any], Any]) -> Any:
    return pytest.param(call, message, id=message)


def of(m: Any, *shapes: tuple[int, ...]) -> list[Any]:
    return [m.tensor(np.ones(shape)) for shape in shapes]


def attend(m: Any, *shapes: tuple[int, ...], **options: Any) -> Any:
    module = m.nn.MultiheadAttention(E, H)
    module = module if m is mytorch else module.double()
    masks = {k: m.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    return module(*of(m, *shapes), **masks)


Q, K = (L, N, E), (S, N, E)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        bad("multiple of num_heads.* got 8 and 3", lambda m: m.nn.MultiheadAttention(8, 3)),
        bad("at least 1; got 0 and 1", lambda m: m.nn.MultiheadAttention(0, 1)),
        bad("must all have 3 axes", lambda m: attend(m, Q, K, (S, E))),
        bad("must all have 3 axes", lambda m: attend(m, (E,), (E,), (E,))),
        bad(r"query \(5, 3, 6\) must have 8 features", lambda m: attend(m, (L, N, 6), K, K)),
        bad("must have one length", lambda m: attend(m, Q, K, (S + 1, N, E))),
        bad("all three one batch, axis 1", lambda m: attend(m, Q, (S, 2, E), (S, 2, E))),
        bad("key_padding_mask has shape",
            lambda m: attend(m, Q, K, K, key_padding_mask=np.zeros((N, L)))),
        bad("attn_mask has shape", lambda m: attend(m, Q, K, K, attn_mask=np.zeros((S, L)))),
        bad("must have 2 or 3 axes", lambda m: attend(m, Q, K, K, attn_mask=np.zeros(S))),
        bad("must have 2 axes", lambda m: attend(m, Q, K, K, key_padding_mask=np.zeros(S))),
        bad("boolean or floating, not int64",
            lambda m: attend(m, Q, K, K, attn_mask=np.zeros((L, S), np.int64))),
        bad("is_causal=True says", lambda m: attend(m, Q, Q, Q, is_causal=True)),
        bad("activation must be 'relu', 'gelu' or a function, not 'tanh'",
            lambda m: m.nn.TransformerEncoderLayer(E, H, activation="tanh")),
        bad("one batch, axis 1", lambda m: m.nn.Transformer(E, H, 1, 1, 8)(*of(m, Q, (L, 2, E)))),
        bad("8 features", lambda m: m.nn.Transformer(E, H, 1, 1, 8)(*of(m, Q, (L, N, 7)))),
    ],
)  # fmt: skip
def test_bad_input_is_refused_as_by_torch_and_told(torch: Any, call: Any, message: str) -> None:
    with pytest.raises(Exception) as theirs, warnings.catch_warnings():  # noqa: PT011
        warnings.simplefilter("ignore")
        call(torch)
    with pytest.raises(theirs.type, match=message):
        call(mytorch)


def test_masks_of_two_kinds_bring_torchs_warning(torch: Any) -> None:
    masks = {"attn_mask": np.zeros((L, S)), "key_padding_mask": np.zeros((N, S), bool)}
    for m in (mytorch, torch):
        with pytest.warns(UserWarning, match="Support for mismatched key_padding_mask"):
            attend(m, Q, K, K, **masks)


def test_half_a_pair_of_extra_keys_is_refused() -> None:
    module = nn.MultiheadAttention(E, H, add_bias_kv=True)
    x = Tensor(np.ones(Q))
    module.bias_v = None
    with pytest.raises(AssertedError, match="both bias_k and bias_v, or neither"):
        module(x, x, x)
