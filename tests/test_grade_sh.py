"""grade.sh: its codes, and the environment that it finds or makes.

The set-up runs for real (venv, pip) on small stand-in packages from a folder made on the spot, in
a copy of the project whose path has a space, so that these tests need no package index.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    **{"numpy": "2.0.0", "matplotlib": "3.9", "requests": "2.32", "tqdm": "4.66"},
    **{"pytest": "8.0", "pytest_xdist": "3.2", "hypothesis": "6.100", "setuptools": "70.1"},
}
TELL = """
import json, os, sys
import numpy
print(json.dumps([os.path.basename(sys.argv[0]), sys.executable, os.getcwd(), sys.argv[1:]]))
"""
LIMIT = 120  # seconds; only a hang takes so long


def write_wheel(folder: Path, name: str, version: str) -> None:
    """Write a wheel of a package that holds nothing; pytest's tells how it was run."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}/__init__.py": "",
        f"{name}/__main__.py": TELL,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for member, content in {**members, f"{info}/RECORD": record}.items():
            wheel.writestr(member, content)


def write_wheels(folder: Path, **versions: str) -> Path:
    for name, version in {**PACKAGES, **versions}.items():
        write_wheel(folder, name, version)
    return folder


def make_environment(folder: Path, wheels: Path | None = None) -> Path:
    """Make a virtual environment without pip; unpack wheels into it."""
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, timeout=LIMIT)
    if wheels:
        unpack(wheels, folder)
    return folder


def unpack(wheels: Path, environment: Path) -> None:
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    for wheel in wheels.iterdir():
        zipfile.ZipFile(wheel).extractall(site_packages)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return write_wheels(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The computer's Python: one that has no packages."""
    return make_environment(tmp_path_factory.mktemp("computer") / "bare")


@pytest.fixture(scope="module")
def machine(tmp_path_factory, wheels, bare):
    """The environment variables of a computer with a bare Python and the stand-in packages."""
    return {
        "PATH": f"{bare / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_RETRIES": "0",
    }


def copy_project(folder: Path) -> Path:
    """Copy the front door into a folder, with scripts that tell how they were run behind it."""
    grader = folder / "autograder/hw1_autograder"
    grader.mkdir(parents=True)
    for name in ("grade.sh", "setup.cfg"):
        shutil.copy2(ROOT / name, folder)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("runner.py", "test_mnist.py"):
        (grader / name).write_text(TELL)
    return folder


@pytest.fixture
def project(tmp_path):
    return copy_project(tmp_path / "my project")


def start(project: Path, env: dict[str, str], *arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [str(project / "grade.sh"), *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def run(project: Path, env: dict[str, str], *arguments: str, cwd: Path | None = None):
    """Run grade.sh; return its exit status, standard output and standard error."""
    with start(project, env, *arguments, cwd=cwd or project) as process:
        out, err = process.communicate(timeout=LIMIT)
    return process.returncode, out, err


def told(out: str) -> tuple[str, str, str, list[str]]:
    """Return what a stand-in script told: script, Python, current folder, arguments."""
    return tuple(json.loads(out.splitlines()[-1]))


# Codes and help


def test_no_code_prints_help_and_succeeds_even_without_python(project):
    for arguments in ((), ("-h",), ("--help",), ("help",)):
        status, out, err = run(project, {"PATH": bin_folder(project)}, *arguments)
        assert (status, err) == (0, "")
        assert out.startswith("usage: ./grade.sh CODE")
        for code in ("1", "m", "test", "1b 2 2b 3 3b 4 4b"):
            assert f"\n  {code} " in out


@pytest.mark.parametrize("code", ["1b", "2", "2b", "3", "3b", "4", "4b"])
def test_later_homeworks_print_help_and_exit_2(project, machine, code):
    status, out, err = run(project, machine, code)
    assert (status, out) == (2, "")
    assert f"homework {code} is not yet available" in err and "usage:" in err
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("code", ["5", "M", "tests", "-x", "1 "])
def test_an_unknown_code_prints_help_and_exits_2(project, machine, code):
    status, out, err = run(project, machine, code, "--more")
    assert (status, out) == (2, "")
    assert f"unknown code: {code}\n" in err and "usage:" in err


# The first run sets up, later ones do not


@pytest.fixture(scope="module")
def set_up(tmp_path_factory, machine):
    """A project, and what its first two runs gave, both started at once from elsewhere."""
    project = copy_project(tmp_path_factory.mktemp("set up") / "my project")
    elsewhere = tmp_path_factory.mktemp("else where")
    processes = [start(project, machine, "1", "--plot", "a b", cwd=elsewhere) for _ in range(2)]
    results = [process.communicate(timeout=LIMIT) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    return project, elsewhere, results


def test_first_run_makes_the_environment_tells_so_and_runs(set_up):
    project, elsewhere, results = set_up
    python = str(project / ".venv/bin/python")
    for out, _ in results:
        assert told(out) == ("runner.py", python, str(elsewhere), ["--plot", "a b"])
        assert len(out.splitlines()) == 1, "the set-up must not write on standard output"


def test_two_first_runs_at_once_set_up_once(set_up):
    project, _, results = set_up
    (err,) = [err for _, err in results if "setting up" in err]
    assert f"setting up {project}/.venv (only this once" in err
    assert "set-up done" in err


def test_later_runs_of_every_code_install_nothing_more(set_up, machine):
    project, elsewhere, _ = set_up
    env = {**machine, "PIP_FIND_LINKS": "/nowhere"}
    python = str(project / ".venv/bin/python")
    status, out, err = run(project, env, "m", "--offline", cwd=elsewhere)
    assert (status, err) == (0, "")
    assert told(out) == ("test_mnist.py", python, str(elsewhere), ["--offline"])
    status, out, err = run(project, env, "test", "-k", "a or b", cwd=elsewhere)
    assert (status, err) == (0, "")
    in_parallel = ["-n", "auto", "--dist", "worksteal"]
    assert told(out) == ("__main__.py", python, str(project), [*in_parallel, "-k", "a or b"])


def test_the_scripts_exit_status_is_passed_on(set_up, machine):
    project, _, _ = set_up
    script = project / "autograder/hw1_autograder/runner.py"
    script.write_text("raise SystemExit(7)")
    try:
        assert run(project, machine, "1")[0] == 7
    finally:
        script.write_text(TELL)


# An environment that is there already


def test_an_active_environment_with_the_packages_is_used(project, machine, wheels, tmp_path):
    active = make_environment(tmp_path / "active", wheels)
    for env in (
        {**machine, "VIRTUAL_ENV": str(active)},  # as an editor activates it
        {**machine, "PATH": f"{active}/bin:{machine['PATH']}"},  # as conda does
    ):
        for code in ("1", "m", "test"):
            status, out, err = run(project, env, code)
            assert (status, err) == (0, "")
            assert Path(told(out)[1]).parent == active / "bin"
    assert not (project / ".venv").exists()


def test_only_the_tests_need_the_tests_packages(set_up, machine, wheels, tmp_path):
    few = tmp_path / "few"
    shutil.copytree(wheels, few, ignore=shutil.ignore_patterns("pytest*", "hypothesis*"))
    active = make_environment(tmp_path / "active", few)
    project, _, _ = set_up
    env = {**machine, "VIRTUAL_ENV": str(active)}
    status, out, err = run(project, env, "1")
    assert (status, err) == (0, "")
    assert told(out)[1] == str(active / "bin/python")
    status, out, err = run(project, env, "test")
    assert status == 0
    lacks = "pytest>=8, pytest-xdist>=3.2, hypothesis"
    assert f"the active environment lacks {lacks}: using {project}/.venv" in err
    assert told(out)[1] == str(project / ".venv/bin/python")


def test_an_active_environment_with_an_old_numpy_is_not_used(set_up, machine, tmp_path):
    project, _, _ = set_up
    active = make_environment(tmp_path / "old", write_wheels(tmp_path / "w", numpy="1.26.4"))
    status, out, err = run(project, {**machine, "VIRTUAL_ENV": str(active)}, "1")
    assert status == 0
    assert "the active environment lacks numpy>=2.0: using" in err
    assert told(out)[1] == str(project / ".venv/bin/python")


def test_a_users_own_dot_venv_is_used_where_it_serves_and_never_removed(
    project, machine, wheels, tmp_path
):
    own = make_environment(project / ".venv")
    status, out, err = run(project, machine, "1")
    assert (status, out) == (1, "")
    assert "was not made by grade.sh" in err and "-m pip install 'numpy>=2.0'" in err
    assert (own / "bin/python").exists()
    shutil.rmtree(own)
    make_environment(project / ".venv", wheels)
    status, out, err = run(project, machine, "1")
    assert (status, err) == (0, "")
    assert told(out)[1] == str(own / "bin/python")


# Set-ups that go wrong


@pytest.fixture
def hanging_index(machine):
    """A package index that takes connections and never answers: `(server, variables)`."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        env = {name: value for name, value in machine.items() if name != "PIP_NO_INDEX"}
        url = f"http://127.0.0.1:{server.getsockname()[1]}/simple"
        yield server, {**env, "PIP_INDEX_URL": url, "PIP_FIND_LINKS": ""}


def test_set_ups_that_were_interrupted_or_failed_are_made_anew_by_the_next_run(
    project, machine, wheels, tmp_path
):
    process = start(project, machine, "1", start_new_session=True)
    assert "setting up" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode in (-signal.SIGINT, 128 + signal.SIGINT) and out == ""
    assert "interrupted; run the same command again" in err and "Traceback" not in err

    few = tmp_path / "few"
    shutil.copytree(wheels, few, ignore=shutil.ignore_patterns("tqdm*"))
    status, out, err = run(project, {**machine, "PIP_FIND_LINKS": str(few)}, "1")
    assert (status, out) == (1, "")
    assert "ERROR: No matching distribution found for tqdm" in err, "pip's error, whole"
    assert "-m pip install" in err and "run the same ./grade.sh command again" in err
    assert "Traceback" not in err

    unpack(wheels, project / ".venv")  # looks whole, as a pip cut short in its last files leaves it
    half_made = project / ".venv/lib/half made"
    half_made.write_text("by a run that did not end well")
    activated = {"VIRTUAL_ENV": f"{project}/.venv", "PATH": f"{project}/.venv/bin:/usr/bin:/bin"}
    status, out, err = run(project, {**machine, **activated}, "1")
    assert status == 0, err
    assert told(out)[1] == str(project / ".venv/bin/python")
    assert not half_made.exists()


def test_after_a_kill_the_next_run_waits_for_the_pip_left_over_and_starts_anew(
    project, machine, hanging_index, bare
):
    server, hanging = hanging_index
    command = [bare / "bin/python", "-I", project / "scripts/environment.py", "run"]
    with open(os.devnull, "w") as null:
        first = subprocess.Popen(command, env=hanging, stdout=null, stderr=null)
        connection = server.accept()[0]  # pip asks for its first package
    first.kill()
    first.wait(timeout=LIMIT)
    half_made = project / ".venv/lib/half made"
    half_made.write_text("by the killed run")
    second = start(project, machine, "1")
    assert "waiting for another set-up" in second.stderr.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=1)
    connection.close()  # the pip left over ends with an error
    server.close()
    out, err = second.communicate(timeout=LIMIT)
    assert second.returncode == 0, err
    assert told(out)[1] == str(project / ".venv/bin/python")
    assert not half_made.exists()


def test_a_folder_that_cannot_be_written_is_told_without_a_traceback(project, machine):
    (project / ".venv.lock").mkdir()  # fails for root too, unlike permissions
    status, out, err = run(project, machine, "1")
    assert (status, out) == (1, "")
    assert f"cannot set up {project}/.venv" in err and "Traceback" not in err


# Computers that lack something


def bin_folder(project: Path, **scripts: str) -> str:
    """Make a folder for PATH with the tools that grade.sh needs and the given shell scripts."""
    folder = project.parent / "bin"
    folder.mkdir(exist_ok=True)
    for tool in ("bash", "dirname", "cat"):
        if not (folder / tool).exists():
            (folder / tool).symlink_to(shutil.which(tool))
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("scripts", [{}, {"python3": 'echo "Python 3.9.2"; exit 1'}])
def test_without_a_new_enough_python_says_what_to_install(project, scripts):
    for program in ("1", "test"):
        status, out, err = run(project, {"PATH": bin_folder(project, **scripts)}, program)
        assert (status, out) == (1, "")
        assert "Python 3.10 or newer is needed" in err
        assert "sudo apt install python3 python3-venv" in err
        assert not scripts or "Python 3.9.2" in err


def test_a_newer_python_further_down_the_path_is_found(project, wheels, tmp_path):
    newer = make_environment(tmp_path / "newer", wheels) / "bin/python"
    path = bin_folder(project, python3="exit 1", **{"python3.12": f'exec {newer} "$@"'})
    status, out, err = run(project, {"PATH": path}, "1")
    assert (status, err) == (0, "")
    assert told(out)[1] == str(newer)


def test_a_python_without_venv_says_which_debian_package_to_install(project, machine, tmp_path):
    poor = make_environment(tmp_path / "poor")
    (site_packages,) = poor.glob("lib/python3*/site-packages")
    (site_packages / "poor.pth").write_text("import sys; sys.modules['ensurepip'] = None\n")
    status, out, err = run(project, {**machine, "PATH": f"{poor}/bin:/usr/bin:/bin"}, "1")
    assert (status, out) == (1, "")
    assert "sudo apt install python3-venv" in err and "Traceback" not in err
    assert not (project / ".venv").exists()


# The project itself


def test_the_real_graders_stand_where_grade_sh_looks_for_them():
    env = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    for code in ("1", "m"):
        status, out, err = run(ROOT, env, code, "--help")
        assert status == 0, err
        assert "usage:" in out


def test_shellcheck_finds_nothing():
    shellcheck = shutil.which(
        "shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    if shellcheck is None:
        pytest.skip("shellcheck is not installed (it comes with the extra dev)")
    scripts = ["grade.sh", "create_tarball.sh", "scripts/find_python.sh", ".ci/run"]
    result = subprocess.run(
        [shellcheck, "-x", *scripts], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    assert result.returncode == 0, result.stdout
