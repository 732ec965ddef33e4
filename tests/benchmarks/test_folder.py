"""A benchmark that is a folder: its format, what it refuses, and that the commands take it."""

import re
import tarfile
from pathlib import Path

import pytest

from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.checks.validate import validate_all
from debug_gym.errors import ConfigError, TaskError, UnknownNameError
from debug_gym.runs.plan import make_benchmark
from debug_gym.task import ArchiveSource, GitSource

DESCRIPTION = "problem: It is broken.\ncategory: aliasing\nfail_to_pass: [tests/test_a.py::test_a]\n"
GOLD = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
BENCHMARK = """\
name: samples
description: Two samples.
card: {source: https://example.org, licence: MIT, citation: "A and B, 2026"}
splits:
  small: [sample]
defaults:
  timeout: 5
  test_command: python -m pytest -q
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with one sound task, ``sample``."""
    root = tmp_path / "samples"
    sample = root / "sample"
    for name in ("repo", "hidden/tests"):
        (sample / name).mkdir(parents=True)
    (sample / "repo/a.py").write_text("x = 1\n")
    (sample / "hidden/tests/test_a.py").write_text("from a import x\n\ndef test_a(): assert x == 2\n")
    (sample / "gold.patch").write_text(GOLD)
    (sample / "task.yaml").write_text(DESCRIPTION)
    (root / "benchmark.yaml").write_text(BENCHMARK)
    return root


def sample(folder):
    return FolderBenchmark(folder).task("sample")


def describe(folder, text):
    (folder / "sample/task.yaml").write_text(DESCRIPTION + text)


def test_a_sound_folder(folder):
    benchmark = FolderBenchmark(folder)
    task = benchmark.task("sample")
    assert (benchmark.name, benchmark.card.licence, list(benchmark.tasks)) == ("samples", "MIT", ["sample"])
    assert (task.benchmark, task.problem, task.metadata) == (
        "samples",
        "It is broken.",
        {"category": "aliasing"},
    )
    assert (task.tests.timeout, task.tests.command) == (5, ("python", "-m", "pytest", "-q"))
    assert list(task.tests.hidden) == ["tests/test_a.py"]
    assert (task.gold_patch, task.source.path) == (GOLD, folder / "sample/repo")


def test_nothing_is_read_of_a_task_before_it_is_asked_for(folder):
    (folder / "broken").mkdir()
    benchmark = FolderBenchmark(folder)
    assert list(benchmark.ids()) == ["broken", "sample"]
    assert benchmark.task("sample").id == "sample"
    with pytest.raises(TaskError, match=r"broken/task\.yaml cannot be read"):
        benchmark.task("broken")


def test_ids_that_are_no_names_of_folders(folder):
    (folder / "sample").rename(folder / "owner%2Frepo #1")
    benchmark = FolderBenchmark(folder)
    assert list(benchmark.ids()) == ["owner/repo #1"]
    assert benchmark.task("owner/repo #1").tests.hidden


def test_the_version_is_given_or_follows_the_content(folder):
    before = FolderBenchmark(folder).version
    describe(folder, "timeout: 7\n")
    assert FolderBenchmark(folder).version != before
    with (folder / "benchmark.yaml").open("a") as file:
        file.write("version: '3'\n")
    assert FolderBenchmark(folder).version == "3"


def test_splits(folder):
    benchmark = FolderBenchmark(folder)
    assert list(benchmark.split("small")) == ["sample"]
    with pytest.raises(UnknownNameError, match="no split named 'smal': did you mean 'small'"):
        benchmark.split("smal")


def test_hidden_files_may_be_binary(folder):
    (folder / "sample/hidden/tests/data.bin").write_bytes(b"\xff\x00")
    task = sample(folder)
    assert task.tests.hidden["tests/data.bin"] == b"\xff\x00"
    assert type(task).model_validate_json(task.model_dump_json()) == task


def test_a_repository_from_elsewhere_with_the_bug_put_in(folder):
    (folder / "sample/repo").rename(folder / "sample/fixed")
    describe(folder, "source: {kind: git, url: 'https://example.org/x.git', commit: abc}\n")
    (folder / "sample/bug.patch").write_text("a patch")
    source = sample(folder).source
    assert isinstance(source, GitSource)
    assert (source.url, source.bug_patch) == ("https://example.org/x.git", "a patch")
    with tarfile.open(folder / "sample/x.tar", "w") as archive:
        archive.add(folder / "sample/fixed", "x")
    describe(folder, "source: {kind: archive, path: x.tar, reverse: true}\n")
    assert isinstance(sample(folder).source, ArchiveSource)
    assert sample(folder).source.path == folder / "sample/x.tar"


@pytest.mark.parametrize(
    "source",
    [
        "{kind: directory, path: /etc}",
        "{kind: directory, path: ../..}",
        "{kind: archive, path: ../../x.tar}",
        "{kind: git, url: /root/private, commit: main}",
        "{kind: git, url: 'file:///root/private', commit: main}",
    ],
)
def test_files_outside_of_the_folder_are_not_taken(folder, source):
    describe(folder, f"source: {source}\n")
    with pytest.raises(
        TaskError,
        match=r"task\.yaml: source: .* (lies outside of the benchmark's folder|is no address of a server)",
    ):
        sample(folder)


def test_a_link_does_not_lead_out_either(folder):
    (folder / "sample/out").symlink_to("/etc")
    describe(folder, "source: {kind: directory, path: out}\n")
    with pytest.raises(TaskError, match="lies outside"):
        sample(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("problem: [", "is not valid YAML"),
        ("- a list", "does not describe a task"),
        (DESCRIPTION + "hints: none\n", "hints"),
        ("category: x\n", "problem"),
        ("problem: \x07", "is not valid YAML"),
        (DESCRIPTION + "test_command: A=b pytest\n", "'A=b' cannot be run"),
    ],
)
def test_a_wrong_description_is_named(folder, text, reason):
    path = folder / "sample/task.yaml"
    path.write_text(text)
    with pytest.raises(TaskError, match=reason) as caught:
        sample(folder)
    assert str(path.parent) in str(caught.value)


@pytest.mark.parametrize("name", ["task.yaml", "repo"])
def test_a_missing_part_is_named(folder, name):
    path = folder / "sample" / name
    path.rename(folder.parent / f"moved-{name}")
    with pytest.raises(TaskError, match=re.escape(str(path))):
        sample(folder)


def test_a_patch_that_is_not_utf8_is_named(folder):
    path = folder / "sample/gold.patch"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(TaskError, match=re.escape(str(path))):
        sample(folder)


def test_caches_of_other_tools_are_no_tasks(folder):
    for name in (".cache", "__pycache__"):
        (folder / name).mkdir()
    (folder / "README.md").write_text("Tasks.\n")
    assert list(FolderBenchmark(folder).ids()) == ["sample"]


def test_commands_take_the_path_in_place_of_a_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert make_benchmark("samples", {}).name == "samples"
    with pytest.raises(ConfigError, match="has no options: x"):
        make_benchmark("samples", {"x": 1})
    (Path("samples") / "benchmark.yaml").unlink()
    with pytest.raises(UnknownNameError):
        make_benchmark("samples", {})


def test_a_fix_that_is_a_script(folder, backend):
    (folder / "sample/gold.patch").unlink()
    (folder / "sample/gold.sh").write_text("sed -i 's/1/2/' a.py\n")
    (found,) = validate_all([sample(folder)], backend, repeats=1)
    assert found.problems == ()
    (folder / "sample/gold.sh").write_text("echo no luck\nexit 1\n")
    (found,) = validate_all([sample(folder)], backend, repeats=1)
    assert "the gold script fails: no luck" in found.problems


def test_a_question(folder):
    describe(folder, "question: {reference: x is 1}\n")
    assert sample(folder).question.reference == "x is 1"
    assert sample(folder).for_agent().question.reference == ""
