"""Downloads the official files: mirrors in turn, resumed, checked, never waiting for ever.

A file grows as `NAME.part` and takes its own name when its MD5 is right. The network is read in a
thread of its own that hands over chunks; whoever waits for a chunk waits STALL_LIMIT at most,
whatever hangs: name look-up, connection, or a server that sends a byte now and then.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mytorch.datasets.idx import DatasetError
from mytorch.datasets.storage import md5_of, say

CONTACT_LIMIT = 4.0  # seconds in which some mirror must accept a connection, or we are offline
STALL_LIMIT = 10.0  # seconds without an answer, or without CHUNK more bytes: the mirror is dropped
TRIES = 3  # rounds over the mirrors without PROGRESS bytes more, then the download has failed
BACKOFF = 0.3  # seconds before the second round; doubled before each later one
CHUNK = 1 << 14
PROGRESS = 1 << 16
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # HTTP answers that may be better next time


class Remote(NamedTuple):
    """A file to fetch: its name on every mirror and its MD5 (hex).

    `size` in bytes where it is known: else the answer's length is believed until the MD5 decides,
    up to `limit` bytes.
    """

    name: str
    md5: str
    size: int | None
    limit: int


class DownloadError(DatasetError):
    """The files are not there and no mirror gave them; says what was wrong with each."""


class _Cut(Exception):
    """The mirror failed, but may do better at the next try."""


class _Refused(Exception):
    """The mirror is of no use: no second try."""


def download(
    wanted: list[Remote],
    folder: Path,
    mirror: str | None,
    mirrors: Sequence[str],
    finish: Callable[[Path, str], object],
) -> None:
    """Fetch the `wanted` files into `folder`, which this process has locked.

    The user's own `mirror` is asked first and alone; the others only for what it does not give.
    A `.part` file left by an earlier download is continued.

    Args:
        wanted: the files.
        folder: where to; must exist.
        mirror: the URL of a folder that holds the files, or None.
        mirrors: URLs of such folders.
        finish: called with the whole, checked `.part` file and the file's name: puts it in place.
    Raises:
        DownloadError: if a file cannot be had; files fetched before stay.
        OSError: if the folder cannot be written to.
    """
    groups = [[mirror], list(mirrors)] if mirror else [list(mirrors)]
    left = list(wanted)
    faults: dict[str, str] = {}  # mirror -> what was wrong with it last
    for group in groups:
        if left and _any_reachable(group, CONTACT_LIMIT / len(groups), faults):
            left = [remote for remote in left if not _fetch(remote, group, folder, faults, finish)]
    if left:
        raise DownloadError("; ".join(f"{where} {fault}" for where, fault in faults.items()))


def _any_reachable(mirrors: list[str], limit: float, faults: dict[str, str]) -> bool:
    """Return whether some mirror (or the proxy before it) accepts a connection within `limit`."""
    answers: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def knock(url: str) -> None:
        try:
            socket.create_connection(_first_hop(url), timeout=limit).close()
            answers.put((url, ""))
        except (OSError, ValueError) as error:
            answers.put((url, f"cannot be reached ({_root(error)})"))

    for url in mirrors:
        threading.Thread(target=knock, args=(url,), daemon=True).start()
    silent = dict.fromkeys(mirrors, f"cannot be reached (no answer in {limit:.0f} seconds)")
    deadline = time.monotonic() + limit
    with contextlib.suppress(queue.Empty):
        while silent:
            url, fault = answers.get(timeout=max(0.0, deadline - time.monotonic()))
            if not fault:
                return True
            faults[url] = fault
            del silent[url]
    faults.update(silent)
    return False


def _first_hop(url: str) -> tuple[str, int]:
    """Return host and port that a request for `url` connects to: a proxy's, if one is set."""
    from requests.utils import get_environ_proxies, select_proxy

    proxy = select_proxy(url, get_environ_proxies(url))
    parts = urlsplit(proxy if proxy and "://" in proxy else f"http://{proxy}" if proxy else url)
    if parts.scheme not in ("http", "https", "socks5", "socks5h", "socks4") or not parts.hostname:
        raise ValueError("not a http:// or https:// address")
    return parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme, 1080)


def _fetch(
    remote: Remote,
    mirrors: list[str],
    folder: Path,
    faults: dict[str, str],
    finish: Callable[[Path, str], object],
) -> bool:
    """Try the mirrors in turn until one has given the file; drop from the list those of no use."""
    part = folder / f"{remote.name}.part"
    failures, best = 0, _size(part)
    while mirrors and failures < TRIES:
        for mirror in list(mirrors):
            try:
                _transfer(f"{mirror.rstrip('/')}/{remote.name}", remote, part)
                finish(part, remote.name)
                return True
            except (_Cut, _Refused) as error:
                faults[mirror] = str(error)
                say(f"{mirror} {error}")
                if isinstance(error, _Refused):
                    mirrors.remove(mirror)
        failures += 1
        if _size(part) >= best + PROGRESS:
            failures, best = 0, _size(part)
        if mirrors and failures < TRIES:
            time.sleep(BACKOFF * 2**failures)
    return False


def _transfer(url: str, remote: Remote, part: Path) -> None:
    """Bring `part` to its full length from `url`, going on where it ends, and check its MD5."""
    if _size(part) > remote.limit:
        part.unlink()
    start = _size(part)
    if _has_an_end_missing(part, remote):
        with contextlib.closing(_stream(url, start)) as stream:
            _receive(stream, remote, part, start)
    digest = md5_of(part)
    if digest != remote.md5:
        part.unlink()
        fault = f"gave wrong bytes for {remote.name} (MD5 {digest}, official {remote.md5})"
        raise _Cut(fault) if start else _Refused(fault)  # the beginning may have been another's


def _has_an_end_missing(part: Path, remote: Remote) -> bool:
    """Return whether a server is to be asked for more than `part` holds."""
    if remote.size is None:
        return _size(part) == 0 or md5_of(part) != remote.md5
    return _size(part) < remote.size


def _receive(stream: Iterator[Any], remote: Remote, part: Path, start: int) -> None:
    """Write the answer that `stream` brings to `part`; `start` bytes are there already."""
    from tqdm import tqdm

    status, headers = next(stream)
    start, total = _check_answer(status, headers, remote, part, start)
    settings: dict[str, Any] = {"unit": "B", "unit_scale": True, "mininterval": 0.5}
    with (
        open(part, "ab" if start else "wb") as file,
        tqdm(desc=remote.name, total=total, initial=start, **settings) as bar,
    ):
        for chunk in stream:
            start += len(chunk)
            if start > remote.limit:
                raise _Refused(f"sends more than the {remote.limit} bytes {remote.name} can have")
            file.write(chunk)
            bar.update(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    if total is not None and start < total:
        raise _Cut(f"ended {remote.name} after {start} of {total} bytes")


def _check_answer(
    status: int, headers: Any, remote: Remote, part: Path, start: int
) -> tuple[int, int | None]:
    """Return the offset at which the answer's bytes belong, and the file's length if it is told.

    Raises:
        _Cut, _Refused: if the answer is of no use.
    """
    if status == 416 and start:
        part.unlink()
        raise _Cut(f"cannot continue {remote.name} at byte {start}: starting anew")
    if status not in (200, 206):
        fault = f"answers HTTP {status} for {remote.name}"
        raise _Cut(fault) if status in _PASSING else _Refused(fault)
    if status == 206:
        place = headers.get("Content-Range", "")
        total = remote.size if remote.size is not None else _number(place.rpartition("/")[2])
        if total is None or place != f"bytes {start}-{total - 1}/{total}":
            raise _Refused(f"answers with another part of {remote.name} ({place or 'unnamed'})")
        return start, total
    length = headers.get("Content-Length")
    if remote.size is None:
        return 0, _number(length or "")
    if length is not None and length != str(remote.size):
        raise _Refused(f"has a {remote.name} of {length} bytes, the official one has {remote.size}")
    return 0, remote.size  # the whole file, asked for or not


def _number(digits: str) -> int | None:
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _stream(url: str, start: int) -> Generator[Any, None, None]:
    """Yield (status, headers), then the answer's bytes from byte `start` on, in chunks.

    Raises:
        _Cut: if the connection breaks; _Refused: if nothing comes for STALL_LIMIT seconds.
    """
    arrivals: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()

    def read() -> None:
        import requests

        # identity: the files are gzip as they are, and must arrive as they are.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        timeout = 2 * STALL_LIMIT  # nobody waits so long: it only ends a forgotten thread
        try:
            with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
                arrivals.put((response.status_code, response.headers))
                for chunk in response.raw.stream(CHUNK, decode_content=False):
                    if stop.is_set():
                        return
                    arrivals.put(chunk)
            arrivals.put(None)
        except Exception as error:  # whatever it is, it belongs to the thread that waits
            wrong_url = isinstance(error, ValueError) and isinstance(error, OSError)
            arrivals.put((_Refused if wrong_url else _Cut)(f"failed ({_root(error)})"))

    threading.Thread(target=read, daemon=True).start()
    try:
        while (item := arrivals.get(timeout=STALL_LIMIT)) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    except queue.Empty:
        raise _Refused(f"stalled: too little in {STALL_LIMIT:.0f} seconds") from None
    finally:
        stop.set()


def _root(error: BaseException) -> str:
    """Return the words of the error that began it; those around it repeat it at length."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
