"""The classes MNIST, FashionMNIST and KMNIST: rows, batches, transforms, and what is missing."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mytorch
from mytorch import nn, optim
from mytorch.datasets import KMNIST, MNIST, DatasetError, FashionMNIST, load_mnist, read_idx
from mytorch.datasets.families import FAMILIES
from mytorch.utils.data import ConcatDataset, DataLoader, Subset, random_split
from tests.mnist_server import serving
from tests.small_families import FOLDERS, packed_files, small_family

TRAIN, TEST = 120, 24
KINDS = {"MNIST": MNIST, "FashionMNIST": FashionMNIST, "KMNIST": KMNIST}


@pytest.fixture(autouse=True)
def root(monkeypatch, tmp_path) -> Path:
    """A root with small files of every set; nothing of the environment."""
    for name in ("MYTORCH_DATA", "MYTORCH_MIRROR", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name, folder in FOLDERS.items():
        small = small_family(name, (TRAIN, TEST), tmp_path / "root" / folder)
        monkeypatch.setitem(FAMILIES, name, small)
    return tmp_path / "root"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("train", [True, False])
def test_rows_are_pictures_and_labels_of_the_files(root, name, train):
    dataset = KINDS[name](root, train)
    start = "train" if train else "t10k"
    images = read_idx(root / FOLDERS[name] / f"{start}-images-idx3-ubyte.gz")
    labels = read_idx(root / FOLDERS[name] / f"{start}-labels-idx1-ubyte.gz")
    assert len(dataset) == len(labels) == (TRAIN if train else TEST)
    assert dataset.data.dtype == np.uint8 and np.array_equal(dataset.data, images)
    assert dataset.targets.dtype == np.int64 and np.array_equal(dataset.targets, labels)
    rows = list(dataset)  # the index past the end is an IndexError
    assert len(rows) == len(labels)
    for index in (0, 5, -1, np.int64(3)):
        picture, label = dataset[index]
        assert picture.shape == (28, 28) and np.array_equal(picture, images[index])
        assert type(label) is int and label == labels[index]
    with pytest.raises(TypeError):
        dataset[1:3]


def test_classes_are_named_as_in_torchvision(root):
    fashion = FashionMNIST(root)
    assert fashion.classes[9] == "Ankle boot" and fashion.class_to_idx["Trouser"] == 1
    assert KMNIST(root).classes == ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
    assert MNIST(root).class_to_idx["7 - seven"] == 7
    text = f"Dataset KMNIST\n    Number of datapoints: {TEST}\n    Root location: {root}"
    assert repr(KMNIST(root, train=False)) == f"{text}\n    Split: Test"


def test_pictures_are_copies_that_can_be_written_to(root):
    def darken(picture: np.ndarray) -> np.ndarray:
        picture[:] = 0
        return picture

    dataset = MNIST(root, transform=darken)
    before = dataset.data.copy()
    assert not dataset[0][0].any() and np.array_equal(dataset.data, before)
    dataset.transform = None
    for x, _ in DataLoader(dataset, 50):
        x.fill_(0)
    assert np.array_equal(dataset.data, before)


@pytest.mark.filterwarnings("ignore:.*fork")  # of a process with threads
@pytest.mark.parametrize("options", [{}, {"shuffle": True, "generator": 3}, {"num_workers": 1}])
def test_loader_gives_the_same_batches_at_once_as_row_by_row(root, options):
    dataset = KMNIST(root)
    by_row = KMNIST(root, transform=np.asarray)
    assert hasattr(dataset, "fetch") and not hasattr(by_row, "fetch")
    for (x, y), (x_rows, y_rows) in zip(
        DataLoader(dataset, 50, **options), DataLoader(by_row, 50, **options), strict=True
    ):
        assert isinstance(x, mytorch.Tensor) and isinstance(y, mytorch.Tensor)
        assert x.dtype == np.uint8 and y.dtype == np.int64 and x.shape[1:] == (28, 28)
        assert np.array_equal(x.data, x_rows.data) and np.array_equal(y.data, y_rows.data)
        assert (x.dtype, y.dtype) == (x_rows.dtype, y_rows.dtype)
        assert isinstance(x_rows, mytorch.Tensor) and isinstance(y_rows, mytorch.Tensor)


def test_transforms_are_applied_to_each_row_also_where_they_come_later(root):
    def scaled(picture: np.ndarray) -> np.ndarray:
        return np.float32(picture[None]) / 255

    dataset = FashionMNIST(root, transform=scaled, target_transform=lambda label: label % 2)
    picture, label = dataset[1]
    assert picture.shape == (1, 28, 28) and picture.max() <= 1
    assert label == dataset.targets[1] % 2
    x, y = next(iter(DataLoader(dataset, 32)))
    assert x.shape == (32, 1, 28, 28) and x.dtype == np.float32
    assert np.array_equal(y.data, dataset.targets[:32] % 2)
    later = FashionMNIST(root)
    part = Subset(later, [7, 3])
    assert next(iter(DataLoader(part, 2)))[0].dtype == np.uint8
    later.transform = scaled
    assert np.array_equal(
        next(iter(DataLoader(part, 2)))[0].data, scaled(later.data[[7, 3]])[0, :, None]
    )
    with pytest.raises(AttributeError, match="FashionMNIST has no fetch: it has a transform"):
        later.fetch([0])


def test_datasets_are_split_joined_and_pickled(root):
    whole = MNIST(root)
    parts = random_split(whole, [100, 20], generator=0)
    assert all(hasattr(part, "fetch") for part in parts)
    rows = [y for part in parts for _, batch in DataLoader(part, 30) for y in batch.tolist()]
    assert sorted(rows) == sorted(whole.targets.tolist())
    joined = ConcatDataset([whole, MNIST(root, train=False)])
    assert len(joined) == TRAIN + TEST and joined[TRAIN][0].shape == (28, 28)
    again = pickle.loads(pickle.dumps(parts[1]))
    for a, b in zip(DataLoader(parts[1], 20), DataLoader(again, 20), strict=True):
        assert np.array_equal(a[0].data, b[0].data)


@pytest.mark.parametrize("name", KINDS)
def test_missing_files_are_downloaded_only_when_that_is_allowed(
    root, tmp_path, monkeypatch, name, capsys
):
    place = tmp_path / "new" / FOLDERS[name]
    with pytest.raises(DatasetError, match=f"no {name} files in {place}.*Pass download=True"):
        KINDS[name](tmp_path / "new")
    assert not place.exists()
    with serving(packed_files(root / FOLDERS[name])) as server:
        FAMILIES[name] = FAMILIES[name]._replace(mirrors=(server.url,))
        train = KINDS[name](tmp_path / "new", download=True)
        assert sorted(each for each, _ in server.asked) == [
            "train-images-idx3-ubyte.gz",
            "train-labels-idx1-ubyte.gz",
        ]
        test = KINDS[name](tmp_path / "new", train=False, download=True)
        assert len(server.asked) == 4
    assert (len(train), len(test)) == (TRAIN, TEST)
    assert len(KINDS[name](tmp_path / "new")) == TRAIN


def test_files_that_cannot_be_had_are_an_error_and_nothing_takes_their_place(root, tmp_path):
    with pytest.raises(DatasetError, match="MNIST cannot be downloaded: .* Put train-images-idx3"):
        MNIST(tmp_path / "new", download=True)
    (root / "train-images-idx3-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(DatasetError, match="train-images-idx3-ubyte.gz: not an IDX file"):
        MNIST(root)
    assert len(MNIST(root, train=False)) == TEST  # whose files are whole


def test_a_folder_of_the_home_is_named_with_a_tilde(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root.parent))
    monkeypatch.setenv("USERPROFILE", str(root.parent))
    assert len(MNIST("~/root")) == TRAIN


def test_a_network_learns_from_the_official_files(mnist_folder, monkeypatch):
    monkeypatch.undo()
    mytorch.manual_seed(0)
    train, test = MNIST(mnist_folder), MNIST(mnist_folder, train=False)
    assert np.array_equal(test.targets, load_mnist(mnist_folder, offline=True).test_y)
    model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer, criterion = optim.Adam(model.parameters(), lr=0.003), nn.CrossEntropyLoss()
    for x, y in DataLoader(Subset(train, range(20_000)), 100, shuffle=True, generator=0):
        optimizer.zero_grad()
        criterion(model(scaled(x)), y).backward()
        optimizer.step()
    x, y = test.fetch(slice(None))
    assert (model(scaled(mytorch.tensor(x))).data.argmax(axis=1) == y).mean() > 0.9


def scaled(x: Any) -> Any:
    """Return pictures as rows in [0, 1]."""
    return x.reshape(-1, 784) / 255
