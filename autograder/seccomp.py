"""System calls that a worker gives up: those that reach other processes, or a network.

Landlock guards files, TCP and signals. It does not keep a process from lowering the limits of
another one of its user, from moving it to another processor, or from sending datagrams; this
filter does. A call that it forbids fails with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct

from autograder import linux

PR_SET_SECCOMP, MODE_FILTER = 22, 2
# of classic BPF: load a word, jump if equal, jump if not less, return
LOAD, EQUAL, NOT_LESS, RETURN = 0x20, 0x15, 0x35, 0x06
X32 = 0x40000000  # numbers from here on name the same calls once more, on x86_64
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # where these stand in what the filter sees

# architecture, then the numbers of: socket, prlimit64, and what is forbidden whatever its arguments
CALLS = {
    "x86_64": (0xC000003E, 41, 302),
    "aarch64": (0xC00000B7, 198, 261),
}
FORBIDDEN = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "unshare": (272, 97),
    "pidfd_send_signal": (424, 424),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
}


def restrict() -> None:
    """Give these calls up, for this process and all its children.

    Raises:
        OSError: this system has no such filters, or its calls' numbers are not known here.
    """
    machine = os.uname().machine
    if machine not in CALLS:
        raise OSError(f"seccomp: the numbers of calls on {machine} are not known here")
    program = b"".join(struct.pack("=HBBI", *step) for step in steps(machine))
    code = ctypes.create_string_buffer(program, len(program))
    filter_ = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    linux.prctl(PR_SET_SECCOMP, MODE_FILTER, filter_)


def steps(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the filter: operation, jump if true, jump if false, operand."""
    architecture, socket_call, prlimit = CALLS[machine]
    column = list(CALLS).index(machine)
    refuse, allow = (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)
    argument = (LOAD, 0, 0, FIRST_ARGUMENT)
    found = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, architecture), refuse, (LOAD, 0, 0, NUMBER)]
    found += [(NOT_LESS, 0, 1, X32), refuse]
    for numbers in FORBIDDEN.values():
        found += [(EQUAL, 0, 1, numbers[column]), refuse]
    for call, allowed in ((socket_call, int(socket.AF_UNIX)), (prlimit, 0)):  # 0: itself
        found += [(EQUAL, 0, 4, call), argument, (EQUAL, 0, 1, allowed), allow, refuse]
    return [*found, allow]
