"""The command line of the local grader: what it prints, where it works, what it survives."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).with_name("grader_mutants")))
from mutants import ENGINE, FUNCTIONAL, SIMPLE_SOLUTION, SUB_FORWARD, TENSOR, mutant  # noqa: E402

from autograder import checks, grading, library  # noqa: E402
from autograder.hw1_autograder import runner  # noqa: E402
from autograder.hw1_autograder.hidden_checks import hidden_checks  # noqa: E402
from autograder.report import Screen, harmless, printable, quoted  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
RUNNER = ROOT / "autograder" / "hw1_autograder" / "runner.py"
WRONG = "return tensor.Tensor(a.data + b.data)"


def run(
    *arguments: object, python: tuple[str, ...] = (), **more: object
) -> subprocess.CompletedProcess:
    """Run the grader by its path and return what came."""
    command = [sys.executable, str(RUNNER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, **more)


def scores(output: str) -> dict[str, float]:
    """Return the scores from the last line of the output."""
    return json.loads(output.splitlines()[-1])["scores"]


def changed(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """Return a copy of the simple solution with one place changed."""
    return mutant("", file, old, new, set()).make(tmp_path / "submission")


@pytest.fixture(scope="module")
def simple() -> subprocess.CompletedProcess:
    """The grading of the simple solution."""
    return run("--submission", SIMPLE_SOLUTION, "--seed", 5)


def test_the_simple_solution_scores_90_of_100(simple):
    assert simple.returncode == 0, simple.stderr
    assert simple.stderr == ""
    assert "Total score: 90/100" in simple.stdout
    assert sum(scores(simple.stdout).values()) == 90


def test_the_project_itself_scores_90_of_100_without_advice():
    done = run(cwd="/")
    assert done.returncode == 0, done.stderr
    assert sum(scores(done.stdout).values()) == 90
    assert done.stdout.count("PASSED") == len(runner.PROBLEMS)
    assert "no points" not in done.stdout


def test_every_problem_has_its_line_and_the_summary_and_scoreline_come_last(simple):
    lines = simple.stdout.splitlines()
    assert "Homework 1" in lines[1]
    for problem in runner.PROBLEMS:
        pattern = (
            rf"{problem.number} {problem.name} \.+ +{problem.points:g}/{problem.points:g}  PASSED"
        )
        assert re.search(pattern, simple.stdout), problem.name
    assert lines.index("Summary:") > lines.index("Total score: 90/100")
    assert lines[-1].startswith('{"scores": {"Addition": 0, "Subtraction": 5, ')


def test_a_pipe_gets_no_colour(simple):
    assert "\x1b" not in simple.stdout


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colour_unless_it_is_refused(variables, coloured, monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    Screen().title("Title")
    assert ("\x1b[1m" in capsys.readouterr().out) == coloured


def wrong_lines(submission: Path, seed: int) -> list[tuple[str, ...]]:
    """Return what is said of the subtraction of a submission."""
    problems = [p for p in runner.PROBLEMS if p.name == "Subtraction"]
    settings = runner.Settings(submission, seed)
    results = runner.Grading(settings).run(problems, runner.CHECKS)
    return [v.lines for _, verdicts in results for v in verdicts]


def test_a_seed_repeats_the_inputs_and_another_draws_others(tmp_path, simple):
    wrong = changed(tmp_path, FUNCTIONAL, SUB_FORWARD, WRONG)
    assert wrong_lines(wrong, 1) == wrong_lines(wrong, 1) != wrong_lines(wrong, 2)
    assert "--seed 5" in simple.stdout


def test_it_works_from_a_path_with_spaces_summarises_and_needs_no_assert(tmp_path):
    place = tmp_path / "my course"
    shutil.copytree(ROOT / "autograder", place / "autograder")
    wrong = changed(tmp_path, FUNCTIONAL, SUB_FORWARD, WRONG)
    shutil.copytree(wrong / "mytorch", place / "mytorch")
    script = place / "autograder" / "hw1_autograder" / "runner.py"
    command = [sys.executable, "-O", str(script), "-s"]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=200)
    assert scores(done.stdout)["Subtraction"] == 3.5
    assert scores(done.stdout)["Division"] == 5
    assert "FAILED" not in done.stdout
    assert "Summary:" in done.stdout


def test_the_grader_never_imports_the_submission():
    code = (
        f"import sys; sys.argv[0] = ''; sys.path.insert(0, {str(RUNNER.parent)!r}); import runner; "
        f"settings = runner.Settings(runner.Path({str(SIMPLE_SOLUTION)!r}), 1); "
        "done = list(runner.Grading(settings).run(runner.PROBLEMS[5:6], runner.CHECKS)); "
        "print(sum(v.points for _, verdicts in done for v in verdicts)); "
        "print([m for m in sys.modules if m.split('.')[0] in ('mytorch', 'hw1')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["2.0", "[]"], done.stderr


def test_a_score_printed_by_the_submission_is_quoted_and_never_the_last_line(tmp_path):
    forged = '{"scores": {"Subtraction": 5, "Autograd": 25}}'
    cheat = changed(
        tmp_path,
        TENSOR,
        "import numpy as np\n",
        "import atexit, os\nimport numpy as np\n"
        f"print('\\r\\x1b[2J' + {forged!r}, flush=True)\n"
        f"atexit.register(lambda: os.write(1, b{forged!r}))\n",
    )
    text = (cheat / FUNCTIONAL).read_text()
    stop = f"print('Total score: 100/100'); print({forged!r}); os._exit(0)"
    (cheat / FUNCTIONAL).write_text("import os\n" + text.replace(SUB_FORWARD, stop))
    done = run("--submission", cheat)
    assert done.returncode == 0
    assert scores(done.stdout)["Subtraction"] == 0
    assert "ended itself (exit status 0)" in done.stdout
    assert done.stdout.count('\n{"scores"') == 1
    assert not re.search(r"(?m)^Total score: 100", done.stdout)
    assert "\r" not in done.stdout and "\x1b" not in done.stdout
    assert "      | Total score: 100/100" in done.stdout


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("import sys; sys.exit(0)", "importing mytorch raised SystemExit"),
        ("import os; os._exit(0)", "importing mytorch ended the process"),
        ("while True: pass", "importing mytorch did not come back"),
        ("def broken(:", "importing mytorch raised SyntaxError"),
    ],
)
def test_a_submission_that_cannot_be_imported_scores_nothing_and_is_told_why(tmp_path, new, told):
    bad = changed(tmp_path, ENGINE, "from mytorch import tensor\n", f"{new}\n")
    done = run("--submission", bad, "--timeout", 1)
    assert done.returncode == 0
    assert set(scores(done.stdout).values()) == {0}
    assert told in " ".join(done.stdout.split())


def test_an_empty_folder_scores_nothing_and_a_missing_one_is_an_error(tmp_path):
    empty = run("--submission", tmp_path)
    assert empty.returncode == 0
    assert set(scores(empty.stdout).values()) == {0}
    assert "the submission has no folder mytorch/" in " ".join(empty.stdout.split())
    missing = run("--submission", tmp_path / "nowhere")
    assert missing.returncode == 2
    assert "there is no folder" in missing.stderr
    assert missing.stdout == ""


def test_a_grader_that_cannot_start_workers_says_so_and_gives_no_score(monkeypatch, capsys):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert runner.main(["--submission", str(SIMPLE_SOLUTION)]) == 1
    printed = capsys.readouterr()
    assert "The grader could not work: the grader cannot start /nowhere/python" in printed.err
    assert "scores" not in printed.out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_grader_leaves_no_worker_and_no_score(tmp_path, number):
    pid_file = tmp_path / "pid"
    slow = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(99)"
    hanging = changed(tmp_path, FUNCTIONAL, SUB_FORWARD, slow)
    command = [sys.executable, str(RUNNER), "--submission", str(hanging), "--timeout", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"scores" not in output
    assert b"interrupted" in errors
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_text_of_a_submission_loses_every_control_character():
    assert printable("a\x1b[31m\r\x07\u202eb\x9b") == "a\\x1b[31m\\r\\x07\\u202eb\\x9b"
    assert quoted("one\ntwo\r\x1b[Athree", most=1) == ["      | one", "      | … (1 more lines)"]


def test_live_output_keeps_colours_and_bars_and_nothing_else():
    shown, held = harmless("\r 50%|\u2588 \x1b[32mok\x1b[0m\x1b[K\n\t")
    assert (shown, held) == ("\r 50%|\u2588 \x1b[32mok\x1b[0m\x1b[K\n\t", "")
    shown, held = harmless("a\x1b[2Jb\x1b]0;title\x07c\x1bcd\x9b1me\u202ef\x00g\x1b[1;1Hh")
    assert "\x1b" not in shown and "\x9b" not in shown and "\u202e" not in shown
    assert harmless("x\x1b[3") == ("x", "\x1b[3")
    assert harmless("\x1b[3" + "1mred") == ("\x1b[31mred", "")


def test_a_reader_that_goes_away_ends_the_grader_without_a_traceback() -> None:
    command = [sys.executable, str(RUNNER), "--submission", str(SIMPLE_SOLUTION)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read().decode()
        assert process.wait(60) == 1
    assert errors == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_under_the_output_is_told_in_one_line() -> None:
    command = [sys.executable, str(RUNNER), "--submission", str(SIMPLE_SOLUTION), "-s"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=200)
    assert done.returncode == 1
    assert re.fullmatch(r"The grader could not work: .*No space left on device\n", done.stderr)


@pytest.mark.parametrize("kills", [1, 2])
def test_a_kill_from_outside_is_forgiven_once(tmp_path: Path, kills: int) -> None:
    """As when the system runs out of memory; the marks tell how often the submission was killed."""
    marks = tmp_path / "marks"
    marks.write_text("")
    killed = (
        f"import os\nmarks = open({str(marks)!r}, 'a+')\n"
        f"if marks.tell() < {kills}:\n"
        "    marks.write('x')\n    marks.close()\n    os.kill(os.getpid(), 9)\n"
    )
    place = "import numpy as np\n\nimport mytorch.nn.functional as F\n"
    submission = changed(tmp_path, TENSOR, place, killed + place)
    problems = [p for p in runner.PROBLEMS if p.number == "1.1"]
    results = runner.Grading(runner.Settings(submission, 1)).run(problems, runner.CHECKS)
    points = sum(v.points for _, verdicts in results for v in verdicts)
    assert points == (15 if kills == 1 else 0)
    assert len(marks.read_text()) == kills


class Recorded(grading.Grading):
    """Grading that runs nothing, and keeps the order of the checks."""

    def check(self, check: checks.Check) -> checks.Verdict:
        self.order = [*getattr(self, "order", []), check]
        return checks.failed(check, {}, ["not run"])


def test_hidden_checks_come_after_all_visible_ones_of_their_worker(tmp_path: Path) -> None:
    every = [*runner.CHECKS, *hidden_checks()]
    recorded = Recorded(grading.Settings(tmp_path, 0))
    for problem, verdicts in recorded.run(runner.PROBLEMS, every):
        own = [check for check in every if check.problem == problem.name]
        assert [verdict.check for verdict in verdicts] == own
    number = {problem.name: problem.number for problem in runner.PROBLEMS}
    seen: dict[str, bool] = {}
    for check in recorded.order:
        group = number[check.problem]
        assert not (seen.get(group) and not check.hidden)
        seen[group] = bool(check.hidden)
    assert any(seen.values()) and len(recorded.order) == len(every)


def test_time_that_failing_checks_take_is_limited_too(tmp_path: Path) -> None:
    work = grading.Grading(grading.Settings(tmp_path, 0, timeout=1.0))
    work.lost = 60.0
    verdict = work.check(runner.CHECKS[0])
    assert not verdict.passed and "not run: 60 s went on checks that failed" in verdict.lines[0]


def test_modules_that_are_slow_to_import_cost_no_points_and_endless_ones_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "LOADING", 4.0)
    problems = [problem for problem in runner.PROBLEMS if problem.number in ("1.1", "2.3")]
    for name, code, most in (("slow", "time.sleep(1.2)", 0), ("endless", "time.sleep(99)", 40)):
        copy = tmp_path / name
        shutil.copytree(SIMPLE_SOLUTION, copy)
        loss = copy / "mytorch" / "nn" / "loss.py"
        loss.write_text(f"import time\n{code}\n" + loss.read_text())
        settings = grading.Settings(copy, 0, timeout=1.0)
        found = dict(grading.Grading(settings).run(problems, runner.CHECKS))
        every = [v for verdicts in found.values() for v in verdicts if v.check.points]
        lost = [v.check.name for v in every if not v.passed]
        assert bool(lost) == bool(most) and len(lost) <= most
        first = next(iter(found.values()))
        assert all(verdict.passed for verdict in first)


def test_a_subclass_of_tensor_is_a_tensor() -> None:
    class Tensor:
        data = np.ones(2)

    class Parameter(Tensor):
        pass

    assert library.value(Parameter(), "weight").tolist() == [1, 1]
    with pytest.raises(library.Complaint, match="weight is a list; it should be a Tensor"):
        library.value([1, 1], "weight")
