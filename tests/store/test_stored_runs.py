"""Runs that earlier versions have stored stay readable: ``data/run-format-1`` is one of each kind of file."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import make_benchmark, prepare
from debug_gym.runs.scheduler import execute
from debug_gym.store.records import Run

DATA = Path(__file__).parent / "data" / "run-format-1"


@pytest.fixture
def stored(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(DATA, folder)
    return folder


def test_it_is_read(stored):
    run = Run.open(stored)
    assert [(result.key, result.status, result.steps) for result in run.results()] == [
        (("meter-days", 0), "unresolved", 1),
        (("meter-days", 1), "unresolved", 2),
    ]
    trajectory = run.trajectory("meter-days", 1)
    assert (trajectory.agent, len(trajectory.steps), trajectory.steps[-1].call.name) == (
        "random",
        2,
        "submit",
    )
    assert not run.end("meter-days", 1).verdict.resolved


def test_it_is_reported(stored, tmp_path):
    page = tmp_path / "report.html"
    done = CliRunner().invoke(app, ["report", str(stored), "--output", str(page)])
    assert done.exit_code == 0, done.output
    assert "meter-days" in page.read_text()
    assert "random" in CliRunner().invoke(app, ["leaderboard", str(stored)]).output


def test_it_is_resumed(stored):
    """One of the attempts has lost its end, as in a power cut: it is played anew, the other one is kept."""
    (stored / "trajectories" / "meter-days.1.jsonl").write_text("")
    before = Run.open(stored)
    state = before.manifest.model_copy(update={"benchmark_version": make_benchmark("nightmares", {}).version})
    (stored / "config.json").write_text(
        state.model_dump_json()
    )  # the tasks may have changed since; the format has not
    config = RunConfig.model_validate(before.manifest.config).model_copy(update={"output": stored})
    outcome = execute(prepare(config))
    assert [result.key for result in outcome.results] == [("meter-days", 0), ("meter-days", 1)]
    assert outcome.results[0] == before.results()[0]
    assert Run.open(stored).end("meter-days", 1) is not None
