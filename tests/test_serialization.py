"""save and load: what comes back, what is refused, and what a failure leaves behind."""

from __future__ import annotations

import errno
import json
import os
import pickle
import subprocess
import sys
import time
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.tensor import Tensor

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.npz"


def round_trip(value: Any, path: Path) -> Any:
    mytorch.save(value, path)
    return mytorch.load(path)


def leftovers(path: Path) -> list[str]:
    return [p.name for p in path.parent.iterdir() if p != path]


# ------------------------------------------------------------------------------ round trips


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -(2**200),
        1.5,
        1e-310,
        float("inf"),
        -0.0,
        "",
        "Größe \u2192 \U0001f600 \ud800",
        [],
        {},
        [1, [2.0, [None, "x"]]],
        {"": {"π/2": [1], "array-0": "array-0", "dict": {"list": []}}},
        {0: "zero", "1": {-2: [3]}},
    ],
    ids=repr,
)
def test_plain_values_come_back_equal_and_of_the_same_type(value: Any, path: Path) -> None:
    result = round_trip(value, path)
    assert repr(result) == repr(value) and type(result) is type(value)


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "bool", "int64", "uint8", ">f4"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3)], ids=str)
def test_arrays_and_tensors_come_back_to_the_bit(
    dtype: str, shape: tuple[int, ...], path: Path
) -> None:
    array = np.random.default_rng(0).normal(size=shape).astype(dtype)
    array, tensor = np.asarray(array), Tensor(array)
    result = round_trip({"array": array, "tensor": tensor}, path)
    assert type(result["array"]) is np.ndarray and type(result["tensor"]) is Tensor
    for back in (result["array"], result["tensor"].data):
        kept = array if back is result["array"] else tensor.data  # a Tensor's bytes are in order
        assert (back.dtype, back.shape) == (kept.dtype, shape)
        assert back.tobytes() == kept.tobytes()


def test_special_values_and_layouts_survive(path: Path) -> None:
    array = np.array([[np.nan, np.inf], [-np.inf, -0.0]])
    result = round_trip([array.T, array[:, ::-1], np.float32(0.1), float("nan")], path)
    assert np.array_equal(result[0], array.T, equal_nan=True) and np.signbit(result[0][1, 1])
    assert np.array_equal(result[1], array[:, ::-1], equal_nan=True)
    assert result[2].shape == () and result[2] == np.float32(0.1) and np.isnan(result[3])


def test_tuples_come_back_as_lists_and_mappings_in_their_order(path: Path) -> None:
    result = round_trip(OrderedDict([("z", (1, 2)), ("a", ())]), path)
    assert list(result.items()) == [("z", [1, 2]), ("a", [])]


def test_the_state_of_a_generator_survives(path: Path) -> None:
    generator = np.random.default_rng(5)
    other = np.random.default_rng()
    other.bit_generator.state = round_trip(generator.bit_generator.state, path)
    assert other.integers(2**60, size=10).tolist() == generator.integers(2**60, size=10).tolist()


def test_a_model_and_its_optimizer_survive(path: Path) -> None:
    model, twin = nn.Linear(3, 2), nn.Linear(3, 2)
    optimizer = mytorch.optim.Adam(model.parameters())
    model(Tensor.ones(1, 3)).sum().backward()
    optimizer.step()
    state = round_trip({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    twin.load_state_dict(state["model"])
    restored = mytorch.optim.Adam(twin.parameters())
    restored.load_state_dict(state["optimizer"])
    assert twin.weight.data.tobytes() == model.weight.data.tobytes()
    assert restored.t == 1 and np.array_equal(
        restored.state[twin.weight]["exp_avg_sq"].data,
        optimizer.state[model.weight]["exp_avg_sq"].data,
    )


def test_loaded_tensors_are_constants_with_memory_of_their_own(path: Path) -> None:
    result = round_trip(nn.Parameter([1.0]), path)
    assert not (result.requires_grad or result.is_parameter) and result.data.flags.writeable


# ------------------------------------------------------------------------------ refused values


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {2, 3}]}, r"obj\['a'\]\[1\] is a set"),
        ({"a": {1.5: "one"}}, r"obj\['a'\] has the key 1.5"),
        ({True: 1}, "has the key True"),
        ([np.array([None, "x"], object)], r"obj\[0\] is an array of Python objects"),
        (np.zeros(2, [("x", "O")]), "array of Python objects"),
        (1j, "obj is a complex"),
        (nn.ReLU(), "obj is a ReLU"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_place_and_nothing_is_written(
    value: Any, message: str, path: Path
) -> None:
    mytorch.save("old", path)
    with pytest.raises(TypeError, match=message):
        mytorch.save(value, path)
    assert mytorch.load(path) == "old" and leftovers(path) == []


# ------------------------------------------------------------------------------ refused files


def test_a_truncated_file_is_refused_at_every_length(path: Path) -> None:
    mytorch.save({"w": Tensor.ones(20, 5), "text": "x" * 300, "empty": np.ones(0)}, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 50):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"file\.npz is not a whole file written by mytorch"):
            mytorch.load(path)


def test_a_damaged_file_gives_the_old_values_or_an_error_never_wrong_ones(path: Path) -> None:
    value = {"w": Tensor(np.arange(6.0)), "n": [1, 2.5, "text"]}
    mytorch.save(value, path)
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            result = mytorch.load(path)
        except ValueError:
            refused += 1
        else:  # the byte meant nothing, such as a date in the archive
            assert repr(result) == repr(value)
    assert refused > len(whole) / 2


class Trap:
    """Would leave a file behind if it were unpickled."""

    def __init__(self, trace: Path):
        self.trace = trace

    def __reduce__(self) -> Any:
        return Path.touch, (self.trace,)


def test_no_code_in_a_file_is_run(path: Path, tmp_path: Path) -> None:
    trap = Trap(tmp_path / "sprung")
    header = b'{"version": 1, "content": {"array": "array-0"}}'
    entries = {
        "mytorch-header": np.frombuffer(header, np.uint8),
        "array-0": np.array([trap], object),
    }
    np.savez(path, **entries)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        mytorch.load(path)
    path.write_bytes(pickle.dumps(trap))
    with pytest.raises(ValueError, match="not a zip file"):
        mytorch.load(path)
    assert not trap.trace.exists()


def test_foreign_files_are_refused_with_a_reason(path: Path) -> None:
    np.savez(path, weights=np.ones(3))
    with pytest.raises(ValueError, match="no item named 'mytorch-header.npy'"):
        mytorch.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mytorch-header.npy", "hello")
    with pytest.raises(ValueError, match="not a whole file"):
        mytorch.load(path)
    path.write_text("hello")
    with pytest.raises(ValueError, match="not a zip file"):
        mytorch.load(path)
    header = np.frombuffer(b'{"version": 2, "content": null}', np.uint8)
    np.savez(path, **{"mytorch-header": header})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="format version 2, expected 1"):
        mytorch.load(path)
    nested = np.frombuffer(b'{"version": 1, "content": ' + b"[" * 10**5, np.uint8)
    np.savez(path, **{"mytorch-header": nested})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a whole file"):
        mytorch.load(path)


def test_a_missing_file_or_folder_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mytorch.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        mytorch.save(1, tmp_path / "none" / "file.npz")
    with pytest.raises(IsADirectoryError):
        mytorch.load(tmp_path)


# ------------------------------------------------------------------------------ failing writes


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_a_failing_save_leaves_the_old_file_and_nothing_else(
    step: str, error: BaseException, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    mytorch.save("old", path)
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(type(error)):
            mytorch.save("new", path)
    assert mytorch.load(path) == "old" and leftovers(path) == []


FULL_DISK = """
import resource, sys
import numpy as np
import mytorch
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
try:
    mytorch.save({"w": np.ones(20_000)}, sys.argv[1])
except OSError as error:
    print("told:", error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
@pytest.mark.parametrize("room", [0, 100, 70_000, 160_200])
def test_a_disk_that_fills_up_while_writing_leaves_the_old_file(room: int, path: Path) -> None:
    mytorch.save("old", path)
    command = [sys.executable, "-B", "-W", "error", "-c", FULL_DISK, str(path), str(room)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.startswith("told:") and result.stderr == ""
    assert mytorch.load(path) == "old" and leftovers(path) == []


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        mytorch.save(1, tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # as /dev/null, which root could replace
        with pytest.raises(OSError, match="not a regular file"):
            mytorch.save(1, tmp_path / "pipe")
        assert (tmp_path / "pipe").is_fifo()


def test_the_file_behind_a_link_is_written_with_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    try:
        (tmp_path / "link.npz").symlink_to(tmp_path / "real" / "file.npz")
    except OSError:
        pytest.skip("links cannot be made here")
    mytorch.save(1, tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    assert mytorch.load(tmp_path / "real" / "file.npz") == 1
    (tmp_path / "plain").touch()
    modes = {p.stat().st_mode for p in (tmp_path / "plain", tmp_path / "real" / "file.npz")}
    assert len(modes) == 1


def test_old_temporary_files_are_cleared_away_and_new_ones_left_to_their_writer(path: Path) -> None:
    old, new, foreign = (
        path.with_name(name)
        for name in (".file.npz.0123abcd.tmp", ".file.npz.deadbeef.tmp", ".file.npz.mine.tmp")
    )
    for each in (old, new, foreign):
        each.write_bytes(b"half")
    for each in (old, foreign):
        os.utime(each, (time.time() - 7200,) * 2)
    mytorch.save(1, path)
    assert (old.exists(), new.exists(), foreign.exists()) == (False, True, True)


KILLER = """
import os, random, signal, sys, time
import numpy as np
import mytorch
path, leftovers = sys.argv[1], 0
random.seed(0)
for trial in range(200):
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"1")
        for number in range(10**9):
            mytorch.save({"number": number, "w": np.full(200_000, float(number))}, path)
    os.read(ready, 1)
    time.sleep(random.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ready), os.close(tell)
    state = mytorch.load(path)
    assert (state["w"] == state["number"]).all()
    leftovers += len(os.listdir(os.path.dirname(path))) > 1
    for name in os.listdir(os.path.dirname(path)):
        if name != os.path.basename(path):
            os.unlink(os.path.join(os.path.dirname(path), name))
print("whole after every kill;", leftovers, "in the middle of a save")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_a_save_that_is_killed_200_times_leaves_the_old_file_or_the_new_one_whole(
    path: Path,
) -> None:
    mytorch.save({"number": -1, "w": np.full(1, -1.0)}, path)
    command = [sys.executable, "-B", "-c", KILLER, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = int(done.stdout.split(";")[1].split()[0])
    assert found > 20  # killed in the middle, and their files were not mistaken for the result


# ------------------------------------------------------------------------------ found later


def test_a_header_that_names_fewer_rows_than_there_are_is_noticed(path: Path) -> None:
    mytorch.save({"w": Tensor(np.arange(30_000.0))}, path)
    content = bytearray(path.read_bytes())
    content[content.index(b"(30000,") + 1] ^= 1  # 2 for 3
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a whole file"):
        mytorch.load(path)


def test_what_contains_itself_is_refused(path: Path) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="contains itself"):
        mytorch.save(endless, path)
    assert not path.exists()


def test_who_may_read_a_file_stays_as_it_was(path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("permissions are POSIX's")
    mytorch.save([1], path)
    path.chmod(0o600)
    mytorch.save([2], path)
    assert path.stat().st_mode & 0o777 == 0o600 and mytorch.load(path) == [2]


def test_bfloat16_of_safetensors_becomes_float32_and_other_metadata_is_left_alone(
    path: Path,
) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")

    def write(dtype: str, count: int, data: bytes, **metadata: str) -> None:
        entry = {"dtype": dtype, "shape": [count], "data_offsets": [0, len(data)]}
        header = json.dumps({"__metadata__": metadata, "w": entry}).encode()
        header += b" " * (-len(header) % 8)
        path.write_bytes(len(header).to_bytes(8, "little") + header + data)

    numbers = np.array([1.0, -2.5, 0.125, 3e38], np.float32)
    upper = (numbers.view(np.uint32) >> 16).astype("<u2")
    write("BF16", 4, upper.tobytes(), sha256="of something else")
    loaded = mytorch.load(path)["w"]
    assert loaded.dtype == np.float32 and loaded.shape == (4,)
    np.testing.assert_array_equal(loaded.data, (numbers.view(np.uint32) >> 16 << 16).view("f4"))
    write("F8_E4M3", 4, b"abcd")
    with pytest.raises(ValueError, match="'w' is F8_E4M3, which NumPy has not"):
        mytorch.load(path)
    with pytest.raises(TypeError, match="which safetensors has not"):
        mytorch.save({"w": np.zeros(2, np.longdouble)}, path.with_suffix(".safetensors"))


def test_a_negative_of_torch_that_is_not_carried_out_is_refused(path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    imaginary = torch.tensor([1 - 2j, 3 + 4j]).conj().imag
    torch.save(imaginary, path)
    with pytest.raises(ValueError, match="resolve_neg"):
        mytorch.load(path)
    torch.save(imaginary.resolve_neg(), path)
    assert mytorch.load(path).tolist() == [2, -4]
