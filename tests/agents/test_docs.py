"""What docs/agents.md says about the agents is true of them."""

import re
from pathlib import Path

import pytest

from debug_gym import plugins
from debug_gym.agents.llm import LLMAgent, LLMSettings
from debug_gym.toolcalls.notation import JSON, XML
from debug_gym.tools.base import Toolbox

TEXT = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
SPOKEN = {"all": None, "none": None, "true": True}


def rows(title):
    section = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (`.*?) \|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def test_every_setting_is_described_with_its_default():
    described = {
        name: default for names, default, _ in rows("Settings") for name in re.findall(r"\w+", names)
    }
    fields = LLMSettings.model_fields
    assert described.keys() == fields.keys()
    for name, default in described.items():
        if not name.endswith("_template"):
            assert SPOKEN.get(default, default) in (fields[name].default, str(fields[name].default)), name


def test_the_agents_are_those_that_are_listed():
    named = TEXT.partition("| agent |")[2].partition("```")[0]
    listed = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+)", named, re.MULTILINE)
    assert {name.strip("`") for line in listed for name in line.split(", ")} <= set(plugins.names("agents"))
    assert len(listed) == 4


@pytest.mark.parametrize("preset", ["rewrite", "debug"])
def test_the_presets_have_the_tools_that_are_told(preset, server):
    told = {name.strip("`"): tools for name, tools, _ in rows("Presets")}
    agent = plugins.make("agents", preset, {"model": "m", "base_url": server.url})
    common = re.findall(r"`(\w+)`", told["rewrite"])
    assert agent.settings.tools == tuple(common + ["pdb"] * (preset == "debug"))


def test_the_preset_of_ones_own(server):
    names = {}
    (block,) = [
        block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "def frugal" in block
    ]
    exec(block, names)
    agent = names["frugal"]("m", base_url=server.url, window=3)
    assert isinstance(agent, LLMAgent)
    assert (agent.name, agent.settings.window, agent.settings.history) == ("frugal", 3, "elide")


def test_the_calls_in_plain_text_can_be_read():
    tools = Toolbox(["view", "rewrite"]).schemas()
    (fenced,) = re.findall(r"````\n(.*?)````", TEXT, re.DOTALL)
    found = JSON.read(fenced, tools, whole=False)
    assert found.arguments == {"path": "shop/total.py", "start": 10, "end": 40}
    (tagged,) = re.findall(r"```\n(<call.*?)```", TEXT, re.DOTALL)
    found = XML.read(tagged, tools, whole=False)
    assert found.arguments["start"] == 12
    assert found.arguments["content"] == '    return f"{cents // 100}.{cents % 100:02}"'
