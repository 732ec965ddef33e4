"""Whole runs, recorded with a server and replayed without one."""

import json
from contextlib import closing

import pytest

from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute

ATTEMPTS = 3


@pytest.fixture
def run(calc, tmp_path):
    def play(name, **options):
        config = {
            "benchmark": "repo", "benchmark_options": {"path": str(calc)}, "agent": "llm", "model": "m",
            "output": tmp_path / name, "max_steps": 3, "attempts": ATTEMPTS,
        }  # fmt: skip
        with closing(prepare(load_config([], {**config, **options}))) as plan:
            return execute(plan)

    return play


def script(server, episodes):
    """More replies than needed, no two alike; who gets which depends on who asks first."""
    for number in range(episodes * 3):
        calls = [server.call("bash", {"command": f"echo {number}"}), server.call("eval")]
        server.say(f"thought {number}", *calls[: 1 + number % 2])


def episodes(outcome):
    """Everything of a run that a clock does not decide."""
    for result in outcome.results:
        trajectory = outcome.run.trajectory(result.task, result.attempt)
        yield result.attempt, [step.model_dump(exclude={"seconds"}) for step in trajectory.steps]


def test_a_run_is_replayed_with_other_workers_and_no_server(server, run, tmp_path):
    script(server, ATTEMPTS)
    options = {"record": str(tmp_path / "tape"), "base_url": server.url, "requests_per_minute": 600}
    recorded = run("recorded", workers=3, agent_options=options)
    asked = len(server.requests)
    replayed = run(
        "replayed", workers=1, agent_options={"provider": "replay", "recording": str(tmp_path / "tape")}
    )
    assert len(server.requests) == asked
    before, after = dict(episodes(recorded)), dict(episodes(replayed))
    assert before == after
    assert len({str(steps) for steps in before.values()}) == ATTEMPTS  # no two attempts were alike
    assert all(len(steps) == 3 for steps in before.values())


def test_a_resumed_run_is_replayed_as_it_ended(server, run, tmp_path):
    script(server, ATTEMPTS)
    options = {"record": str(tmp_path / "tape"), "base_url": server.url}
    run("recorded", workers=1, agent_options=options)
    results = tmp_path / "recorded" / "results.jsonl"
    results.write_text(
        "".join(results.read_text().splitlines(keepends=True)[:-1])
    )  # killed just before it ended
    script(server, 1)
    resumed = run("recorded", workers=1, agent_options=options)
    replayed = run(
        "replayed", workers=2, agent_options={"provider": "replay", "recording": str(tmp_path / "tape")}
    )
    assert dict(episodes(replayed)) == dict(episodes(resumed))


def test_every_reply_stands_in_the_trajectory(server, run):
    server.say("I think.", reasoning="Hm.")
    server.say("Broken.", server.call("eval", "{", "c1"), finish_reason="length")
    server.say("Now.", server.call("eval", {}, "c2"))
    for _ in range(3):
        server.say("No more calls.")
    outcome = run("silent", attempts=1, agent_options={"base_url": server.url})
    trajectory = outcome.run.trajectory("calc", 0)
    (step,) = trajectory.steps
    assert [reply.text for reply in step.replies] == ["I think.", "Broken.", "Now."]
    assert step.replies[1].calls[0].arguments == "{"
    assert "not valid JSON" in step.replies[1].remark
    assert [reply.text for reply in trajectory.replies] == ["No more calls."] * 3
    assert step.observation.kind == "test"
    assert outcome.results[0].stop_reason == "no tool call that can be played in 3 replies in a row"


def test_a_server_that_fails_leaves_what_was_said_before(server, run):
    server.say("I think.")
    server.fail(400, "go away")
    outcome = run("broken", attempts=1, agent_options={"base_url": server.url})
    assert outcome.results[0].status == "error"
    (reply,) = outcome.run.end("calc", 0).replies
    assert (reply.text, reply.usage["output_tokens"]) == ("I think.", 10)
    assert outcome.results[0].usage["output_tokens"] == 10


def test_tokens_stand_in_the_trajectory(server, run):
    body = {"content": "hi", "tool_calls": [server.call("submit", {}, "c1")]}
    choice = {"message": body, "finish_reason": "tool_calls", "token_ids": [4, 5]}
    server.raw(json.dumps({"choices": [choice], "prompt_token_ids": [1, 2, 3]}))
    options = {"base_url": server.url, "logprobs": "completion"}
    outcome = run("tokens", attempts=1, agent_options=options)
    (reply,) = outcome.run.trajectory("calc", 0).steps[0].replies
    assert (reply.tokens.prompt_ids, reply.tokens.completion_ids) == ((1, 2, 3), (4, 5))


def test_another_task_is_a_miss_and_the_result_says_so(server, run, calc, tmp_path):
    script(server, ATTEMPTS)
    run("recorded", workers=1, agent_options={"record": str(tmp_path / "tape"), "base_url": server.url})
    replay = {"provider": "replay", "recording": str(tmp_path / "tape")}
    other = {"path": str(calc), "problem": "Subtraction is wrong."}
    outcome = run("replayed", agent_options=replay, benchmark_options=other)
    assert {result.status for result in outcome.results} == {"error"}
    assert "differs first in message 2" in outcome.results[0].reason
