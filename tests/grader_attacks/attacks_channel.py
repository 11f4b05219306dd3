"""Attacks on the channel: replies that are early, double, huge, cut or no replies."""

from __future__ import annotations

from attack import Attack

from autograder import channel

FRAME = channel.pack({"id": "0" * 32, "values": {}}, {})
WRITE = "import os, sys, time; replies = int(sys.argv[2])\n"
REPLIES = [
    Attack(
        "a pickle for an answer",
        forward="""
            class Pickle:
                def __reduce__(self):
                    import os
                    return os.system, ("touch /tmp/pickled",)
            return tensor.Tensor(np.array([Pickle()], dtype=object))
        """,
    ),
    Attack("a huge answer", forward="return tensor.Tensor(np.zeros(50_000_000))"),
    Attack(
        "a nested reply",
        forward=WRITE
        + """
header = b'{"message": ' + b"[" * 60000
os.write(replies, b"MTG1" + len(header).to_bytes(4, "big") + bytes(4) + header)
""",
    ),
    Attack("a truncated reply", forward=WRITE + f"os.write(replies, {FRAME[:20]!r}); os._exit(0)"),
    Attack(
        "a reply in drops",
        forward=WRITE
        + f"""
for byte in {FRAME!r}:
    os.write(replies, bytes([byte])); time.sleep(0.1)
""",
    ),
    Attack("an early reply", WRITE + f"os.write(replies, {FRAME!r})\n"),
    Attack(
        "two replies",
        forward=WRITE
        + f"""
import threading
threading.Timer(0.01, lambda: os.write(replies, {FRAME!r})).start()
""",
    ),
    Attack(
        "a reply too large to be one", forward=WRITE + "os.write(replies, b'MTG1' + b'\\xff' * 8)"
    ),
    Attack("a closed channel", forward=WRITE + "os.close(replies); time.sleep(60)"),
]
