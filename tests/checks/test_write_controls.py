"""``debug-gym validate --write-controls`` on a benchmark of one's own, in the format of the nightmares."""

import re
import sys

import pytest

from debug_gym.benchmarks.base import read_controls
from debug_gym.benchmarks.repo import Repo
from debug_gym.cli import main

FILES = {
    "repo/calc.py": "def add(a, b):\n    return a - b\n",
    "hidden/tests/test_sums.py": "from calc import add\n\n\ndef test_add():\n    assert add(20, 22) == 42\n",
    "gold.patch": "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n"
    "-    return a - b\n+    return a + b\n",
    "task.yaml": "problem: Sums are wrong.\ncategory: sums\nfail_to_pass: [tests/test_sums.py::test_add]\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, text in FILES.items():
        file = tmp_path / "sums" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "benchmark.yaml").write_text("name: sums\n")
    return tmp_path


def validate(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["debug-gym", "validate", *arguments, "--repeats", "1"])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_controls_are_written_and_used_at_once(folder, monkeypatch, capsys):
    assert validate(monkeypatch, str(folder), "--write-controls") == 0
    controls = read_controls(folder / "sums" / "controls.json")
    assert len({control.new for control in controls if control.sharp and control.old == "42"}) >= 8
    out = capsys.readouterr().out
    assert "1/1 tasks are sound" in out
    drawn = int(re.search(r"1/1 │ +(\d+) │", out)[1])
    assert 8 <= drawn <= len(controls)


def test_a_repository_keeps_its_controls_where_the_option_says(folder, monkeypatch, capsys):
    (folder / "test_calc.py").write_text(FILES["hidden/tests/test_sums.py"])
    options = {
        "path": folder / "sums/repo",
        "gold_patch": folder / "sums/gold.patch",
        "fail_to_pass": "test_calc.py::test_add",
        "controls": folder / "controls.json",
    }
    (folder / "test_calc.py").rename(folder / "sums/repo/test_calc.py")
    pairs = [word for key, value in options.items() for word in ("-b", f"{key}={value}")]
    assert validate(monkeypatch, "repo", *pairs, "--write-controls") == 0
    assert {control.test for control in read_controls(options["controls"])} == {"test_calc.py::test_add"}


def test_a_repository_without_the_option_keeps_them_in_the_cache(folder, monkeypatch, capsys):
    (folder / "sums/repo/test_calc.py").write_text(FILES["hidden/tests/test_sums.py"])
    options = [f"path={folder / 'sums/repo'}", f"gold_patch={folder / 'sums/gold.patch'}"]
    options += ["fail_to_pass=test_calc.py::test_add"]
    pairs = [word for option in options for word in ("-b", option)]
    assert validate(monkeypatch, "repo", *pairs, "--write-controls") == 0
    assert Repo(folder / "sums/repo").task("repo").tests.controls
