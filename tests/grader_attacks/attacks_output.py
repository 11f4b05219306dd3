"""Attacks by what is printed or written: forged score lines, floods, overwritten reports."""

from __future__ import annotations

from attack import FORGED, Attack

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
