"""docs/play.md and the help screen say what is true."""

import re
from pathlib import Path

import pytest

from debug_gym.env import DEFAULT_TOOLS
from debug_gym.terminal.app import PlayApp
from debug_gym.terminal.grammar import Grammar
from debug_gym.terminal.screens import KEYS, TYPING
from debug_gym.tools.base import Toolbox

PAGE = (Path(__file__).parents[2] / "docs" / "play.md").read_text()
LINES = re.search(r"```play\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
HELPED = [part for line in TYPING.split("\n\n")[0].splitlines() for part in re.split(r"\s{3,}", line)]


def named(keys):
    """The names of keys in a text, as Textual calls them."""
    return {key.lower().replace("-", "+") for key in re.findall(r"(?:Ctrl-|Shift-)?F?\w+", keys)}


@pytest.mark.parametrize("line", [*LINES, *HELPED])
def test_what_can_be_typed_is_a_call(line):
    toolbox = Toolbox(DEFAULT_TOOLS)
    call = Grammar(toolbox.schemas()).parse(line, debugging=True)
    assert toolbox.accepts(call)


def test_the_keys_are_those_of_the_app():
    documented = named(" ".join(re.findall(r"^\| (F\d+.*?|Ctrl-\w|Escape|Tab) \|", PAGE, re.MULTILINE)))
    bound = {key for binding in PlayApp.BINDINGS for key in binding.key.split(",")}
    assert documented - {"tab"} == bound - {"f23"}
    helped = named(" ".join(keys for keys, _ in KEYS))
    assert helped | {"f1"} == documented
