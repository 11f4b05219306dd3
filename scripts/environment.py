"""Find or make a Python that has the packages that the project needs; only the standard library.

`python -I scripts/environment.py run|test` prints the path of an interpreter on standard output;
everything else that it says goes to standard error. It takes the interpreter that runs it where
that one has the packages of setup.cfg (`install_requires`, for `test` also the extra `test`), and
else `.venv` in the project, which it makes where there is none.

What it takes for granted: the grader starts its workers with `python -I`, so a package counts only
where an isolated Python sees it (not in the user's site-packages, not on PYTHONPATH).
"""

from __future__ import annotations

import configparser
import contextlib
import importlib.metadata
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: two set-ups at once are not kept apart there
    fcntl = None

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / ".venv.lock"
# Says that grade.sh made .venv, and whether it got to the end. Written first and last.
STATE = VENV / "made-by-grade.sh"
REQUIREMENT = re.compile(r"[A-Za-z0-9_.-]+(>=[0-9.]+)?")


class SetupError(Exception):
    """The environment cannot be had; the message says what to do."""


def requirements(need: str) -> list[str]:
    """Return the requirement lines of setup.cfg for `run` or `test`.

    Raises:
        SetupError: a line is more than `name` or `name>=version`.
    """
    config = configparser.RawConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    text = config["options"]["install_requires"]
    if need == "test":
        text += "\n" + config["options.extras_require"]["test"]
    lines = text.split()
    for line in lines:
        if not REQUIREMENT.fullmatch(line):
            raise SetupError(f"setup.cfg: cannot read the requirement {line!r}")
    return lines


def missing(need: str) -> list[str]:
    """Return those requirements that the Python that runs this does not fulfil."""
    return [line for line in requirements(need) if not _fulfilled(line)]


def _fulfilled(requirement: str) -> bool:
    name, _, wanted = requirement.partition(">=")
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return _numbers(found) >= _numbers(wanted)


def _numbers(version: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", version)]


def venv_python() -> Path:
    """Return the path of .venv's interpreter, which need not exist."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def venv_is_ready(need: str) -> bool:
    """Return whether .venv works and has the packages."""
    if STATE.exists() and STATE.read_text() != "ready\n":
        return False
    command = [str(venv_python()), "-I", __file__, "--check", need]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:  # no .venv, or one whose Python has gone
        return False


def make_venv() -> None:
    """Make .venv from nothing, or from what an interrupted run left, and install into it.

    It always installs what the tests need too, so that there is one set-up and not two.

    Raises:
        SetupError: with what the user can do.
    """
    try:
        import ensurepip  # noqa: F401  (Debian ships Python without it)
        import venv  # noqa: F401
    except ImportError:
        raise SetupError(
            f"{sys.executable} cannot make virtual environments: its module venv or ensurepip is"
            " missing.\n  Debian, Ubuntu: sudo apt install python3-venv"
        ) from None
    if VENV.exists() and not STATE.exists() and any(VENV.iterdir()):
        wanted = " ".join(shlex.quote(line) for line in requirements("test"))
        raise SetupError(
            f"{VENV} was not made by grade.sh, and lacks packages. Either install them there:\n"
            f"  {shlex.quote(str(venv_python()))} -m pip install {wanted}\n"
            "or remove that folder and run the same command again."
        )
    say(f"setting up {VENV} (only this once; it takes a minute or two)")
    VENV.mkdir(exist_ok=True)
    STATE.write_text("unfinished\n")
    for entry in VENV.iterdir():
        if entry != STATE:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    # the base: where .venv itself is active, its own interpreter has just been removed
    run([getattr(sys, "_base_executable", sys.executable), "-I", "-m", "venv", str(VENV)])
    pip = [str(venv_python()), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
    run([*pip, *requirements("test")])
    STATE.write_text("ready\n")
    say("set-up done")


def run(command: list[str]) -> None:
    """Run a step of the set-up, with all that it prints on standard error.

    The step inherits the lock: where only this process is killed, a pip that goes on alone keeps
    the next run waiting, instead of writing into what that run makes anew.

    Raises:
        SetupError: the step failed.
    """
    status = subprocess.run(command, stdout=sys.stderr, close_fds=False).returncode
    if status != 0:
        raise SetupError(
            f"the set-up stopped: this command ended with status {status}, see above:\n"
            f"  {shlex.join(command)}\n"
            "Once its cause is mended, run the same ./grade.sh command again."
        )


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Keep other set-ups of this .venv waiting; the system drops the lock with its last holder."""
    with open(LOCK, "a") as file:
        if fcntl is not None:
            os.set_inheritable(file.fileno(), True)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another set-up of {VENV} to end")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find(need: str) -> Path:
    """Return the interpreter to use for `run` or `test`, making .venv where there is none.

    Raises:
        SetupError: there is none and none can be made.
    """
    lacking = missing(need)
    is_own = Path(sys.prefix).resolve() == VENV  # .venv is active: it may still be half-made
    if not lacking and not is_own:
        return Path(sys.executable)
    if "VIRTUAL_ENV" in os.environ and not is_own:
        say(f"the active environment lacks {', '.join(lacking)}: using {VENV} instead")
    if not venv_is_ready(need):
        with lock():
            if not venv_is_ready(need):  # another set-up may have ended meanwhile
                make_venv()
                if not venv_is_ready(need):
                    raise SetupError(f"pip installed, but not into {VENV}: is a PIP_ option set?")
    return venv_python()


def say(message: str) -> None:
    """Tell the user; standard output is kept for the result."""
    print(f"grade.sh: {message}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    if arguments[0] == "--check":
        return 1 if missing(arguments[1]) else 0
    try:
        print(find(arguments[0]))
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"cannot set up {VENV}: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
