"""The runtime works in the task's interpreter, whichever Python that is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from debug_gym.sandbox.process import ProcessBackend
from debug_gym.task import Environment
from tests.install_pytest import install_pytest

pytestmark = pytest.mark.slow

OLDEST, NEWEST = (3, 6), (3, 14)
FILES = {
    "unit.py": "def double(n): return n + n\n",
    "test_unit.py": """
import sys, pytest
from unit import double
def test_right(): assert double(2) == 4
def test_wrong(): assert double(2) == 5
@pytest.mark.skip
def test_later(): pass
def test_version(): open('/tmp/left', 'w').write('%d.%d' % sys.version_info[:2])
""",
}


def _interpreters():
    """Version to path of each Python that is installed here: pyenv's, the system's, and those on the path."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [*pyenv.glob("versions/3.*/bin/python"), Path("/usr/bin/python3")]
    minors = range(OLDEST[1], NEWEST[1] + 1)
    found += [Path(path) for path in (shutil.which(f"python3.{minor}") for minor in minors) if path]
    chosen = {}
    for path in found:
        version = _version(path)
        if version is not None and OLDEST <= version <= NEWEST:
            chosen.setdefault((version, _say(path, "sys.prefix")), path)
    return [chosen[key] for key in sorted(chosen)]


def _version(path):
    """Its major and minor version; None if it does not run (pyenv's shims may stand for nothing)."""
    said = _say(path, "sys.version_info[0], sys.version_info[1]").split()
    return tuple(map(int, said)) or None


def _say(path, what):
    """What an interpreter knows; nothing if it does not run."""
    command = [path, "-c", f"import sys; print({what})"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


@pytest.fixture(scope="session", params=_interpreters(), ids=str)
def interpreter(request, tmp_path_factory):
    """A virtual environment with pytest, made once for each interpreter."""
    folder = tmp_path_factory.mktemp("interpreter") / "venv"
    command = [request.param, "-m", "venv", "--without-pip", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode:
        pytest.skip(f"no environment: {done.stderr.strip()[-200:]}")
    (site,) = folder.glob("lib/python3*/site-packages")
    install_pytest(site, _version(request.param))
    return folder


@pytest.fixture
def sandbox(backend, make_task, interpreter):
    environment = Environment(python=str(interpreter), preload=("colorsys",))
    with backend.start(make_task(FILES, environment=environment)) as sandbox:
        yield sandbox


def test_tests_run_warm_as_they_run_cold(sandbox, run_both, interpreter):
    cold, warm = run_both(sandbox)
    assert warm == cold
    assert warm[0] == 1
    assert [warm[1][f"test_unit.py::test_{name}"] for name in ("right", "wrong", "later")] == [
        "passed",
        "failed",
        "skipped",
    ]
    assert ".".join(map(str, _version(interpreter / "bin/python"))) == warm[4]


def test_commands_files_and_forks(sandbox, interpreter):
    assert sandbox.exec("echo $((6 * 7))").output == "42\n"
    inside = sandbox.exec(["python", "-c", "import sys; print(*sys.version_info[:2])"])
    assert tuple(map(int, inside.output.split())) == _version(interpreter / "bin/python")
    sandbox.shell("cd /tmp; kept=5")
    assert sandbox.shell("echo $kept $PWD").output == "5 /tmp\n"
    sandbox.write("unit.py", b"def double(n): return 5\n")
    assert sandbox.read("unit.py") == b"def double(n): return 5\n"
    assert sandbox.changes().paths == ("unit.py",)
    with sandbox.fork() as forked:
        assert forked.shell("echo $kept $PWD").output == "5 /tmp\n"
        run = forked.run_tests()
        assert run.warm
        assert run.outcomes["test_unit.py::test_wrong"] == "passed"
        forked.write("other.py", b"")
    assert sandbox.changes().paths == ("unit.py",)


def test_the_process_backend(make_task, interpreter):
    backend = ProcessBackend()
    with backend.start(make_task(FILES, environment=Environment(python=str(interpreter)))) as sandbox:
        runs = [sandbox.run_tests(cold=cold) for cold in (True, False)]
        assert [run.warm for run in runs] == [False, True]
        assert runs[0].outcomes == runs[1].outcomes
        assert runs[1].complete
    backend.close()
