"""create_tarball.sh: what it packs, leaves out and refuses, on small trees and on the real one."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from autograder import archive

ROOT = Path(__file__).resolve().parent.parent


def load() -> Any:
    spec = importlib.util.spec_from_file_location("tarball", ROOT / "scripts/tarball.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tarball = load()
REQUIRED = tarball.REQUIRED


@pytest.fixture
def tree(tmp_path):
    """A submission with one line in each required file, in a folder with a space in its name."""
    root = tmp_path / "my project"
    for name in REQUIRED:
        put(root, name, f"name = {name!r}\n")
    copy_scripts(root)
    return root


def copy_scripts(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    shutil.copy2(ROOT / "create_tarball.sh", root)
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pyc*"))


def put(root: Path, name: str, content: str | bytes = "x = 1\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def run(root: Path, *arguments: str, cwd: Path | None = None, env: dict | None = None):
    return subprocess.run(
        [str(root / "create_tarball.sh"), *arguments],
        cwd=cwd or root,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
    )


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_packs_the_library_and_the_homeworks_and_lists_them_with_their_sizes(tree):
    put(tree, "hw2/more.py", "y = 2\n")
    put(tree, "hw1/validation_accuracy.png", b"\x89PNG" + bytes(2000))
    put(tree, "hw5/no.py")
    put(tree, "autograder/no.py")
    result = run(tree)
    assert result.returncode == 0, result.stderr
    packed = names(tree / "handin.tar")
    assert packed == sorted([*REQUIRED, "hw1/validation_accuracy.png", "hw2/more.py"])
    for name in packed:
        assert any(
            line.split() == [f"{(tree / name).stat().st_size:,}", name]
            for line in result.stdout.splitlines()
        )
    with tarfile.open(tree / "handin.tar") as tar:
        for member in tar:
            assert tar.extractfile(member).read() == (tree / member.name).read_bytes()


def test_works_from_another_folder_and_writes_where_it_is_told(tree, tmp_path):
    result = run(tree, "-o", "sub mission.tar", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert names(tmp_path / "sub mission.tar") == sorted(REQUIRED)
    assert not (tree / "handin.tar").exists()


def test_the_same_tree_gives_the_same_bytes_whatever_its_times_modes_and_place(tree, tmp_path):
    other = tmp_path / "elsewhere"
    for name in reversed(REQUIRED):
        path = put(other, name, f"name = {name!r}\n")
        os.utime(path, (1, 1))
        path.chmod(0o755)
    put(other, "mytorch/__pycache__/tensor.cpython-311.pyc", b"\0")
    copy_scripts(other)
    assert run(tree).returncode == 0
    assert run(other, env={"TZ": "Asia/Tokyo", "LC_ALL": "C"}).returncode == 0
    assert (tree / "handin.tar").read_bytes() == (other / "handin.tar").read_bytes()
    put(other, "hw1/mnist.py", "changed = True\n")
    assert run(other).returncode == 0
    assert (tree / "handin.tar").read_bytes() != (other / "handin.tar").read_bytes()


def test_members_name_no_user_and_no_time(tree):
    assert run(tree).returncode == 0
    with tarfile.open(tree / "handin.tar") as tar:
        for member in tar:
            assert member.isreg()
            assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
            assert (member.mtime, member.mode, member.pax_headers) == (0, 0o644, {})


def test_caches_and_hidden_files_are_left_out_silently(tree):
    for name in (
        *(
            "mytorch/__pycache__/a.cpython-311.pyc",
            "mytorch/nn/.mypy_cache/a.json",
            "hw1/._mnist.py",
        ),
        *("mytorch/.DS_Store", "__MACOSX/mytorch/a.py", "hw1/__MACOSX/a.py", "hw1/Thumbs.db"),
        *("hw1/.ipynb_checkpoints/a.py", "mytorch/.tensor.py.swp", "mytorch/.git/config"),
        *(".venv/lib/a.py", "hw1/.venv/lib/a.py", "data/train-images-idx3-ubyte.gz"),
    ):
        put(tree, name, "not python (\n")
    result = run(tree)
    assert result.returncode == 0, result.stderr
    assert names(tree / "handin.tar") == sorted(REQUIRED)
    assert "left out" not in result.stdout


def test_data_compiled_and_backup_files_are_left_out_and_told_of(tree):
    files = ["mytorch/fast.so", "mytorch/fast.pyd", "mytorch/stray.pyc", "mytorch/tensor.py~"]
    files += ["hw1/model.npz", "hw1/handin.tar", "hw1/handin.tar.gz"]
    for name in (*files, "hw1/data/train-images-idx3-ubyte", "hw1/venv/lib/a.py"):
        put(tree, name, "not python (\n")
    result = run(tree)
    assert result.returncode == 0, result.stderr
    assert names(tree / "handin.tar") == sorted(REQUIRED)
    for told in (*files, "hw1/data/", "hw1/venv/"):
        assert f"left out  {told}\n" in result.stdout


def test_a_package_called_data_is_source_and_is_packed(tree):
    put(tree, "mytorch/data/__init__.py")
    assert run(tree).returncode == 0
    assert "mytorch/data/__init__.py" in names(tree / "handin.tar")


def test_no_file_is_written_into_the_tree_but_the_tarball(tree):
    before = set(tree.rglob("*"))
    assert run(tree).returncode == 0
    assert set(tree.rglob("*")) - before == {tree / "handin.tar"}


def test_a_missing_required_file_is_named_and_nothing_is_made(tree):
    (tree / "hw1/mnist.py").unlink()
    result = run(tree)
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["No tarball was made:", "  hw1/mnist.py is missing"]
    assert not list(tree.glob("*.tar*"))


def test_every_file_that_the_graders_import_is_required(tree):
    shutil.rmtree(tree / "mytorch")
    result = run(tree)
    assert result.returncode == 1
    graded = ("tensor", "autograd_engine", "optim/optimizer", "optim/sgd")
    graded += ("nn/functional", "nn/linear", "nn/activations")
    graded += ("nn/loss", "nn/module", "nn/sequential")
    for name in graded:
        assert f"mytorch/{name}.py is missing" in result.stderr


def test_a_file_that_does_not_compile_is_named_with_its_line(tree):
    put(tree, "mytorch/tensor.py", "x = 1\ndef f(:\n")
    put(tree, "mytorch/null.py", b"x = 1\0\n")
    put(tree, "mytorch/latin.py", "name = 'ü'\n".encode("latin-1"))
    result = run(tree)
    assert result.returncode == 1
    assert "mytorch/tensor.py does not compile: line 2" in result.stderr
    assert "mytorch/null.py does not compile" in result.stderr
    assert "mytorch/latin.py does not compile" in result.stderr
    assert "missing" not in result.stderr and "Traceback" not in result.stderr
    assert not (tree / "handin.tar").exists()


def test_an_older_tarball_is_set_aside_when_no_new_one_can_be_made(tree):
    assert run(tree).returncode == 0
    old = (tree / "handin.tar").read_bytes()
    (tree / "hw1/mnist.py").unlink()
    result = run(tree)
    assert result.returncode == 1
    assert "is now called handin.tar.old" in result.stderr
    assert not (tree / "handin.tar").exists()
    assert (tree / "handin.tar.old").read_bytes() == old


def test_a_submission_that_is_too_large_names_its_largest_files(tree):
    put(tree, "hw1/huge.txt", bytes(11 * 2**20))
    result = run(tree)
    assert result.returncode == 1
    assert "hw1/huge.txt with 11,534,336" in result.stderr
    assert not (tree / "handin.tar").exists()


def test_a_link_inside_the_submission_is_packed_as_the_file_it_names(tree):
    (tree / "hw1/linked.py").symlink_to("../mytorch/tensor.py")
    assert run(tree).returncode == 0
    with tarfile.open(tree / "handin.tar") as tar:
        member = tar.getmember("hw1/linked.py")
        assert member.isreg()
        assert tar.extractfile(member).read() == (tree / "mytorch/tensor.py").read_bytes()


def test_links_out_of_the_submission_to_nothing_and_to_folders_are_refused(tree, tmp_path):
    put(tmp_path, "secret.py")
    (tree / "hw1/leaving.py").symlink_to(tmp_path / "secret.py")
    (tree / "hw1/dangling.py").symlink_to("nowhere.py")
    (tree / "hw1/folder").symlink_to("../mytorch")
    os.mkfifo(tree / "hw1/pipe.py")
    result = run(tree)
    assert result.returncode == 1
    assert "hw1/leaving.py is a link that leaves the submission" in result.stderr
    assert "hw1/dangling.py is a link to nothing" in result.stderr
    assert "hw1/folder is not a plain file" in result.stderr
    assert "hw1/pipe.py is not a plain file" in result.stderr
    assert not (tree / "handin.tar").exists()


def test_a_target_that_cannot_be_written_is_told_without_a_traceback(tree):
    result = run(tree, "-o", "no such folder/handin.tar")
    assert result.returncode == 1
    assert result.stderr.startswith("No tarball was made: ")
    assert "no such folder" in result.stderr and "Traceback" not in result.stderr


def test_names_the_plot_that_the_final_submission_wants(tree):
    assert "./grade.sh m" in run(tree).stdout
    put(tree, "hw1/validation_accuracy.png", b"\x89PNG")
    assert "./grade.sh m" not in run(tree).stdout


def test_the_projects_own_tarball_grades_the_same_in_an_empty_folder(tmp_path):
    result = run(ROOT, "-o", str(tmp_path / "handin.tar"))
    assert result.returncode == 0, result.stderr
    place = tmp_path / "empty folder"
    with tarfile.open(tmp_path / "handin.tar") as tar:
        tar.extractall(place, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    shutil.copytree(ROOT / "autograder", place / "autograder")
    scores = [
        subprocess.run(
            [sys.executable, str(root / "autograder/hw1_autograder/runner.py"), "--seed", "11"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        ).stdout.splitlines()[-1]
        for root in (ROOT, place)
    ]
    assert scores[0] == scores[1]
    assert sum(json.loads(scores[0])["scores"].values()) == 90


def test_the_graders_take_every_file_that_is_packed(tree, tmp_path):
    put(tree, "mytorch/config.json", "{}")
    put(tree, "mytorch/nn/notes.txt", "a note")
    result = run(tree)
    assert result.returncode == 0 and "left out  mytorch/config.json" in result.stdout
    assert "code must not need other files" in result.stdout
    found = archive.read(tree / "handin.tar")
    assert found.lines == [] and sorted(found.files) == names(tree / "handin.tar")
    for name, content, told in (
        ("mytorch/nn/a/b/c/d/e/f/g/lin.py", "", "lies too deep"),
        ("mytorch/nn/LOSS.py", "", "cannot stand beside"),
        ("mytorch/large.txt", "x" * (archive.MAX_FILE + 1), "bytes, over"),
    ):
        put(tree, name, content)
        result = run(tree)
        assert result.returncode == 1 and told in result.stderr
        (tree / name).unlink()
    own = (tarball.SUFFIXES, tarball.MAX_FILE, tarball.MAX_DEPTH, tarball.MAX_NAME)
    assert own == (archive.SUFFIXES, archive.MAX_FILE, archive.MAX_DEPTH, archive.MAX_NAME)
