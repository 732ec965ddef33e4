from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from debug_gym.agents.random import RandomAgent
from debug_gym.episode import Observation


class Place(BaseModel):
    path: str
    line: int = Field(ge=5, le=7)


class Arguments(BaseModel):
    """One of everything that a tool's arguments may be made of."""

    model_config = ConfigDict(extra="forbid")

    path: str
    mode: Literal["a", "b"]
    place: Place
    kind: Literal["only"] = "only"
    places: list[Place] = Field(default=[], min_length=1, max_length=2)
    share: float = Field(default=0.5, gt=0, lt=1)
    count: int = Field(default=3, gt=1, lt=4)
    text: str | None = Field(default=None, min_length=3, max_length=5)
    flag: bool = False
    command: str = Field(default="", examples=["b 1", "c"])


TOOL = {"type": "function", "function": {"name": "all", "parameters": Arguments.model_json_schema()}}
SEEN = Observation(text="src/calc.py and tests/test_calc.py use helper")


def calls_of(agent, briefing, count=200):
    agent.start(briefing)
    return [agent.act(SEEN).call for _ in range(count)]


def test_every_call_is_valid_and_every_argument_varies(brief):
    calls = calls_of(RandomAgent(), brief([TOOL]))
    made = [Arguments.model_validate(call.arguments) for call in calls]
    for name in Arguments.model_fields:
        assert len({str(getattr(arguments, name)) for arguments in made}) > 1 or name == "kind"
    assert {arguments.path for arguments in made} == {".", "src/calc.py", "tests/test_calc.py"}
    assert {arguments.command for arguments in made} == {"", "b 1", "c"}


def test_all_tools_are_used(brief):
    names = {call.name for call in calls_of(RandomAgent(), brief())}
    assert names == {"view", "rewrite", "eval", "bash", "submit"}


def test_the_same_seeds_give_the_same_calls(brief):
    first = calls_of(RandomAgent(seed=1), brief(seed=2))
    agent = RandomAgent(seed="1")
    assert calls_of(agent, brief(seed=2)) == first
    assert calls_of(agent, brief(seed=2)) == first
    assert calls_of(agent, brief(seed=3)) != first
    assert calls_of(RandomAgent(seed=2), brief(seed=2)) != first


@pytest.mark.parametrize("text", ["", "Привет 你好 \N{PILE OF POO}", "a.py " * 10_000])
def test_any_observation_will_do(brief, text):
    agent = RandomAgent()
    agent.start(brief([TOOL]))
    Arguments.model_validate(agent.act(Observation(text=text)).call.arguments)
