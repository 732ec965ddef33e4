import pytest

from debug_gym import plugins
from debug_gym.agents.llm import LLMAgent
from debug_gym.errors import ConfigError, UnknownNameError

TOOLS = ("view", "rewrite", "replace", "eval", "pdb", "trace", "listdir", "grep", "bash", "submit")


@pytest.fixture
def play_one(server, brief):
    """The names that an agent's first request offers, of all tools that there are."""

    def offered(name, **options):
        server.say(None, server.call("eval", {}, "c1"))
        agent = plugins.make("agents", name, {"model": "m", "base_url": server.url, **options})
        agent.start(brief(TOOLS))
        assert agent.act(None).call.name == "eval"
        return agent, [tool["function"]["name"] for tool in server.requests[-1].body["tools"]]

    return offered


@pytest.mark.parametrize(
    ("name", "tools", "after"),
    [
        ("rewrite", ["view", "rewrite", "eval", "listdir"], 0),
        ("debug", ["view", "rewrite", "eval", "pdb", "listdir"], 0),
        ("debug-after-5", ["view", "rewrite", "eval", "listdir"], 5),
        ("debug-after-12", ["view", "rewrite", "eval", "listdir"], 12),
    ],
)
def test_the_agents_of_the_paper(play_one, name, tools, after):
    agent, offered = play_one(name)
    assert isinstance(agent, LLMAgent)
    assert (agent.name, offered) == (name, tools)
    settings = agent.settings
    assert (settings.max_steps, settings.max_rewrites, settings.debugger_after) == (50, 10, after)


def test_options_win_over_a_preset(play_one):
    agent, offered = play_one("debug", max_rewrites="3", tools="eval,pdb", history="window")
    assert (agent.settings.max_rewrites, agent.settings.history, offered) == (3, "window", ["eval", "pdb"])


def test_a_family_is_listed_by_its_pattern():
    assert {"rewrite", "debug", "debug-after-N"} <= set(plugins.names("agents"))
    with pytest.raises(UnknownNameError, match="did you mean 'debug-after-N'"):
        plugins.load("agents", "debug-after-five")
    with pytest.raises(UnknownNameError, match="no agent named 'rewrite-5'"):
        plugins.load("agents", "rewrite-5")
    with pytest.raises(ConfigError, match="the agent 'debug-after-N' needs the option 'n'"):
        plugins.make("agents", "debug-after-N", {"model": "m"})


def test_errors_name_the_preset():
    with pytest.raises(ConfigError, match="the agent 'debug' needs a model"):
        plugins.make("agents", "debug", {})
    with pytest.raises(
        ConfigError, match="option of the agent 'rewrite' named 'windw': did you mean 'window'"
    ):
        plugins.make("agents", "rewrite", {"model": "m", "windw": 3})
