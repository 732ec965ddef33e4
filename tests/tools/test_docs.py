"""The reference of the tools is true: its examples give what it says, and it names every argument."""

import re
from pathlib import Path

import pytest

from debug_gym.episode import ToolCall
from debug_gym.tools.base import Toolbox

TEXT = (Path(__file__).parents[2] / "docs/tools.md").read_text()
FILES = dict(re.findall(r"^`([\w/.]+)`:\n\n```python\n(.*?)```\n", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"^```json\n(.*?)\n```\n```text\n(.*?)\n```\n", TEXT, re.MULTILINE | re.DOTALL)
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
ELISION = "\n...\n"
"""Stands for lines that depend on the machine."""


def test_examples_give_what_the_reference_says(make_session):
    session = make_session(FILES)
    for arguments, shown in EXAMPLES:
        call = ToolCall.parse(arguments)
        text = Toolbox([call.name]).call(session, call).text
        start, elided, end = shown.partition(ELISION)
        assert text.startswith(start), call
        assert text.endswith(end) if elided else text == shown, call


def test_every_tool_has_an_example():
    assert {ToolCall.parse(call).name for call, _ in EXAMPLES} == set(SECTIONS)


@pytest.mark.parametrize("tool", SECTIONS)
def test_every_argument_is_named(tool):
    known = Toolbox([tool]).tools[tool].Args.model_fields
    assert re.findall(r"^\| `(\w+)` \|", SECTIONS[tool], re.MULTILINE) == list(known)
    for name, field in known.items():
        row = re.search(rf"^\| `{name}` \| (.*?) \|", SECTIONS[tool], re.MULTILINE).group(1)
        assert (row == "required") == field.is_required()
