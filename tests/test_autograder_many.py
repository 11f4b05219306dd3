"""Grading many: records that all reports agree with, resumable runs, controls, repeatable seeds."""

from __future__ import annotations

import ast
import csv
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import FUNCTIONAL, SIMPLE_SOLUTION, SUB_FORWARD, mutant  # noqa: E402
from test_autograder_mnist import PROGRAM, RETURN, write_digits  # noqa: E402

from autograder import archive, many, records  # noqa: E402
from autograder.records import Record  # noqa: E402
from autograder.single import Job  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
WRONG = "return tensor.Tensor(a.data + b.data)"
EVIL_NAME = "=1+1<img src=x onerror=alert(1)>|`_*&"
EVIL_TEXT = "</pre><script>alert(1)</script> ``` | =cmd() \\x1b[2J"
KEY = "0123456789abcdef" * 4


def pack(folder: Path, name: str, solution: Path) -> Path:
    """Write a solution's archive."""
    path = folder / f"{name}.tar"
    with tarfile.open(path, "w") as tar:
        for part in ("mytorch", "hw1"):
            tar.add(solution / part, part, filter=lambda m: None if "__pyc" in m.name else m)
    return path


def command(submissions: Path, out: Path, *more: object, optimised: bool = False) -> list[str]:
    """Return the command line of a run."""
    python = [sys.executable, *(["-O"] if optimised else []), "-B", "-m", "autograder", "grade"]
    return [*python, *map(str, (submissions, "--out", out, "--min-tier", "0", *more))]


def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run `grade`; return what came."""
    return subprocess.run(
        command(*arguments, **options), capture_output=True, text=True, timeout=300, cwd=ROOT
    )


def read_all(out: Path) -> dict[str, Record]:
    """Return the records of a run by name."""
    found = [records.load(path) for path in sorted((out / "records").iterdir())]
    return {record.name: record for record in found if record is not None}


def verdicts(out: Path) -> dict[str, list[tuple]]:
    """Return what a run's records say, without what may differ between two runs."""
    return {
        name: [(c.name, c.passed, c.lines) for p in record.problems for c in p.checks]
        for name, record in read_all(out).items()
    }


@dataclass
class Graded:
    """A run of a small class."""

    submissions: Path
    out: Path
    key: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def graded(tmp_path_factory) -> Graded:
    """A class of a right, a wrong, a hostile, a damaged and a copied submission."""
    folder = tmp_path_factory.mktemp("class")
    submissions = folder / "submissions"
    submissions.mkdir()
    pack(submissions, "right", SIMPLE_SOLUTION)
    wrong = mutant("", FUNCTIONAL, SUB_FORWARD, WRONG, set()).make(folder / "wrong")
    pack(submissions, "wrong", wrong)
    evil = f"print({EVIL_TEXT!r}); raise ValueError({EVIL_TEXT!r})"
    hostile = mutant("", FUNCTIONAL, SUB_FORWARD, evil, set()).make(folder / "evil")
    pack(submissions, EVIL_NAME, hostile)
    shutil.copytree(SIMPLE_SOLUTION, submissions / "a folder")
    (submissions / "damaged.tar").write_bytes((submissions / "right.tar").read_bytes()[:6000])
    (submissions / "notes.txt").write_text("not a submission")
    key = folder / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    out = folder / "report"
    return Graded(submissions, out, key, run(submissions, out, "--key-file", key, "--jobs", "2"))


def test_a_run_grades_every_submission_and_tells_its_isolation_and_controls(graded):
    assert graded.done.returncode == 0, graded.done.stderr
    said = graded.done.stdout
    assert re.search(r"isolation: T[0-3] ", said)
    assert said.count("control: the reference solution scores 90 of 90") == 2
    assert "not a submission: notes.txt" in said
    assert "5 graded, 0 ungraded" in said
    totals = {name: record.total for name, record in read_all(graded.out).items()}
    assert totals["right"] == totals["a folder"] == 90
    assert 60 < totals["wrong"] < 90
    assert 60 < totals[EVIL_NAME] < 90
    assert totals["damaged"] == 0


def test_all_reports_agree_with_the_records(graded):
    found = read_all(graded.out)
    rows = {r["submission"]: r for r in csv.DictReader(io.StringIO(scores_csv(graded)))}
    for name, record in found.items():
        safe = records.file_name(name)
        row = rows["'" + name if name.startswith("=") else name]
        assert float(row["total"]) == record.total
        autolab = json.loads((graded.out / "autolab" / f"{safe}.json").read_text())
        assert sum(autolab["scores"].values()) == pytest.approx(record.total)
        text = (graded.out / "gradescope" / safe / "results.json").read_text()
        gradescope = json.loads(text)
        assert gradescope["score"] == record.total
        assert sum(test["score"] for test in gradescope["tests"]) == pytest.approx(record.total)
        for problem in record.problems:
            assert float(row[problem.name]) == autolab["scores"][problem.name] == problem.earned
        for suffix in ("md", "html"):
            page = (graded.out / "students" / f"{safe}.{suffix}").read_text()
            assert f"{record.total:g} of {record.most:g} points" in page.replace("\\", "")
        link = html.escape(quote(f"students/{safe}.html"))
        assert f'href="{link}"' in (graded.out / "index.html").read_text()


def scores_csv(graded: Graded) -> str:
    """Return the table of scores."""
    return (graded.out / "scores.csv").read_text()


def test_no_text_of_a_submission_has_a_meaning_in_a_report(graded):
    pages = [*graded.out.rglob("*.html")]
    assert len(pages) == 6
    for page in pages:
        text = page.read_text()
        assert "<script" not in text and "<img" not in text and "\x1b" not in text
        assert "default-src 'none'" in text
    evil = (graded.out / "students" / f"{records.file_name(EVIL_NAME)}.html").read_text()
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in evil
    for cell in (
        next(csv.reader(io.StringIO(scores_csv(graded)))),
        *csv.reader(io.StringIO(scores_csv(graded))),
    ):
        assert not any(text.startswith(("=", "+", "-", "@")) for text in cell)
    for page in graded.out.rglob("*.md"):
        for line in page.read_text().splitlines():
            if not line.startswith("    "):  # elsewhere it is code, which nothing ends
                assert not re.search(r"(?<!\\)(<(?!students)|`)", line), line


def test_a_student_is_told_what_differs_where_and_why_but_only_the_category_of_hidden_checks(
    graded,
):
    page = (graded.out / "students" / "wrong.html").read_text()
    assert "where: Sub.forward, mytorch/nn/functional.py" in page
    assert re.search(r"output\[\d, \d\]: expected -?\d+\.\d+, got -?\d+\.\d+", page)
    assert "This is what comes out when forward computes a + b" in page
    assert "Hidden checks failed: arrays of other shapes (-0.5)" in page
    assert "three axes" not in page
    overview = (graded.out / "index.html").read_text()
    assert re.search(r"<td>(forward computes a \+ b|it raises ValueError) \(1\)</td>", overview)
    damaged = (graded.out / "students" / "damaged.md").read_text()
    assert "the archive cannot be used" in damaged and "damaged or cut off" in damaged


def test_a_regrade_draws_the_same_inputs_and_another_key_others(graded, tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    shutil.copy(graded.submissions / "wrong.tar", one)
    outs = [tmp_path / name for name in ("again", "optimised", "other")]
    more = ("--only", "1.1")
    key = ("--key-file", graded.key)
    assert run(one, outs[0], *key, *more).returncode == 0
    assert run(one, outs[1], *key, *more, optimised=True).returncode == 0
    assert run(one, outs[2], *more).returncode == 0
    first = [v for v in verdicts(graded.out)["wrong"]][: len(verdicts(outs[0])["wrong"])]
    assert verdicts(outs[0])["wrong"] == first
    assert verdicts(outs[1])["wrong"] == first, "python -O judges alike"
    assert verdicts(outs[2])["wrong"] != first
    made = outs[2] / "course.key"
    assert len(made.read_text()) == 64 and made.stat().st_mode & 0o077 == 0


def test_a_killed_run_goes_on_where_it_was_and_leaves_no_process(tmp_path):
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    submissions.mkdir()
    pack(submissions, "a", SIMPLE_SOLUTION)
    hang = "import time; time.sleep(600)"
    pack(submissions, "b", mutant("", FUNCTIONAL, SUB_FORWARD, hang, set()).make(tmp_path / "m"))
    pack(submissions, "c", SIMPLE_SOLUTION)
    more = ("--only", "1.1", "--jobs", "1", "--timeout", "2")
    with subprocess.Popen(
        command(submissions, out, *more), cwd=ROOT, stdout=subprocess.DEVNULL
    ) as process:
        wait_for(lambda: (out / "records" / "a.json").exists())
        time.sleep(0.7)  # now the second one is at work
        mine = descendants(process.pid)
        assert mine
        process.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(map(running, mine)))
    kept = written(out)
    assert "a" in kept and "c" not in kept
    refused = run(submissions, out, *more)
    assert refused.returncode == 1 and "go on with --resume" in refused.stderr
    done = run(submissions, out, *more, "--resume")
    assert done.returncode == 0, done.stderr
    assert f"{len(kept)} of 3 submissions are graded already" in done.stdout
    assert written(out).items() >= kept.items()
    assert {name: r.total for name, r in read_all(out).items()} == {"a": 15, "b": 10, "c": 15}
    other = run(submissions, out, "--only", "2.1", "--jobs", "1", "--timeout", "2", "--resume")
    assert other.returncode == 1 and "begun with another only" in other.stderr


@pytest.mark.parametrize("told", ["only the run", "the whole terminal"])
def test_a_run_that_is_stopped_leaves_no_folders_and_shares_its_report_with_no_other(
    tmp_path, told
):
    submissions, out, temporary = (tmp_path / name for name in ("submissions", "out", "temporary"))
    submissions.mkdir()
    temporary.mkdir()
    tmp_path.chmod(0o755)
    hang = "import time; time.sleep(600)"
    pack(submissions, "a", mutant("", FUNCTIONAL, SUB_FORWARD, hang, set()).make(tmp_path / "m"))
    more = ("--only", "1.1", "--jobs", "2", "--timeout", "20")
    with subprocess.Popen(
        command(submissions, out, *more),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    ) as process:
        while "control: " not in process.stdout.readline():
            assert running(process.pid)
        wait_for(lambda: list(temporary.glob("mytorch-submission-*/submission")))
        time.sleep(1)  # now the submission is at work
        mine = descendants(process.pid)
        other = run(submissions, out, *more)
        assert other.returncode == 1 and f"another run is writing to {out}" in other.stderr
        if told == "only the run":
            process.send_signal(signal.SIGTERM)
        else:
            os.killpg(process.pid, signal.SIGINT)
        assert "Grading was interrupted: no score." in process.stdout.read()
    assert process.returncode == 130
    wait_for(lambda: not any(map(running, mine)))
    assert [path.name for path in temporary.iterdir()] == []


def written(out: Path) -> dict[str, int]:
    """Return when each record was written."""
    return {path.stem: path.stat().st_mtime_ns for path in (out / "records").glob("*.json")}


def wait_for(happens, seconds: float = 60.0) -> None:
    """Wait until something happens."""
    deadline = time.monotonic() + seconds
    while not happens() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert happens()


def running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """Return the processes below a process."""
    children = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and running(int(entry.name)):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                children.append(int(entry.name))
    return [each for child in children for each in (child, *descendants(child))]


def test_a_reference_that_does_not_score_full_stops_the_run(tmp_path, graded):
    bad = mutant("", FUNCTIONAL, SUB_FORWARD, WRONG, set()).make(tmp_path / "reference")
    done = run(graded.submissions, tmp_path / "out", "--reference", bad, "--only", "1.1")
    assert done.returncode == 1
    assert "the reference solution scores 13 of 15 here" in done.stderr
    assert not (tmp_path / "out" / "records").exists()


def test_less_isolation_than_is_asked_for_is_refused(tmp_path, graded):
    wanted = ("--tier", "T1") if os.geteuid() == 0 else ("--tier", "T2")
    done = run(graded.submissions, tmp_path / "out", *wanted)
    assert done.returncode == 1
    assert f"{wanted[1]} is not to be had here" in done.stderr
    assert not (tmp_path / "out" / "records").exists()


def test_a_folder_without_submissions_or_with_the_report_in_it_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty", tmp_path / "out")
    assert done.returncode == 1 and "there is no archive" in done.stderr
    done = run(tmp_path, tmp_path / "out")
    assert done.returncode == 1 and "must not lie in the folder of submissions" in done.stderr


def test_a_fault_of_the_graders_side_is_ungraded_and_never_nought(tmp_path, monkeypatch):
    monkeypatch.setattr(many, "SINGLE", tmp_path / "broken.py")
    (tmp_path / "broken.py").write_text("raise SystemExit('the disk is full')")
    path = tmp_path / "records" / "a.json"
    job = Job("a", "a.tar", str(path), KEY, 0, 1.0)
    many.run([job], 1, show=False)
    record = records.load(path)
    assert record.status == records.UNGRADED
    assert "ended with status 1: the disk is full" in record.reason
    options = many.Options(tmp_path, tmp_path, tmp_path, 1)
    assert many.finish(options, [path]) == 3
    assert not record.is_full
    assert "ungraded" in (tmp_path / "scores.csv").read_text()
    assert json.loads((tmp_path / "autolab" / "a.json").read_text())["scores"] == {}
    assert "not graded yet, by a fault on our side" in (tmp_path / "students" / "a.md").read_text()


def test_a_record_that_was_cut_or_is_another_formats_is_no_record(tmp_path):
    path = tmp_path / "r.json"
    records.save(Record("a", records.GRADED), path)
    assert records.load(path) == Record("a", records.GRADED)
    path.write_text(path.read_text()[:-20])
    assert records.load(path) is None
    path.write_text(json.dumps({"format": 99}))
    assert records.load(path) is None
    assert records.load(tmp_path / "nowhere") is None


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a\nb", "x" * 300, "ü", "con", "a.b"])
def test_names_of_files_are_safe_and_never_the_same(name):
    safe = records.file_name(name)
    assert re.fullmatch(r"[\w@+%.~-]{1,150}", safe, re.ASCII) and not safe.startswith(".")
    assert safe != records.file_name(name + "x")


def test_mnist_is_scored_from_predictions_and_not_from_claims(tmp_path):
    submissions, out = tmp_path / "submissions", tmp_path / "out"
    submissions.mkdir()
    digits = write_digits(tmp_path / "digits")
    pack(submissions, "right", SIMPLE_SOLUTION)
    claims = "    validate(model, val_x, val_y)\n    return [1.0]"
    pack(submissions, "claims", mutant("", PROGRAM, RETURN, claims, set()).make(tmp_path / "m"))
    more = ("--only", "2.5", "--digits", digits, "--reference", SIMPLE_SOLUTION)
    done = run(submissions, out, *more, "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert {name: r.total for name, r in read_all(out).items()} == {"right": 10, "claims": 0}
    page = (out / "students" / "claims.md").read_text()
    assert "generated digits (offline): measured on the test images" in page


def sources() -> dict[str, ast.Module]:
    """Return the syntax trees of the grader; the handout's solution is no part of it."""
    paths = {
        path.relative_to(ROOT).as_posix(): path for path in (ROOT / "autograder").rglob("*.py")
    }
    return {
        name: ast.parse(path.read_text())
        for name, path in paths.items()
        if not name.startswith("autograder/handout/solution/")
    }


def test_the_grader_has_no_assert_and_imports_nothing_of_the_library():
    for name, tree in sources().items():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), f"{name}:{node.lineno}"
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            roots = {each.split(".")[0] for each in names}
            assert not roots & {"mytorch", "hw1", "pickle", "shelve", "marshal"}, name
            assert roots <= {*sys.stdlib_module_names, "autograder", "numpy", "tqdm", "matplotlib"}


def test_reports_are_written_anew_by_the_command(graded, tmp_path):
    out = tmp_path / "report"
    shutil.copytree(graded.out, out)
    for path in (out / "index.html", out / "scores.csv"):
        path.unlink()
    again = [sys.executable, "-B", "-m", "autograder", "report", str(out)]
    done = subprocess.run(again, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for name in ("index.html", "scores.csv"):
        assert (out / name).read_bytes() == (graded.out / name).read_bytes()
    again[-1] = str(tmp_path)
    done = subprocess.run(again, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 1 and "it has no records" in done.stderr + done.stdout


def test_whatever_begins_as_an_archive_is_a_submission_and_two_of_one_name_are_told(
    tmp_path, capsys
):
    folder = tmp_path / "submissions"
    folder.mkdir()
    pack(folder, "fred", SIMPLE_SOLUTION).rename(folder / "fred")
    pack(folder, "alice", SIMPLE_SOLUTION)
    for name in ("alice.tar.gz", "bob.tar.xz", "carl.7z", "dora.rar"):
        (folder / name).write_bytes(b"")
    (folder / "notes.txt").write_text("no submission")
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.tar")
    options = many.Options(folder, tmp_path / "out", ROOT, 1)
    found = many.submissions(options)
    assert sorted(found) == ["alice", "alice.tar.gz", "bob", "carl", "dora", "fred", "pipe"]
    told = capsys.readouterr().out
    assert "not a submission: notes.txt" in told and "not a submission: pipe\n" in told
    assert "two submissions of one name: 'alice.tar' and 'alice.tar.gz'" in told
    with pytest.raises(archive.ArchiveError, match="neither a file nor a folder"):
        archive.read(found["pipe"])
    assert many.source_of(found["pipe"]) and many.source_of(tmp_path / "missing.tar")


UNREADABLE = """
import sys
from pathlib import Path
from autograder import archive, many
print(repr(many.source_of(Path(sys.argv[1]) / "closed.tar")))
archive.read(Path(sys.argv[1]) / "folder")
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
def test_what_this_machine_cannot_read_is_an_error_and_no_missing_code(tmp_path):
    closed = tmp_path / "folder" / "mytorch" / "nn"
    closed.mkdir(parents=True)
    (tmp_path / "closed.tar").write_bytes(b"x")
    for path in (closed, tmp_path / "closed.tar"):
        path.chmod(0)
    weak = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    command = [*(weak if os.getuid() == 0 else []), sys.executable, "-B", "-c", UNREADABLE]
    try:
        done = subprocess.run(
            [*command, str(tmp_path)], capture_output=True, text=True, timeout=60, cwd=ROOT
        )
    finally:
        closed.chmod(0o700)
    assert done.stdout == "''\n" and "PermissionError" in done.stderr.splitlines()[-1]


def test_who_ran_out_of_time_beside_others_is_graded_once_more_alone(tmp_path, monkeypatch):
    started = []

    def run(jobs, at_once, show=True):
        started.append(([job.name for job in jobs], at_once))
        for job in jobs:
            is_late = job.name == "late" and at_once > 1
            check = records.CheckRecord(
                "a", 1.0, not is_late, float(not is_late), cause=records.LATE if is_late else ""
            )
            problem = records.ProblemRecord("1.1", "A", 1.0, (check,))
            records.save(Record(job.name, records.GRADED, problems=(problem,)), Path(job.record))

    monkeypatch.setattr(many, "run", run)
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name in ("late", "other"):
        pack(folder, name, SIMPLE_SOLUTION)
    options = many.Options(folder, tmp_path / "out", ROOT, 2, min_tier=0, tier=0)
    assert many.grade(options) == 0
    alone, reference = (["late"], 1), ([many.CONTROL], 1)
    assert started == [reference, (["late", "other"], 2), alone, reference]
    assert read_all(tmp_path / "out")["late"].total == 1


def test_problems_that_there_are_not_are_refused_before_anything_is_graded(tmp_path):
    for only, told in ((("1.1", "1.5"), "there is no problem 1.5"), (("2.5",), "needs --digits")):
        options = many.Options(tmp_path, tmp_path / "out", ROOT, 1, only=only)
        with pytest.raises(many.GraderError, match=told):
            many.grade(options)
    assert not (tmp_path / "out").exists()
