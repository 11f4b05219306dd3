"""What a worker can do with a submission: each program calls it on given arrays, judging nothing.

A program is ``program(library, arrays, options) -> {name: array or None or bool or int or str}``.
It receives inputs only; what is right is known in the grader's process alone.
"""

from __future__ import annotations

import contextlib
import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.library import Arrays, Complaint, Library, gradient, node, plain, value

Values = dict[str, Any]
MODULES = (
    *(f"mytorch.nn.{name}" for name in ("functional", "module", "linear", "activations")),
    *(f"mytorch.nn.{name}" for name in ("sequential", "loss")),
    *(f"mytorch.optim.{name}" for name in ("optimizer", "sgd")),
)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def load(library: Library, arrays: Arrays, options: Values) -> Values:
    """Import the two modules that everything stands on."""
    for module in ("mytorch.tensor", "mytorch.autograd_engine"):
        importlib.import_module(module)
    return {}


def warm(library: Library, arrays: Arrays, options: Values) -> Values:
    """Import the modules that checks need, as far as they can be: what fails, fails in a check."""
    for module in MODULES:
        with contextlib.suppress(Exception, SystemExit):
            importlib.import_module(module)
    return {}


def elementwise(library: Library, arrays: Arrays, options: Values) -> Values:
    """Call an operation's forward, and backward if `g` is given, with a bare context.

    Of several cases the arrays are a0, b0, g0, a1, …; names of values then end in the shapes.
    """
    operation = library.name("mytorch.nn.functional", *options["names"])
    values: Values = {}
    for case in (name[1:] for name in arrays if name.startswith("a")):
        single = {name[0]: array for name, array in arrays.items() if name[1:] == case}
        end = f", {single['a'].shape} with {single['b'].shape}" if case else ""
        values |= {f"{n}{end}": v for n, v in _one_case(library, operation, single).items()}
    return values


def _one_case(library: Library, operation: Any, arrays: Arrays) -> Values:
    context = library.name("mytorch.autograd_engine", "ContextManager")()
    a = library.tensor(arrays["a"], requires_grad=True)
    b = library.tensor(arrays["b"], requires_grad=True)
    values: Values = {"output": value(operation.forward(context, a, b), "output")}
    if "g" in arrays:
        gradients = operation.backward(context, library.tensor(arrays["g"]))
        try:
            first, second = gradients
        except (TypeError, ValueError):
            raise Complaint("backward should return two Tensors: one for each input") from None
        values["gradient of a"] = value(first, "gradient of a")
        values["gradient of b"] = value(second, "gradient of b")
    values["a afterwards"], values["b afterwards"] = value(a, "a"), value(b, "b")
    return values


def graph(library: Library, arrays: Arrays, options: Values) -> Values:
    """Evaluate steps `[name, operator, left, right]`; run backward from the last; give gradients.

    Options: steps; requires (names of the leaves with a gradient); gradients (names to report);
    passes (how often, each time with a new graph over the same leaves; cotangents g0, g1, …,
    or ones where there are none).
    """
    tensors = {
        name: library.tensor(_number(array), requires_grad=name in options["requires"])
        for name, array in arrays.items()
        if not name.startswith("g")
    }
    values: Values = {}
    for number in range(options.get("passes", 1)):
        for name, sign, left, right in options["steps"]:
            operands = (tensors.get(o, o) if isinstance(o, str) else o for o in (left, right))
            tensors[name] = OPERATORS[sign](*operands)
        last = options["steps"][-1][0]
        values[last] = value(tensors[last], last)
        library.backward(tensors[last], arrays.get(f"g{number}"))
    for name in options["gradients"]:
        values[f"{name}.grad"] = gradient(tensors[name], name)
    return values


def _number(array: np.ndarray) -> Any:
    return array.item() if array.ndim == 0 else array


def structure(library: Library, arrays: Arrays, options: Values) -> Values:
    """Tell the flags, or the graph's nodes, of sums of leaves, constants and sums.

    Operand i is a leaf that requires a gradient where `wanted[i]`; sum k adds the operands (or
    earlier sums, counted on after them) `left[k]` and `right[k]`.
    """
    known = [library.tensor(arrays["x"], requires_grad=bool(w)) for w in arrays["wanted"]]
    written = ["leaf" if w else "constant" for w in arrays["wanted"]]
    told: Values = {}
    for a, b in zip(arrays["left"].tolist(), arrays["right"].tolist(), strict=True):
        result, name = known[a] + known[b], f"({written[a]} + {written[b]})"
        known.append(result)
        written.append(name)
        if options["of"] == "flags":
            told[f"{name}.requires_grad"] = plain(result.requires_grad)
            told[f"{name}.is_leaf"] = plain(result.is_leaf)
        else:
            made = result.grad_fn
            told[f"type of {name}.grad_fn"] = node(made)
            following = made.next_functions if made is not None else []
            told[f"{name}.grad_fn.next_functions"] = ", ".join(node(f) for f in following)
    return told


def separate_buffers(library: Library, arrays: Arrays, options: Values) -> Values:
    """Change one leaf's gradient in place after backward, and show the other's."""
    a = library.tensor(arrays["a"], requires_grad=True)
    b = library.tensor(arrays["b"], requires_grad=True)
    library.backward(a + b, arrays["g0"])
    before = gradient(b, "b")
    if a.grad is not None:
        a.grad.data[...] = a.grad.data + 1.0
    return {"b.grad": before, "b.grad after a change of a.grad": gradient(b, "b")}


def build(library: Library, arrays: Arrays, layers: list[Any]) -> tuple[Any, dict[str, Any]]:
    """Return a model (a lone layer as itself) and its Linear layers by position.

    A list among the layers is a Sequential inside. Parameters are set from the arrays
    `"<position>.weight"` and `"<position>.bias"`, after a look at the shapes that they had.
    """
    linears: dict[str, Any] = {}
    made = [_layer(library, arrays, layer, str(i), linears) for i, layer in enumerate(layers)]
    model = (
        made[0] if len(made) == 1 else library.name("mytorch.nn.sequential", "Sequential")(*made)
    )
    return model, linears


def _layer(library: Library, arrays: Arrays, layer: Any, place: str, linears: dict) -> Any:
    if isinstance(layer, list):
        inner = [_layer(library, arrays, x, f"{place}.{i}", linears) for i, x in enumerate(layer)]
        return library.name("mytorch.nn.sequential", "Sequential")(*inner)
    if layer == "ReLU":
        return library.name("mytorch.nn.activations", "ReLU")()
    weight, bias = arrays[f"{place}.weight"], arrays[f"{place}.bias"]
    linear = library.name("mytorch.nn.linear", "Linear")(weight.shape[1], weight.shape[0])
    for name, array in (("weight", weight), ("bias", bias)):
        parameter = getattr(linear, name)
        if value(parameter, f"Linear.{name}").shape != array.shape:
            raise Complaint(
                f"Linear({weight.shape[1]}, {weight.shape[0]}).{name} has shape "
                f"{parameter.data.shape}; it should have {array.shape}"
            )
        parameter.data = array.copy()
    linears[place] = linear
    return linear


def network(library: Library, arrays: Arrays, options: Values) -> Values:
    """Run a model on `x`, backward from `g`, and give the `report`: output and gradients."""
    model, linears = build(library, arrays, options["layers"])
    x = library.tensor(arrays["x"], requires_grad=True)
    output = model(x)
    values: Values = {"output": value(output, "output")}
    if "g" in arrays:
        library.backward(output, arrays["g"])
        values["x.grad"] = gradient(x, "x")
        values.update(parameter_values(linears, gradients=True))
    return {name: values[name] for name in options["report"]}


def parameter_values(linears: dict[str, Any], gradients: bool = False) -> Values:
    """Return the parameters of Linear layers, or their gradients, by name."""
    values: Values = {}
    for place, linear in linears.items():
        for name in ("weight", "bias"):
            parameter, label = getattr(linear, name), f"{place}.{name}"
            if gradients:
                values[f"{label}.grad"] = gradient(parameter, label)
            else:
                values[label] = value(parameter, label)
    return values


def make_sgd(library: Library, parameters: Any, options: Values) -> Any:
    """Return an SGD; momentum is named only where it is not 0, for it comes last in homework 1."""
    sgd = library.name("mytorch.optim.sgd", "SGD")
    extra = {"momentum": options["momentum"]} if options.get("momentum") else {}
    return sgd(parameters, lr=options["lr"], **extra)


def update(library: Library, arrays: Arrays, options: Values) -> Values:
    """Hand given gradients to SGD, step by step; give the parameters afterwards.

    Arrays: w0, w1, …; their gradients in step k: g<k>.0, g<k>.1, …; with `x` and `g` also what
    w0 is then: its flags, and its gradient when it is used in a new graph, w0 + x.
    """
    names = [name for name in arrays if name.startswith("w")]
    made = {n: library.tensor(arrays[n], requires_grad=True, is_parameter=True) for n in names}
    optimizer = make_sgd(library, (p for p in made.values()), options)
    for step in range(options["steps"]):
        for name, parameter in made.items():
            parameter.grad = library.tensor(arrays[f"g{step}.{name[1:]}"])
        optimizer.step()
    values: Values = {name: value(parameter, name) for name, parameter in made.items()}
    if "x" not in arrays:
        return values
    w = made["w0"]
    for flag in ("requires_grad", "is_leaf", "is_parameter"):
        values[f"w0.{flag}"] = plain(getattr(w, flag))
    values |= {"type of w0": type(w).__name__, "w0.grad_fn": node(w.grad_fn)}
    w.grad = None
    result = w + library.tensor(arrays["x"])
    if result.grad_fn is not None:
        library.backward(result, arrays["g"])
    values["gradient of w0 + x"] = gradient(w, "w0")
    return values


def training(library: Library, arrays: Arrays, options: Values) -> Values:
    """Train a model for some steps; give its parameters, or its output in evaluation (`x`).

    Arrays: x0, x1, … with labels0, labels1, … (cross-entropy) or with gradients g0, g1, …
    """
    model, linears = build(library, arrays, options["layers"])
    optimizer = make_sgd(library, model.parameters(), options)
    model.train()
    for step in range(options["steps"]):
        optimizer.zero_grad()
        output = model(library.tensor(arrays[f"x{step}"]))
        if f"labels{step}" in arrays:
            criterion = library.name("mytorch.nn.loss", "CrossEntropyLoss")()
            criterion(output, library.tensor(arrays[f"labels{step}"])).backward()
        else:
            library.backward(output, arrays[f"g{step}"])
        optimizer.step()
    if "x" not in arrays:
        return parameter_values(linears)
    model.eval()
    first = value(model(library.tensor(arrays["x"])), "output")
    second = value(model(library.tensor(arrays["x"])), "output")
    values = {"output in evaluation": first, "output a second time": second}
    return {**values, **parameter_values(linears)} if options.get("parameters") else values


def cross_entropy(library: Library, arrays: Arrays, options: Values) -> Values:
    """Give the loss of logits `z` against `labels`; with `g` (or g missing: ones) z's gradient."""
    logits = library.tensor(arrays["z"], requires_grad=True)
    criterion = library.name("mytorch.nn.loss", "CrossEntropyLoss")()
    loss = criterion(logits, library.tensor(arrays["labels"]))
    if not options.get("gradient"):
        return {"loss": value(loss, "loss")}
    library.backward(loss, arrays.get("g"))
    return {"z.grad": gradient(logits, "z")}


def linear_cross_entropy(library: Library, arrays: Arrays, options: Values) -> Values:
    """Give the parameters' gradients of the loss of a model's output against `labels`."""
    model, linears = build(library, arrays, options["layers"])
    criterion = library.name("mytorch.nn.loss", "CrossEntropyLoss")()
    loss = criterion(model(library.tensor(arrays["x"])), library.tensor(arrays["labels"]))
    loss.backward()
    return {"loss": value(loss, "loss"), **parameter_values(linears, gradients=True)}


def modes(library: Library, arrays: Arrays, options: Values) -> Values:
    """Give the loss of a model after eval() and after train(), and `is_train` of its layers.

    Two of its layers add another array in training than in evaluation; one lies further down.
    """

    class Shift(library.name("mytorch.nn.module", "Module")):
        def __init__(self, place: str) -> None:
            super().__init__()
            self.place = place

        def forward(self, x: Any) -> Any:
            mode = "training" if self.is_train is True else "evaluation"
            return x + library.tensor(arrays[f"{self.place}.{mode}"])

    sequential = library.name("mytorch.nn.sequential", "Sequential")
    relu = library.name("mytorch.nn.activations", "ReLU")
    first, (linear, _) = Shift("outer"), build(library, arrays, ["Linear"])
    inner = {"inner ReLU": relu(), "inner shift": Shift("inner"), "inner Linear": linear}
    model = sequential(first, sequential(*inner.values()))
    criterion = library.name("mytorch.nn.loss", "CrossEntropyLoss")()
    values: Values = {}
    for when, change in (("eval()", model.eval), ("train()", model.train)):
        change()
        for name, layer in {"first layer": first, **inner}.items():
            values[f"is_train of {name} after {when}"] = plain(layer.is_train)
        output = model(library.tensor(arrays["x"]))
        loss = criterion(output, library.tensor(arrays["labels"]))
        values[f"loss after {when}"] = value(loss, "loss")
    return values


class Trained:
    """What stays in the worker between `train_mnist` and `predict`."""

    model: Any = None


def train_mnist(library: Library, arrays: Arrays, options: Values) -> Values:
    """Train by the submission's mnist() on the raw arrays in files; give the list that it returns
    (None if it is no list of numbers).

    The model is caught where mnist() hands it to the module's train or validate.
    """
    module = importlib.import_module("hw1.mnist")
    for name in ("train", "validate"):
        if hasattr(module, name):
            setattr(module, name, _catching(getattr(module, name)))
    np.random.seed(0)  # so that the same submission gets the same curve
    parts = [np.load(options[part]) for part in ("train_x", "train_y", "val_x", "val_y")]
    claims = library.name("hw1.mnist", "mnist")(*parts)
    try:
        accuracies = np.array([float(claim) for claim in claims])
    except (TypeError, ValueError):
        accuracies = None
    return {"accuracies": accuracies, "caught": Trained.model is not None}


def _catching(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        Trained.model = args[0] if args else kwargs.get("model", Trained.model)
        return function(*args, **kwargs)

    return wrapped


def predict(library: Library, arrays: Arrays, options: Values) -> Values:
    """Give the classes that the caught model predicts for the images in a file."""
    images = np.load(options["images"])
    Trained.model.eval()
    classes = []
    for start in range(0, len(images), 500):
        output = Trained.model(library.tensor(images[start : start + 500]))
        classes.append(value(output, "output").argmax(axis=1))
    return {"classes": np.concatenate(classes).astype(np.int64)}


PROGRAMS: dict[str, Callable[[Library, Arrays, Values], Values]] = {
    program.__name__: program
    for program in (
        load,
        warm,
        elementwise,
        graph,
        structure,
        separate_buffers,
        network,
        update,
        training,
        cross_entropy,
        linear_cross_entropy,
        modes,
        train_mnist,
        predict,
    )
}
