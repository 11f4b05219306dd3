"""MNIST, in the plain way of the homework."""

import numpy as np

from mytorch.nn.activations import ReLU
from mytorch.nn.linear import Linear
from mytorch.nn.loss import CrossEntropyLoss
from mytorch.nn.sequential import Sequential
from mytorch.optim.sgd import SGD
from mytorch.tensor import Tensor

BATCH_SIZE = 100


def mnist(train_x, train_y, val_x, val_y):
    """Train a model and return the validation accuracies."""
    # handout: begin 2.5 Make a Sequential model, an SGD and a CrossEntropyLoss; call train() and
    #     return its list.
    model = Sequential(Linear(784, 64), ReLU(), Linear(64, 10))
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = CrossEntropyLoss()
    return train(model, optimizer, criterion, train_x, train_y, val_x, val_y, num_epochs=3)
    # handout: end


def train(model, optimizer, criterion, train_x, train_y, val_x, val_y, num_epochs=3):
    """Train for some epochs and return the validation accuracy after each."""
    # handout: begin 2.5 For each epoch: shuffle, train on batches of BATCH_SIZE, validate; return
    #     the accuracies.
    val_accuracies = []
    for epoch in range(num_epochs):
        model.train()
        order = np.random.permutation(len(train_x))
        for start in range(0, len(order), BATCH_SIZE):
            batch = order[start : start + BATCH_SIZE]
            optimizer.zero_grad()
            loss = criterion(model(Tensor(train_x[batch])), Tensor(train_y[batch]))
            loss.backward()
            optimizer.step()
        val_accuracies.append(validate(model, val_x, val_y))
        print(f"epoch {epoch + 1}: validation accuracy {val_accuracies[-1]:.4f}")
    return val_accuracies
    # handout: end


def validate(model, val_x, val_y):
    """Return the share of images that the model gets right."""
    # handout: begin 2.5 Put the model in evaluation mode; return the share of rows whose largest
    #     logit is the label.
    model.eval()
    right = 0
    for start in range(0, len(val_x), BATCH_SIZE):
        logits = model(Tensor(val_x[start : start + BATCH_SIZE]))
        right += np.sum(logits.data.argmax(axis=1) == val_y[start : start + BATCH_SIZE])
    return right / len(val_x)
    # handout: end
