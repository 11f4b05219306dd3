"""Attacks on the machine: loops, bombs, other files and processes, the network."""

from __future__ import annotations

from attack import RIGHT, Attack

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
    Attack(
        "the graders limits are lowered",
        forward="""
            import os, resource
            for pid in (os.getppid(), *range(1, 3000)):
                for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_CPU):
                    try:
                        if pid != os.getpid():
                            resource.prlimit(pid, kind, (1, 1))
                    except OSError:
                        pass
        """,
        kills=True,
    ),
    Attack("the own group is killed", forward="import os; os.killpg(0, 9)"),
]
