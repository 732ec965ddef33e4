"""An agent over a session: whatever it does, there is a result."""

import json
import subprocess
from dataclasses import dataclass

import pytest

from debug_gym.agents.base import Agent, Decision
from debug_gym.episode import ToolCall
from debug_gym.errors import ModelError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.session import Setup, play_attempt
from debug_gym.store.writer import RunWriter


class Quitter(Agent):
    name = "quitter"

    def start(self, briefing):
        self.turns = [Decision(ToolCall(name="listdir"), usage={"input_tokens": 5.0})]

    def act(self, observation):
        if self.turns:
            return self.turns.pop()
        self.stop_reason = "enough is enough"
        return None

    def unbilled(self):
        return {"input_tokens": 2.0} if not self.turns else {}


class Breaker(Quitter):
    """Its model fails at last."""

    def act(self, observation):
        decision = super().act(observation)
        if decision is None:
            raise ModelError("no model")
        return decision


@dataclass(frozen=True)
class Quits(Setup):
    kind: type[Quitter] = Quitter

    def agent(self):
        return self.kind()


class Broken(Quitter):
    """Its model writes half a character: JSON allows it, UTF-8 does not."""

    def act(self, observation):
        decision = super().act(observation)
        if decision is not None:
            decision.thought = "so \ud83d"
        else:
            self.stop_reason = "enough \ud83d"
        return decision


class Odd(Quitter):
    """Fixes the sum in a file that is not UTF-8 from then on, beside a file whose name is no text."""

    def start(self, briefing):
        fix = "printf 'def add(a, b):\\n    return a + b  # \\351\\n' > calc.py; sed -i '1i# coding: latin-1' calc.py"
        odd = "touch \"$(printf 'odd\\377.py')\""
        self.turns = [Decision(ToolCall(name="bash", arguments={"command": f"{fix}; {odd}"}))]


@pytest.fixture
def play(broken, tmp_path):
    """Play an attempt by an agent of this class; gives the result and what the trajectory's end says."""
    options = {key: str(value) for key, value in broken().items()}
    config = RunConfig(benchmark="repo", benchmark_options=options, agent="random", output=tmp_path / "run")
    plan = prepare(config)

    def run(kind):
        with RunWriter.begin(config.folder, plan.manifest()) as writer:
            attempt = next(plan.attempts())
            setup = Quits(plan.config, plan.backend, kind)
            result = play_attempt(setup, attempt, writer.episode(*attempt.key))
            assert writer.run.results() == [result]
            writer.write_predictions()
            lines = writer.run.trajectory_file(*attempt.key).read_text().splitlines()
        return result, json.loads(lines[-1])

    return run


def test_what_was_spent_on_an_attempt_that_broke_is_stored(play):
    result, _ = play(Breaker)
    assert (result.status, result.usage) == ("error", {"input_tokens": 7.0})


def test_why_an_agent_gave_up_and_all_that_it_cost_are_stored(play):
    result, end = play(Quitter)
    for record in (result.model_dump(), end):
        assert (record["status"], record["ending"]) == ("unresolved", "gave up")
        assert record["stop_reason"] == "enough is enough"
        assert record["usage"] == {"input_tokens": 7.0}
    assert result.reason.endswith("; enough is enough")
    assert (result.cheating, result.controls, result.excluded) == (0, 0, 0)


def test_a_fix_in_a_file_that_is_no_utf_8_is_in_the_patch_that_is_exported(play, tmp_path):
    result, end = play(Odd)
    assert (result.status, result.omitted, end["omitted"]) == ("resolved", 0, [])
    assert end["verdict"]["rejected"] == ["odd\\xff.py: its name is not valid UTF-8"]
    prediction = json.loads((tmp_path / "run" / "predictions.jsonl").read_text())
    patch = prediction["model_patch"].encode()
    subprocess.run(["git", "apply", "-"], cwd=tmp_path / "calc", input=patch, check=True)
    assert (
        tmp_path / "calc" / "calc.py"
    ).read_bytes() == b"# coding: latin-1\ndef add(a, b):\n    return a + b  # \xe9\n"


def test_text_that_no_file_can_hold_is_mended_and_ends_no_run(play):
    result, end = play(Broken)
    assert (result.status, result.stop_reason, end["stop_reason"]) == ("unresolved", "enough ?", "enough ?")
