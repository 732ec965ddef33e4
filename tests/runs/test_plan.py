import sys

import pytest

from debug_gym.errors import ConfigError, ModelError, UnknownNameError
from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import make_benchmark, prepare
from debug_gym.sandbox.namespace import NamespaceBackend
from debug_gym.sandbox.registry import working_backend
from debug_gym.session.setup import make_agent
from debug_gym.store.writer import RunWriter


def test_an_option_that_a_class_does_not_take_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="option of the benchmark 'repo' named 'pth': did you mean 'path'"):
        make_benchmark("repo", {"pth": tmp_path})
    with pytest.raises(ConfigError, match="the benchmark 'repo' needs the option 'path'"):
        make_benchmark("repo", {})
    with pytest.raises(ConfigError, match="option of the agent 'random' named 'model'"):
        make_agent(RunConfig(benchmark="b", agent="random", model="m"))


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'nightmares'"):
        make_benchmark("nightmare", {})
    with pytest.raises(UnknownNameError, match="did you mean 'oracle'"):
        make_agent(RunConfig(benchmark="b", agent="orakle"))
    with pytest.raises(UnknownNameError, match="did you mean 'namespace'"):
        working_backend("namespaces")


def test_everything_is_tried_before_anything_is_played(tmp_path):
    (tmp_path / "a.py").write_text("a = 1\n")
    good = {"benchmark": "repo", "benchmark_options": {"path": str(tmp_path)}, "agent": "random"}
    plan = prepare(RunConfig(**good, attempts=2, seed=5))
    assert [(attempt.number, attempt.seed) for attempt in plan.attempts()] == [(0, 5), (1, 6)]
    assert "view" in plan.config.tools  # the default tools are written out
    assert plan.manifest().config["tools"] == list(plan.config.tools)
    for wrong in ({"tools": ("viev",)}, {"sandbox": "x"}, {"tasks": ("x",)}, {"agent": "x"}):
        with pytest.raises(UnknownNameError):
            prepare(RunConfig(**{**good, **wrong}))


AGENT = {"benchmark": "nightmares", "base_url": "http://127.0.0.1:9", "model": "m"}


def names(plan):
    return list(plan.environment(plan.tasks.first).toolbox.tools)


def test_a_run_gives_an_agent_the_tools_that_it_wants():
    plan = prepare(RunConfig(agent="debug", **AGENT))
    assert names(plan) == ["view", "rewrite", "eval", "listdir", "pdb"] == list(plan.config.tools)


def test_the_agents_of_a_run_share_one_model_that_ends_with_it():
    plan = prepare(RunConfig(agent="debug", agent_options={"retries": 0, "window": 3}, **AGENT))
    one, other = plan.agent(), plan.agent()
    assert one is not other
    assert one.model is other.model is plan.model
    assert one.settings.window == 3
    plan.close()
    with pytest.raises(ModelError, match="is closed"):
        one.model.reply([{"role": "user", "content": "hello"}], [])


def test_who_plays_without_a_model_has_none():
    assert prepare(RunConfig(benchmark="nightmares", agent="random")).model is None
    assert prepare(RunConfig(agent="debug", **AGENT), driven=True).model is None


def test_an_option_that_neither_agent_nor_model_knows_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'temperature'"):
        prepare(RunConfig(agent="debug", agent_options={"temprature": 1}, **AGENT))


def test_tools_that_a_run_names_win_over_the_agents_own():
    plan = prepare(RunConfig(agent="rewrite", tools="view,grep", **AGENT))
    assert names(plan) == ["view", "grep"]
    assert plan.agent().tools is None


def test_the_tools_of_mcp_servers_stand_beside_the_others(tmp_path):
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    server = tmp_path / "server.py"
    server.write_text(
        "from mcp.server.mcpserver import MCPServer\n"
        "server = MCPServer('clock')\n"
        "server.tool(name='clock')(lambda: 'noon')\n"
        "server.run()\n"
    )
    command = f"{sys.executable} {server}"
    plan = prepare(RunConfig(agent="debug", mcp=[command], **AGENT))
    assert names(plan)[-2:] == ["pdb", "clock"]
    with pytest.raises(ConfigError, match="the MCP server 'no-such-program' cannot be used"):
        prepare(RunConfig(agent="debug", mcp=["no-such-program"], **AGENT))
    with pytest.raises(ValueError, match="password"):
        RunConfig(agent="debug", mcp=["http://me:secret@host/mcp"], **AGENT)


def test_settings_that_conflict_with_a_stored_run_are_noticed_before_a_sandbox_starts(tmp_path, monkeypatch):
    config = RunConfig(benchmark="nightmares", agent="random", output=tmp_path / "run")
    RunWriter.begin(config.folder, prepare(config).manifest()).close()

    def start(backend, task):
        raise AssertionError("a sandbox was started")

    monkeypatch.setattr(NamespaceBackend, "start", start)
    with pytest.raises(ConfigError, match="holds a run with max_steps = 50, not 7"):
        prepare(config.model_copy(update={"max_steps": 7}))
