"""Downloads, mostly MNIST's: from a server here that misbehaves in every way we know of.

Tests marked ``every_family`` are about what may depend on how much is known of the files.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from mytorch.datasets import (
    DatasetError,
    download,
    files,
    generate_digits,
    load_fashion_mnist,
    load_kmnist,
    load_mnist,
    mnist,
    storage,
)
from mytorch.datasets.__main__ import main
from mytorch.datasets.families import FAMILIES
from tests.mnist_server import serving
from tests.small_families import FOLDERS, packed_files, small_family

LOADERS = {"MNIST": load_mnist, "FashionMNIST": load_fashion_mnist, "KMNIST": load_kmnist}
every_family = pytest.mark.parametrize("family", FAMILIES, indirect=True)
BIG = "train-images-idx3-ubyte.gz"
CHUNK = download.CHUNK


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch, tmp_path):
    """Nothing from the environment, no real mirrors, short waits, quick generated digits."""
    for name in ("MYTORCH_DATA", "MYTORCH_MIRROR", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for each in FAMILIES:
        set_mirrors(monkeypatch, each)
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    monkeypatch.setattr(download, "STALL_LIMIT", 1.0)
    monkeypatch.setattr(mnist, "generate_digits", partial(generate_digits, 60))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def set_mirrors(monkeypatch, family: str, *mirrors: str):
    monkeypatch.setitem(FAMILIES, family, FAMILIES[family]._replace(mirrors=mirrors))


@pytest.fixture
def family(request) -> str:
    return getattr(request, "param", "MNIST")


@pytest.fixture
def table(monkeypatch, tmp_path, family):
    """Small files that count as the official ones; returns {name.gz: bytes}."""
    counts = 240, 24  # noise: 188 kB even when compressed
    small = small_family(family, counts, tmp_path / "official")
    monkeypatch.setitem(FAMILIES, family, small)
    return packed_files(tmp_path / "official")


@pytest.fixture
def load(family):
    return LOADERS[family]


@pytest.fixture
def server(table):
    with serving(table) as running:
        yield running


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def place(cache, family):
    """Where in the cache the family's files are."""
    return cache / FOLDERS[family]


def names(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if not path.name.startswith("."))


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/mnist"


def test_official_files_are_downloaded_checked_and_kept(mnist_folder, cache, capsys):
    with serving(packed_files(mnist_folder)) as server:
        server.odd[BIG] = ["cut", ""]
        digits = load_mnist(cache=cache, mirror=server.url)
        held = int(next(r for n, r in server.asked if n == BIG and r)[6:-1])
        assert 9_912_422 // 2 - CHUNK < held <= 9_912_422 // 2
        assert len(server.asked) == 5
        assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
        assert len(server.asked) == 5  # the second time nothing is asked
    assert digits.source == "MNIST" and digits.train_x.shape == (55_000, 784)
    assert names(cache) == sorted(f"{official.name}.gz" for official in FAMILIES["MNIST"].files)
    assert "9.91M/9.91M" in capsys.readouterr().err  # the progress bar


def test_environment_names_the_mirror_and_the_argument_goes_before_it(server, cache, monkeypatch):
    monkeypatch.setenv("MYTORCH_MIRROR", closed_port())
    assert load_mnist(cache=cache, mirror=server.url + "/").source == "MNIST"
    monkeypatch.setenv("MYTORCH_MIRROR", server.url)
    assert load_mnist(cache=cache.with_name("other")).source == "MNIST"


def test_users_mirror_is_asked_alone_and_the_others_only_after_it(
    table, server, cache, monkeypatch
):
    with serving(table) as builtin:
        set_mirrors(monkeypatch, "MNIST", builtin.url)
        assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
        assert not builtin.asked
        server.odd["t10k-labels-idx1-ubyte.gz"] = ["404"]
        other = cache.with_name("other")
        assert load_mnist(cache=other, mirror=server.url).source == "MNIST"
        assert [name for name, _ in builtin.asked] == ["t10k-labels-idx1-ubyte.gz"]


@every_family
def test_cut_download_resumes_where_it_stopped(family, load, table, server, cache):
    server.odd[BIG] = ["cut", ""]
    assert load(cache=cache, mirror=server.url).source == family
    first, second = (wanted for name, wanted in server.asked if name == BIG)
    held = int(second[6:-1])
    assert first is None and second == f"bytes={held}-"
    assert len(table[BIG]) // 2 - CHUNK < held <= len(table[BIG]) // 2


def test_cut_download_resumes_at_the_next_mirror(table, server, cache, monkeypatch):
    with serving(table) as second:
        server.odd[BIG] = ["cut"]
        set_mirrors(monkeypatch, "MNIST", server.url, second.url)
        assert load_mnist(cache=cache).source == "MNIST"
        assert second.asked[0][0] == BIG and second.asked[0][1].startswith("bytes=")
        assert (server.count(BIG), second.count(BIG)) == (1, 1)


def test_connection_that_is_cut_again_and_again_gets_there_while_it_progresses(server, cache):
    server.odd[BIG] = ["cut after 70 kB"]
    assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
    starts = [int(wanted[6:-1]) if wanted else 0 for name, wanted in server.asked if name == BIG]
    assert starts == sorted(starts) and len(starts) >= 3


def test_connection_cut_without_progress_is_given_up(server, cache, capsys):
    server.odd[BIG] = ["cut at once"]
    assert load_mnist(cache=cache, mirror=server.url).source.startswith("generated")
    assert server.count(BIG) == download.TRIES
    assert f"MNIST cannot be downloaded: {server.url} " in capsys.readouterr().err


@every_family
def test_partial_file_of_an_earlier_run_is_continued(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(table[BIG][:50_000])
    assert load(cache=cache, mirror=server.url).source == family
    assert (BIG, "bytes=50000-") in server.asked and server.count(BIG) == 1


@every_family
def test_complete_partial_file_is_not_asked_for_again(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(table[BIG])
    assert load(cache=cache, mirror=server.url).source == family
    assert server.count(BIG) == 0


@every_family
def test_foreign_partial_file_is_thrown_away_after_its_md5(
    family, load, table, server, cache, place
):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(b"x" * 50_000)
    assert load(cache=cache, mirror=server.url).source == family
    assert [wanted for name, wanted in server.asked if name == BIG] == ["bytes=50000-", None]


@every_family
def test_too_long_partial_file_is_started_anew(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(table[BIG] + b"x")
    assert load(cache=cache, mirror=server.url).source == family
    told = [f"bytes={len(table[BIG]) + 1}-"] if FAMILIES[family].files[0].size is None else []
    assert [wanted for name, wanted in server.asked if name == BIG] == [*told, None]


@every_family
@pytest.mark.parametrize(
    ("trick", "requests"), [("no ranges", 1), ("503", 2), ("429", 2), ("hang", 1)]
)
def test_odd_answer_to_a_resumption_does_no_harm(
    family, load, table, server, cache, place, trick, requests, monkeypatch
):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(table[BIG][:50_000])
    server.odd[BIG] = [trick, ""]
    with serving(table) as second:
        set_mirrors(monkeypatch, family, second.url)
        assert load(cache=cache, mirror=server.url).source == family
        assert server.count(BIG) == requests
        assert second.count(BIG) == (trick == "hang")


@pytest.mark.parametrize(
    ("family", "trick", "fault"),
    [
        ("MNIST", "wrong bytes", "wrong bytes"),
        ("MNIST", "other file", "of 26 bytes"),
        ("MNIST", "404", "HTTP 404"),
        ("MNIST", "403", "HTTP 403"),
        ("MNIST", "500", "HTTP 500"),
        ("MNIST", "hang", "stalled"),
        ("MNIST", "half, then hang", "stalled"),
        ("MNIST", "dribble", "stalled"),
        ("MNIST", "other part", "another part"),
        ("FashionMNIST", "wrong bytes", "wrong bytes"),
        ("FashionMNIST", "other file", "wrong bytes"),
        ("FashionMNIST", "half, then hang", "stalled"),
        ("KMNIST", "other part", "another part"),
        ("KMNIST", "403", "HTTP 403"),
    ],
    indirect=["family"],
)
def test_useless_mirror_is_named_and_the_next_one_asked(
    family, load, table, server, cache, place, monkeypatch, capsys, trick, fault
):
    if trick == "other part":
        place.mkdir(parents=True)
        (place / f"{BIG}.part").write_bytes(table[BIG][:50_000])
    server.odd[BIG] = [trick]
    with serving(table) as second:
        set_mirrors(monkeypatch, family, server.url, second.url)
        started = time.monotonic()
        assert load(cache=cache).source == family
        assert time.monotonic() - started < 20
        assert second.count(BIG) == 1 and server.count(BIG) == 1
    assert f"{server.url} " in (err := capsys.readouterr().err) and fault in err


def test_endless_answer_is_stopped_at_the_size_of_the_file(table, server, cache, capsys):
    server.odd[BIG] = ["endless"]
    assert load_mnist(cache=cache, mirror=server.url).source.startswith("generated")
    assert f"sends more than the {len(table[BIG])} bytes" in capsys.readouterr().err
    assert (cache / f"{BIG}.part").stat().st_size <= len(table[BIG])


@pytest.mark.parametrize("family", ["FashionMNIST"], indirect=True)
def test_endless_answer_is_stopped_where_a_file_of_unknown_size_must_have_ended(
    load, table, server, cache, place, monkeypatch, capsys
):
    limit = FAMILIES["FashionMNIST"].files[0].limit
    assert len(table[BIG]) < limit < 1.01 * len(table[BIG])  # noise cannot be compressed
    server.odd[BIG] = ["endless"]
    with pytest.raises(DatasetError, match=f"sends more than the {limit} bytes"):
        load(cache=cache, mirror=server.url)
    assert (place / f"{BIG}.part").stat().st_size <= limit
    with serving(table) as second:
        set_mirrors(monkeypatch, "FashionMNIST", server.url, second.url)
        assert load(cache=cache).source == "FashionMNIST"


def test_without_network_generated_digits_come_within_seconds(cache, monkeypatch, capsys):
    set_mirrors(monkeypatch, "MNIST", closed_port(), closed_port())
    started = time.monotonic()
    digits = load_mnist(cache=cache, mirror=closed_port())
    assert time.monotonic() - started < 8  # about 1 on an idle machine
    assert digits.source == "generated digits (offline)"
    err = capsys.readouterr().err
    assert "cannot be downloaded" in err and "Connection refused" in err
    assert "going on with generated digits (offline), which are not MNIST" in err


def test_names_that_cannot_be_looked_up_are_noticed_within_seconds(cache, monkeypatch, capsys):
    def no_names(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    started = time.monotonic()
    assert load_mnist(cache=cache, mirror="https://mnist.invalid/").source.startswith("generated")
    assert time.monotonic() - started < 8  # about 1 on an idle machine
    assert "Name or service not known" in capsys.readouterr().err


def test_network_that_swallows_everything_is_noticed_within_seconds(cache, monkeypatch, capsys):
    end = threading.Event()

    def swallow(*_, **__):
        end.wait(30)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", swallow)
    started = time.monotonic()
    try:
        digits = load_mnist(cache=cache, mirror="http://192.0.2.1/")
        assert time.monotonic() - started < 8  # CONTACT_LIMIT is 4, a busy machine the rest
    finally:
        end.set()
    assert digits.source.startswith("generated")
    assert "no answer in" in capsys.readouterr().err


@pytest.mark.parametrize("mirror", ["ftp://127.0.0.1/", "127.0.0.1/mnist", "http://", "http://[1"])
def test_mirror_that_is_no_web_address_is_named(cache, capsys, mirror):
    assert load_mnist(cache=cache, mirror=mirror).source.startswith("generated")
    assert f"{mirror} cannot be reached" in capsys.readouterr().err


def test_proxy_of_the_environment_is_where_the_network_is_sought(server, cache, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("http_proxy", server.url.removesuffix("/mnist"))
    assert load_mnist(cache=cache, mirror="http://mnist.invalid/mnist").source == "MNIST"


@every_family
def test_refused_resumption_starts_at_the_beginning(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / f"{BIG}.part").write_bytes(table[BIG][:50_000])
    server.odd[BIG] = ["416", ""]
    assert load(cache=cache, mirror=server.url).source == family
    assert [wanted for name, wanted in server.asked if name == BIG] == ["bytes=50000-", None]


def test_damaged_file_that_was_downloaded_is_removed_even_if_no_other_is_to_be_had(server, cache):
    load_mnist(cache=cache, mirror=server.url)
    (cache / BIG).write_bytes(b"damaged")
    assert load_mnist(cache=cache, offline=True).source.startswith("generated")
    assert (cache / BIG).exists()  # offline there is nothing to put in its place
    assert load_mnist(cache=cache, mirror=closed_port()).source.startswith("generated")
    assert not (cache / BIG).exists()


@every_family
def test_damaged_file_that_was_downloaded_is_fetched_again(
    family, load, table, server, cache, place, capsys
):
    load(cache=cache, mirror=server.url)
    (place / BIG).write_bytes(table[BIG][:1000])
    assert load(cache=cache, mirror=server.url).source == family
    assert server.count(BIG) == 2 and len(server.asked) == 5
    assert (place / BIG).read_bytes() == table[BIG]
    err = capsys.readouterr().err
    assert f"{BIG}: truncated" in err and "removed, to be downloaded again" in err


@every_family
def test_users_damaged_file_in_the_cache_is_not_removed(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / BIG).write_bytes(table[BIG][:1000])
    with pytest.raises(DatasetError, match=f"{BIG}: truncated.*replace or delete it"):
        load(cache=cache, mirror=server.url)
    assert (place / BIG).read_bytes() == table[BIG][:1000] and not server.asked


@every_family
def test_only_missing_files_are_downloaded(family, load, table, server, cache, place):
    place.mkdir(parents=True)
    (place / BIG).write_bytes(table[BIG])
    assert load(cache=cache, mirror=server.url).source == family
    assert server.count(BIG) == 0 and len(server.asked) == 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_full_disk_is_named_and_mnist_used_from_memory(table, server, cache, capsys):
    cache.mkdir()
    (cache / f"{BIG}.part").symlink_to("/dev/full")
    assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
    assert f"{cache} (No space left on device)" in capsys.readouterr().err
    assert BIG not in names(cache)


def test_cache_that_cannot_be_made_is_named_and_mnist_used_from_memory(server, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    cache = tmp_path / "file" / "cache"
    assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
    assert f"cannot be kept in {cache} (Not a directory)" in capsys.readouterr().err
    assert main(["--cache", str(cache), "--mirror", server.url]) == 1
    assert "cannot be kept" in capsys.readouterr().err.splitlines()[-1]


def test_read_only_cache_that_is_complete_is_used_as_it_is(server, cache, monkeypatch):
    load_mnist(cache=cache, mirror=server.url)

    def read_only(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    for name in ("folder_lock", "replace_file"):
        monkeypatch.setattr(files, name, read_only)
    asked = len(server.asked)
    assert load_mnist(cache=cache, mirror=server.url).source == "MNIST"
    assert len(server.asked) == asked


def test_no_room_anywhere_falls_to_generated_digits(server, cache, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "replace_file", full)
    assert load_mnist(cache=cache, mirror=server.url).source.startswith("generated")
    assert "no room for it either" in capsys.readouterr().err


def test_lock_is_free_for_whoever_comes_when_nobody_answers_for_it(cache, monkeypatch, capsys):
    cache.mkdir()
    monkeypatch.setattr(storage, "LOCK_LIMIT", 0.3)
    with storage.folder_lock(cache), storage.folder_lock(cache):
        pass
    assert "too long: going on without it" in capsys.readouterr().err


@pytest.mark.parametrize("family", ["FashionMNIST", "KMNIST"], indirect=True)
def test_set_without_a_stand_in_that_cannot_be_had_is_an_error_that_says_what_to_do(
    family, load, table, cache, place, monkeypatch
):
    set_mirrors(monkeypatch, family, closed_port())
    names = f"{', '.join(f'{official.name}.gz' for official in FAMILIES[family].files)}"
    where = re.escape(f"Put {names} from {FAMILIES[family].mirrors[0]} into {place}, or name a")
    with pytest.raises(DatasetError, match=f"{family} cannot be downloaded: .*refused.*. {where}"):
        load(cache=cache)
    with pytest.raises(
        DatasetError, match=f"no {family} files in .*no download is allowed. {where}"
    ):
        load(cache=cache, offline=True)
    assert {path.name for path in cache.iterdir()} == {family}  # no generated digits


def test_server_of_a_data_folder_is_a_mirror_of_every_set(tmp_path, monkeypatch):
    for family in FAMILIES:
        small = small_family(family, (24, 6), tmp_path / family)
        monkeypatch.setitem(FAMILIES, family, small)
        with serving(packed_files(tmp_path / family)) as server:
            monkeypatch.setenv("MYTORCH_MIRROR", server.url)
            assert LOADERS[family](cache=tmp_path / "cache").source == family
            folders = {path.rpartition("/")[0] for path in server.paths}
            assert folders == {f"/mnist/{FOLDERS[family]}".rstrip("/")}


def test_command_fetches_the_set_that_it_is_told(tmp_path, monkeypatch, capsys):
    small = small_family("KMNIST", (24, 6), tmp_path / "official")
    monkeypatch.setitem(FAMILIES, "KMNIST", small)
    arguments = ["KMNIST", "--cache", str(tmp_path / "cache")]
    assert main([*arguments, "--offline"]) == 1
    assert capsys.readouterr().err.startswith("error: no KMNIST files in ")
    with serving(packed_files(tmp_path / "official")) as server:
        assert main([*arguments, "--mirror", server.url]) == 0
    folder = tmp_path / "cache" / "KMNIST" / "raw"
    assert capsys.readouterr().out.splitlines() == ["source: KMNIST", f"folder: {folder}"]


PROGRAM = """
import json, sys
from mytorch.datasets.__main__ import main
from mytorch.datasets.families import FAMILIES, Official
name, rows = sys.argv[1], json.loads(sys.argv[2])
files = tuple(Official(name, tuple(shape), *rest) for name, shape, *rest in rows)
FAMILIES[name] = FAMILIES[name]._replace(files=files, mirrors=())
sys.exit(main([name, *sys.argv[3:]]))
"""


def start(family: str, cache: Path, url: str) -> subprocess.Popen:
    """Start a process of its own that loads the small files."""
    command = [sys.executable, "-c", PROGRAM, family, json.dumps(FAMILIES[family].files)]
    return subprocess.Popen(
        [*command, "--cache", str(cache), "--mirror", url],
        cwd=Path(mnist.__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path, size: int):
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size >= size):
        assert time.monotonic() < deadline, f"{path.name} did not reach {size} bytes"
        time.sleep(0.02)


@every_family
def test_two_processes_download_once(family, server, cache):
    server.odd[BIG] = ["slow"]
    both = [start(family, cache, server.url) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out.splitlines()[0]) == (0, f"source: {family}"), err
    assert sorted(name for name, _ in server.asked) == sorted(server.files)


@every_family
def test_killed_download_leaves_no_stuck_lock_and_is_resumed(
    family, load, table, server, cache, place
):
    server.odd[BIG] = ["half, then hang", ""]
    process = start(family, cache, server.url)
    held = len(table[BIG]) // 2 // CHUNK * CHUNK
    part = place / f"{BIG}.part"
    wait_for(part, held - 8192)  # the last buffer may die with the process
    process.kill()
    process.communicate()
    assert BIG not in names(place)
    size = part.stat().st_size
    started = time.monotonic()
    assert load(cache=cache, mirror=server.url).source == family
    assert time.monotonic() - started < 10
    assert (BIG, f"bytes={size}-") in server.asked and size > 0


@every_family
def test_interrupted_download_says_so_without_a_traceback_and_is_resumed(
    family, load, table, server, cache, place
):
    server.odd[BIG] = ["half, then hang", ""]
    process = start(family, cache, server.url)
    wait_for(place / f"{BIG}.part", 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err and "interrupted" in err.splitlines()[-1]
    size = (place / f"{BIG}.part").stat().st_size
    assert size == len(table[BIG]) // 2 // CHUNK * CHUNK
    assert load(cache=cache, mirror=server.url).source == family
    assert (BIG, f"bytes={size}-") in server.asked
