"""Layers, losses and ``nn.functional`` (torch.nn)."""

from mytorch.nn import functional, utils
from mytorch.nn.activations import ReLU, Sigmoid, Tanh
from mytorch.nn.batchnorm import BatchNorm1d
from mytorch.nn.containers import ModuleDict, ModuleList, ParameterDict, ParameterList
from mytorch.nn.dropout import Dropout
from mytorch.nn.linear import Linear
from mytorch.nn.loss import CrossEntropyLoss, Loss, MSELoss
from mytorch.nn.module import Module, Parameter
from mytorch.nn.recurrent import GRU, LSTM, RNN, RNNBase
from mytorch.nn.recurrent_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase
from mytorch.nn.sequential import Sequential

__all__ = [
    "BatchNorm1d",
    "CrossEntropyLoss",
    "Dropout",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "ModuleDict",
    "ModuleList",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "RNN",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
    "utils",
]
