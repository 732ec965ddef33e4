"""What docs/models.md says about models is true of them."""

import re
import shlex
from pathlib import Path

import pytest

from debug_gym import plugins
from debug_gym.agents.models.factory import make_model, option_names
from debug_gym.agents.models.settings import OpenAISettings
from debug_gym.runs.config import parse_options

TEXT = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
NOT_SPOKEN = {"none": None, "false": False, "the server's": None, "": {}}


def rows(title):
    section = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]
    ]


def test_every_option_is_described_with_its_default():
    described = {name.strip("`"): default for name, default, _ in rows("Options")}
    assert described.keys() == set(option_names("openai"))
    for name, field in OpenAISettings.model_fields.items():
        default = described[name]
        if name not in ("base_url", "api_key", "prices", "extra"):
            spoken = str(field.default).removesuffix(".0")
            assert NOT_SPOKEN.get(default, default) in (field.default, spoken), name


def test_the_providers_are_those_that_are_listed():
    listed = re.findall(r"^\| `(\w+)` \|", TEXT.partition("```")[0], re.MULTILINE)
    assert set(listed) == set(plugins.names("models"))


@pytest.mark.parametrize("server", rows("Servers"), ids=lambda row: row[0])
def test_the_options_for_a_server_make_a_model(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    words = shlex.split(server[2].strip("`"))
    options = dict(zip(words[::2], words[1::2], strict=True))
    own = parse_options([options["-o"]] if "-o" in options else [], "-o")
    url = options.get("--base-url")
    model = make_model(options["-m"], "openai", {"base_url": url, **own})
    assert model.url.startswith((url or "https://api.openai.com/v1").lower())
