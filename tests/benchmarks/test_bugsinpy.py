"""BugsInPy: its shell-style files, the fix apart from its tests, and tasks that are played from a clone."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from debug_gym.benchmarks.bugsinpy import BugsInPy
from debug_gym.benchmarks.bugsinpy.bug import Bug
from debug_gym.benchmarks.bugsinpy.environments import find_python, requirements
from debug_gym.checks.validate import validate_all
from debug_gym.errors import ConfigError, TaskError, UnknownNameError

PATCH = """\
diff --git a/calc.py b/calc.py
index 63dd3db..de0a472 100644
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
diff --git a/tests/test_calc.py b/tests/test_calc.py
index 63dd3db..de0a472 100644
--- a/tests/test_calc.py
+++ b/tests/test_calc.py
@@ -3,3 +3,7 @@ from calc import add

 def test_zero():
     assert add(0, 0) == 0
+
+
+def test_add():
+    assert add(1, 2) == 3
"""
FIXED = {
    "calc.py": "def add(a, b):\n    return a + b\n",
    "tests/test_calc.py": (
        "from calc import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n\n\n"
        "def test_add():\n    assert add(1, 2) == 3\n"
    ),
}
INFO = 'python_version="3.8.3"\r\nbuggy_commit_id="{0}"\r\nfixed_commit_id ="{0}"\r\ntest_file="tests/test_calc.py"'


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def places(tmp_path):
    """A copy of BugsInPy with two bugs of one project, and a folder with a clone of it."""
    clone = tmp_path / "clones/sums"
    write(clone, FIXED)
    git = ["git", "-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@localhost"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "fixed"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    bug = {"bug.info": INFO.format(commit.strip()), "bug_patch.txt": PATCH, "requirements.txt": ""}
    write(
        tmp_path / "BugsInPy/projects/sums",
        {
            "project.info": 'github_url="https://github.com/nobody/sums/"\nstatus="OK"\ncause="N.A."\n',
            **{f"bugs/1/{name}": text for name, text in bug.items()},
            "bugs/1/run_test.sh": "pytest tests/test_calc.py::test_add",
            **{f"bugs/12/{name}": text for name, text in bug.items()},
            "bugs/12/run_test.sh": "py.test -q -s tests/test_calc.py;\r\n",
            "bugs/13/bug_patch.txt": "",
        },
    )
    return tmp_path


@pytest.fixture
def benchmark(places):
    """The tasks, whose tests run in the Python of this test."""
    (places / "environments").mkdir()
    (places / "environments/sums").symlink_to(sys.prefix)
    return BugsInPy(places, environments=places / "environments", repositories=places / "clones")


def test_bugs_are_tasks(benchmark):
    assert benchmark.ids() == benchmark.split("sums") == ["sums-1", "sums-12"]  # the 13th has no fix
    one, twelve = benchmark.tasks.values()
    assert (one.tests.fail_to_pass, one.tests.visible) == ((), ("tests/test_calc.py::test_add",))
    assert twelve.tests.command == ("python", "-m", "pytest", "-s")
    assert twelve.tests.visible == ("tests/test_calc.py",)
    assert "test_calc" not in one.gold_patch
    assert one.gold_patch == one.source.bug_patch
    with pytest.raises(UnknownNameError):
        benchmark.split("sum")


def test_they_are_sound(benchmark, backend):
    for found in validate_all(list(benchmark.tasks.values()), backend, repeats=1):
        assert found.problems == ()


def test_without_a_clone_the_project_comes_from_its_address(places):
    task = BugsInPy(places, environments=places).task("sums-1")
    assert task.source.url == "https://github.com/nobody/sums"
    assert task.environment.python == str(places / "sums-1")


def test_the_ways_of_a_run(places):
    folder = places / "BugsInPy/projects/sums/bugs/1"
    lines = {
        "python -m unittest -q tests.test_calc.T.test_add": "unittest",
        "tox tests/test_calc.py::test_add": "pytest",
        "python3 -m pytest tests/test_calc.py": "pytest",
    }
    for line, module in lines.items():
        (folder / "run_test.sh").write_text(line)
        found = Bug(folder).tests
        assert (found.command, found.names) == (("python", "-m", module), (line.split()[-1],))
    (folder / "run_test.sh").write_text("make test")
    with pytest.raises(TaskError, match="no list of runs of pytest or of unittest"):
        Bug(folder).tests  # noqa: B018 - it is read when it is asked for


def test_lists_of_packages_in_any_encoding(places):
    folder = places / "BugsInPy/projects/sums/bugs/1"
    listed = "attrs==19.3.0\r\n-e git+https://github.com/nobody/sums@1#egg=sums\r\npkg-resources==0.0.0\r\n"
    (folder / "setup.sh").write_text("pip3 install -e .\npip install nose ipython\npython setup.py install\n")
    for encoding in ("utf-8", "utf-16"):
        (folder / "requirements.txt").write_bytes(listed.encode(encoding))
        assert requirements(Bug(folder)) == ["attrs==19.3.0", "nose", "ipython"]


def test_a_python_of_the_same_minor_version(tmp_path):
    minor = "3.8"
    for version in ("3.8.2", "3.8.18", "3.9.1"):
        path = tmp_path / version / "bin" / f"python{version.rpartition('.')[0]}"
        path.parent.mkdir(parents=True)
        path.touch(mode=0o755)
    assert find_python("3.8.3", [tmp_path]) == tmp_path / "3.8.18/bin" / f"python{minor}"
    with pytest.raises(TaskError, match=r"no Python 3\.99 here"):
        find_python("3.99.0", [tmp_path])


def test_environments_are_made(places, monkeypatch):
    from debug_gym.benchmarks.bugsinpy import environments
    from debug_gym.benchmarks.bugsinpy.__main__ import app

    version = ".".join(map(str, sys.version_info[:2]))
    info = places / "BugsInPy/projects/sums/bugs/1/bug.info"
    info.write_text(info.read_text().replace("3.8.3", f"{version}.0"))
    monkeypatch.setattr(environments, "find_python", lambda *_: Path(sys.executable))
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # nothing can be installed: pytest is missed
    words = ["sums-1", "--environments", str(places / "made"), "--data-dir", str(places)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "sums-1: pytest cannot be installed" in done.output
    assert not (places / "made/sums-1").exists()
    assert CliRunner().invoke(app, ["nothing", *words[1:]]).exit_code == 2


def test_a_folder_with_something_else(tmp_path):
    with pytest.raises(ConfigError, match="has no folder projects"):
        BugsInPy(tmp_path).ids()
