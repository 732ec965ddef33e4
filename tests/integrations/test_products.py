"""Agent products as they come from the index, driven by a scripted endpoint, each solves a task."""

import pytest

from debug_gym.env import DebugGymEnv
from debug_gym.plugins import make
from debug_gym.session.playing import play
from tests.agents.openai_server import ScriptedServer

TASK = "month-statements"
BEFORE = "            if self._segments[middle].first_day <= day:\n"
AFTER = "            if self._segments[middle].first_day < day:\n"
KEYS = 'export OPENAI_API_KEY=none OPENAI_API_BASE="$BASE_URL"; '
MINI = (
    "MSWEA_CONFIGURED=true MSWEA_COST_TRACKING=ignore_errors MSWEA_GLOBAL_CONFIG_DIR=../settings mini --yolo "
    '--exit-immediately --model "openai/$MODEL" --task "$PROMPT" --output ../mini.json'
)
AIDER = (
    "aider --yes-always --no-check-update --no-show-model-warnings --no-analytics --no-stream --map-tokens 0 "
    '--edit-format diff --model "openai/$MODEL" --message-file "$PROMPT_FILE" ledgerbrook/journal.py'
)


@pytest.fixture
def played(framework, backend, monkeypatch):
    """``played(package, command, server)``: the trajectory of a product that asks this server."""

    def run(package, command, server):
        monkeypatch.setenv("PATH", str(framework(package, ours=False)), prepend=":")
        monkeypatch.delenv("PYTHONPATH", raising=False)
        options = {"model": "scripted", "base_url": server.url, "timeout": 100}
        env = DebugGymEnv("nightmares", task=TASK, sandbox=backend)
        try:
            return play(env, make("agents", f"cli:{KEYS}{command}", options))
        finally:
            env.close()

    return run


def test_mini_swe_agent(played):
    commands = [
        "gym-tool eval | head -1",
        "sed -i 's/first_day <= day:/first_day < day:/' ledgerbrook/journal.py; gym-tool eval | head -1",
        "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT",
    ]
    with ScriptedServer() as server:
        for number, command in enumerate(commands):
            server.say("Next.", server.call("bash", {"command": command}, key=str(number)))
        trajectory = played("mini-swe-agent", MINI, server)
        answers = [message for message in server.requests[-1].body["messages"] if message["role"] == "tool"]
    assert trajectory.verdict.resolved
    assert [step.call.name for step in trajectory.steps] == ["eval", "bash", "eval"]
    assert "1 failed, 7 passed of 8" in answers[0]["content"]


def test_aider(played):
    edit = (
        f"ledgerbrook/journal.py\n```python\n<<<<<<< SEARCH\n{BEFORE}=======\n{AFTER}>>>>>>> REPLACE\n```\n"
    )
    with ScriptedServer() as server:
        server.say(edit)
        server.say("Fix the month's opening balance")
        trajectory = played("aider-chat", AIDER, server)
        asked = server.requests[0].body
    assert trajectory.verdict.resolved, trajectory.steps
    assert [step.call.name for step in trajectory.steps] == ["bash", "submit"]
    assert "The statement for January" in str(asked)
