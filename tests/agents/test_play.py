import pytest

from debug_gym.agents.base import Agent, Decision
from debug_gym.agents.llm import LLMAgent
from debug_gym.env import DebugGymEnv
from debug_gym.episode import ToolCall, Trajectory
from debug_gym.session import play
from debug_gym.task import Environment

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}


@pytest.fixture
def env(backend, make_task):
    task = make_task(FILES, environment=Environment(preload=()))
    with DebugGymEnv(task=task, sandbox=backend, max_steps=5) as made:
        yield made


def test_a_model_that_solves_the_task(server, env):
    server.say("Look.", server.call("view", {"path": "calc.py"}, "c1"))
    fix = {"path": "calc.py", "content": "    return a + b\n", "start": 2, "end": 2}
    server.say("The minus.", server.call("rewrite", fix, "c2"), server.call("eval", {}, "c3"))
    told = []
    trajectory = play(env, LLMAgent("m", base_url=server.url), on_step=told.append)
    assert [step.call.name for step in trajectory.steps] == ["view", "rewrite", "eval"]
    assert trajectory.verdict.resolved
    assert trajectory.stop_reason == ""
    assert trajectory.usage["input_tokens"] == sum(step.usage["input_tokens"] for step in told) == 200
    assert "You have 5 tool calls" in server.asked[0]["content"]
    assert Trajectory.model_validate_json(trajectory.model_dump_json()) == trajectory


def test_a_model_that_only_writes_text_solves_it_too(server, env):
    fix = "<path>calc.py</path><start>2</start>\n<content>\n    # a + b, & not 'a - b'\n    return a + b\n</content>"
    server.say(f'The minus.\n\n<call name="rewrite">{fix}</call>')
    server.say('<call name="eval">\n</call>')
    trajectory = play(env, LLMAgent("m", base_url=server.url, protocol="xml"))
    assert trajectory.verdict.resolved
    assert trajectory.steps[0].thought == "The minus."
    assert "+    # a + b, & not 'a - b'\n+    return a + b" in server.asked[-1]["content"]


def test_a_model_that_gives_up_is_judged_and_billed(server, env):
    server.say(None, server.call("eval", {}, "c1"))
    server.say("I do not know.")
    trajectory = play(env, LLMAgent("m", base_url=server.url, max_malformed=1))
    assert len(trajectory.steps) == 1
    assert trajectory.stop_reason == "no tool call that can be played in 1 reply"
    assert trajectory.usage["output_tokens"] == 20
    assert not trajectory.verdict.resolved


def test_an_agent_is_told_the_limit_of_steps(env):
    class Counter(Agent):
        name = "counter"

        def start(self, briefing):
            self.left = briefing.max_steps

        def act(self, observation):
            self.left -= 1
            return Decision(ToolCall(name="listdir"), usage={"seconds": 0.5})

    agent = Counter()
    trajectory = play(env, agent)
    assert agent.left == 0
    assert trajectory.steps[-1].truncated
    assert trajectory.usage == {"seconds": 2.5}
