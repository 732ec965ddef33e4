"""A repository that tries to speak to the agent or its terminal: through every tool, nothing of it is hidden."""

import pytest

from debug_gym.episode import ToolCall
from debug_gym.task import Limits
from debug_gym.tools.base import Toolbox
from debug_gym.tools.printable import printable

EVIL = "\x1b]0;x\x07\u202e\u200b\U000e0041"
NAME = f"evil{EVIL}.py"
SOURCE = f"""# {EVIL}
TEXT = {EVIL!r}


def shout(text={EVIL!r}):
    print(TEXT)
    raise ValueError(TEXT)
"""
FILES = {
    "a.py": SOURCE,
    NAME: SOURCE,
    "test_a.py": f"from a import shout\n\ndef test_a(): shout()\n\ndef test_b(): assert 0, {EVIL!r}\n",
}
CALLS = [
    {"name": "listdir"},
    {"name": "view", "path": "a.py"},
    {"name": "view", "path": NAME},
    {"name": "view", "path": f"missing{EVIL}"},
    {"name": "grep", "pattern": "TEXT"},
    {"name": "grep", "pattern": f"missing{EVIL}"},
    {"name": "replace", "path": NAME, "old": "print(TEXT)", "new": f"print(TEXT, {EVIL!r})"},
    {"name": "replace", "path": NAME, "old": f"missing{EVIL}", "new": ""},
    {"name": "rewrite", "path": NAME, "content": f"x = '{EVIL}"},
    {"name": "bash", "command": "cat a.py; ls; exit 3"},
    {"name": "bash", "command": f"echo {EVIL!r}"},
    {"name": "eval"},
    {"name": "eval", "tests": [f"missing{EVIL}"]},
    {"name": "pdb", "commands": ["start test_a.py::test_a", "p text", "p TEXT", "where", f"p {EVIL!r} +"]},
    {"name": "pdb", "commands": ["b " + NAME + ":1", f"b missing{EVIL}:1"]},
    {"name": "trace", "calls": ["shout"], "test": "test_a.py::test_a"},
    {"name": "trace", "calls": [f"missing{EVIL}"]},
    {"name": f"tool{EVIL}"},
    {"name": "view", EVIL: EVIL},
]
PATHS = ["../x", "/etc/passwd", "out", "deep/up/passwd", "a\0b", "\uff0e\uff0e/x", "\udcff/../../etc/passwd"]


@pytest.fixture(scope="module")
def session(make_shared_session):
    return make_shared_session(FILES, limits=Limits(command_timeout=20))


@pytest.fixture(scope="module")
def toolbox():
    return Toolbox(["listdir", "view", "grep", "replace", "rewrite", "bash", "eval", "pdb", "trace"])


@pytest.mark.parametrize("call", CALLS, ids=lambda call: ascii(call)[:60])
def test_nothing_in_a_tools_text_is_hidden(toolbox, session, call):
    call = dict(call)
    observation = toolbox.call(session, ToolCall(name=call.pop("name"), arguments=call))
    assert observation.text
    assert observation.text == printable(observation.text)
    assert not any(character in observation.text for character in EVIL if character not in "0;x]")


@pytest.mark.parametrize("path", PATHS, ids=ascii)
@pytest.mark.parametrize(
    "call",
    [
        {"name": "view"},
        {"name": "listdir"},
        {"name": "grep", "pattern": "root"},
        {"name": "replace", "old": "root", "new": "x"},
        {"name": "rewrite", "content": "x"},
        {"name": "pdb", "commands": ["b {path}:1"]},
    ],
    ids=lambda call: call["name"],
)
def test_no_tool_leaves_the_workspace(toolbox, session, call, path):
    session.sandbox.exec("ln -sfn /etc/passwd out; mkdir -p deep; ln -sfn /etc deep/up")
    arguments = {"path": path, **call}
    if call["name"] == "pdb":
        arguments = {"commands": [f"b {path}:1"]}
    observation = toolbox.call(session, ToolCall(name=call["name"], arguments=_without_name(arguments)))
    assert "root:x:0" not in observation.text
    assert session.sandbox.exec("grep -c . /etc/passwd; ls /x /passwd 2>/dev/null").output == "2\n"


def _without_name(arguments):
    return {key: value for key, value in arguments.items() if key != "name"}
