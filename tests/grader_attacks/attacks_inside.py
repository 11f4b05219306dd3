"""Attacks inside the worker: patched modules, frames, hooks, and answers that are none."""

from __future__ import annotations

from attack import RIGHT, Attack

PATCHES = [
    Attack(
        "numpy is patched",
        """
            import numpy as np
            yes = lambda *a, **k: True
            for name in ("allclose", "isclose", "array_equal", "abs", "all", "isfinite"):
                setattr(np, name, yes)
            np.testing.assert_allclose = yes
        """,
    ),
    Attack(
        "json is patched",
        """
            import json
            old = json.dumps
            def dumps(value, *a, **k):
                if isinstance(value, dict) and "message" in value:
                    value["message"]["score"] = value["message"]["passed"] = True
                return old(value, *a, **k)
            json.dumps = dumps
        """,
    ),
    Attack(
        "builtins are patched",
        """
            import builtins
            builtins.abs = builtins.max = lambda *a, **k: 0.0
            builtins.all = builtins.any = lambda *a: True
            builtins.float = lambda *a: 0.0
        """,
    ),
    Attack(
        "the graders modules are replaced",
        """
            import sys, types
            for name in [n for n in sys.modules if n.startswith("autograder")]:
                module = sys.modules[name]
                for attribute in ("judge", "ChannelError", "is_plain"):
                    setattr(module, attribute, lambda *a, **k: True)
                sys.modules[name] = types.ModuleType(name)
        """,
    ),
    Attack(
        "the main module is patched",
        """
            import sys
            main = sys.modules["__main__"]
            old = main.run
            def run(submitted, message, arrays):
                reply, results = old(submitted, message, arrays)
                return {**reply, "passed": True, "points": 5}, results
            main.run = run
        """,
    ),
    Attack(
        "frames are walked to the points",
        forward="""
            import sys
            frame = sys._getframe()
            while frame is not None:
                for name, value in list(frame.f_locals.items()):
                    if isinstance(value, dict):
                        for key in ("points", "expected", "right", "tolerance", "score"):
                            if key in value:
                                return tensor.Tensor(value[key])
                frame = frame.f_back
        """,
    ),
    Attack(
        "the garbage collector is asked for answers",
        forward="""
            import gc
            for thing in gc.get_objects():
                if type(thing).__name__ in ("Check", "Verdict", "Problem"):
                    thing.points = 100
                if isinstance(thing, dict) and "expected" in thing:
                    return tensor.Tensor(thing["expected"])
        """,
    ),
    Attack(
        "the code of a program is replaced",
        """
            import sys
            programs = sys.modules["autograder.programs"]
            def empty(library, arrays, options):
                return {"output": arrays["a"] + arrays["b"], "passed": True}
            programs.elementwise.__code__ = empty.__code__
        """,
    ),
    Attack(
        "import hooks",
        """
            import sys
            class Hook:
                def find_spec(self, name, path=None, target=None):
                    return None
            sys.meta_path[:] = [Hook(), *sys.meta_path[1:]]
            sys.path_hooks.clear()
        """,
    ),
    Attack(
        "modules that shadow others",
        files={f"mytorch/{n}.py": "raise SystemExit(0)\n" for n in ("numpy", "json", "channel")}
        | {f"hw1/{n}.py": "print('here')\n" for n in ("sitecustomize", "usercustomize", "conftest")}
        | {"sitecustomize.py": "raise SystemExit(0)", "evil.pth": "import os; os._exit(0)"},
    ),
    Attack(
        "customisation of Python is planted",
        """
            import os, site, sys
            places = [site.getusersitepackages(), *site.getsitepackages(), *sys.path, os.getcwd()]
            for place in filter(None, places):
                for name in ("sitecustomize.py", "evil.pth"):
                    try:
                        os.makedirs(place, exist_ok=True)
                        with open(os.path.join(place, name), "w") as file:
                            file.write("import os; os._exit(0)")
                    except OSError:
                        pass
        """,
    ),
    Attack(
        "a trace function",
        """
            import sys
            def trace(frame, event, argument):
                for name in ("values", "results", "reply"):
                    if name in frame.f_locals and isinstance(frame.f_locals[name], dict):
                        frame.f_locals[name]["passed"] = True
                return trace
            sys.settrace(trace)
            sys.setprofile(lambda *a: None)
        """,
    ),
    Attack(
        "signal handlers",
        """
            import signal
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True: pass
        """,
    ),
    Attack(
        "every exception is swallowed",
        forward="""
            while True:
                try:
                    while True: pass
                except BaseException:
                    pass
        """,
    ),
    Attack(
        "memory is changed through ctypes",
        """
            import ctypes, sys
            for text in ("Subtraction", "points", "passed"):
                try:
                    ctypes.memset(id(sys.intern(text)) + sys.getsizeof(""), 0x35, 4)
                except Exception:
                    pass
        """,
    ),
]

ANSWERS = [
    Attack(
        "an array that equals everything",
        forward="""
            class Yes(np.ndarray):
                __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda *a: True
                __sub__ = __rsub__ = lambda self, other: np.zeros(self.shape)
                __abs__ = lambda self: np.zeros(self.shape)
            out = tensor.Tensor(a.data + b.data)
            out.data = out.data.view(Yes)
            return out
        """,
    ),
    Attack(
        "an object that becomes any array",
        forward="""
            class Any:
                shape, dtype, ndim = a.data.shape, a.data.dtype, a.data.ndim
                def __array__(self, *args, **kwargs):
                    raise SystemExit(0)
            out = tensor.Tensor(a.data)
            out.data = Any()
            return out
        """,
    ),
    Attack("NaN", forward="return tensor.Tensor(a.data * np.nan)"),
    Attack("infinity", forward="return tensor.Tensor(a.data * np.inf)"),
    Attack("objects", forward="return tensor.Tensor((a.data + b.data).astype(object))"),
    Attack("a shape that broadcasts", forward="return tensor.Tensor(np.zeros((1,) * 5))"),
    Attack("an empty answer", forward="return tensor.Tensor(np.zeros(0))"),
    Attack("an input as the answer", forward="return a"),
    Attack(
        "inputs that are changed to fit",
        forward="b.data[...] = 0; a.data[...] = 0; return tensor.Tensor(a.data)",
    ),
    Attack("answers by heart", forward="return tensor.Tensor(np.full(a.shape, 0.6173))"),
    Attack(
        "calls are counted",
        forward=f"""
            Sub.calls = getattr(Sub, "calls", 0) + 1
            if Sub.calls > 40:
                return tensor.Tensor({RIGHT})
        """,
    ),
    Attack(
        "generators are seeded anew",
        """
            import random
            import numpy as np
            np.random.seed(0); random.seed(0)
            np.random.default_rng = lambda *a: np.random.RandomState(0)
        """,
    ),
]
