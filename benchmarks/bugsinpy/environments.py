"""Virtual environments for the tests of BugsInPy's bugs: the packages that a bug's files pin, in the Python
that its ``bug.info`` names, or another of the same minor version."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from debug_gym.benchmarks.bugsinpy.bug import Bug
from debug_gym.benchmarks.data import read_text
from debug_gym.errors import HostError, TaskError
from debug_gym.sandbox.fetch import fetch
from debug_gym.task import GitSource

_NO_PACKAGES = re.compile(r"-e |git\+|pkg[-_]resources==|file:|\.$", re.IGNORECASE)
"""Lines of requirements that pip cannot install, or that are the project itself: its own files are tested."""
_INSTALLED = re.compile(r"^\s*(?:python3? -m ?)?pip3? install ([^-].*)$", re.MULTILINE)
"""Lines of a bug's ``setup.sh`` that install more packages; what else it does concerns the project itself."""
_PROJECT = re.compile(r"setup\.py (?:install|develop|build)\b|pip3? install -\w*e \.")
_TEST_LISTS = (
    "test_requirements.txt",
    "test-requirements.txt",
    "requirements-test.txt",
    "requirements_test.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
)
"""Where projects list what their tests need."""
OLDEST = (3, 7)
"""What a sandbox needs; the bugs of older Pythons run in this one."""
_LAST = 500
"""Characters of what pip says that are shown."""


def make_environment(
    bug: Bug, url: str, folder: Path, pythons: Sequence[Path] = (), also: Sequence[str] = ()
) -> list[str]:
    """Make the virtual environment of a bug's tests, by ``venv`` and ``pip``.

    Args:
        bug: whose.
        url: of the project's repository.
        folder: where; it must not exist yet.
        pythons: folders of Python installations (``3.8.20``, with ``bin/python`` in it) beside those on
            ``PATH``.
        also: packages that the bug's file forgets.

    Returns:
        The requirements that could not be installed.

    Raises:
        TaskError: there is no such Python here.
        HostError: not even pytest could be installed, or the project's repository cannot be had; nothing is
            left in the folder.
    """
    python = find_python(bug.info["python_version"], pythons)
    wanted = [*requirements(bug), *also]
    if not any(line.startswith("pytest==") for line in wanted):
        wanted.append("pytest")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _run([str(python), "-m", "venv", "--copies", str(partial)])
    program = str(partial / "bin/python")
    failed = [] if not _pip(program, wanted) else [line for line in wanted if _pip(program, [line])]
    if "pytest" in failed:
        raise HostError(f"pytest cannot be installed: {_pip(program, ['pytest'])[-_LAST:]}")
    if _installs_itself(bug):
        failed += _what_the_project_asks_for(bug, url, program)
    partial.rename(folder)
    return failed


def requirements(bug: Bug) -> list[str]:
    """The packages that a bug's tests need, as pip takes them: those of its ``requirements.txt`` (some are
    UTF-16) and ``setup.sh``."""
    lines = (line.partition("#")[0].strip() for line in _listed(bug))
    listed = [line for line in lines if line and not _NO_PACKAGES.search(line)]
    setup = bug.folder / "setup.sh"
    more = " ".join(_INSTALLED.findall(read_text(setup))) if setup.exists() else ""
    return [*listed, *more.split()]


def _listed(bug: Bug) -> list[str]:
    """The lines of a bug's ``requirements.txt``."""
    path = bug.folder / "requirements.txt"
    data = path.read_bytes() if path.exists() else b""
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", "replace")
    return text.splitlines()


def _installs_itself(bug: Bug) -> bool:
    """Whether its set-up installs the project, which is more than building its extensions in C."""
    setup = bug.folder / "setup.sh"
    said = read_text(setup) if setup.exists() else ""
    itself = _PROJECT.search(said) or any(line.startswith("-e git+") for line in _listed(bug))
    return bool(itself) and "build_ext" not in said


def _what_the_project_asks_for(bug: Bug, url: str, program: str) -> list[str]:
    """Install the packages that the project depends on at the commit of the fix, those of its tests, and the
    modules that its installation generates (``_version.py``), but nothing that is in its repository; what
    failed."""
    with tempfile.TemporaryDirectory() as place:
        project = Path(place, "project")
        fetch(GitSource(url=url, commit=bug.info["fixed_commit_id"]), project)
        known = {path.name for path in project.rglob("*.py")}
        lists = [name for name in _TEST_LISTS if (project / name).exists()]
        failed = [name for name in lists if _pip(program, ["-r", str(project / name)])]
        if _pip(program, [str(project)]):
            return [*failed, f"what {bug.project} depends on"]
        _run([program, "-m", "pip", "uninstall", "-q", "-y", bug.project])
        built = Path(place, "built")
        _pip(program, ["--no-deps", "--target", str(built), str(project)])
        (packages,) = Path(program).parents[1].glob("lib/python3*/site-packages")
        for module in built.glob("*.py"):
            if module.name not in known:
                shutil.copy(module, packages)
    return failed


def find_python(version: str, places: Sequence[Path] = ()) -> Path:
    """The newest interpreter of the same minor version, or of ``OLDEST``.

    Raises:
        TaskError: there is none.
    """
    major, minor_number = map(int, version.split(".")[:2])
    minor = ".".join(map(str, max((major, minor_number), OLDEST)))
    for place in places:
        found = [path for path in place.glob(f"{minor}.*/bin/python{minor}") if os.access(path, os.X_OK)]
        if found:
            return max(found, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))])
    if on_path := shutil.which(f"python{minor}"):
        return Path(on_path)
    raise TaskError(
        f"there is no Python {minor} here: install it (pyenv install {minor}), or name the folder of your "
        "installations by  --pythons"
    )


def _pip(python: str, wanted: Sequence[str]) -> str:
    """Install packages; what pip says if it fails."""
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q", *wanted]
    variables = {"SETUPTOOLS_SCM_PRETEND_VERSION": "0.1", **os.environ}  # there is no history to tell it
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    return (done.stderr or "pip failed") if done.returncode else ""


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostError(f"{' '.join(command)} failed: {(done.stderr or done.stdout)[-_LAST:]}")
