"""What can be checked on the nightmares without running them; that the fixes work is checked by the judge."""

import re
from pathlib import Path, PurePosixPath

import pytest

from debug_gym.benchmarks.nightmares import TASKS, Nightmares
from debug_gym.errors import TaskError

IDS = sorted(path.parent.name for path in TASKS.glob("[!.]*/task.yaml"))
DESCRIPTION = """\
problem: It is broken.
category: aliasing
fail_to_pass: [tests/test_a.py::test_a]
"""


@pytest.fixture(scope="module")
def nightmares():
    return Nightmares()


@pytest.fixture(params=IDS)
def task(request, nightmares):
    return nightmares.task(request.param)


@pytest.fixture
def folder(tmp_path):
    """A folder with one sound task, ``sample``."""
    sample = tmp_path / "sample"
    for name in ("repo", "hidden/tests"):
        (sample / name).mkdir(parents=True)
    (sample / "repo/a.py").write_text("x = 1\n")
    (sample / "hidden/tests/test_a.py").write_text("def test_a(): pass\n")
    (sample / "gold.patch").write_text("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n")
    (sample / "task.yaml").write_text(DESCRIPTION)
    return tmp_path


def source_text(task, path):
    """The text of a file after the hidden tests are laid over the repository."""
    return task.tests.hidden.get(path) or (task.source.path / path).read_text(encoding="utf-8")


def test_there_are_enough_and_ids_are_unique(nightmares):
    loaded = [task.id for task in nightmares.load()]
    assert len(loaded) >= 20
    assert len(set(loaded)) == len(loaded) == len(nightmares)
    assert loaded == sorted(loaded)


def test_task_is_complete(task):
    assert task.benchmark == "nightmares"
    assert task.metadata["category"]
    assert task.problem.strip()
    assert list(task.source.path.glob("*/__init__.py"))


def test_required_tests_exist_and_are_distinct(task):
    assert len(set(task.tests.required)) == len(task.tests.required)
    for test in task.tests.required:
        path, _, name = test.partition("::")
        function = name.rpartition("::")[2].partition("[")[0]
        assert f"def {function}(" in source_text(task, path), test


def test_visible_and_hidden_tests_show_the_bug(task):
    files = {test.partition("::")[0] for test in task.tests.fail_to_pass}
    assert files & set(task.tests.hidden)
    assert files - set(task.tests.hidden)


def test_gold_patch_changes_only_editable_files(task):
    changed = re.findall(r"^(?:--- a|\+\+\+ b)/(\S+)", task.gold_patch, re.M)
    assert changed
    for path in changed:
        assert task.is_editable(path), path
        assert (task.source.path / path).is_file(), path


def test_hidden_files_are_new_tests(task):
    assert task.tests.hidden
    for path in task.tests.hidden:
        assert PurePosixPath(path).match("tests/test_*.py"), path
        assert not task.is_editable(path), path
        assert not (task.source.path / path).exists(), path


def test_problem_does_not_name_hidden_tests(task):
    for path, text in task.tests.hidden.items():
        for name in [PurePosixPath(path).stem, *re.findall(r"def (test_\w+)", text)]:
            assert name not in task.problem, name


def test_repository_holds_sources_only(task):
    for path in task.source.path.rglob("*"):
        assert path.name not in {"__pycache__", ".pytest_cache", ".git"}, path
        assert path.is_dir() or path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".csv", ".cfg"}, path


def test_sound_folder_loads(folder):
    (task,) = Nightmares(folder).load()
    assert (task.id, task.problem, task.metadata) == ("sample", "It is broken.", {"category": "aliasing"})
    assert task.tests.hidden == {"tests/test_a.py": "def test_a(): pass\n"}
    assert task.source.path == folder / "sample/repo"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("problem: [", "is not valid YAML"),
        ("- a list", "does not describe a task"),
        (DESCRIPTION + "hints: none\n", "hints"),
        (DESCRIPTION.replace("category: aliasing\n", ""), "category"),
        (DESCRIPTION.replace("[tests/test_a.py::test_a]", "[]"), "fail_to_pass"),
        ("problem: \x07", "is not valid YAML"),
    ],
)
def test_wrong_description_is_named(folder, text, reason):
    path = folder / "sample/task.yaml"
    path.write_text(text)
    with pytest.raises(TaskError, match=reason) as caught:
        list(Nightmares(folder).load())
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["task.yaml", "gold.patch", "repo", "hidden"])
def test_missing_part_is_named(folder, name):
    path = folder / "sample" / name
    path.rename(folder.parent / f"{folder.name}-{name}")
    with pytest.raises(TaskError, match=re.escape(str(path))):
        list(Nightmares(folder).load())


def test_file_that_is_not_utf8_is_named(folder):
    path = folder / "sample/hidden/tests/test_a.py"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(TaskError, match=re.escape(str(path))):
        list(Nightmares(folder).load())


def test_caches_of_other_tools_are_no_tasks(folder):
    for name in (".cache", "__pycache__"):
        (folder / name).mkdir()
    (folder / "README.md").write_text("Tasks.\n")
    assert [task.id for task in Nightmares(folder).load()] == ["sample"]


def test_folder_name_that_is_no_id(folder):
    wrong = folder / "not an id "
    Path(folder / "sample").rename(wrong)
    with pytest.raises(TaskError, match="not an id"):
        list(Nightmares(folder).load())
