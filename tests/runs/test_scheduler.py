import json
import subprocess

import pytest

from debug_gym.errors import ConfigError, ModelUnavailableError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import Began, Finished, Opened, Stepped, Stopping, execute
from debug_gym.store.records import Run


@pytest.fixture
def config(broken, tmp_path):
    """Make a configuration of a run on a tiny repository."""

    def make(options=None, **fields):
        repo = {key: str(value) for key, value in {**broken(), **(options or {})}.items() if value}
        fields = {"agent": "oracle", "workers": 2, "output": tmp_path / "run", **fields}
        return RunConfig(benchmark="repo", benchmark_options=repo, **fields)

    return make


def play(config, on_event=lambda event: None):
    return execute(prepare(config), on_event)


def test_the_oracle_resolves_and_everything_is_stored(config, tmp_path):
    events = []
    outcome = play(config(attempts=3, seed=7), events.append)
    assert not outcome.interrupted
    run = Run.open(tmp_path / "run")
    assert list(outcome.results) == run.results()
    assert [(item.attempt, item.seed, item.status) for item in run.results()] == [
        (0, 7, "resolved"),
        (1, 8, "resolved"),
        (2, 9, "resolved"),
    ]
    first = run.results()[0]
    assert (first.fail_to_pass, first.ending, first.reason) == (1.0, "terminated", "")
    trajectory = run.trajectory("calc", 1)
    assert trajectory.seed == 8
    assert trajectory.verdict.resolved
    assert trajectory.first_observation
    assert trajectory.steps[0].call.name == "bash"
    assert len(trajectory.steps) == run.results()[1].steps
    kinds = [type(event) for event in events]
    assert kinds[0] is Opened
    assert (kinds.count(Began), kinds.count(Finished)) == (3, 3)
    assert kinds.count(Stepped) == sum(item.steps for item in outcome.results)


def test_predictions_apply_to_the_repository(config, tmp_path):
    play(config())
    (line,) = (tmp_path / "run" / "predictions.jsonl").read_text().splitlines()
    prediction = json.loads(line)
    assert (prediction["instance_id"], prediction["model_name_or_path"]) == ("calc", "oracle")
    apply = ["git", "apply", "-p1", "-"]
    subprocess.run(apply, cwd=tmp_path / "calc", input=prediction["model_patch"].encode(), check=True)
    assert "return a + b" in (tmp_path / "calc" / "calc.py").read_text()


def test_an_agent_that_does_nothing_is_unresolved_with_an_empty_patch(config, tmp_path):
    (result,) = play(config(agent="random", tools=("view",), max_steps=2)).results
    assert (result.status, result.ending, result.steps, result.fail_to_pass) == (
        "unresolved",
        "step limit",
        2,
        0.0,
    )
    assert "1 of 1 required tests" in result.reason
    assert json.loads((tmp_path / "run" / "predictions.jsonl").read_text())["model_patch"] == ""


def test_the_time_limit_ends_an_episode_and_it_is_judged(config):
    (result,) = play(config(agent="random", tools=("view",), max_steps=100_000, time_limit=0.3)).results
    assert (result.status, result.ending) == ("unresolved", "time limit")
    assert 0 < result.steps < 100_000


def test_what_is_finished_is_not_played_again(config):
    wanted = config(attempts=2)
    first = play(wanted)
    events = []
    second = play(wanted, events.append)
    assert second.results == first.results
    assert [type(event) for event in events] == [Opened]
    assert len(events[0].kept) == 2


def test_an_infrastructure_error_is_no_result_and_is_tried_anew(config, tmp_path):
    wanted = config({"gold_patch": None}, attempts=2)
    outcome = play(wanted)
    assert [item.status for item in outcome.results] == ["error", "error"]
    assert "has no gold patch" in outcome.results[0].reason
    end = Run.open(tmp_path / "run").end("calc", 1)
    assert (end.status, end.verdict) == ("error", None)
    assert "has no gold patch" in end.error
    assert not (tmp_path / "run" / "predictions.jsonl").exists()
    events = []
    play(wanted, events.append)
    assert events[0].kept == ()
    assert len((tmp_path / "run" / "results.jsonl").read_text().splitlines()) == 2


def test_a_configuration_that_no_attempt_can_be_played_with_ends_the_run(config, tmp_path):
    with pytest.raises(ConfigError, match="the oracle needs bash"):
        play(config(tools=("view",), attempts=4))
    assert Run.open(tmp_path / "run").results() == []


def test_ctrl_c_stops_and_the_next_start_completes(config, tmp_path):
    wanted = config(attempts=5, workers=2)
    seen = []

    def interrupt(event):
        seen.append(type(event))
        if seen.count(Finished) == 1 and Stopping not in seen:
            raise KeyboardInterrupt

    outcome = play(wanted, interrupt)
    assert outcome.interrupted
    assert Stopping in seen
    assert 1 <= len(outcome.results) < 5
    kept = outcome.results
    complete = play(wanted)
    assert not complete.interrupted
    assert [item.attempt for item in complete.results] == [0, 1, 2, 3, 4]
    assert all(result in complete.results for result in kept)
    assert len((tmp_path / "run" / "results.jsonl").read_text().splitlines()) == 5


def test_a_changed_repository_is_not_mixed_with_old_results(config, tmp_path):
    wanted = config()
    play(wanted)
    (tmp_path / "calc" / "more.py").write_text("x = 1\n")
    with pytest.raises(ConfigError, match=r"an earlier state of the repository \(changed since: more\.py\)"):
        play(wanted)


def test_a_model_that_cannot_be_asked_ends_a_run_before_it_begins(config, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelUnavailableError, match="cannot reach http://127"):
        play(config(agent="llm", model="m", base_url="http://127.0.0.1:1/v1", attempts=20))
    assert not (tmp_path / "run").exists(), "nothing was played"


def test_what_others_have_put_into_the_folder_of_a_run_that_never_began_stays(config, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".notes").write_text("mine")
    with pytest.raises(ModelUnavailableError):
        play(config(agent="llm", model="m", base_url="http://127.0.0.1:1/v1"))
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".notes"]


def test_the_agent_that_is_made_to_see_whether_that_can_be_done_is_the_first_to_play(config):
    plan = prepare(config(agent="random"))
    tried = plan.waiting[0]
    assert plan.agent() is tried
    assert plan.agent() is not tried
    plan.close()


def test_a_run_stops_when_nothing_of_its_first_wave_could_be_played(config, tmp_path):
    """A server that answers everybody with the same refusal is not asked by all the other attempts."""
    recording = tmp_path / "tape"
    recording.mkdir()
    line = {"type": "reply", "format": 1, "model": "m", "key": "k", "turn": 0, "messages": [], "tools": []}
    (recording / "replies.jsonl").write_text(json.dumps({**line, "episode": "x"}) + "\n")
    options = {"provider": "replay", "recording": str(recording)}
    outcome = play(config(agent="llm", model="m", agent_options=options, attempts=30, workers=2))
    assert outcome.given_up
    assert 2 <= len(outcome.results) <= 4
    assert {result.status for result in outcome.results} == {"error"}
