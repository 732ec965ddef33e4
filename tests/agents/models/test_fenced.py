import json
import random

import pytest

from debug_gym.agents.llm import LLMAgent
from debug_gym.episode import Observation
from debug_gym.toolcalls.cursor import UnreadableCallError
from debug_gym.toolcalls.notation import JSON, XML
from debug_gym.tools.base import Toolbox

TOOLS = Toolbox(["view", "rewrite", "eval", "pdb", "grep", "trace"]).schemas()
FIRST = Observation(text="")


@pytest.fixture
def agent(server, brief):
    def start(protocol, **options):
        made = LLMAgent("m", base_url=server.url, retries=0, protocol=protocol, **options)
        made.start(brief([schema for schema in TOOLS if schema["function"]["name"] != "pdb"]))
        return made

    return start


@pytest.mark.parametrize(
    ("protocol", "call"),
    [
        ("json", '```json\n{"name": "view", "arguments": {"path": "a.py", "start": 2}}\n```'),
        ("xml", '<call name="view">\n<path>a.py</path>\n<start>2</start>\n</call>'),
    ],
)
def test_an_episode_in_plain_text(server, agent, protocol, call):
    server.say(f"Look first.\n\n{call}")
    server.say(call)
    playing = agent(protocol)
    decision = playing.act(FIRST)
    assert (decision.call.name, decision.call.arguments) == ("view", {"path": "a.py", "start": 2})
    assert decision.thought == "Look first."
    playing.act(Observation(text="2: x = 1"))
    request = server.requests[-1].body
    assert "tools" not in request
    system, _, said, answer = request["messages"]
    assert "You find and fix bugs" in system["content"]
    assert '"name": "view", "description"' in system["content"]
    assert said == {"role": "assistant", "content": f"Look first.\n\n{call}"}
    assert answer == {"role": "user", "content": "The answer of view:\n\n2: x = 1"}


def test_what_was_mended_is_told_with_the_answer(server, agent):
    server.say("```json\n{'name': 'eval',}\n```\nAll tests pass now!")
    server.say(JSON.write("eval", {}))
    playing = agent("json")
    assert playing.act(FIRST).call.name == "eval"
    playing.act(Observation(text="1 failed"))
    said, answer = server.asked[-2:]
    assert said["content"] == JSON.write("eval", {})
    assert answer["content"].startswith(
        "The answer of eval:\n\n1 failed\n\n(Your call was mended (single quotes"
    )
    assert "What you wrote after the call was left out" in answer["content"]


@pytest.mark.parametrize("protocol", ["json", "xml"])
def test_without_a_readable_call_the_model_is_shown_one(server, agent, protocol):
    server.say("It is the minus.")
    server.say('```json\n{"name": "view\n```\n<call name=\'view\'>\n<path>a.py', finish_reason="length")
    server.say(JSON.write("eval", {}) if protocol == "json" else '<call name="eval"/>')
    playing = agent(protocol)
    assert playing.act(FIRST).call.name == "eval"
    first, second = (
        message["content"]
        for message in server.asked
        if message["role"] == "user" and "call" in message["content"]
    )
    assert first.startswith("There was no tool call. A call looks like this:")
    assert "cut off at its token limit" in second


def test_a_call_in_the_reasoning_is_only_considered(server, agent):
    server.say(f"<think>maybe {JSON.write('eval', {})}? No.</think>\n{JSON.write('view', {'path': 'a'})}")
    decision = agent("json").act(FIRST)
    assert decision.call.name == "view"
    assert "maybe" in decision.thought


def test_an_unknown_tool_is_refused_as_ever(server, agent):
    server.say(XML.write("pdb", {"command": "where"}))
    server.say(XML.write("eval", {}))
    assert agent("xml").act(FIRST).call.name == "eval"
    assert "there is no tool named 'pdb'; the tools are: view" in server.asked[-1]["content"]


@pytest.mark.parametrize("notation", [JSON, XML], ids=["json", "xml"])
def test_what_is_written_is_read(notation):
    draw = random.Random(0)
    pieces = [
        "\n",
        "```",
        "<b>",
        "</b>",
        "&lt;",
        '"',
        "'",
        "\\",
        "{",
        "}",
        " ",
        "x = 1",
        "</call",
        "ä",
        "\t",
        "#",
    ]
    for _ in range(300):
        content = "".join(draw.choices(pieces, k=draw.randrange(12)))
        arguments = {"path": "a.py", "content": content, "start": draw.choice([None, 1, 20])}
        found = notation.read(f"Then.\n\n{notation.write('rewrite', arguments)}\n", TOOLS, whole=True)
        assert (found.name, found.arguments, found.before, found.note) == ("rewrite", arguments, "Then.", "")


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"name": "eval", "arguments": {"tests": ["a"]}}', {"tests": ["a"]}),
        ('Run it:\n{"name": "eval"}', {}),
        ('```\n{"name": "eval", "arguments": {}}\n```', {}),
        ('```json {"name": "eval", "arguments": {}} ```', {}),
        ('```tool_call\n{"name": "eval", "arguments": {}}', {}),
        (
            'Before: ```json\n{"data": 1}\n```\nand\n```python\n{"name": 1}\n```\n```json\n{"name": "eval"}\n```',
            {},
        ),
    ],
)
def test_ways_to_write_json(text, arguments):
    found = JSON.read(text, TOOLS, whole=True)
    assert (found.name, found.arguments, found.note) == ("eval", arguments, "")


@pytest.mark.parametrize(
    ("text", "whole", "why"),
    [
        ('```json\n{"name": "view", "path": "a.py"}\n```', True, "the keys name, a text, and arguments"),
        ('```json\n{"name": 3, "arguments": {}}\n```', True, "the keys name"),
        ('```json\n{"name": "view", "arguments": ["a.py"]}\n```', True, "the keys name"),
        ('```json\n{"name": "view", "arguments": {"path": "a', True, "does not end"),
        ('```json\n{"name": "rewrite", "arguments": {"path": "a.py", "content": "x"', False, "ended before"),
        ("I am done.", True, "no tool call"),
    ],
)
def test_json_that_is_refused(text, whole, why):
    with pytest.raises(UnreadableCallError, match=why):
        JSON.read(text, TOOLS, whole=whole)


@pytest.mark.parametrize(
    ("text", "arguments", "note"),
    [
        ("```xml\n<call name='view'>\n<path>\na.py\n</path></call>\n```", {"path": "a.py"}, ""),
        ('<call name="view"><path>a.py</path><start>x</start></call>', {"path": "a.py", "start": "x"}, ""),
        ('<call name="view">\n<path>a.py</path>\n', {"path": "a.py"}, "a missing </call>"),
        (
            '<call name="view"><path>a</path></call>\nAnswer: 1: x',
            {"path": "a"},
            "after the call was left out",
        ),
        (2 * '<call name="view"><path>a</path></call>\n', {"path": "a"}, "after the call was left out"),
    ],
)
def test_ways_to_write_xml(text, arguments, note):
    found = XML.read(text, TOOLS, whole=True)
    assert found.arguments == arguments
    assert note in found.note
    assert bool(note) == bool(found.note)


@pytest.mark.parametrize(
    ("text", "whole", "why"),
    [
        ('<call name="view">a.py</call>', True, "no complete argument: 'a.py</call>'"),
        ('<call name="view"><path>a.py</pth></call>', True, "no complete argument"),
        ('<call name="view"><path>a</path><path>b</path></call>', True, "the argument path twice"),
        ('<call name="view"><path>a.py</path>', False, "ended before"),
        ("<view>a.py</view>", True, "no tool call"),
    ],
)
def test_xml_that_is_refused(text, whole, why):
    with pytest.raises(UnreadableCallError, match=why):
        XML.read(text, TOOLS, whole=whole)


def test_the_example_of_each_notation_is_valid():
    for notation in (JSON, XML):
        found = notation.read(notation.example, TOOLS, whole=False)
        assert json.dumps(found.arguments) == '{"path": "src/main.py"}'
