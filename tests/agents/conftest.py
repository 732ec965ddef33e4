"""What the tests of the agents share: a scripted model server, and briefings to start an agent with."""

import importlib.util
import sys
from pathlib import Path

import pytest
import tiktoken.registry

from debug_gym.agents.base import Briefing
from debug_gym.agents.models import tokens
from debug_gym.task import DirectorySource, Task


def _sibling(name):
    """Import a module of this folder, which is not on sys.path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ScriptedServer = _sibling("openai_server").ScriptedServer


@pytest.fixture
def server(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ScriptedServer() as running:
        yield running


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """tiktoken with an empty cache and a network that refuses."""
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    tokens._encoding.cache_clear()
    yield
    tokens._encoding.cache_clear()


def schema(name, *required, **properties):
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    parameters["additionalProperties"] = False
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


@pytest.fixture
def brief():
    """Make a briefing; without ``tools`` it offers view, rewrite, eval, bash and submit."""

    def make(
        tools=("view", "rewrite", "eval", "bash", "submit"), *, gold_patch=None, seed=0, observation=None
    ):
        problem = "The sum of two numbers is wrong.\n"
        task = Task(id="sum", problem=problem, source=DirectorySource(path=Path()), gold_patch=gold_patch)
        known = {
            "view": schema("view", "path", path={"type": "string"}),
            "bash": schema("bash", "command", command={"type": "string"}),
        }
        return Briefing(
            task=task,
            tools=[known.get(tool) or schema(tool) if isinstance(tool, str) else tool for tool in tools],
            observation=f"{problem}Files: calc.py" if observation is None else observation,
            info={},
            fork=lambda: pytest.fail("this agent has no business forking"),
            seed=seed,
        )

    return make
