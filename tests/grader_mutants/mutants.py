"""Wrong and hostile submissions: the simple solution with a few lines changed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

SIMPLE_SOLUTION = Path(__file__).resolve().parents[2] / "autograder" / "handout" / "solution"
FUSED_SOLUTION = Path(__file__).with_name("fused_solution")
CLOSURES_SOLUTION = Path(__file__).with_name("closures_solution")
FUNCTIONAL, ENGINE = "mytorch/nn/functional.py", "mytorch/autograd_engine.py"
SGD_FILE, TENSOR, LINEAR_FILE = "mytorch/optim/sgd.py", "mytorch/tensor.py", "mytorch/nn/linear.py"

# What each problem stands on, in the simple solution.
LOSS = {"Cross Entropy Forward", "Cross Entropy Backward"}
EVAL = {"Train and Eval"}
SGD = {"SGD Linear", "SGD Linear-ReLU-Linear"}
MOMENTUM = {"Momentum Linear", "Momentum Linear-ReLU-Linear"}
LINEAR_FORWARD = {
    "Linear Forward",
    "Linear-ReLU Forward",
    "Linear-ReLU-Linear-ReLU Forward",
}
LINEAR_BACKWARD = {
    "Linear Backward",
    "Linear-ReLU Backward",
    "Linear-ReLU-Linear-ReLU Backward",
}
TRAINED = SGD | MOMENTUM | EVAL
NO_LINEAR = LINEAR_FORWARD | LINEAR_BACKWARD | TRAINED


def complete(style: Path, folder: Path) -> Path:
    """Write a solution into a new folder and return it.

    One in another style holds only the files that are its own; the rest is the simple one's.
    """
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SIMPLE_SOLUTION, folder, ignore=ignored)
    if style != SIMPLE_SOLUTION:
        shutil.copytree(style, folder, ignore=ignored, dirs_exist_ok=True)
    return folder


@dataclass(frozen=True)
class Mutant:
    """A change of the simple solution, and what it costs.

    Attributes:
        name: what is wrong.
        file: the file that is changed.
        old, new: the text, which must occur once, and what replaces it.
        loses: the problems that must lose points.
        may: further problems that rest on the changed lines, and may lose points.
        says: what the explanation must contain.
        base: the solution that is changed.
    """

    name: str
    file: str
    old: str
    new: str
    loses: frozenset[str]
    may: frozenset[str] = frozenset()
    says: str = ""
    base: Path = SIMPLE_SOLUTION

    @property
    def hostile(self) -> bool:
        """Whether it attacks the grader, or fails to answer, rather than computes wrongly."""
        return self in HOSTILE or self in SLOW

    def make(self, folder: Path) -> Path:
        """Write the changed solution into a new folder and return it."""
        complete(self.base, folder)
        path = folder / self.file
        text = path.read_text()
        assert text.count(self.old) == 1, f"{self.name}: {text.count(self.old)} places"
        path.write_text(text.replace(self.old, self.new))
        return folder


def mutant(
    name: str,
    file: str,
    old: str,
    new: str,
    loses: set[str],
    may: set[str] | None = None,
    says: str = "",
    base: Path = SIMPLE_SOLUTION,
) -> Mutant:
    """Return a Mutant."""
    return Mutant(name, file, old, new, frozenset(loses), frozenset(may or ()), says, base)


SUB_FORWARD = "return tensor.Tensor(a.data - b.data)"
SUB_BACKWARD = "grad_a, grad_b = grad_output.data, -grad_output.data"
MULT_BACKWARD = "grad_a, grad_b = grad_output.data * b.data, grad_output.data * a.data"
DIV_FORWARD = "return tensor.Tensor(a.data / b.data)"
DIV_BACKWARD = "grad_b = -grad_output.data * a.data / b.data**2"
SUB, MULT, DIV = (
    {"Subtraction", "Autograd"},
    {"Multiplication", "Autograd"},
    {"Division", "Autograd"},
)

OPERATIONS = [
    mutant("Sub.forward is b - a", FUNCTIONAL, SUB_FORWARD,
           "return tensor.Tensor(b.data - a.data)", SUB, LOSS | EVAL, "computes b - a"),
    mutant("Sub.backward has the wrong sign", FUNCTIONAL, SUB_BACKWARD,
           "grad_a, grad_b = grad_output.data, grad_output.data", SUB, LOSS | EVAL,
           "the gradient of b has the wrong sign"),
    mutant("Sub.backward takes the upstream gradient for ones", FUNCTIONAL, SUB_BACKWARD,
           "grad_a = np.ones(grad_output.shape); grad_b = -grad_a", SUB, LOSS | EVAL,
           "does not multiply by grad_output"),
    mutant("Sub.forward changes its input in place", FUNCTIONAL, SUB_FORWARD,
           "out = tensor.Tensor(a.data - b.data); a.data[...] = 0.0; return out",
           {"Subtraction"}, LOSS | EVAL | {"Autograd"}, "a afterwards"),
    mutant("Mult.backward is swapped", FUNCTIONAL, MULT_BACKWARD,
           "grad_a, grad_b = grad_output.data * a.data, grad_output.data * b.data",
           MULT, LOSS | EVAL, "in the wrong order"),
    mutant("Mult.backward takes the upstream gradient for ones", FUNCTIONAL, MULT_BACKWARD,
           "grad_a, grad_b = b.data + 0 * grad_output.data, a.data + 0 * grad_output.data",
           MULT, LOSS | EVAL, "does not multiply by grad_output"),
    mutant("Div.forward rounds", FUNCTIONAL, DIV_FORWARD,
           "return tensor.Tensor(a.data // b.data)", DIV, says="rounds down"),
    mutant("Div.backward does not square", FUNCTIONAL, DIV_BACKWARD,
           "grad_b = -grad_output.data * a.data / b.data", DIV, says="divide by b squared"),
    mutant("Div.backward has the wrong sign", FUNCTIONAL, DIV_BACKWARD,
           "grad_b = grad_output.data * a.data / b.data**2", DIV, says="wrong sign"),
    mutant("unbroadcast does nothing", FUNCTIONAL,
           "    while len(grad.shape) != len(shape):", "    return grad\n    while False:",
           {"Subtraction", "Multiplication", "Division", "Autograd"} | LINEAR_BACKWARD | TRAINED,
           LOSS, "not summed back"),
]  # fmt: skip

AUTOGRAD = [
    mutant("gradients overwrite", ENGINE, "self.variable.grad.data += arg.data",
           "self.variable.grad.data = arg.data", {"Autograd"}, LOSS | EVAL, "added with +="),
    mutant("a shared node passes on one gradient", ENGINE,
           "            backward(node, grad)",
           "            if not hasattr(node, 'seen'):\n"
           "                node.seen = node.function_name != 'AccumulateGrad' or node.__dict__\n"
           "                backward(node, grad)",
           {"Autograd"}, LOSS | EVAL, "a shared node passes on only one"),
    mutant("constants get gradients", ENGINE, "or not arg.requires_grad:", "or False:",
           {"Autograd"}, NO_LINEAR | LOSS, "b.grad: expected None"),
    mutant("requires_grad is not passed on", ENGINE,
           "        output.requires_grad = any(n is not None for n in "
           "backward_function.next_functions)",
           "        output.requires_grad = args[0].requires_grad", {"Autograd"},
           LOSS | LINEAR_BACKWARD | TRAINED, "(constant + leaf).requires_grad"),
    mutant("backward() starts from twos", TENSOR, "Tensor(np.ones(self.shape)))",
           "Tensor(2 * np.ones(self.shape)))", {"Autograd"}, LOSS | EVAL),
    mutant("leaves share a gradient array", ENGINE,
           "self.variable.grad = tensor.Tensor(arg.data)",
           "self.variable.grad = tensor.Tensor(0); "
           "tensor.Tensor.pool = getattr(tensor.Tensor, 'pool', {}); "
           "self.variable.grad.data = "
           "tensor.Tensor.pool.setdefault(arg.data.tobytes(), arg.data)",
           {"Autograd"}, NO_LINEAR | LOSS, "share one gradient array"),
    mutant("apply records nothing", ENGINE,
           "            output.grad_fn = backward_function", "            pass",
           {"Autograd", "Cross Entropy Backward"} | LINEAR_BACKWARD | TRAINED,
           says="did not record the operation"),
]  # fmt: skip

LAYERS = [
    mutant("the weight is not transposed", LINEAR_FILE, "self.weight.T()", "self.weight",
           NO_LINEAR, LOSS, "the weight is not transposed"),
    mutant("the bias is left out", LINEAR_FILE, " + self.bias", "",
           LINEAR_FORWARD | LINEAR_BACKWARD | TRAINED, LOSS, "leaves out the bias"),
    mutant("the weight has the wrong shape", LINEAR_FILE,
           "np.random.rand(out_features, in_features)",
           "np.random.rand(in_features, out_features)", NO_LINEAR, LOSS, "it should have (3, 4)"),
    mutant("ReLU has gradient 1 at 0", FUNCTIONAL, "(a.data > 0)", "(a.data >= 0)",
           {"Linear-ReLU Backward"}, says="ReLU at 0"),
    mutant("ReLU lets all gradients through", FUNCTIONAL, " * (a.data > 0)", "",
           {"Linear-ReLU Backward", "Linear-ReLU-Linear-ReLU Backward"}, TRAINED,
           "where its input is negative"),
    mutant("the loss lacks 1/N", FUNCTIONAL, "-1.0 / batch_size", "-1.0", LOSS | EVAL,
           says="1/N"),
    mutant("the loss has the wrong sign", FUNCTIONAL, "-1.0 / batch_size", "1.0 / batch_size",
           LOSS | EVAL, says="the loss has the wrong sign"),
    mutant("softmax overflows", FUNCTIONAL, "predicted.data.max(axis=1, keepdims=True)",
           "0 * predicted.data.max(axis=1, keepdims=True)", LOSS, says="LogSumExp"),
    mutant("eval() stops at the first layer", "mytorch/nn/module.py",
           "            submodule.eval()", "            submodule.is_train = False", EVAL,
           says="is_train of inner ReLU after eval()"),
]  # fmt: skip

STEP = "self.momentum * self.momentums[i] - self.lr * param.grad.data"
OPTIMISERS = [
    mutant("SGD goes uphill", SGD_FILE, "- self.lr *", "+ self.lr *", TRAINED,
           says="goes up the gradient"),
    mutant("SGD forgets the learning rate", SGD_FILE, "self.lr * param", "param", TRAINED,
           says="the learning rate is left out"),
    mutant("the momentum is reset", SGD_FILE, STEP, "-self.lr * param.grad.data", MOMENTUM,
           says="the momentum is lost"),
    mutant("the momentum is damped", SGD_FILE, "- self.lr *",
           "- (1 - self.momentum) * self.lr *", MOMENTUM, says="weighted by 1 - momentum"),
    mutant("all parameters share one momentum", SGD_FILE, "self.momentums[i] = ",
           "self.momentums[0] = ", MOMENTUM, TRAINED),
    mutant("zero_grad() does nothing", "mytorch/optim/optimizer.py", "param.grad = None",
           "pass", TRAINED, says="zero_grad() leaves"),
    mutant("step() replaces parameters by results", SGD_FILE,
           "param.data = param.data + self.momentums[i]",
           "from mytorch.tensor import Tensor; new = param + Tensor(self.momentums[i]); "
           "param.data, param.grad_fn, param.is_leaf = new.data, new.grad_fn, False",
           {"SGD Linear"}, TRAINED, "w0.is_leaf"),
]  # fmt: skip

WRONG = "Tensor(a.data + b.data)"
EVIL = """
class Evil(np.ndarray):
    def __eq__(self, other):
        raise RuntimeError("no comparing")
    __ne__ = __eq__
class Yes(np.ndarray):
    def __eq__(self, other):
        return True
"""
PATCHED = "np.allclose = np.array_equal = lambda *a, **k: True\nnp.isclose = np.allclose\n"
HOSTILE = [
    mutant("numpy.allclose is patched", FUNCTIONAL, SUB_FORWARD,
           f"{PATCHED.strip().replace(chr(10), '; ')}; return tensor.{WRONG}", SUB, LOSS | EVAL),
    mutant("NaN for every answer", FUNCTIONAL, DIV_FORWARD,
           "return tensor.Tensor(a.data * np.nan)", DIV, says="NaN"),
    mutant("an array of objects", FUNCTIONAL, SUB_FORWARD,
           "return tensor.Tensor((a.data - b.data).astype(object))", SUB, LOSS | EVAL,
           "dtype object"),
    mutant("an array that raises when compared", FUNCTIONAL, SUB_FORWARD,
           f"out = tensor.{WRONG}; out.data = out.data.view(Evil); return out\n{EVIL}", SUB,
           LOSS | EVAL),
    mutant("an array that equals everything", FUNCTIONAL, SUB_FORWARD,
           f"out = tensor.{WRONG}; out.data = out.data.view(Yes); return out\n{EVIL}", SUB,
           LOSS | EVAL),
    mutant("an answer that is no Tensor", FUNCTIONAL, DIV_FORWARD, "return a.data / b.data", DIV,
           says="it should be a Tensor"),
    mutant("one gradient for two inputs", FUNCTIONAL, DIV_BACKWARD,
           "return tensor.Tensor(grad_a)", DIV, says="should return two Tensors"),
    mutant("os._exit(0) in Div.forward", FUNCTIONAL, DIV_FORWARD,
           "import os; os._exit(0)", DIV, says="ended itself (exit status 0)"),
    mutant("a crash in Div.forward", FUNCTIONAL, DIV_FORWARD,
           "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", DIV, says="SIGSEGV"),
    mutant("sys.exit in Div.forward", FUNCTIONAL, DIV_FORWARD, "raise SystemExit(0)", DIV,
           says="SystemExit"),
    mutant("endless recursion in Div.forward", FUNCTIONAL, DIV_FORWARD,
           "return Div.forward(ctx, a, b)", DIV, says="RecursionError"),
    mutant("sys.exit when sgd.py is imported", SGD_FILE, '"""SGD."""', "raise SystemExit(0)",
           TRAINED, says="SystemExit"),
    mutant("a syntax error in linear.py", LINEAR_FILE, "class Linear(Module):", "class Linear(",
           NO_LINEAR, LOSS, "SyntaxError"),
]  # fmt: skip
SLOW = [
    mutant("a wrong shape that broadcasts", FUNCTIONAL, SUB_FORWARD,
           "return tensor.Tensor((a.data - b.data)[None])", SUB, LOSS | EVAL, "expected shape"),
    mutant("Div.backward hangs", FUNCTIONAL, DIV_BACKWARD, "while True: pass", DIV,
           says="no answer within"),
    mutant("Div.backward prints for ever", FUNCTIONAL, DIV_BACKWARD,
           "while True: print('x' * 1000)", DIV, says="printed more than"),
]  # fmt: skip
MUTANTS = [*OPERATIONS, *AUTOGRAD, *LAYERS, *OPTIMISERS, *HOSTILE, *SLOW]
