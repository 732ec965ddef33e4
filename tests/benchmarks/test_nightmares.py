"""What can be checked on the nightmares without running them; that the fixes work is checked by the judge."""

import re
from pathlib import PurePosixPath

import pytest

from debug_gym.benchmarks.nightmares import TASKS, Nightmares

IDS = sorted(path.parent.name for path in TASKS.glob("[!.]*/task.yaml"))


@pytest.fixture(scope="module")
def nightmares():
    return Nightmares()


@pytest.fixture(params=IDS)
def task(request, nightmares):
    return nightmares.task(request.param)


def source_text(task, path):
    """The text of a file after the hidden tests are laid over the repository."""
    return task.tests.hidden.get(path) or (task.source.path / path).read_text(encoding="utf-8")


def test_there_are_enough_and_ids_are_unique(nightmares):
    loaded = list(nightmares.ids())
    assert len(loaded) >= 30
    assert len(set(loaded)) == len(loaded) == len(nightmares)
    assert loaded == sorted(loaded)
    assert sorted([*nightmares.split("first"), *nightmares.split("later")]) == loaded


def test_of_later_ones_it_is_told_why_reading_misleads(nightmares):
    for name in nightmares.split("later"):
        assert {"misleads", "cause"} <= set(nightmares.task(name).metadata)


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
