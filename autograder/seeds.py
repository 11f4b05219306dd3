"""Seeds that nobody can predict and a regrade repeats: HMAC(course key, assignment, submission)."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """A key file cannot be used; the text says why."""


def seed(key: bytes, assignment: str, digest: str) -> int:
    """Return the seed of a submission's inputs."""
    message = f"mytorch-grader\0{assignment}\0{digest}".encode()
    return int.from_bytes(hmac.digest(key, message, "sha256"), "big")


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of a submission: of its files' names and contents, however packed."""
    total = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def read_key(path: Path) -> bytes:
    """Return the course key in a file.

    Raises:
        KeyFileError: it is too short, or others may read it.
    """
    try:
        key = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"the key file cannot be read: {error}") from None
    if len(key.strip()) < KEY_BYTES:
        raise KeyFileError(
            f"{path} holds {len(key.strip())} bytes, and a key needs {KEY_BYTES}; make one with\n"
            f"  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n' > {path}; chmod 600 {path}"
        )
    if mode & 0o077:
        raise KeyFileError(f"others can read {path}, and could predict the inputs: chmod 600 it")
    return key.strip()


def make_key(path: Path) -> bytes:
    """Write a new course key into a new file that only its owner can read, and return it."""
    key = secrets.token_hex(KEY_BYTES).encode()
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(key)
    return key


def key_name(key: bytes) -> str:
    """Return what tells one key from another and gives none away."""
    return hashlib.sha256(b"mytorch-grader key\0" + key).hexdigest()[:16]
