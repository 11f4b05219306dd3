"""Reading a submission that nobody has checked: a tar archive, or a folder.

Archives are never extracted: members are read one by one into memory, under limits, and only
regular files with plain names in `mytorch/` and `hw1/` … count. Every other member is left out, and
one line says why. `write` then makes new files of what was taken, in a new folder.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import signal
import stat
import tarfile
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

FOLDERS = ("mytorch", "hw1", "hw2", "hw3", "hw4")
SUFFIXES = (".py", ".png", ".md", ".txt")
CLUTTER = ("__MACOSX", "__pycache__", ".DS_Store", "Thumbs.db")
MAX_ARCHIVE = 32 << 20  # bytes of the archive
MAX_STREAM = 64 << 20  # bytes of it when it is unpacked
MAX_RATIO = 100  # unpacked bytes for one packed byte
MAX_TOTAL = 16 << 20  # bytes of the files taken
MAX_FILE = 4 << 20
MAX_MEMBERS = 2000
MAX_DEPTH = 8
MAX_NAME = 200
MAX_LINES = 50
SECONDS = 20
HOW = "make it with ./create_tarball.sh and hand in the handin.tar"
ADVICE = {
    b"PK\x03\x04": f"it is a zip archive, not tar: {HOW}",
    b"PK\x05\x06": f"it is an empty zip archive, not tar: {HOW}",
    b"BZh": f"it is packed by bzip2, not a plain tar: {HOW}",
    b"\xfd7zXZ": f"it is packed by xz, not a plain tar: {HOW}",
    b"7z\xbc\xaf": f"it is a 7z archive, not tar: {HOW}",
    b"Rar!": f"it is a rar archive, not tar: {HOW}",
}


class ArchiveError(Exception):
    """The whole submission cannot be used; the text says why and what to do."""


@dataclass
class Contents:
    """What was found in a submission.

    Attributes:
        files: contents by name, `/` between the parts.
        lines: what was left out, and what else the student should know.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    _names: dict[str, str] = field(default_factory=dict)  # folded: as written; folders end in /
    _noted: int = 0

    def note(self, line: str) -> None:
        """Keep a line, as long as there are not too many."""
        self._noted += 1
        if self._noted <= MAX_LINES:
            self.lines.append(line)

    def name_to_take(self, name: str) -> str | None:
        """Return the name under which a member is taken, None (and a line) where it is not."""
        plain, fault = plain_name(name)
        fault = fault or self._clash(plain)
        if fault:
            self.note(f"left out: {name[:MAX_NAME]!r} {fault}")
        return None if fault else plain

    def _clash(self, name: str) -> str:
        """Return which earlier name keeps this one out, nothing if none does; remember it."""
        parts = name.split("/")
        written = ["/".join(parts[:i]) + "/" for i in range(1, len(parts))] + [name]
        keys = [unicodedata.normalize("NFC", each).casefold().rstrip("/") for each in written]
        for key, each in zip(keys, written, strict=True):
            other = self._names.get(key, each)
            if other != each or (each == name and key in self._names):
                same = "is there twice" if other == name else f"cannot stand beside {other!r}"
                return f"{same}: the first is taken"
        self._names.update(zip(keys, written, strict=True))
        return ""

    def take(self, name: str, file: BinaryIO) -> None:
        """Take a file's content, under the limits.

        Raises:
            ArchiveError: it is all too much.
        """
        content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            self.note(f"left out: {name!r} has more than {MAX_FILE >> 20} MB")
            return
        self.files[name] = content
        if sum(map(len, self.files.values())) > MAX_TOTAL:
            raise ArchiveError(f"it holds more than {MAX_TOTAL >> 20} MB of files")


def plain_name(name: str) -> tuple[str, str]:
    """Return a member's name without `./`, and why it cannot be taken (nothing if it can)."""
    name = name.removeprefix("./")
    parts = name.split("/")
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        return name, "has an absolute path"
    if ".." in parts:
        return name, "leaves the submission by `..`"
    if not name.isprintable() or "\\" in name:
        return name, "has a name with characters that no file here needs"
    clutter = [p for p in parts if p in CLUTTER or p.startswith("._")]
    if clutter:
        return name, f"is clutter ({clutter[0]})"
    if len(parts) > MAX_DEPTH or len(name.encode()) > MAX_NAME:
        return name, "lies too deep, or has too long a name"
    if "" in parts or "." in parts or any(p != p.strip(" .") for p in parts if p[:1] != "."):
        return name, "has a name that is not the same on every system"
    if parts[0] not in FOLDERS or len(parts) < 2:
        return name, f"is not in {', '.join(FOLDERS[:2])} or another homework's folder"
    if any(p.startswith(".") for p in parts):
        return name, "is hidden"
    if not name.endswith(SUFFIXES):
        return name, f"is none of {', '.join(SUFFIXES)}"
    return name, ""


def read(path: Path) -> Contents:
    """Read a submission: a folder, or an archive.

    Raises:
        ArchiveError: it cannot be used at all.
        OSError: this machine cannot read it.
    """
    if not path.is_dir() and not stat.S_ISREG(path.stat().st_mode):
        raise ArchiveError("it is neither a file nor a folder")  # a pipe would never be read
    return read_folder(path) if path.is_dir() else read_archive(path)


def looks_like_one(path: Path) -> bool:
    """Whether a file begins as an archive does, of tar or of another kind.

    Raises:
        OSError: this machine cannot read it.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return False
    with path.open("rb") as file:
        start = file.read(tarfile.BLOCKSIZE)
    return start.startswith((b"\x1f\x8b", *ADVICE)) or start[257:262] == b"ustar"


def _cannot_walk(error: OSError) -> None:
    raise error  # os.walk leaves out what it cannot read, and a student must not pay for that


def read_folder(folder: Path) -> Contents:
    """Read the files of a folder, by the same rules as an archive's."""
    found = Contents()
    for top in FOLDERS:
        if not (folder / top).is_dir():
            continue
        for place, folders, files in os.walk(folder / top, onerror=_cannot_walk):
            folders[:] = sorted(name for name in folders if not is_clutter(name))
            for file in sorted(name for name in files if not is_clutter(name)):
                take_file(folder, Path(place, file), found)
    return found


def take_file(folder: Path, path: Path, found: Contents) -> None:
    """Take one file of a folder, or leave it out with a line."""
    name = path.relative_to(folder).as_posix()
    if path.is_symlink() or not path.is_file():
        found.note(f"left out: {name!r} is a symbolic link, or no file")
        return
    taken = found.name_to_take(name)
    if taken is not None:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as content:
            found.take(taken, content)


def is_clutter(name: str) -> bool:
    """Whether a file or folder on a disk is left out without a word."""
    return name in CLUTTER or name.startswith(".") or name.endswith(".pyc")


def read_archive(path: Path) -> Contents:
    """Read the members of a tar archive, which gzip may have packed.

    Raises:
        ArchiveError: it is no such archive, damaged, or too large.
    """
    size = path.stat().st_size
    if size > MAX_ARCHIVE:
        raise ArchiveError(f"it has {size >> 20} MB, and {MAX_ARCHIVE >> 20} MB are the most")
    found = Contents()
    with path.open("rb") as file, alarm(SECONDS):
        start = file.read(512)
        file.seek(0)
        if not start:
            raise ArchiveError(f"it is empty: {HOW}")
        for magic, advice in ADVICE.items():
            if start.startswith(magic):
                raise ArchiveError(advice)
        stream: BinaryIO = file
        if start.startswith(b"\x1f\x8b"):
            found.note("it is packed by gzip; ./create_tarball.sh makes a plain tar")
            stream = gzip.GzipFile(fileobj=file)
        read_tar(unpacked(stream, min(MAX_STREAM, MAX_RATIO * size + tarfile.RECORDSIZE)), found)
    if found._noted > MAX_LINES:
        found.lines.append(f"… and {found._noted - MAX_LINES} more lines")
    if not found.files:
        found.lines.append(f"nothing in it can be graded: {HOW}")
    return found


def unpacked(stream: BinaryIO, limit: int) -> bytes:
    """Return all bytes of a stream, which gzip may have packed.

    Raises:
        ArchiveError: they are more than the limit, or damaged.
    """
    content = bytearray()
    try:
        while chunk := stream.read(1 << 16):
            content += chunk
            if len(content) > limit:
                raise ArchiveError("it unpacks to far more than a submission can hold")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArchiveError(f"it is damaged or cut off ({error}): upload it again") from None
    return bytes(content)


def read_tar(content: bytes, found: Contents) -> None:
    """Take what can be taken of a tar archive, member by member.

    Raises:
        ArchiveError: it is no tar, damaged, cut off, or has too much in it.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for number, member in enumerate(tar):
                if number >= MAX_MEMBERS:
                    raise ArchiveError(f"it has more than {MAX_MEMBERS} members")
                take_member(tar, member, found)
            rest = content[tar.offset :]
    except tarfile.TarError as error:
        raise ArchiveError(f"it is no tar archive, damaged or cut off ({error}): {HOW}") from None
    except (ValueError, OverflowError, RecursionError, MemoryError, EOFError, OSError) as error:
        raise ArchiveError(f"its headers cannot be read ({error}): {HOW}") from None
    if not rest.strip(b"\0") and len(rest) >= tarfile.BLOCKSIZE:
        return
    what = "something follows where tar ends" if rest.strip(b"\0") else "it ends without tar's end"
    if rest and len(rest) < tarfile.BLOCKSIZE:
        what = "it ends in the middle of a header"
    raise ArchiveError(f"it is damaged or cut off ({what}): upload it again, or {HOW}")


def take_member(tar: tarfile.TarFile, member: tarfile.TarInfo, found: Contents) -> None:
    """Take one member of an archive, or leave it out with a line; folders need none."""
    kinds = (
        (member.issym(), "is a symbolic link"),
        (member.islnk(), "is a hard link"),
        (member.isdev(), "is a device or a pipe"),
        (member.issparse(), "is a sparse file"),
        (not member.isreg() and not member.isdir(), "is of an unknown kind"),
    )
    for applies, what in kinds:
        if applies:
            found.note(f"left out: {member.name[:MAX_NAME]!r} {what}")
            return
    name = found.name_to_take(member.name) if member.isreg() else None
    content = tar.extractfile(member) if name is not None else None
    if name is not None and content is not None:
        found.take(name, content)


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Give up after some seconds: a hostile header can keep a reader busy for ever.

    Raises:
        ArchiveError: time is up.
    """

    def stop(*_: object) -> None:
        raise ArchiveError(f"it could not be read within {seconds:g} s: {HOW}")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write files into a new folder, following no link and replacing nothing."""
    folder.mkdir(mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
