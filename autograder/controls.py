"""The controls of a run: does the sandbox stop what it must, and does a right solution score full?

Without the first, a tier is a claim; without the second, a sandbox that breaks everything would
look like security. Both are asked by real workers, of the tier that grades, in the same run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder import isolation
from autograder.isolation import Isolation, IsolationError
from autograder.probe import ATTEMPTS
from autograder.supervisor import GraderError, Worker

NAP = 60  # seconds that a process that is left behind would stay
STOPPED_FROM = {attempt.__name__: 1 for attempt in ATTEMPTS}  # the first tier that stops it
TEXTS = {attempt.__name__: (attempt.__doc__ or "").rstrip(".").lower() for attempt in ATTEMPTS}


def broken_promises(isolated: Isolation) -> list[str]:
    """Let a worker try what its tier must stop; return what it did all the same.

    Raises:
        GraderError: no worker can be started in this isolation.
    """
    with baits() as (bait, arrived):
        worker = Worker(Path(bait["submission"]), isolated)
        try:
            answer = worker.ask("probe", {}, bait, 60.0)
        finally:
            worker.end()
        if answer.fault is not None:
            raise GraderError(f"the isolation could not be tried: {answer.fault.text}")
        done = {name for name, value in answer.values.items() if value is True}
        if not arrived():
            done.discard("send_datagram")
        if not worker.outlived:
            done.discard("outlive")
    return [TEXTS[n] for n in STOPPED_FROM if n in done and isolated.tier >= STOPPED_FROM[n]]


@contextlib.contextmanager
def baits() -> Iterator[tuple[dict[str, Any], Any]]:
    """Lay out what a worker is to try; yield that, and whether a datagram arrived."""
    name = f"mytorch-probe-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mytorch-probe-")))
        folder.chmod(0o777)
        (folder / "submission" / "mytorch").mkdir(parents=True)
        (folder / "secret").write_text("for nobody")
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        if sys.platform.startswith("linux"):
            abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
            abstract.bind("\0" + name)
            abstract.listen()

        def arrived() -> bool:
            udp.settimeout(0.1)
            with contextlib.suppress(OSError):
                return bool(udp.recv(16))
            return False

        yield (
            {
                "submission": str(folder / "submission"),
                "secret": str(folder / "secret"),
                "open_folder": str(folder),
                "grader": os.getpid(),
                "address": id(name),
                "program": shutil.which("true") or "true",
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": name,
                "nap": NAP,
            },
            arrived,
        )


def choose(wanted: int | None, least: int) -> tuple[Isolation, list[str]]:
    """Return the highest tier that this system gives and that holds, and what is told of the rest.

    Args:
        wanted: this tier and no other.
        least: the lowest tier to be content with.

    Raises:
        IsolationError: there is none; the text says what each lacks.
    """
    told = []
    for tier in [wanted] if wanted is not None else [3, 2, 1, 0]:
        try:
            isolated = isolation.make(tier)
            start = time.monotonic()
            broken = broken_promises(isolated)
            seconds = time.monotonic() - start
        except (IsolationError, GraderError) as error:
            told.append(f"T{tier} is not to be had here: {str(error).splitlines()[0]}")
            continue
        if broken:
            isolated.close()
            told.append(f"T{tier} does not hold here: a worker could {'; '.join(broken)}")
        elif tier < least:
            isolated.close()
            break
        else:
            stopped = sum(tier >= first for first in STOPPED_FROM.values())
            told.append(f"isolation: {isolation.NAMES[tier]}")
            told.append(
                f"tried in {seconds:.1f} s: {stopped} of {len(ATTEMPTS)} attempts to break "
                "out must fail here, and did"
            )
            return isolated, told
    raise IsolationError("\n".join([*told, f"no tier from T{least} on is to be had here"]))
