"""Optimisers (torch.optim). Read from ``sgd.py`` on: each adds one line to the one before."""

from mytorch.optim import lr_scheduler
from mytorch.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from mytorch.optim.adaptive import Adadelta, Adagrad, RMSprop
from mytorch.optim.lbfgs import LBFGS
from mytorch.optim.newton import Newton
from mytorch.optim.optimizer import Optimizer
from mytorch.optim.rprop import Rprop
from mytorch.optim.sgd import GD, SGD

__all__ = [
    "GD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Newton",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
