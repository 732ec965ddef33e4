"""What ``action_space.sample()`` draws from must be valid at any moment, and leave the solution alone."""

import copy

import pytest

from debug_gym.episode import ToolCall
from debug_gym.tools.base import Toolbox

TOOLS = ["view", "rewrite", "replace", "listdir", "grep", "bash", "eval", "pdb", "trace", "submit"]
FILES = {
    "README.md": b"caf\xe9\n",
    "data.txt": b"\0",
    "empty.py": "",
    "src/a.py": "x = 1\nx = 2\n",
    "src/crlf.py": b"y = 1\r\n",
    "src/twice.py": "z\nz\n",
    "tests/test_a.py": "def test_a(): pass\n",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_examples_are_valid_and_harmless(make_session, tool):
    session = make_session(FILES)
    box = Toolbox([tool])
    examples = list(box.tools[tool].examples(session))
    assert examples or tool == "trace"  # it needs a function and a test that ran
    for arguments in examples:
        seen = box.call(session, ToolCall(name=tool, arguments=arguments))
        assert not seen.error, (arguments, seen.text)
    changed = [path for path in session.sandbox.changes().paths if session.task.is_editable(path)]
    assert changed == []


@pytest.mark.parametrize("tool", TOOLS)
def test_examples_follow_the_workspace(make_session, tool):
    session = make_session(FILES)
    box = Toolbox([tool])
    session.sandbox.exec("rm -r src README.md; mkdir -p new; echo 'y = 1' > new/b.py")
    for arguments in box.tools[tool].examples(session):
        assert not box.call(session, ToolCall(name=tool, arguments=arguments)).error


@pytest.mark.parametrize("tool", TOOLS)
def test_examples_of_an_empty_workspace(make_session, tool):
    session = make_session({"a.py": ""})
    session.sandbox.exec("rm a.py")
    box = Toolbox([tool])
    for arguments in box.tools[tool].examples(session):
        assert not box.call(session, ToolCall(name=tool, arguments=arguments)).error


def test_the_same_calls_give_the_same_observations(make_session):
    box = Toolbox([tool for tool in TOOLS if tool != "submit"])
    told = []
    for session in (make_session(FILES), make_session(FILES)):
        told.append([])
        for name, tool in box.tools.items():
            for arguments in tool.examples(session):
                told[-1].append(box.call(session, ToolCall(name=name, arguments=arguments)))
    assert told[0] == told[1]


def test_the_tools_memory_can_be_copied(make_session):
    session = make_session(FILES)
    box = Toolbox(TOOLS)
    for name, tool in box.tools.items():
        for arguments in tool.examples(session):
            box.call(session, ToolCall(name=name, arguments=arguments))
    assert copy.deepcopy(session.state).keys() == session.state.keys() >= {"pdb"}


@pytest.mark.parametrize("tool", TOOLS)
def test_schemas_are_complete(tool):
    function = Toolbox([tool]).schemas()[0]["function"]
    assert function["name"] == tool
    assert function["description"]
    for name, entry in function["parameters"]["properties"].items():
        assert entry.get("description"), name
    assert function["parameters"]["additionalProperties"] is False
