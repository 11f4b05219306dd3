"""Reading IDX files and finding, checking and splitting MNIST's four."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mytorch.datasets import (
    DatasetError,
    Digits,
    files,
    generate_digits,
    load_fashion_mnist,
    load_mnist,
    mnist,
    read_idx,
)
from mytorch.datasets.__main__ import main
from mytorch.datasets.families import FAMILIES, SHAPES
from mytorch.datasets.idx import write_idx
from tests.small_families import small_family


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch, tmp_path):
    """No folder or mirror from the environment, an empty current folder, quick digits."""
    monkeypatch.delenv("MYTORCH_DATA", raising=False)
    monkeypatch.delenv("MYTORCH_MIRROR", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(mnist, "generate_digits", partial(generate_digits, 60))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A folder with four small files in MNIST's format, which count as the official ones."""
    monkeypatch.setitem(FAMILIES, "MNIST", small_family("MNIST", (24, 6), tmp_path / "small"))
    return tmp_path / "small"


def idx(type_byte: int, shape: tuple[int, ...], data: bytes) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, type_byte, len(shape), *shape) + data


@pytest.mark.parametrize(
    ("code", "letter", "dtype"),
    [(8, "B", "u1"), (9, "b", "i1"), (11, "h", "i2"), (12, "i", "i4"), (13, "f", "f4")]
    + [(14, "d", "f8")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_every_idx_type_is_read_plain_and_packed(tmp_path, code, letter, dtype, packed):
    numbers = [0, 1, 2, 100, 5, 6]
    content = idx(code, (2, 3), struct.pack(f">6{letter}", *numbers))
    path = tmp_path / "numbers"
    path.write_bytes(gzip.compress(content) if packed else content)
    array = read_idx(path)
    assert array.dtype == np.dtype(dtype) and array.dtype.isnative
    assert array.tolist() == [[0, 1, 2], [100, 5, 6]]
    array[0, 0] = 7  # not a read-only view


@pytest.mark.parametrize("shape", [(), (0,), (0, 28, 28), (1,)])
def test_scalars_and_empty_arrays_are_read(tmp_path, shape):
    path = tmp_path / "x"
    path.write_bytes(idx(8, shape, b"\5" * int(np.prod(shape))))
    assert read_idx(path).shape == shape


GOOD = idx(8, (2, 3), b"abcdef")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not an IDX file"),
        (b"<html>offline</html>", "not an IDX file"),
        (b"\0\0\x07\1" + b"\0" * 8, "not an IDX file"),
        (b"\0\0\x08\xff" + b"\0" * 2000, "not an IDX file"),
        (GOOD[:9], "truncated within its header"),
        (GOOD[:-1], "truncated"),
        (GOOD + b"x", "too long"),
        (gzip.compress(GOOD, mtime=0)[:-9], "truncated"),
        (gzip.compress(GOOD, mtime=0)[:-4] + b"\1\2\3\4", "damaged gzip"),
        (gzip.compress(GOOD, mtime=0)[:10] + b"\xff" * 30, "damaged gzip"),
        (gzip.compress(GOOD, mtime=0) + b"tail", "damaged gzip"),
    ],
)
def test_damaged_file_is_named_with_its_fault(tmp_path, content, fault):
    path = tmp_path / "some-file"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"some-file: .*{fault}"):
        read_idx(path)


def test_missing_file_and_folder_are_dataset_errors(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: cannot be read"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_idx(tmp_path)


@pytest.mark.parametrize(
    ("shape", "fault"),
    [
        ((2**32 - 1,) * 4, "not believable"),
        ((60_000, 1000, 1000), "not believable"),
        ((2**29,), "truncated"),
    ],
)
def test_hostile_header_allocates_nothing_near_its_claim(tmp_path, shape, fault):
    path = tmp_path / "hostile"
    path.write_bytes(idx(8, shape, b"abc"))
    tracemalloc.start()
    with pytest.raises(DatasetError, match=fault):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_gzip_bomb_is_read_no_further_than_its_header_says(tmp_path):
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(idx(8, (2, 3), b""))
        for _ in range(200):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(DatasetError, match="too long"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_written_file_is_read_back_and_its_bytes_repeat(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert write_idx(tmp_path / "a.gz", array) == write_idx(tmp_path / "b.gz", array)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert np.array_equal(read_idx(tmp_path / "a.gz"), array)
    with pytest.raises(TypeError, match="float64"):
        write_idx(tmp_path / "c.gz", np.ones(3))


def test_official_files_are_split_55000_5000_10000(mnist_folder):
    digits = load_mnist(mnist_folder, offline=True)
    assert isinstance(digits, Digits) and digits.source == "MNIST"
    assert [a.shape for a in digits[:6:2]] == [(55_000, 784), (5_000, 784), (10_000, 784)]
    assert {a.dtype for a in digits[:6:2]} == {np.dtype(np.float32)}
    assert {a.dtype for a in digits[1:6:2]} == {np.dtype(np.int64)}
    raw = gzip.decompress((mnist_folder / "train-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(raw[16:], np.uint8).reshape(60_000, 784)
    assert np.array_equal(digits.train_x[::1000], pixels[:55_000:1000] / np.float32(255))
    assert np.array_equal(digits.val_x[-1], pixels[-1] / np.float32(255))
    labels = gzip.decompress((mnist_folder / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    assert digits.val_y.tolist() == list(labels[55_000:])
    assert digits.train_x.min() == 0 and digits.train_x.max() == 1


def test_official_table_is_that_of_the_official_files(mnist_folder):
    for official in FAMILIES["MNIST"].files:
        packed = (mnist_folder / f"{official.name}.gz").read_bytes()
        assert len(packed) == official.size
        assert hashlib.md5(packed).hexdigest() == official.md5
        assert hashlib.md5(gzip.decompress(packed)).hexdigest() == official.content_md5


@pytest.mark.parametrize("spelling", ["{0}", "{0}.gz", "{1}", "{1}.gz"])
def test_every_spelling_of_the_names_is_found(small, tmp_path, spelling):
    folder = tmp_path / "renamed"
    folder.mkdir()
    for name in SHAPES:
        data = (small / f"{name}.gz").read_bytes()
        target = folder / spelling.format(name, name.replace("-idx", ".idx"))
        target.write_bytes(data if target.suffix == ".gz" else gzip.decompress(data))
    assert load_mnist(folder, offline=True).source == "MNIST"


def test_folder_is_looked_at_before_environment_before_cache(small, tmp_path, monkeypatch):
    asked = []
    find = files._find
    monkeypatch.setattr(
        files, "_find", lambda place, name: asked.append(place) or find(place, name)
    )
    monkeypatch.setenv("MYTORCH_DATA", str(tmp_path / "two"))
    assert load_mnist(tmp_path / "one", cache=small, offline=True).source == "MNIST"
    assert list(dict.fromkeys(asked)) == [tmp_path / "one", tmp_path / "two", small]
    monkeypatch.setenv("MYTORCH_DATA", str(small))
    assert load_mnist(offline=True).source == "MNIST"


def test_named_folder_without_the_files_is_mentioned_and_passed_over(small, tmp_path, capsys):
    (small / "t10k-labels-idx1-ubyte.gz").rename(tmp_path / "t10k-labels-idx1-ubyte.gz")
    assert load_mnist(small, cache=tmp_path / "c", offline=True).source.startswith("generated")
    assert f"{small} does not hold t10k-labels-idx1-ubyte" in capsys.readouterr().err


def damage(path: Path, how: str) -> str:
    """Damage an image file; return words that the message must hold."""
    content = gzip.decompress(path.read_bytes())
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-50])
        return "truncated"
    if how == "other pixel":
        path.write_bytes(gzip.compress(content[:-1] + bytes([content[-1] ^ 1])))
        return "wrong MD5"
    if how == "other magic":
        path.write_bytes(gzip.compress(b"\0\1" + content[2:]))
        return "not an IDX file"
    write_idx(path, np.zeros((24, 20, 20), np.uint8))
    return r"holds uint8 \(24, 20, 20\)"


@pytest.mark.parametrize("how", ["truncated", "other pixel", "other magic", "other shape"])
@pytest.mark.parametrize("where", ["folder", "cache"])
def test_users_damaged_file_is_named_and_left_alone(small, tmp_path, how, where):
    path = small / "train-images-idx3-ubyte.gz"
    words = damage(path, how)
    before = path.read_bytes()
    with pytest.raises(DatasetError, match=f"train-images-idx3-ubyte.gz: .*{words}"):
        load_mnist(**{where: small}, offline=True)
    assert path.read_bytes() == before


def test_recompressed_file_with_the_same_content_is_accepted(small):
    path = small / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1, mtime=1))
    assert load_mnist(small, offline=True).source == "MNIST"


def test_tables_of_the_families_hold_a_file_once_and_well_formed_digests():
    digests = [official.md5 for family in FAMILIES.values() for official in family.files]
    assert len(set(digests)) == len(digests) == 12
    assert all(re.fullmatch("[0-9a-f]{32}", digest) for digest in digests)
    for name, family in FAMILIES.items():
        assert family.name == name and len(family.classes) == 10 and family.mirrors
        assert {official.name: official.shape for official in family.files} == SHAPES
        assert all(url.startswith("http") and url.endswith("/") for url in family.mirrors)


@pytest.fixture
def clothes(monkeypatch, tmp_path):
    """A folder with four small files of which, as of FashionMNIST's, only the .gz is known."""
    small = small_family("FashionMNIST", (24, 6), tmp_path / "clothes")
    monkeypatch.setitem(FAMILIES, "FashionMNIST", small)
    return tmp_path / "clothes"


def test_a_set_with_a_folder_of_its_own_is_found_in_a_folder_for_all(
    clothes, small, tmp_path, monkeypatch
):
    everywhere = tmp_path / "everywhere"
    shutil.copytree(small, everywhere)  # MNIST, whose files have the same names
    shutil.copytree(clothes, everywhere / "FashionMNIST" / "raw")
    named = load_fashion_mnist(clothes, offline=True)
    cached = load_fashion_mnist(cache=everywhere, offline=True)
    monkeypatch.setenv("MYTORCH_DATA", str(everywhere))
    assert load_mnist(offline=True).source == "MNIST"
    elsewhere = load_fashion_mnist(offline=True)
    for digits in (named, cached, elsewhere):
        assert digits.source == "FashionMNIST" and digits.train_x.shape == (22, 784)


def test_file_of_unknown_content_is_known_by_the_md5_of_its_gz_if_it_is_one(clothes):
    path = clothes / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content, 1, mtime=1))
    with pytest.raises(DatasetError, match="ubyte.gz: wrong MD5: its gzip file has MD5"):
        load_fashion_mnist(clothes, offline=True)
    path.unlink()
    (clothes / "train-images-idx3-ubyte").write_bytes(content)
    assert load_fashion_mnist(clothes, offline=True).source == "FashionMNIST"
    (clothes / "train-images-idx3-ubyte").write_bytes(content[:-1])
    with pytest.raises(DatasetError, match="idx3-ubyte: truncated"):
        load_fashion_mnist(clothes, offline=True)


def test_offline_without_files_goes_on_with_generated_digits_and_says_so(tmp_path, capsys):
    digits = load_mnist(cache=tmp_path / "c", offline=True)
    assert digits.source == "generated digits (offline)"
    assert (
        "going on with generated digits (offline), which are not MNIST" in capsys.readouterr().err
    )


def test_command_prints_source_and_folder_last(small, tmp_path, capsys):
    assert main(["--data", str(small), "--offline"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["source: MNIST", f"folder: {small}"]
    assert main(["--cache", str(tmp_path / "c"), "--offline"]) == 0
    lines = capsys.readouterr().out.splitlines()
    folder = tmp_path / "c" / "generated-digits"
    assert lines[-2:] == ["source: generated digits (offline)", f"folder: {folder}"]
    assert main(["--data", str(folder), "--cache", str(tmp_path / "d"), "--offline"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_command_exits_1_with_a_message_for_a_damaged_file(small, capsys):
    damage(small / "train-images-idx3-ubyte.gz", "truncated")
    assert main(["--data", str(small), "--offline"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and "truncated" in captured.err
    assert captured.out == ""


def test_import_loads_neither_requests_nor_matplotlib_nor_tqdm():
    code = """
import sys, mytorch.datasets
print(*{"requests", "matplotlib", "tqdm"} & set(sys.modules))
"""
    root = Path(mnist.__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("", "")
