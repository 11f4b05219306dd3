"""A submission's archive is read under limits, and what is left out of it is told in words."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import archive
from autograder.archive import ArchiveError

Member = tuple[tarfile.TarInfo, bytes]
GOOD = ("mytorch/tensor.py", b"x = 1\n")


def member(name: str, content: bytes = b"x = 2\n", **more: object) -> Member:
    """Return a member of a tar archive; `more` are attributes of its header."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in more.items():
        setattr(info, attribute, value)
    return info, content


def tar(*members: Member) -> bytes:
    """Return a tar archive of a good file and these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as file:
        for info, content in (member(*GOOD), *members):
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read(tmp_path: Path, content: bytes) -> archive.Contents:
    """Read an archive of these bytes."""
    path = tmp_path / "handin.tar"
    path.write_bytes(content)
    return archive.read(path)


LEFT_OUT = [
    (member("mytorch/../../evil.py"), "leaves the submission by `..`"),
    (member("../evil.py"), "leaves the submission by `..`"),
    (member("/etc/cron.d/evil.py"), "has an absolute path"),
    (member("C:/evil.py"), "has an absolute path"),
    (member("mytorch/l.py", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "symbolic link"),
    (member("mytorch/l.py", b"", type=tarfile.LNKTYPE, linkname="mytorch/tensor.py"), "hard link"),
    (member("mytorch/d.py", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=3), "device or a pipe"),
    (member("mytorch/b.py", b"", type=tarfile.BLKTYPE), "device or a pipe"),
    (member("mytorch/p.py", b"", type=tarfile.FIFOTYPE), "device or a pipe"),
    (member("mytorch/v.py", b"", type=b"V"), "unknown kind"),
    (member("mytorch/tensor.py"), "is there twice"),
    (member("mytorch/Tensor.py"), "cannot stand beside 'mytorch/tensor.py'"),
    (member("MyTorch/tensor.py"), "is not in mytorch, hw1"),
    (member("mytorch/tensor.py/x.py"), "cannot stand beside 'mytorch/tensor.py'"),
    (member("mytorch/._tensor.py"), "is clutter (._tensor.py)"),
    (member("hw1/.DS_Store"), "is clutter (.DS_Store)"),
    (member("__MACOSX/mytorch/tensor.py"), "is clutter (__MACOSX)"),
    (member("mytorch/__pycache__/tensor.cpython-311.pyc"), "is clutter (__pycache__)"),
    (member("mytorch/.hidden.py"), "is hidden"),
    (member("mytorch/code.so"), "is none of .py"),
    (member("mytorch/sitecustomize.pth"), "is none of .py"),
    (member("autograder/runner.py"), "is not in mytorch, hw1"),
    (member("conftest.py"), "is not in mytorch, hw1"),
    (member("mytorch"), "is not in mytorch, hw1"),
    (member("handin/mytorch/tensor.py"), "is not in mytorch, hw1"),
    (member("mytorch/a\nb.py"), "characters that no file here needs"),
    (member("mytorch/\u202egnp.py"), "characters that no file here needs"),
    (member("mytorch\\tensor.py"), "characters that no file here needs"),
    (member("mytorch//x.py"), "not the same on every system"),
    (member("mytorch/./x.py"), "not the same on every system"),
    (member("mytorch/nn /x.py"), "not the same on every system"),
    (member("mytorch/" + "a/" * 8 + "x.py"), "lies too deep"),
    (member("mytorch/" + "a" * 200 + ".py"), "lies too deep, or has too long a name"),
    (member("mytorch/big.py", b"#" * (archive.MAX_FILE + 1)), "has more than 4 MB"),
]


@pytest.mark.parametrize(
    ("extra", "told"), LEFT_OUT, ids=[ascii(extra[0].name)[:40] for extra, _ in LEFT_OUT]
)
def test_a_member_that_is_no_plain_file_of_the_homework_is_left_out_with_a_line(
    tmp_path, extra, told
):
    found = read(tmp_path, tar(extra))
    assert found.files == dict([GOOD])
    (line,) = found.lines
    assert line.startswith("left out: ") and told in line
    assert line.isprintable()


def test_plain_files_are_taken_with_their_content_and_folders_without_a_line(tmp_path):
    folder = member("mytorch", b"", type=tarfile.DIRTYPE)
    found = read(tmp_path, tar(folder, member("./hw1/mnist.py"), member("mytorch/nn/linear.py")))
    assert set(found.files) == {"mytorch/tensor.py", "hw1/mnist.py", "mytorch/nn/linear.py"}
    assert found.files["hw1/mnist.py"] == b"x = 2\n"
    assert found.lines == []


def test_a_folder_written_in_two_ways_is_one(tmp_path):
    found = read(tmp_path, tar(member("mytorch/nn/a.py"), member("mytorch/NN/b.py")))
    assert "mytorch/NN/b.py" not in found.files
    assert "cannot stand beside 'mytorch/nn/'" in found.lines[0]


def test_names_beyond_ascii_that_look_alike_are_one(tmp_path):
    composed, decomposed = member("mytorch/\u00e9.py"), member("mytorch/e\u0301.py")
    found = read(tmp_path, tar(composed, decomposed))
    assert len(found.files) == 2
    assert "cannot stand beside" in found.lines[0]


def zipped() -> bytes:
    """Return a zip archive of the good file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(*GOOD)
    return buffer.getvalue()


def damaged() -> bytes:
    """Return an archive of three files, the second of which has a broken header."""
    content = bytearray(tar(member("hw1/mnist.py"), member("hw1/more.py")))
    content[1024 + 150] ^= 1
    return bytes(content)


def too_many() -> bytes:
    """Return an archive of more members than are read."""
    names = (f"mytorch/m{i}.py" for i in range(archive.MAX_MEMBERS))
    return tar(*(member(name, b"") for name in names))


def negative_size() -> bytes:
    """Return an archive whose second header claims a size below 0."""
    content = bytearray(tar(member("hw1/mnist.py")))
    header = content[1024:1536]
    header[124:136] = b"\xff" * 12
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 32 + sum(header[156:]))
    content[1024:1536] = header
    return bytes(content)


REFUSED: list[tuple[Callable[[], bytes], str]] = [
    (lambda: b"", "it is empty"),
    (zipped, "it is a zip archive, not tar: make it with ./create_tarball.sh"),
    (lambda: b"BZh91AY", "packed by bzip2"),
    (lambda: b"\xfd7zXZ\0\0", "packed by xz"),
    (lambda: b"Rar!\x1a\x07", "rar archive"),
    (lambda: b"no archive at all", "no tar archive"),
    (lambda: b"x" * 4096, "no tar archive"),
    (lambda: tar()[:700], "cut off"),
    (lambda: tar()[:1024], "it ends without tar's end"),
    (lambda: tar(member("hw1/mnist.py", b"x" * 9000))[:5000], "cut off"),
    (lambda: tar() + b"more", "something follows"),
    (damaged, "something follows"),
    (negative_size, "cut off|cannot be read"),
    (lambda: gzip.compress(tar())[:-9], "cut off"),
    (lambda: gzip.compress(bytes(80 << 20)), "unpacks to far more"),
    (lambda: gzip.compress(tar(member("mytorch/z.py", bytes(4 << 20)))), "unpacks to far more"),
    (too_many, "more than 2000 members"),
    (
        lambda: tar(*(member(f"mytorch/b{i}.py", b"#" * archive.MAX_FILE) for i in range(4))),
        "more than 16 MB of files",
    ),
    (lambda: bytes(archive.MAX_ARCHIVE + 1), "32 MB are the most"),
]


@pytest.mark.parametrize(("content", "told"), REFUSED, ids=[told[:30] for _, told in REFUSED])
def test_an_archive_that_cannot_be_used_is_refused_with_what_to_do(tmp_path, content, told):
    with pytest.raises(ArchiveError, match=told):
        read(tmp_path, content())


def test_a_tar_packed_by_gzip_is_taken_with_a_word_about_it(tmp_path):
    found = read(tmp_path, gzip.compress(tar()))
    assert found.files == dict([GOOD])
    assert "packed by gzip" in found.lines[0]


def test_a_reader_that_is_kept_busy_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "SECONDS", 0.2)
    monkeypatch.setattr(archive, "read_tar", lambda *_: [None for _ in iter(int, 1)])
    with pytest.raises(ArchiveError, match=r"could not be read within 0\.2 s"):
        read(tmp_path, tar())


def test_an_archive_without_anything_to_grade_says_so(tmp_path):
    buffer = io.BytesIO()
    tarfile.open(fileobj=buffer, mode="w").close()
    assert "nothing in it can be graded" in read(tmp_path, buffer.getvalue()).lines[-1]


def test_lines_are_kept_up_to_a_number(tmp_path):
    found = read(tmp_path, tar(*(member(f"evil{i}.py") for i in range(60))))
    assert len(found.lines) == archive.MAX_LINES + 1
    assert found.lines[-1] == "… and 10 more lines"


def test_a_folder_is_read_by_the_same_rules_and_no_link_is_followed(tmp_path):
    (tmp_path / "mytorch" / "__pycache__").mkdir(parents=True)
    (tmp_path / "mytorch" / "tensor.py").write_bytes(b"x = 1\n")
    (tmp_path / "mytorch" / "__pycache__" / "tensor.pyc").write_bytes(b"")
    (tmp_path / "mytorch" / "out").symlink_to("/etc")
    (tmp_path / "secret.py").write_text("")
    (tmp_path / "mytorch" / "code.so").write_bytes(b"")
    found = archive.read(tmp_path)
    assert found.files == dict([GOOD])
    assert found.lines == ["left out: 'mytorch/code.so' is none of .py, .png, .md, .txt"]
    (tmp_path / "mytorch" / "link.py").symlink_to("tensor.py")
    assert "link" in archive.read(tmp_path).lines[-1]


def test_files_are_written_for_their_owner_alone_and_never_over_others(tmp_path):
    archive.write({"mytorch/nn/a.py": b"1"}, tmp_path / "new")
    path = tmp_path / "new" / "mytorch" / "nn" / "a.py"
    assert path.read_bytes() == b"1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    with pytest.raises(FileExistsError):
        archive.write({}, tmp_path / "new")
    os.symlink(tmp_path / "elsewhere", tmp_path / "trap")
    with pytest.raises(FileExistsError):
        archive.write({}, tmp_path / "trap")
