"""The inputs of a submission's checks: the same on a regrade, unknown to who has no key."""

from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from autograder import seeds

KEY = b"k" * 32


def test_a_seed_is_the_hmac_of_assignment_and_submission_under_the_key() -> None:
    right = hmac.new(KEY, b"mytorch-grader\0hw1\0abc", hashlib.sha256).hexdigest()
    assert seeds.seed(KEY, "hw1", "abc") == int(right, 16)


def test_a_seed_depends_on_the_key_the_assignment_and_the_submission() -> None:
    one = seeds.seed(KEY, "hw1", "abc")
    assert one == seeds.seed(KEY, "hw1", "abc")
    others = [(b"l" * 32, "hw1", "abc"), (KEY, "hw2", "abc"), (KEY, "hw1", "abd")]
    assert len({one, *(seeds.seed(*other) for other in others)}) == 4


def test_a_digest_tells_every_change_of_name_content_or_border_apart() -> None:
    same = seeds.digest_of({"a": b"1", "b": b"2"})
    assert same == seeds.digest_of({"b": b"2", "a": b"1"})
    different = [{"a": b"1"}, {"a": b"1", "c": b"2"}, {"a": b"12", "b": b""}, {"ab": b"12"}, {}]
    assert len({same, *(seeds.digest_of(files) for files in different)}) == 6


def test_a_new_key_is_for_its_owner_alone_and_never_replaces_one(tmp_path: Path) -> None:
    key = seeds.make_key(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert seeds.read_key(tmp_path / "key") == key
    assert seeds.make_key(tmp_path / "other") != key
    with pytest.raises(FileExistsError):
        seeds.make_key(tmp_path / "key")


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [(b"short", 0o600, "holds 5 bytes"), (KEY, 0o644, "chmod 600"), (None, 0, "cannot be read")],
)
def test_a_key_file_that_keeps_no_secret_is_refused(tmp_path: Path, content, mode, told) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(seeds.KeyFileError, match=told):
        seeds.read_key(path)


def test_the_name_of_a_key_gives_nothing_of_it_away() -> None:
    assert seeds.key_name(KEY) != seeds.key_name(b"l" * 32)
    assert KEY.hex()[:8] not in seeds.key_name(KEY)
