import json
from dataclasses import dataclass
from threading import Event

from debug_gym.agents.base import Agent, Decision
from debug_gym.episode import ToolCall
from debug_gym.errors import ModelError
from debug_gym.runs.attempt import Player
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import Setup, prepare
from debug_gym.store.writer import EpisodeFile


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


def test_what_was_spent_on_an_attempt_that_broke_is_stored(broken, tmp_path):
    options = {key: str(value) for key, value in broken().items()}
    plan = prepare(RunConfig(benchmark="repo", benchmark_options=options, agent="random"))
    player = Player(Quits(plan.config, plan.backend, Breaker), next(plan.attempts()), Event())
    file = EpisodeFile(tmp_path / "calc.0.jsonl")
    result = player.play(file, lambda step, tests: None)
    file.close()
    assert (result.status, result.usage) == ("error", {"input_tokens": 7.0})


def test_why_an_agent_gave_up_and_all_that_it_cost_are_stored(broken, tmp_path):
    options = {key: str(value) for key, value in broken().items()}
    plan = prepare(RunConfig(benchmark="repo", benchmark_options=options, agent="random"))
    player = Player(Quits(plan.config, plan.backend), next(plan.attempts()), Event())
    file = EpisodeFile(tmp_path / "calc.0.jsonl")
    result = player.play(file, lambda step, tests: None)
    file.close()
    end = json.loads((tmp_path / "calc.0.jsonl").read_text().splitlines()[-1])
    for record in (result.model_dump(), end):
        assert (record["status"], record["ending"]) == ("unresolved", "gave up")
        assert record["stop_reason"] == "enough is enough"
        assert record["usage"] == {"input_tokens": 7.0}
    assert result.reason.endswith("; enough is enough")
    assert (result.cheating, result.controls, result.excluded) == (0, 0, 0)
