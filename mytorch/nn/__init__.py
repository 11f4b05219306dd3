"""Layers, losses and ``nn.functional`` (torch.nn)."""

from mytorch.nn import functional, init
from mytorch.nn.activations import ReLU, Sigmoid, Tanh
from mytorch.nn.attention import MultiheadAttention
from mytorch.nn.batchnorm import BatchNorm1d
from mytorch.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList
from mytorch.nn.dropout import Dropout
from mytorch.nn.linear import Linear
from mytorch.nn.loss import CrossEntropyLoss, Loss, MSELoss
from mytorch.nn.module import Module, Parameter
from mytorch.nn.normalization import LayerNorm
from mytorch.nn.sequential import Sequential
from mytorch.nn.transformer import Transformer, TransformerDecoder, TransformerEncoder
from mytorch.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "BatchNorm1d",
    "CrossEntropyLoss",
    "Dropout",
    "LayerNorm",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiheadAttention",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "functional",
    "init",
]
