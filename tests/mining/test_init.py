"""``debug-gym init`` on repositories of one's own, and playing them after that."""

import pytest
import yaml
from typer.testing import CliRunner

from debug_gym.benchmarks.task_file import TASK_FILE, read_task
from debug_gym.cli import app
from debug_gym.errors import ConfigError

CODE = "def add(a, b):\n    return a - b\n\n\ndef same(a):\n    return a\n"
TESTS = "from sums import add, same\n\ndef test_add(): assert add(1, 2) == 3\n\ndef test_same(): assert same(2) == 2\n"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with its package in ``src`` and options for pytest that do not fit here."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/sums.py").write_text(CODE)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_sums.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-plugin\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words):
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})


def test_init_finds_out_how_a_repository_is_tested_and_it_is_played(project):
    done = call("init")
    assert done.exit_code == 0, done.output
    assert "1 pass, 1 fail" in done.output and "tests/test_sums.py::test_add" in done.output
    said = yaml.safe_load((project / TASK_FILE).read_text())
    assert said["test_command"] == "python -m pytest -o addopts="
    assert said["problem"].startswith(
        "A test of this repository fails:\n\n- `tests/test_sums.py::test_add`: assert -1 == 3"
    )
    played = call("run", ".", "--workers", "1")
    assert played.exit_code == 0, played.output
    assert "resolved 1/1" in played.output
    assert (project / "runs").is_dir() and (project / "src/sums.py").read_text() == CODE
    again = call("init")
    assert isinstance(again.exception, ConfigError) and "--force writes it anew" in str(again.exception)


def test_init_says_why_tests_do_not_run(project):
    (project / "tests/test_sums.py").write_text("import nowhere_to_be_found\n")
    done = call("init")
    assert "No module named 'nowhere_to_be_found'" in str(done.exception)
    assert not (project / TASK_FILE).exists()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tset_command: pytest\n", "tset_command"),
        ("- a\n", "holds no options"),
        ("path: /etc\n", "leave it out"),
        ("problem: [\n", "cannot be read"),
    ],
)
def test_a_task_file_that_is_wrong_is_told(project, text, problem):
    (project / TASK_FILE).write_text(text)
    with pytest.raises(ConfigError, match=problem):
        read_task(project)


def test_options_win_over_the_file_and_the_agent_does_not_see_it(project, backend):
    (project / TASK_FILE).write_text("problem: It is wrong.\ntimeout: 30\nexclude: pytest.ini\n")
    [task] = read_task(project, {"timeout": 40.0}).tasks.values()
    assert task.problem == "It is wrong." and task.tests.timeout == 40
    with backend.start(task.for_agent()) as sandbox:
        assert {entry.path for entry in sandbox.listdir()} == {"src", "tests"}
