"""Hostile submissions, graded by the real command at every tier that this machine offers.

None scores more than the wrong solution that it is built on; honest neighbours keep their scores;
the reference scores full in the same run.
"""

from __future__ import annotations

import fcntl
import io
import os
import pickle
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_attacks")))
import attacks  # noqa: E402
import house  # noqa: E402
from attacks import ATTACKS, BASELINE, Attack  # noqa: E402
from mutants import FUSED_SOLUTION, SIMPLE_SOLUTION, complete  # noqa: E402
from test_autograder_archive import LEFT_OUT, member  # noqa: E402

from autograder import records  # noqa: E402
from autograder.records import Record  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
TIERS = {0: False, 1: False, 2: True, 3: True}  # the tier, and whether it needs root
HONEST = {"honest-simple": SIMPLE_SOLUTION, "honest-fused": FUSED_SOLUTION}
TRICKS = ("tricks", "cut", "zip")
LIMIT = 900


@dataclass
class Run:
    """What came of a run of the command."""

    tier: int
    status: int
    output: str
    records: dict[str, Record]


def tried(attack: Attack, tier: int) -> bool:
    """Whether an attack is tried at a tier: at T0 nothing stops a process of the same user."""
    return not (attack.kills and tier == 0)


def grade(folder: Path, tier: int, *tried_attacks: Attack, archives: bool = False) -> Run:
    """Grade attacks (and archives that are attacks) beside honest solutions, in a house."""
    folder.chmod(0o755)
    submissions, work = folder / "submissions", folder / "work"
    for place in (submissions, work):
        place.mkdir()
    for attack in (BASELINE, *tried_attacks):
        attack.pack(submissions)
    for name, style in HONEST.items():
        solution = complete(style, folder / name)
        subprocess.run(["tar", "cf", submissions / f"{name}.tar", "-C", solution, "."], check=True)
    if archives:
        tricks(submissions)
    work.chmod(0o777)
    command = [
        sys.executable,
        "-B",
        "-m",
        "autograder",
        "grade",
        submissions,
        "--out",
        work / "out",
    ]
    command += ["--tier", str(tier), "--min-tier", "0", "--jobs", "2"]
    command += ["--only", "1.1", "--timeout", "1"]
    inner = ["env", f"PYTHONPATH={ROOT}", *command]
    done = subprocess.run(
        house.command(inner, TIERS[tier], folder), capture_output=True, text=True, timeout=LIMIT
    )
    found = map(records.load, sorted((work / "out" / "records").glob("*.json")))
    by_name = {record.name: record for record in found if record is not None}
    return Run(tier, done.returncode, done.stdout + done.stderr, by_name)


@pytest.fixture(scope="module", params=TIERS, ids=lambda tier: f"T{tier}")
def run(request, tmp_path_factory) -> Run:
    """All attacks at one tier; of several processes that test, the first makes it for all."""
    if reason := house.why_not(TIERS[request.param]):
        pytest.skip(reason)
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    kept = shared / f"attacks-T{request.param}.pickle"
    with open(kept.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = all_attacks(tmp_path_factory.mktemp(f"tier{request.param}"), request.param)
            kept.write_bytes(pickle.dumps(made))
    result = pickle.loads(kept.read_bytes())
    if f"T{request.param} is not to be had here" in result.output:
        pytest.skip(result.output.strip().splitlines()[0])
    return result


def all_attacks(folder: Path, tier: int) -> Run:
    """Grade all attacks that are tried at a tier."""
    for parent in (folder, *folder.parents):
        if parent.owner() == folder.owner() and "pytest" in parent.name:
            parent.chmod(0o755)
    return grade(folder, tier, *[each for each in ATTACKS if tried(each, tier)], archives=True)


def tricks(folder: Path) -> None:
    """Write archives that hold every trick of the archive's tests, or are no tar."""
    members = [member(name, content) for name, content in BASELINE.contents().items()]
    good, *rest = members
    with tarfile.open(folder / "tricks.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        for info, content in (good, *rest, *(extra for extra, _ in LEFT_OUT)):
            tar.addfile(info, io.BytesIO(content))
    whole = (folder / "tricks.tar").read_bytes()
    (folder / "cut.tar").write_bytes(whole[:-20000])
    (folder / "zip.tar").write_bytes(b"PK\x03\x04" + whole)


def record_of(run: Run, attack: Attack) -> Record:
    """Return an attack's record."""
    return run.records[attack.name.replace(" ", "-")]


def test_the_run_works_and_the_reference_scores_full_first_and_last(run: Run) -> None:
    assert run.status == 0, run.output
    assert run.output.count("control: the reference solution scores 15 of 15") == 2
    assert f"isolation: T{run.tier}" in run.output


def test_honest_neighbours_keep_their_scores(run: Run) -> None:
    assert {name: run.records[name].total for name in HONEST} == dict.fromkeys(HONEST, 15)


def test_the_wrong_solution_earns_what_is_right_in_it(run: Run) -> None:
    assert 10 < record_of(run, BASELINE).total < 15


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))
def test_an_attack_earns_no_more_than_the_wrong_solution_it_hides(run: Run, attack: Attack) -> None:
    if not tried(attack, run.tier):
        pytest.skip("at T0 it could end the run: that tier is advisory")
    record = record_of(run, attack)
    assert record.status == records.GRADED, record.reason
    honest = {p.name: p.earned for p in record_of(run, BASELINE).problems}
    more = [p.name for p in record.problems if p.earned > honest[p.name]]
    if attack.steals and run.tier == 0:
        return  # T0 is advisory: files of the same user are open, and the guide says so
    assert not more, f"{more}: {record.total} points"


def test_an_attack_changes_no_others_record(run: Run) -> None:
    for name, record in run.records.items():
        assert record.name == name and record.tier == run.tier
        assert len(record.problems) == 4
    assert len(run.records) == 3 + len(TRICKS) + sum(tried(attack, run.tier) for attack in ATTACKS)


def test_tricks_with_archives_earn_nothing_and_leave_nothing(run: Run) -> None:
    told = run.records["tricks"]
    assert told.total == record_of(run, BASELINE).total
    assert len([line for line in told.notes if line.startswith("left out: ")]) == len(LEFT_OUT)
    assert run.records["cut"].total == run.records["zip"].total == 0
    assert "zip archive, not tar" in run.records["zip"].notes[0]
    assert not list(Path("/etc/cron.d").glob("evil*"))


def test_a_killed_grader_gives_no_score_and_the_others_theirs(tmp_path_factory) -> None:
    if reason := house.why_not(False):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("killed")
    folder.parent.chmod(0o755)
    killer = next(a for a in ATTACKS if a.name == "the grader is killed")
    result = grade(folder, 0, killer)
    assert result.status == 3, result.output
    record = record_of(result, killer)
    assert record.status == records.UNGRADED
    assert "ended with status -9" in record.reason
    assert f"UNGRADED: {record.name}" in result.output
    assert {name: result.records[name].total for name in HONEST} == dict.fromkeys(HONEST, 15)


def test_a_run_whose_every_process_is_killed_gives_no_score_at_all(tmp_path_factory) -> None:
    if reason := house.why_not(False):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("all-killed")
    folder.parent.chmod(0o755)
    killer = next(a for a in ATTACKS if a.name == "all processes are killed")
    result = grade(folder, 0, killer)
    assert result.status != 0
    assert killer.name.replace(" ", "-") not in result.records
    assert not (folder / "work" / "out" / "scores.csv").exists()


def test_what_an_attack_prints_cannot_be_taken_for_the_graders_word(run: Run) -> None:
    assert attacks.FORGED not in run.output
    assert "\x1b" not in run.output.replace("\x1b[A", "")


def test_nothing_is_left_in_temp_folders(run: Run) -> None:
    assert os.path.exists("/tmp") and not os.path.exists("/tmp/pickled")
