"""PyTorch's files, read without PyTorch: what comes back, what is refused, what damage does."""

from __future__ import annotations

import importlib.util
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn
from mytorch.tensor import Tensor

DATA = Path(__file__).parent / "data"  # written by torch 2.13
FILES = pytest.mark.parametrize("name", ["state.pt", "state_old.pt"])


@FILES
def test_a_file_of_torch_is_read_without_torch(name: str) -> None:
    content = mytorch.load(DATA / name)
    model = nn.Linear(3, 2).to(np.float32)
    model.load_state_dict(content["model"])
    assert model.weight.tolist() == [[0, 1, 2], [3, 4, 5]] and model.bias.tolist() == [-1, 0.5]
    assert content["half"].dtype == np.float16 and content["half"].tolist() == [1.5, -2]
    assert content["bfloat16"].dtype == np.float32 and content["bfloat16"].tolist() == [1.5, -2]
    assert content["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert (content["step"], content["name"]) == (7, "Größe")
    assert content["rates"] == [0.1, None, True] and content["pair"] == (1, 2.5)
    assert content["empty"].shape == (0, 2)


def test_what_torch_writes_here_comes_back(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 1, 4, 4)).sum().backward()
    optimizer.step()
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "views": [torch.arange(12.0).reshape(3, 4)[1:, ::2], torch.ones(1).expand(2, 3)],
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "dtypes": [torch.ones(2).to(getattr(torch, d)) for d in ("uint8", "int16", "bool")],
        "scalar": torch.tensor(2.5),
        "size": torch.Size([1, 2]),
    }
    for old in (False, True):
        torch.save(content, tmp_path / "file.pt", _use_new_zipfile_serialization=not old)
        found = mytorch.load(tmp_path / "file.pt")
        for key, value in content["model"].items():
            np.testing.assert_array_equal(found["model"][key].data, value.numpy())
        state = found["optimizer"]["state"][0]["exp_avg"].data
        np.testing.assert_array_equal(state, content["optimizer"]["state"][0]["exp_avg"].numpy())
        for one, other in zip(found["views"], content["views"], strict=True):
            np.testing.assert_array_equal(one.data, other.numpy())
        assert [x.dtype.name for x in found["dtypes"]] == ["uint8", "int16", "bool"]
        assert found["scalar"].item() == 2.5 and found["size"] == (1, 2)
    torch.save(model, tmp_path / "file.pt")
    with pytest.raises(ValueError, match=r"Sequential is not allowed: .* save model\.st"):
        mytorch.load(tmp_path / "file.pt")


# ------------------------------------------------------------------------------ hostile files


class Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *args: Any):
        self.function, self.args = function, args

    def __reduce__(self) -> Any:
        return self.function, self.args


def archive(content: bytes, path: Path, compress: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compress) as file:
        file.writestr("x/data.pkl", content)
        file.writestr("x/data/0", bytes(16))
    return path


STORAGE = (
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK%ctQ"
)


def tensor(offset: bytes, size: bytes, stride: bytes, count: int = 4) -> bytes:
    """The pickle of one tensor of four float32."""
    storage = STORAGE.replace(b"K%c", b"K" + bytes([count]))
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + storage + offset + size + stride + b"\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


def test_the_hand_made_pickle_is_a_tensor(tmp_path: Path) -> None:
    path = archive(tensor(b"K\x01", b"K\x03\x85", b"K\x01\x85"), tmp_path / "x.pt")
    assert mytorch.load(path).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps(Call(os.system, "echo"), 2), r"posix\.system|nt\.system"),
        (pickle.dumps(Call(eval, "1"), 2), r"builtin.*\.eval is not allowed"),
        (pickle.dumps(Call(os.system, "echo"), 4), "is not allowed"),
        (pickle.dumps(Call(getattr, "x", "y"), 2), "getattr is not allowed"),
        (pickle.dumps(np.ones(2), 2), r"numpy.* is not allowed"),
        (pickle.dumps(1j, 2), "complex is not allowed"),
        (b"\x80\x02ctorch\nFloatStorage\n)R.", "not allowed|no plain data|callable"),
        (b"\x80\x02ctorch\nFloatStorage\n.", "no plain data: Kind"),
        (b"\x80\x02X\x02\x00\x00\x00hi\x82\x01.", "EXT1 is not allowed"),
        (b"\x80\x02K\x01r\xff\xff\xff\xff.", "a note under the number 4294967295"),
        (b"\x80\x02" + STORAGE.replace(b"storage", b"network").replace(b"%c", b"\x04") + b".",
         "an unknown reference"),
        (tensor(b"K\x02", b"K\x03\x85", b"K\x01\x85"), "4 numbers, too few for a tensor of shape"),
        (tensor(b"K\x00", b"K\x03\x85", b"K\x02\x85"), "too few"),
        (tensor(b"J\xff\xff\xff\xff", b"K\x03\x85", b"K\x01\x85"), "a tensor of shape"),
        (tensor(b"K\x00", b"K\x03K\x03\x86", b"K\x01\x85"), "unclear shape"),
        (tensor(b"K\x00", b"J\xff\xff\xff\x7f\x85", b"K\x00\x85"), "too few"),
        (tensor(b"K\x00", b"K\x03\x85", b"K\x01\x85", count=5), "16 bytes, expected 20"),
        (tensor(b"K\x00", b"X\x01\x00\x00\x003\x85", b"K\x01\x85"), "a tensor of shape"),
        (tensor(b"K\x00", b"K\x03\x85", b"K\x01\x85")[:-1] + b"}b.", "cannot be given a state"),
        (b"\x80\x02]" + b"]a" * 0 + b"q\x00h\x00a.", ""),  # a list in itself
        (b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".", ""),  # deeper than the stack
    ],
)  # fmt: skip
def test_what_is_no_plain_data_is_refused_by_name(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = archive(content, tmp_path / "x.pt")
    with pytest.raises(ValueError, match=f"x.pt is not a whole file written by torch.*{message}"):
        mytorch.load(path)


def test_lists_that_share_their_parts_are_read_in_time(tmp_path: Path) -> None:
    shared: Any = []
    for _ in range(60):  # 2**60 parts to one who counts them
        shared = [shared, shared]
    path = archive(pickle.dumps(shared, 2), tmp_path / "x.pt")
    found = mytorch.load(path)
    assert found[0] is found[1]


def test_a_compressed_entry_is_refused_since_it_could_be_a_bomb(tmp_path: Path) -> None:
    path = archive(pickle.dumps([0] * 10**6, 2), tmp_path / "x.pt", zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="is compressed"):
        mytorch.load(path)


# ------------------------------------------------------------------------------ damage


def samples(tmp_path: Path) -> dict[str, bytes]:
    """A file of each kind that load reads."""
    found = {name: (DATA / name).read_bytes() for name in ("state.pt", "state_old.pt")}
    value = {"w": Tensor(np.arange(6.0)), "n": Tensor([1, 2])}
    mytorch.save(value, tmp_path / "x.npz")
    found["x.npz"] = (tmp_path / "x.npz").read_bytes()
    try:
        mytorch.save(value, tmp_path / "x.safetensors")
    except ImportError:
        return found
    found["x.safetensors"] = (tmp_path / "x.safetensors").read_bytes()
    return found


def test_files_cut_damaged_or_shuffled_raise_value_errors_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    refused = tried = 0
    for name, whole in samples(tmp_path).items():
        path = tmp_path / name
        for trial in range(400):
            damaged = bytearray(whole)
            kind = trial % 4
            if kind == 0:
                del damaged[rng.integers(len(damaged)) :]
            elif kind == 1:
                for place in rng.integers(len(damaged), size=rng.integers(1, 9)):
                    damaged[place] = rng.integers(256)
            elif kind == 2:
                start, length = rng.integers(len(damaged)), rng.integers(1, 64)
                damaged[start : start + length] = rng.bytes(length)
            else:
                start, other = rng.integers(len(damaged), size=2)
                damaged[start : start + 16] = whole[other : other + 16]
            path.write_bytes(damaged)
            tried += 1
            try:
                mytorch.load(path)
            except ValueError:
                refused += 1
    assert refused > tried / 2


def test_bytes_at_random_are_refused(tmp_path: Path) -> None:
    rng, path = np.random.default_rng(1), tmp_path / "x.bin"
    starts = [b"", b"PK\x03\x04", b"\x80\x02\x8a\x0a", bytes(8) + b"{", b"\x93NUMPY"]
    has_library = importlib.util.find_spec("safetensors") is not None
    refusals = ValueError if has_library else (ValueError, ImportError)  # some look like its files
    for trial in range(300):
        path.write_bytes(starts[trial % len(starts)] + rng.bytes(rng.integers(0, 200)))
        with pytest.raises(refusals, match="is not a whole file|needs the library"):
            mytorch.load(path)


# ------------------------------------------------ safetensors; to torch and back: test_exchange.py


def test_safetensors_hold_named_tensors_only_of_any_layout(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / "x.safetensors"
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    content = {"t": Tensor(array.T), "scalar": np.float64(2.5), "empty": Tensor(np.zeros((0, 2)))}
    mytorch.save(content, path)
    found = mytorch.load(path)
    np.testing.assert_array_equal(found["t"].data, array.T)
    assert found["scalar"].shape == () and found["empty"].shape == (0, 2)
    for wrong, message in (
        ([1], "holds a dict, not a list"),
        ({1: Tensor(1.0)}, "has the key 1"),
        ({"n": 3}, r"obj\['n'\] is a int; .safetensors holds tensors only"),
        ({"c": np.array([1j])}, "complex128, which safetensors has not"),
    ):
        with pytest.raises(TypeError, match=message):
            mytorch.save(wrong, path)
    assert mytorch.load(path).keys() == content.keys()


def test_a_changed_number_in_a_safetensors_file_is_noticed(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    path = tmp_path / "x.safetensors"
    mytorch.save({"w": Tensor(np.arange(100.0))}, path)
    damaged = bytearray(path.read_bytes())
    damaged[-5] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="the checksum of its tensors is another"):
        mytorch.load(path)


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        mytorch.save({"w": Tensor(1.0)}, tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())
