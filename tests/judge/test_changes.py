"""Which changes count."""

import time

import pytest

from debug_gym.judge import sort_changes
from debug_gym.judge.changes import shadows
from debug_gym.sandbox import Changes, FileEntry


@pytest.fixture(scope="module")
def task(make_task):
    return make_task({"a.py": ""})


@pytest.fixture(scope="module")
def open_task(make_task):
    """Its author lets everything change."""
    return make_task({"a.py": ""}, editable=("*",))


def sort(task, *paths, **options):
    files = {path: FileEntry(data=b"", mode=0o4777) for path in paths}
    return sort_changes(task, Changes(files=files), **options)


@pytest.mark.parametrize("path", ["a.py", "pkg/new.py", "pkg/queue.py", "pkg/types.py", "helpers.py"])
def test_source_files_count(task, path):
    counted, rejected = sort(task, path)
    assert (list(counted.files), rejected) == ([path], ())
    assert counted.files[path].mode == 0o755


@pytest.mark.parametrize(
    "path",
    [
        "conftest.py",
        "pkg/conftest.py",
        "sitecustomize.py",
        "x.pth",
        "__pycache__/a.cpython-311.pyc",
        "pytest.ini",
        ".git/config",
        "lib.so",
        "pytest.py",
        "_pytest/config.py",
        "src/json/__init__.py",
        "../a.py",
        "/a.py",
        "pkg/./a.py",
        "a\0.py",
    ],
)
def test_what_could_decide_how_tests_run_never_counts(open_task, path):
    counted, rejected = sort(open_task, path)
    assert not counted.files
    assert rejected[0].startswith(f"{path}: ")


def test_files_that_hold_required_tests_do_not_count(open_task):
    counted, rejected = sort(open_task, "checks/all.py", protected=["checks/all.py"])
    assert (counted.files, rejected) == ({}, ("checks/all.py: it holds tests that decide",))


@pytest.mark.parametrize(
    ("target", "counts"),
    [("b.py", True), ("../b.py", True), ("../../b.py", False), ("/workspace/b.py", False), ("b.txt", False)],
)
def test_links_count_between_files_that_may_change(task, target, counts):
    links = Changes(files={"pkg/a.py": FileEntry(link=target)})
    counted, rejected = sort_changes(task, links)
    assert (bool(counted.files), bool(rejected)) == (counts, not counts)


def test_a_package_in_a_folder_of_sources_may_have_modules_of_any_name():
    assert shadows("lib/queue.py")
    assert not shadows("lib/queue.py", known=["lib/__init__.py"])


def test_a_module_that_was_there_may_have_any_name():
    assert shadows("queue.py")
    assert not shadows("queue.py", known=["queue.py"])
    assert not shadows("calendar/new.py", known=["calendar/__init__.py"])
    assert shadows("queue/new.py", known=["src/queue.py"])


def test_thousands_of_files_are_sorted_at_once(task):
    """Each needs to be compared with its own folders, not with all that stay."""
    files = {f"pkg/{i}/a.py": FileEntry(data=b"") for i in range(5000)}
    deleted = tuple(f"data/{i}/a.txt" for i in range(5000))
    began = time.process_time()
    counted, rejected = sort_changes(task, Changes(files=files, deleted=deleted))
    assert (len(counted.files), len(rejected)) == (5000, 5000)
    assert time.process_time() - began < 2
