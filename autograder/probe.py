"""What a worker tries in order to show that its isolation holds: a submission of the grader's own.

Every attempt below is one that a hostile submission would make. It succeeds only where it is not
stopped. `controls.py` lays the baits and says which tiers must stop which attempts.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 2.0


def read_file(bait: dict[str, Any]) -> None:
    """Read a file that everybody may read."""
    Path(bait["secret"]).read_bytes()


def write_file(bait: dict[str, Any]) -> None:
    """Write into a folder that everybody may write to."""
    Path(bait["open_folder"], "written").write_text("here")


def read_memory(bait: dict[str, Any]) -> None:
    """Open the grader's memory."""
    with open(f"/proc/{bait['grader']}/mem", "rb"):
        pass


def list_descriptors(bait: dict[str, Any]) -> None:
    """Find the files that the grader has open."""
    os.listdir(f"/proc/{bait['grader']}/fd")


def copy_memory(bait: dict[str, Any]) -> None:
    """Copy from the grader's memory without opening it."""
    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(8)
    here = struct.pack("@PN", ctypes.addressof(room), 8)
    there = struct.pack("@PN", bait["address"], 8)
    one = ctypes.c_ulong(1)
    if libc.process_vm_readv(bait["grader"], here, one, there, one, ctypes.c_ulong(0)) != 8:
        raise OSError(ctypes.get_errno(), "process_vm_readv")


def signal_grader(bait: dict[str, Any]) -> None:
    """Send the grader a signal (the one that does nothing)."""
    os.kill(bait["grader"], 0)


def limit_grader(bait: dict[str, Any]) -> None:
    """Ask for the grader's limits, as who can ask can lower them."""
    import resource

    resource.prlimit(bait["grader"], resource.RLIMIT_NOFILE)


def slow_grader(bait: dict[str, Any]) -> None:
    """Give the grader the processors that it has (it could be given fewer)."""
    os.sched_setaffinity(bait["grader"], os.sched_getaffinity(bait["grader"]))


def see_processes(bait: dict[str, Any]) -> None:
    """Find the grader among the processes."""
    if str(bait["grader"]) not in os.listdir("/proc"):
        raise ProcessLookupError


def run_program(bait: dict[str, Any]) -> None:
    """Start a program that is no Python of ours."""
    subprocess.run([bait["program"]], check=True, timeout=SECONDS)


def connect(bait: dict[str, Any]) -> None:
    """Connect to a server by TCP."""
    socket.create_connection(("127.0.0.1", bait["tcp"]), SECONDS).close()


def connect_abstract(bait: dict[str, Any]) -> None:
    """Connect to a socket that has a name and no file."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect("\0" + bait["abstract"])


def send_datagram(bait: dict[str, Any]) -> None:
    """Send a datagram by UDP (the grader looks whether it comes)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"probe", ("127.0.0.1", bait["udp"]))


def outlive(bait: dict[str, Any]) -> None:
    """Leave a process in a session of its own (it holds the grader's pipe; the grader looks)."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(bait["nap"])
        os._exit(0)
    os.wait()


ATTEMPTS: tuple[Callable[[dict[str, Any]], None], ...] = (
    read_file,
    write_file,
    read_memory,
    list_descriptors,
    copy_memory,
    signal_grader,
    limit_grader,
    slow_grader,
    see_processes,
    run_program,
    connect,
    connect_abstract,
    send_datagram,
    outlive,
)


LINUX_ONLY = (copy_memory, connect_abstract, limit_grader, slow_grader)


def probe(library: Any, arrays: Any, options: dict[str, Any]) -> dict[str, bool]:
    """Try everything; tell what was not stopped."""
    done = {}
    for attempt in ATTEMPTS:
        done[attempt.__name__] = False
        if not sys.platform.startswith("linux") and attempt in LINUX_ONLY:
            continue
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            attempt(options)
            done[attempt.__name__] = True
    return done
