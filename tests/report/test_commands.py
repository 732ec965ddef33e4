"""The commands, on a run that was really played."""

import csv
import io
import json
import sys

import pytest

from debug_gym.cli import main
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute

GOLD = (
    "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n"
)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A folder with a real run of the oracle."""
    folder = tmp_path_factory.mktemp("played")
    repository = folder / "calc"
    repository.mkdir()
    (repository / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (repository / "test_calc.py").write_text(
        "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    )
    (folder / "gold.diff").write_text(GOLD)
    options = {"path": str(repository), "gold_patch": str(folder / "gold.diff")}
    config = RunConfig(
        benchmark="repo",
        benchmark_options=options,
        agent="oracle",
        output=folder / "runs" / "gold",
        workers=1,
    )
    execute(prepare(config))
    return folder / "runs"


@pytest.fixture
def cli(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["debug-gym", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_report_of_a_real_run(cli, played, tmp_path):
    code, text, _ = cli("report", played, "-o", tmp_path / "report.html")
    assert code == 0
    assert text.startswith("1 run in ")
    assert "oracle" in (tmp_path / "report.html").read_text()


def test_the_leaderboard_of_a_real_run(cli, played):
    assert "100.0" in cli("leaderboard", played)[1]
    assert cli("leaderboard", played, "--format", "markdown")[1].startswith("### repo\n\n| run |")
    (board,) = json.loads(cli("leaderboard", played, "-f", "json")[1])
    (line,) = csv.DictReader(io.StringIO(cli("leaderboard", played, "-f", "csv")[1]))
    assert line["resolved"] == str(board["rows"][0]["resolved"]) == "1"


@pytest.mark.parametrize("command", ["report", "leaderboard"])
def test_nonsense_is_refused_in_one_sentence(cli, tmp_path, command):
    code, _, error = cli(command, tmp_path)
    assert code == 2
    assert error.startswith("error: there is no run in or below")
    assert len(error.splitlines()) == 1
