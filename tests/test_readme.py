"""README.md: every command and every Python block in it runs, and every link leads somewhere.

Each line of a ```sh block is run in a fresh copy of the project, in the README's order, unless the
table below names the other test that runs it. The ```python blocks are run in order in one process.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 300  # seconds; only a hang takes so long

# What takes too long to run here, or is what runs this; and the test that runs it.
GRADE_SH = "tests/test_grade_sh.py::test_first_run_makes_the_environment_tells_so_and_runs"
LATER_RUNS = "tests/test_grade_sh.py::test_later_runs_of_every_code_install_nothing_more"
INSTALL = "tests/test_packaging.py::test_pip_installs_it_and_it_imports_from_anywhere"
ELSEWHERE = {
    "git clone": GRADE_SH,  # a command that begins so
    "cd mytorch": GRADE_SH,
    "./grade.sh m": LATER_RUNS,
    "./grade.sh m --offline": LATER_RUNS,
    "./grade.sh test": LATER_RUNS,
    "pip install .": INSTALL,
    "pip install -e .": INSTALL,
}
RUN_BLOCKS = """
import json, sys
namespace = {"__name__": "__main__"}
for line, source in json.load(sys.stdin):
    exec(compile("\\n" * line + source, "README.md", "exec"), namespace)
"""


def blocks(language: str) -> list[tuple[int, str]]:
    """Return the number of the fence's line and the text of every block in that language."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


def commands() -> list[str]:
    """Return the commands of the ```sh blocks, without prompts, comments and continuations."""
    text = "\n".join(block for _, block in blocks("sh")).replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line.removeprefix("$ ") for line in lines if line]


def elsewhere(command: str) -> str | None:
    """Return the other test that runs a command, or None where it is run here."""
    if command.startswith("git clone "):
        return ELSEWHERE["git clone"]
    return ELSEWHERE.get(command)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A fresh copy of what is in version control, or would be."""
    folder = tmp_path_factory.mktemp("readme") / "mytorch"
    left_out = (".git", ".venv*", ".ci-venv", "__pycache__", ".*_cache", "handin.tar*", "build")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*left_out, "*.egg-info", "*.gz"))
    return folder


def environment() -> dict[str, str]:
    """Return variables under which `python` and grade.sh use the Python that runs the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "VIRTUAL_ENV": sys.prefix, "PIP_NO_INDEX": "1", "MPLBACKEND": "Agg"}
    return {**os.environ, **own}


def run(command: list[str], folder: Path, text: str = "") -> None:
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("command", [line for line in commands() if not elsewhere(line)])
def test_every_command_of_the_readme_runs_in_a_fresh_copy(command, copy):
    run(["bash", "-euc", command], copy)


def test_every_python_block_of_the_readme_runs(copy):
    found = blocks("python")
    assert found, "the README shows no Python"
    run([sys.executable, "-W", "error", "-c", RUN_BLOCKS], copy, json.dumps(found))


def test_the_two_commands_and_the_rest_of_the_front_door_are_in_the_readme():
    assert {"./grade.sh m", "./grade.sh test", "./grade.sh 1", "./create_tarball.sh"} <= {
        *commands()
    }


def test_no_block_escapes_these_tests_by_its_language():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) <= {"sh", "python", "text"}


@pytest.mark.parametrize("test", sorted(set(ELSEWHERE.values())))
def test_a_command_run_elsewhere_is_run_by_a_test_that_exists(test):
    file, name = test.split("::")
    body = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
    assert name in [node.name for node in body if isinstance(node, ast.FunctionDef)]


def test_every_link_and_picture_leads_to_a_file():
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            assert "://" in target or (ROOT / target).exists(), f"{page}: {target}"
