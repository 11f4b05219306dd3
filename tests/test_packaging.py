"""The package: what a wheel holds, that it installs, and what importing it loads."""

import configparser
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import mytorch

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 120  # seconds; only a hang takes so long
THIRD_PARTY = """
import sys
before = set(sys.modules)
import mytorch
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names)))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of what a build reads: it writes beside its sources."""
    folder = tmp_path_factory.mktemp("packaging") / "my project"
    no_caches = shutil.ignore_patterns("__pycache__")
    for name in ("mytorch", "tests", "hw1", "autograder", "scripts"):
        shutil.copytree(ROOT / name, folder / name, ignore=no_caches)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(project):
    build = "from setuptools.build_meta import build_wheel as b; print(b('wheels'))"
    (project / "wheels").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", build], cwd=project, capture_output=True, text=True, timeout=LIMIT
    )
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(project / "wheels" / result.stdout.splitlines()[-1]) as archive:
        yield archive


def test_a_wheel_holds_every_module_of_mytorch_and_nothing_else(wheel, project):
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    sources = (project / "mytorch").rglob("*.py")
    assert packed == {path.relative_to(project).as_posix() for path in sources}


def test_a_wheels_metadata_are_the_projects(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
    lines = wheel.read(name).decode().split("\n\n", 1)[0].splitlines()
    for line in (
        *("Name: mytorch", f"Version: {mytorch.__version__}", "Requires-Python: >=3.10"),
        *("Requires-Dist: numpy>=2.0", "Requires-Dist: matplotlib", "Requires-Dist: requests"),
        *("Requires-Dist: tqdm", "Provides-Extra: test", "Provides-Extra: parity"),
    ):
        assert line in lines
    assert any(re.fullmatch(r"License(-Expression)?: MIT", line) for line in lines)


@pytest.mark.parametrize("arguments", [["."], ["-e", "."]], ids=["plain", "editable"])
def test_pip_installs_it_and_it_imports_from_anywhere(project, tmp_path, arguments):
    if importlib.util.find_spec("pip") is None:
        pytest.skip("this Python has no pip")
    python = tmp_path / "venv/bin/python"
    create = [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")]
    subprocess.run(create, check=True, timeout=LIMIT)
    (site_packages,) = (tmp_path / "venv").glob("lib/python3*/site-packages")
    # pip, setuptools and NumPy are borrowed from the environment that runs the tests
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
    command = [python, "-m", "pip", "install", *options, *arguments]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=LIMIT)
    assert result.returncode == 0, result.stderr
    show = "import json, mytorch; print(json.dumps([mytorch.__file__, mytorch.__version__]))"
    command = [python, "-I", "-c", show]  # isolated: no PYTHONPATH, no current directory
    shown = subprocess.check_output(command, cwd=tmp_path, text=True, timeout=LIMIT)
    file, version = json.loads(shown)
    assert Path(file).is_relative_to(project if "-e" in arguments else site_packages)
    assert version == mytorch.__version__


def test_importing_mytorch_loads_no_third_party_package_but_numpy():
    result = subprocess.run(
        [sys.executable, "-c", THIRD_PARTY], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    assert result.stdout.strip() == "['mytorch', 'numpy']", result.stderr


def test_set_up_script_reads_the_requirements_that_the_package_declares():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    run = config["options"]["install_requires"].split()
    extra = config["options.extras_require"]["test"].split()
    spec = importlib.util.spec_from_file_location("environment", ROOT / "scripts/environment.py")
    environment = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(environment)
    assert environment.requirements("run") == run
    assert environment.requirements("test") == run + extra
    assert environment.missing("test") == [], "the tests run without what they are said to need"


def test_git_ignores_what_runs_leave_behind_and_nothing_of_the_projects():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    left = [".venv/x", ".venv.lock", ".ci-venv/x", "data/train-images-idx3-ubyte.gz", "handin.tar"]
    left += ["handin.tar.old", "hw1/validation_accuracy.png", "mytorch/__pycache__/a.pyc"]
    left += ["build/lib/a.py", "mytorch.egg-info/PKG-INFO", "model.npz", ".hypothesis/x"]
    ours = ["data/README.md", "mytorch/datasets/mnist.py", "docs/validation_accuracy.png"]
    ours += ["mytorch/utils/data/loader.py", "hw1/mnist.py", ".ci/run", "tests/test_packaging.py"]
    command = ["git", "check-ignore", "--no-index", *left, *ours]
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    ignored = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert ignored.stdout.split() == left, ignored.stderr
