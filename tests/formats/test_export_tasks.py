"""Tasks in the forms of others: read again by those who read them, and played here again."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import datasets
import pytest
from typer.testing import CliRunner

from debug_gym.benchmarks.folder import FolderBenchmark
from debug_gym.benchmarks.harbor import Harbor
from debug_gym.cli import app
from debug_gym.errors import ConfigError, TaskError
from debug_gym.formats.folder import whole, write_benchmark
from debug_gym.formats.harbor import write_task
from debug_gym.formats.swebench import COLUMNS, as_row
from debug_gym.task import FilesSource, ImageSource, OpenQuestion, Task, Tests

pytestmark = pytest.mark.slow

GOLD = (
    "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
)
SEEN = "from calc import add\n\n\ndef test_zero():\n    assert add(0, 0) == 0\n"
HIDDEN = f"{SEEN}\n\ndef test_sum():\n    assert add(41, 1) == 42\n"
SUMS = Task(
    id="sums/one",
    benchmark="sums",
    problem='Sums are "wrong".\n\nAll of them.',
    source=FilesSource(files={"calc.py": "def add(a, b):\n    return a - b\n", "test_calc.py": SEEN}),
    tests=Tests(
        hidden={"test_calc.py": HIDDEN, "data/blob.bin": b"\xff\x00"},
        fail_to_pass=("test_calc.py::test_sum",),
        pass_to_pass=("test_calc.py::test_zero",),
    ),
    gold_patch=GOLD,
    metadata={"licence": "MIT", "package": "calc", "version": "1.2"},
)


@pytest.fixture
def harbor(tmp_path, backend):
    write_task(SUMS, tmp_path / "tasks/sums", backend)
    return tmp_path / "tasks"


def test_a_task_is_the_same_in_a_folder_of_its_own(tmp_path, backend):
    write_benchmark(whole(SUMS, backend), tmp_path / "held")
    task = FolderBenchmark(tmp_path / "held").task("sums/one")
    same = {"source", "metadata"}
    assert task.model_dump(exclude=same) == SUMS.model_dump(exclude=same)
    assert (task.source.path / "calc.py").read_text() == SUMS.source.files["calc.py"]


def test_a_table_is_read_by_datasets_and_its_patches_apply(tmp_path):
    pages = {}
    for name in ("tasks.jsonl", "tasks.parquet"):
        asked = ["export-tasks", "nightmares", "--limit", "2", "-f", "swebench", "-O", str(tmp_path / name)]
        assert CliRunner().invoke(app, asked).exit_code == 0
        kind = "json" if name.endswith("l") else "parquet"
        pages[kind] = datasets.load_dataset(
            kind, data_files=str(tmp_path / name), split="train", cache_dir=str(tmp_path / "cache")
        )
    assert pages["json"].column_names == list(COLUMNS)
    assert pages["json"].to_list() == pages["parquet"].to_list()
    assert len({row["instance_id"] for row in pages["json"]}) == 2


def test_the_patches_of_a_row_make_the_judges_repository(tmp_path):
    row = as_row(SUMS, "1")
    for path, text in SUMS.source.files.items():
        (tmp_path / path).write_text(text)
    for patch in (row["patch"], row["test_patch"]):
        subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=tmp_path, check=True)
    assert (tmp_path / "test_calc.py").read_text() == HIDDEN
    assert (tmp_path / "data/blob.bin").read_bytes() == b"\xff\x00"
    assert json.loads(row["FAIL_TO_PASS"]) == ["test_calc.py::test_sum"]
    assert (row["repo"], row["version"], len(row["base_commit"])) == ("calc", "1.2", 40)
    assert row["base_commit"] == as_row(SUMS, "1")["base_commit"]


def test_what_no_table_holds_is_told():
    for changed, words in (
        ({"gold_patch": None}, "has no gold patch"),
        ({"question": OpenQuestion(reference="so")}, "is open-ended"),
        ({"tests": Tests()}, "does not name the tests that decide"),
    ):
        with pytest.raises(ConfigError, match=words):
            as_row(SUMS.model_copy(update=changed), "1")


def test_an_agents_image_holds_neither_hidden_tests_nor_the_fix(harbor):
    shown = {str(path.relative_to(harbor)) for path in harbor.rglob("environment/**/*") if path.is_file()}
    repo = {f"sums/environment/repo/{name}" for name in SUMS.source.files}
    assert shown == {"sums/environment/Dockerfile", *repo}
    seen = "".join((harbor / name).read_text() for name in shown)
    seen += (harbor / "sums/instruction.md").read_text() + (harbor / "sums/task.toml").read_text()
    assert "test_sum" not in seen
    assert "a + b" not in seen
    assert (harbor / "sums/instruction.md").read_text().startswith(SUMS.problem)
    said = tomllib.loads((harbor / "sums/task.toml").read_text())
    assert said["verifier"]["environment_mode"] == "separate"
    assert said["artifacts"][0]["source"] == said["environment"]["workdir"]


def test_its_verifier_is_the_judge(harbor, tmp_path):
    """The script, with the gym that it brings along, in place of the container."""
    tests, workspace, logs = harbor / "sums/tests", tmp_path / "workspace", tmp_path / "logs"
    with tarfile.open(fileobj=io.BytesIO((tests / "gym.tar.gz").read_bytes())) as packed:
        packed.extractall(tmp_path / "gym", filter="data")
    shutil.copytree(harbor / "sums/environment/repo", workspace)
    (workspace / "test_calc.py").write_text("def test_sum():\n    assert True\n")  # does not count
    asked = ["judge", str(tests / "benchmark"), "sums/one", str(workspace), "--reward", f"{logs}/reward.txt"]
    assert "is not resolved" in CliRunner().invoke(app, asked).output
    assert (logs / "reward.txt").read_text() == "0\n"

    gold = (harbor / "sums/solution/gold.patch").read_bytes()
    subprocess.run(["git", "apply", "-"], input=gold, cwd=workspace, check=True)
    places = {"TESTS": tests, "LOGS": logs, "WORKSPACE": workspace, "GYM_PACKAGE": tmp_path / "gym"}
    variables = {**os.environ, "GYM_PYTHON": sys.executable, "TASK_PYTHON": sys.executable}
    variables |= {name: str(path) for name, path in places.items()}
    subprocess.run([tests / "test.sh"], env=variables, check=True)
    assert (logs / "reward.txt").read_text() == "1\n"


def test_our_own_folder_is_played_as_the_task_that_it_was(harbor):
    task = Harbor(harbor).task("sums")
    assert (task.id, task.benchmark, task.problem) == ("sums", "harbor", SUMS.problem)
    assert (task.tests, task.gold_patch, task.editable) == (SUMS.tests, GOLD, SUMS.editable)
    assert Harbor(harbor, python=sys.executable).task("sums").environment.python == sys.executable
    shutil.copytree(harbor / "sums/tests/benchmark/sums%2Fone", harbor / "sums/tests/benchmark/another")
    with pytest.raises(TaskError, match="holds 2 tasks"):
        Harbor(harbor).task("sums")


def test_what_cannot_be_a_folder_is_told(tmp_path, backend):
    for changed, words in (
        ({"source": ImageSource(image="some/image")}, "lies in the image some/image"),
        ({"question": OpenQuestion(reference="so")}, "is open-ended"),
    ):
        with pytest.raises(ConfigError, match=words):
            write_task(SUMS.model_copy(update=changed), tmp_path / "task", backend)
    asked = ["export-tasks", "nightmares", "--limit", "1", "-f", "harbor", "-O", str(tmp_path)]
    assert CliRunner().invoke(app, asked).exit_code == 0
    with pytest.raises(ConfigError, match="is there already"):
        CliRunner().invoke(app, asked, catch_exceptions=False)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        asked = ["judge", "nightmares", "call-quality", str(Path(tmp_path, "nowhere"))]
        CliRunner().invoke(app, asked, catch_exceptions=False)
