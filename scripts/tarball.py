"""Pack the submission into handin.tar; only the standard library.

`./create_tarball.sh [-o FILE]` runs this. The tarball holds `mytorch` and those of `hw1` … `hw4`
that exist, less what is no source: its bytes depend on the packed files' names and contents alone,
so that the same tree always gives the same tarball.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import stat
import sys
import tarfile
import warnings
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("mytorch", "hw1", "hw2", "hw3", "hw4")
# What the graders of homework 1 import.
REQUIRED = (
    "mytorch/autograd_engine.py",
    "mytorch/tensor.py",
    "mytorch/nn/activations.py",
    "mytorch/nn/functional.py",
    "mytorch/nn/linear.py",
    "mytorch/nn/loss.py",
    "mytorch/nn/module.py",
    "mytorch/nn/sequential.py",
    "mytorch/optim/optimizer.py",
    "mytorch/optim/sgd.py",
    "hw1/mnist.py",
)
PLOT = "hw1/validation_accuracy.png"
# What the graders take (autograder/archive.py has the same rules).
SUFFIXES = (".py", ".png", ".md", ".txt")
MAX_FILE = 4 * 2**20
MAX_DEPTH = 8
MAX_NAME = 200
CACHE_FOLDERS = ("__pycache__", "__MACOSX")
OTHER_FOLDERS = ("data", "venv")  # .venv and the like begin with a dot
MAX_BYTES = 10 * 2**20


class TarballError(Exception):
    """The tree cannot be handed in; the message lists what is wrong."""


def is_cache(name: str) -> bool:
    """Return whether a file or folder of that name is left out without a word."""
    return name.startswith(".") or name in CACHE_FOLDERS or name == "Thumbs.db"


def is_left_out(path: Path) -> bool:
    """Return whether the path is left out with a line that says so."""
    if path.is_dir():  # a package of that name is source
        return path.name in OTHER_FOLDERS and not (path / "__init__.py").exists()
    return not path.name.endswith(SUFFIXES)


def walk(folder: Path, left_out: list[Path]) -> Iterator[Path]:
    """Yield the files to pack below a folder; append to `left_out` what it tells of."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_cache(path.name):
            continue
        if is_left_out(path):
            left_out.append(path)
        elif path.is_dir() and not path.is_symlink():
            yield from walk(path, left_out)
        else:
            yield path


def fault(path: Path) -> str | None:
    """Return what keeps a path from being packed, or None."""
    if path.is_symlink():
        target = path.resolve()
        if not any(target.is_relative_to(ROOT / folder) for folder in FOLDERS):
            return f"is a link that leaves the submission, to {target}"
    if not path.exists():
        return "is a link to nothing"
    if not stat.S_ISREG(path.stat().st_mode):
        return "is not a plain file"
    return None


def syntax_fault(name: str, source: bytes) -> str | None:
    """Return why a Python source does not compile, or None; nothing is run or written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"does not compile: line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"does not compile: {error}"
    return None


def untaken(name: str, files: dict[str, bytes]) -> str | None:
    """Return why the graders would not take a file, or None."""
    if name.count("/") >= MAX_DEPTH or len(name.encode()) > MAX_NAME:
        return "lies too deep, or has too long a name"
    if len(files[name]) > MAX_FILE:
        return f"has {len(files[name]):,} bytes, over {MAX_FILE:,}"
    alike = [other for other in files if other != name and other.casefold() == name.casefold()]
    return (
        f"cannot stand beside {alike[0]}, which some systems take for the same" if alike else None
    )


def collect(left_out: list[Path]) -> dict[str, bytes]:
    """Return the contents to pack by their name in the tarball, sorted.

    Raises:
        TarballError: naming every fault found, not the first one alone.
    """
    files: dict[str, bytes] = {}
    faults: dict[str, str] = {}
    for folder in FOLDERS:
        for path in walk(ROOT / folder, left_out):
            name = path.relative_to(ROOT).as_posix()
            problem = fault(path)
            if problem is None:
                files[name] = path.read_bytes()
                problem = untaken(name, files)
            if problem is None and name.endswith(".py"):
                problem = syntax_fault(name, files[name])
            if problem is not None:
                faults[name] = problem
    faults |= {name: "is missing" for name in REQUIRED if name not in files and name not in faults}
    size = sum(map(len, files.values()))
    if size > MAX_BYTES:
        largest = sorted(files, key=lambda name: len(files[name]))[-3:]
        listed = ", ".join(f"{name} with {len(files[name]):,}" for name in reversed(largest))
        faults["the submission"] = f"has {size:,} bytes, over {MAX_BYTES:,}; the largest: {listed}"
    if faults:
        raise TarballError("\n".join(f"  {name} {problem}" for name, problem in faults.items()))
    return dict(sorted(files.items()))


def pack(files: dict[str, bytes]) -> bytes:
    """Return a tarball of these contents, with nothing in it of time, owner or file modes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)  # owner 0 and time 0 are its defaults
            member.size = len(content)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def write(target: Path, tarball: bytes) -> None:
    """Write the whole file or none: it gets its name when every byte is on the disk."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(tarball)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def set_aside(target: Path) -> str:
    """Rename an older tarball, which must not be taken for a new one; say so."""
    if not target.is_file():
        return ""
    old = target.with_name(f"{target.name}.old")
    written = datetime.fromtimestamp(target.stat().st_mtime)
    os.replace(target, old)
    return f"\nThe one of {written:%Y-%m-%d %H:%M} is now called {old.name}."


def report(target: Path, files: dict[str, bytes], tarball: bytes, left_out: list[Path]) -> None:
    """Print what the tarball holds."""
    for name, content in files.items():
        print(f"{len(content):>10,}  {name}")
    for path in left_out:
        slash = "/" if path.is_dir() else ""
        print(f"  left out  {path.relative_to(ROOT).as_posix()}{slash}")
    if any(path.is_file() for path in left_out):
        print(f"The graders take {', '.join(SUFFIXES)} alone: code must not need other files.")
    if PLOT not in files:
        print(f"{PLOT} is not there: for the final submission make it with ./grade.sh m")
    digest = hashlib.sha256(tarball).hexdigest()
    print(f"{target}: {len(files)} files, {len(tarball):,} bytes, SHA-256 {digest[:16]}…")


def main(arguments: list[str]) -> int:
    """Run the command line and return its exit status: 1 where there is no tarball."""
    parser = argparse.ArgumentParser(
        prog="create_tarball.sh",
        description="Pack mytorch and the homeworks into a tarball to hand in.",
    )
    parser.add_argument(
        "-o",
        dest="target",
        metavar="FILE",
        type=Path,
        default=ROOT / "handin.tar",
        help="where to write it (default: handin.tar in the project)",
    )
    target: Path = parser.parse_args(arguments).target
    left_out: list[Path] = []
    try:
        try:
            files = collect(left_out)
        except TarballError as error:
            print(f"No tarball was made:\n{error}{set_aside(target)}", file=sys.stderr)
            return 1
        tarball = pack(files)
        write(target, tarball)
    except OSError as error:
        print(f"No tarball was made: {error}", file=sys.stderr)
        return 1
    report(target, files, tarball, left_out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
