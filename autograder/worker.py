"""The process that runs a submission: ``python -I -B worker.py REQUESTS REPLIES SUBMISSION SITE``.

REQUESTS and REPLIES are file descriptors that carry frames (channel.py). The first frame brings
the grader's orders: what this process gives up (confine.py) before it imports the submission.
Then a request names a program (programs.py) and brings its input arrays; the reply brings what the
submission's code made of them, or how it failed. No expected value, tolerance or point, and no
seed, ever comes here.
SITE is the folder that holds the grader's NumPy, for a Python that finds it only in a user's site.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.append(sys.argv[4])
    sys.path.insert(0, str(HERE.parent))
    import autograder

    sys.path.pop(0)  # nothing else may come from there: it is often the submission itself

import numpy as np  # noqa: E402

from autograder import channel, confine, library, probe, programs  # noqa: E402
from autograder.finder import PACKAGES, SubmissionFinder  # noqa: E402

PROGRAMS = {**programs.PROGRAMS, "probe": probe.probe, "settle": lambda *_: {}}
MAX_FRAMES = 3
MAX_TEXT = 1000


def main() -> None:
    """Serve requests until their pipe closes."""
    requests, replies = (int(argument) for argument in sys.argv[1:3])
    submission = str(Path(sys.argv[3]).resolve())
    for descriptor in (requests, replies):
        os.set_inheritable(descriptor, False)
    with os.fdopen(requests, "rb") as incoming, os.fdopen(replies, "wb") as outgoing:
        orders = receive(incoming)
        if orders is None:
            return
        confine.confine(orders[0]["confine"])
        sys.path.insert(0, submission)
        sys.meta_path.insert(0, SubmissionFinder(submission, orders[0]["offered"]))
        autograder.__path__ = []  # what is right is nothing that a submission can import
        submitted = library.Library(submission)
        send(outgoing, {"hello": np.__version__}, {})
        while (request := receive(incoming)) is not None:
            message, arrays = request
            reply, results = run(submitted, message, arrays)
            flush()
            send(outgoing, {"id": message["id"], **reply}, results)


def run(
    submitted: library.Library, message: dict[str, Any], arrays: dict[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Run one program; return the reply's message and arrays, whatever the submission did."""
    try:
        program = PROGRAMS[message["program"]]
        values = program(submitted, arrays, message["options"])
        results = {name: v for name, v in values.items() if isinstance(v, np.ndarray)}
        plain = {name: v for name, v in values.items() if name not in results}
        return {"values": plain}, results
    except library.Complaint as complaint:
        return {"complaint": str(complaint)[:MAX_TEXT]}, {}
    except BaseException as error:  # SystemExit and the like are this check's failure too
        return {"raised": describe(error, submitted.submission)}, {}


def describe(error: BaseException, submission: str) -> dict[str, Any]:
    """Return class and text of an exception, and the submission's lines that led to it."""
    try:
        text = str(error)
    except BaseException:
        text = "(its text cannot be had)"
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        place = os.path.relpath(frame.filename, submission)
        if place.split(os.sep)[0] in PACKAGES:
            line = f"{place}:{frame.lineno} in {frame.name}: {frame.line}"[:200]
            frames += [line] if [line] != frames[-1:] else []
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(f"{os.path.relpath(error.filename, submission)}:{error.lineno}")
    return {
        "type": type(error).__name__[:80],
        "text": text[:MAX_TEXT],
        "frames": frames[-MAX_FRAMES:],
    }


def flush() -> None:
    """Bring what was printed to the grader before the reply is."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()


def send(outgoing: BinaryIO, message: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write one frame; a reply that is too large becomes a complaint."""
    try:
        frame = channel.pack(message, arrays)
    except channel.ChannelError as error:
        frame = channel.pack({"id": message.get("id"), "complaint": str(error)}, {})
    outgoing.write(frame)
    outgoing.flush()


def receive(incoming: BinaryIO) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """Read one frame; None when the grader has closed the pipe."""
    prefix = incoming.read(channel.PREFIX.size)
    if len(prefix) < channel.PREFIX.size:
        return None
    header, payload = channel.frame_sizes(prefix)
    return channel.unpack(incoming.read(header), incoming.read(payload))


if __name__ == "__main__":
    main()
