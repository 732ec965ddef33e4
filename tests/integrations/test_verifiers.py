"""verifiers plays our benchmarks: its own programs, a scripted endpoint, the real judge."""

import json
import os
import subprocess

import pytest

from debug_gym.env import DebugGymEnv
from tests.agents.openai_server import ScriptedServer

SOLVED, IDLE = "operator-pair-00000", "operator-pair-00001"
RUN = """
import json, runpy, sys
for sys.argv in json.loads(sys.argv[1]):
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        print("ended with", end.code)
"""
"""Programs one after the other: to import verifiers takes longer than all that it does here."""


def _patch(task):
    return DebugGymEnv("sprouts", task=task).tasks[task].gold_patch


@pytest.fixture(scope="module")
def played(framework, tmp_path_factory):
    """What verifiers' programs printed and wrote, and what the model was asked."""
    programs, folder = framework("verifiers"), tmp_path_factory.mktemp("verifiers")
    common = ("--no-rich", "-o", str(folder))

    def program(name, *options):
        return [str(programs / name), "debug-gym-verifiers", *options, *common]

    with ScriptedServer() as server:
        server.say("Done already.")
        server.say(
            None, server.call("bash", {"command": f"patch -p1 <<'END'\n{_patch(SOLVED)}\nEND"}, key="1")
        )
        server.say(None, server.call("eval", "not JSON", key="2"), server.call("eval", key="3"))
        for number in range(3):
            server.say(None, server.call("view", {"path": "sprout.py"}, key=str(number)))
        endpoint = ("--client.base-url", server.url, "--client.api-key-var", "KEY", "-m", "m", "--no-push")
        limits = ("-c", "1", "--env.agent.max-turns", "3")
        both = ("--env.taskset.benchmark", "sprouts", "--env.taskset.tasks", json.dumps([SOLVED, IDLE]))
        one = ("--taskset.benchmark", "sprouts", "--taskset.tasks", f'["{SOLVED}"]')
        todo = (
            program("vf-eval", *both, *endpoint, *limits),
            program("vf-eval", "--env.taskset.tasks", '["none-such"]', *endpoint),
            program("vf-validate", *one, "--runtime.type", "subprocess"),
        )
        done = subprocess.run(
            [programs / "python", "-c", RUN, json.dumps(todo)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(folder), "KEY": "k"},
        )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, folder, [request.body for request in server.requests]


@pytest.fixture(scope="module")
def traces(played):
    said, folder, _ = played
    written = list(folder.glob("*/traces.jsonl"))
    assert len(written) == 1, said
    episodes = map(json.loads, written[0].read_text().splitlines())
    return {trace["task"]["data"]["id"]: trace for episode in episodes for trace in episode["traces"]}


def test_a_model_plays_and_the_judge_rewards(traces, played):
    trace, asked = traces[SOLVED], played[2]
    assert trace["ok"], trace["errors"]
    assert trace["rewards"]["resolved"]["score"] == 1.0
    assert trace["metrics"] == {"calls": 3.0, "wrong_calls": 1.0}
    assert trace["info"]["patch"].startswith("diff --git")
    assert {"pdb", "eval", "view", "submit"} <= {tool["function"]["name"] for tool in asked[0]["tools"]}
    roles = [message["role"] for message in asked[2]["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "tool"]


def test_what_a_limit_ends_is_judged_as_it_stands_and_no_answer_is_told(traces, played):
    trace, asked = traces[IDLE], played[2]
    assert (trace["ok"], trace["stop_condition"]) == (True, "max_turns")
    assert trace["rewards"]["resolved"]["score"] == 0.0
    assert "required tests do not pass" in trace["info"]["reason"]
    added = [
        line[1:].strip() for line in _patch(IDLE).splitlines() if line.startswith("+") and line[1:2] != "+"
    ]
    sent = json.dumps(asked[3:]) + json.dumps(trace["task"])
    assert [line for line in added if len(line) > 20]
    assert not [line for line in added if len(line) > 20 and json.dumps(line)[1:-1] in sent]


def test_the_tasks_prove_themselves(played):
    said, folder, _ = played
    (summary,) = folder.glob("*/summary.json")
    assert json.loads(summary.read_text())["outcomes"]["valid"] == 1, said


def test_what_is_wrong_is_a_sentence(played):
    said = " ".join(played[0].replace("│", "").split())
    assert "there is no task named 'none-such'" in said and "ended with 1" in said
    assert "Traceback" not in said
