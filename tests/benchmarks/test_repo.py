import sys

import pytest

from debug_gym.benchmarks.repo import PROBLEM, Repo
from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.task import NegativeControl


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "My project"
    path.mkdir()
    (path / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (path / "test_calc.py").write_text("from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n")
    return path


def only_task(repo):
    (task,) = repo.tasks.values()
    return task


def test_a_folder_becomes_one_task(folder):
    task = only_task(Repo(folder, "python -m pytest -q -k 'a or b'", "dates: off by one"))
    assert task.id == "My-project"
    assert task.benchmark == "repo"
    assert task.problem == "dates: off by one"
    assert task.source.path == folder
    assert task.tests.command == ("python", "-m", "pytest", "-q", "-k", "a or b")
    assert task.is_editable("calc.py")
    assert not task.is_editable("test_calc.py")


def test_defaults_suit_a_plain_pytest_project(folder):
    task = only_task(Repo(folder))
    assert (task.tests.command, task.problem) == (("python", "-m", "pytest"), PROBLEM)
    assert task.environment.python is None
    assert task.tests.required == ()


def test_options_may_be_one_text_or_several(folder):
    task = only_task(
        Repo(folder, fail_to_pass="t.py::a", pass_to_pass=["t.py::b", "t.py::c"], editable="*.toml")
    )
    assert task.tests.fail_to_pass == ("t.py::a",)
    assert task.tests.pass_to_pass == ("t.py::b", "t.py::c")
    assert task.is_editable("x.toml")
    assert not task.is_editable("calc.py")


def test_what_the_judge_shall_know(folder, tmp_path):
    test, file = "test_calc.py::test_add", tmp_path / "controls.json"
    options = {"fail_to_pass": test, "unstable": "t.py::b", "share_sandbox": True, "controls": file}
    repo = Repo(folder, **options)
    assert (only_task(repo).tests.controls, repo.controls_file(repo.id)) == ((), file)
    control = NegativeControl(test=test, path="test_calc.py", line=4, column=4, old="3", new="4")
    file.write_text(f"[{control.model_dump_json()}]")
    tests = only_task(Repo(folder, **options)).tests
    assert (tests.unstable, tests.share_sandbox, tests.controls) == (("t.py::b",), True, (control,))
    file.write_text('[{"test": "x"}]')
    with pytest.raises(TaskError, match="does not hold controls: 0"):
        only_task(Repo(folder, **options))


def test_a_virtual_environment_in_the_folder_is_found(folder):
    (folder / "venv" / "bin").mkdir(parents=True)
    (folder / "venv" / "bin" / "python").symlink_to(sys.executable)
    assert only_task(Repo(folder)).environment.python == str(folder / "venv")
    assert only_task(Repo(folder, python="envs/b")).environment.python == str(folder / "envs/b")
    assert only_task(Repo(folder, python=sys.executable)).environment.python == sys.executable


def test_the_version_follows_the_content_and_nothing_else(folder):
    before = Repo(folder).version
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "calc.pyc").write_bytes(b"x")
    (folder / "calc.py").touch()
    assert Repo(folder).version == before
    (folder / "calc.py").write_text("def add(a, b):\n    return b - a\n")
    changed = Repo(folder).version
    (folder / "calc.py").rename(folder / "sums.py")
    assert len({before, changed, Repo(folder).version}) == 3


def test_runs_in_the_folder_are_no_part_of_it(folder):
    before = Repo(folder).version
    run = folder / "runs" / "mine"
    (run / "trajectories").mkdir(parents=True)
    (run / ".lock").touch()
    (run / "config.json").write_text("{}")
    assert Repo(folder).version == before
    (run / ".lock").unlink()  # a folder that only looks a little like one
    assert Repo(folder).version != before


def test_a_gold_patch_is_read_from_its_file(folder, tmp_path):
    patch = tmp_path / "fix.diff"
    patch.write_text("--- a/calc.py\n")
    assert only_task(Repo(folder, gold_patch=patch)).gold_patch == "--- a/calc.py\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "no/such/folder"}, "path: no/such/folder is not a folder"),
        ({"test_command": "pytest 'open"}, r"test_command: .*quotation"),
        ({"test_command": ""}, "test_command is empty"),
    ],
)
def test_wrong_options_are_one_sentence(folder, options, message):
    with pytest.raises(ConfigError, match=message):
        Repo(**{"path": folder, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"id": "a\nb"}, "'repo': id: "),
        ({"timeout": -1}, "'repo': timeout: "),
        ({"gold_patch": "missing.diff"}, "gold_patch: missing.diff cannot be read"),
    ],
)
def test_a_task_that_cannot_be_made_says_why(folder, options, message):
    with pytest.raises(TaskError, match=message):
        only_task(Repo(folder, **options))


def test_a_task_is_asked_for_by_its_id(folder):
    assert Repo(folder, id="calc").task("calc").id == "calc"
    with pytest.raises(UnknownNameError, match="did you mean 'calc'"):
        Repo(folder, id="calc").task("clac")
