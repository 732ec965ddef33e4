"""The folder that docs/benchmarks.md shows is a benchmark whose task is sound, and its tables name every key."""

import re
from pathlib import Path

from debug_gym.benchmarks.folder import FolderBenchmark, TaskFile
from debug_gym.checks.validate import validate

TEXT = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)```\n", TEXT, re.MULTILINE | re.DOTALL))


def test_the_shown_folder_is_a_sound_benchmark(tmp_path, backend):
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    benchmark = FolderBenchmark(tmp_path)
    assert list(benchmark.split("small")) == list(benchmark.ids()) == ["add"]
    assert benchmark.task("add").tests.timeout == 20
    assert validate(benchmark.task("add"), backend, repeats=1).problems == ()


def test_every_key_is_described():
    rows = "".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))
    assert set(TaskFile.model_fields) <= set(re.findall(r"`(\w+)`", rows))
