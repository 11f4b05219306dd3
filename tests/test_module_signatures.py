"""The modules of torch.nn that exist here: names, order and defaults of their arguments.

``MODULES`` lists by family what has to exist. Whoever adds a family adds its names there; where an
argument differs on purpose, ``DIFFERS`` says why.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mytorch import nn
from mytorch.nn import functional, init, utils

MODULES = {
    "containers": "Module Sequential ModuleList ModuleDict ParameterList ParameterDict",
    "parameters": "Parameter UninitializedParameter UninitializedBuffer",
    "linear": "Identity Linear Bilinear LazyLinear",
    "shape": "Flatten Unflatten",
    "convolution": "Conv1d Conv2d ConvTranspose1d ConvTranspose2d",
    "pooling": "MaxPool1d MaxPool2d MaxUnpool1d MaxUnpool2d AvgPool1d AvgPool2d LPPool1d LPPool2d "
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d",
    "padding": "CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d "
    "ConstantPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d "
    "ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d",
    "resampling": "ChannelShuffle Fold PixelShuffle PixelUnshuffle Unfold Upsample "
    "UpsamplingBilinear2d UpsamplingNearest2d",
    "activations": "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU "
    "LogSigmoid LogSoftmax Mish PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin "
    "Softplus Softshrink Softsign Tanh Tanhshrink Threshold",
    "losses": "BCELoss BCEWithLogitsLoss CTCLoss CosineEmbeddingLoss CrossEntropyLoss "
    "GaussianNLLLoss HingeEmbeddingLoss HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss "
    "MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss PoissonNLLLoss "
    "SmoothL1Loss SoftMarginLoss TripletMarginLoss TripletMarginWithDistanceLoss",
    "distances": "CosineSimilarity PairwiseDistance",
    "norms": "BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm InstanceNorm1d InstanceNorm2d "
    "InstanceNorm3d LayerNorm LocalResponseNorm RMSNorm LazyBatchNorm1d LazyBatchNorm2d "
    "LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d",
    "dropout": "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout",
    "embedding": "Embedding EmbeddingBag",
    "attention": "MultiheadAttention Transformer TransformerDecoder TransformerDecoderLayer "
    "TransformerEncoder TransformerEncoderLayer",
    "recurrent": "GRU GRUCell LSTM LSTMCell RNN RNNBase RNNCell RNNCellBase",
}
#: a class, and why its arguments are not torch's
DIFFERS = {
    "Parameter": "torch's makes them in __new__",
    "UninitializedParameter": "torch's makes them in __new__",
    "UninitializedBuffer": "torch's makes them in __new__",
    **dict.fromkeys(("RNN", "LSTM", "GRU"), "torch's take any, and sort them out; as RNNBase's"),
}
INIT = "calculate_gain constant_ dirac_ eye_ kaiming_normal_ kaiming_uniform_ normal_ ones_ " + (
    "orthogonal_ sparse_ trunc_normal_ uniform_ xavier_normal_ xavier_uniform_ zeros_"
)
UTILS = "clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_ get_total_norm " + (
    "parameters_to_vector remove_spectral_norm remove_weight_norm spectral_norm "
    "vector_to_parameters weight_norm"
)
METHODS = "add_module apply buffers children cpu double eval extra_repr float get_buffer " + (
    "get_extra_state get_parameter get_submodule half load_state_dict modules named_buffers "
    "named_children "
    "named_modules named_parameters parameters register_buffer register_forward_hook "
    "register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook "
    "register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module "
    "register_parameter register_state_dict_post_hook register_state_dict_pre_hook "
    "requires_grad_ set_extra_state set_submodule state_dict to train type zero_grad"
)


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


def arguments(call: Any) -> list[Any]:
    """Name, kind and default of each argument that has a name, but ``self``."""
    return [
        (parameter.name, parameter.kind, shown(parameter.default))
        for parameter in inspect.signature(call).parameters.values()
        if parameter.name != "self" and parameter.kind not in VARIADIC
    ]


def shown(default: Any) -> Any:
    """Return a default, or the name of one that is a function."""
    return default.__name__ if inspect.isfunction(default) else default


def all_names() -> list[str]:
    return [name for family in MODULES.values() for name in family.split()]


@pytest.mark.parametrize("name", [name for name in all_names() if name not in DIFFERS])
def test_a_module_takes_the_arguments_that_torchs_takes(torch: Any, name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    assert ours.__name__ == theirs.__name__ == name and name in nn.__all__
    assert arguments(ours.__init__) == arguments(theirs.__init__)
    if hasattr(theirs, "from_pretrained"):
        assert arguments(ours.from_pretrained) == arguments(theirs.from_pretrained)


@pytest.mark.parametrize("name", INIT.split())
def test_a_function_of_init_takes_the_arguments_that_torchs_takes(torch: Any, name: str) -> None:
    assert arguments(getattr(init, name)) == arguments(getattr(torch.nn.init, name))
    assert name in init.__all__


@pytest.mark.parametrize("name", UTILS.split())
def test_a_function_of_utils_takes_the_arguments_that_torchs_takes(torch: Any, name: str) -> None:
    assert arguments(getattr(utils, name)) == arguments(getattr(torch.nn.utils, name))
    assert name in utils.__all__


@pytest.mark.parametrize("name", METHODS.split())
def test_a_method_of_module_takes_the_arguments_that_torchs_takes(torch: Any, name: str) -> None:
    assert arguments(getattr(nn.Module, name)) == arguments(getattr(torch.nn.Module, name))


def test_every_function_of_functional_is_a_module_where_torch_has_one(torch: Any) -> None:
    there = {name.lower() for name in all_names()}
    torchs = {name.lower() for name in dir(torch.nn) if name[0].isupper()}
    for name in functional.__all__:
        plain = name.replace("_", "").lower()
        wanted = {plain, f"{plain}loss"} & torchs
        assert wanted <= there, name


def test_no_module_is_exported_that_the_table_does_not_know() -> None:
    classes = {name for name in nn.__all__ if inspect.isclass(getattr(nn, name))}
    assert classes - set(all_names()) - {"Loss"} == set()
