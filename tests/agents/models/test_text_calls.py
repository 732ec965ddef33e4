"""Servers that leave tool calls in the text of a reply, or take no tools at all."""

import json
import logging

import pytest

from debug_gym.agents.llm import LLMAgent
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.episode import Observation

HELLO = [{"role": "user", "content": "Where is the mistake?"}]
PARAMETERS = {"type": "object", "properties": {"path": {"type": "string"}}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("view", "eval")
]
CALL = '<tool_call>\n{"name": "view", "arguments": {"path": "a.py"}}\n</tool_call>'
XML = "<function=view>\n<parameter=path>\na.py\n</parameter>\n</function>"
REFUSALS = [
    (400, "registry.ollama.ai/library/gemma:2b does not support tools"),
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (500, "tools param requires --jinja flag"),
    (404, "No endpoints found that support tool use: function calling is not supported by this model"),
    (404, "No endpoints found that support tool use. Try disabling 'view'"),
    (400, "Unrecognized request argument supplied: tools"),
    (422, "[{'type': 'extra_forbidden', 'loc': ('body', 'tools'), 'msg': 'Extra inputs are not permitted'}]"),
    (400, "Tool calling is not available for this model"),
    (400, "The model `m` cannot use tools"),
]


@pytest.fixture
def model(server):
    return lambda **options: OpenAIModel("m", **{"base_url": server.url, "retries": 0, **options})


@pytest.mark.parametrize("text", [f"Look.\n{CALL}", f"<think>Hm.</think>Look.\n{XML}"])
def test_a_call_in_the_text_is_found_and_said_once(server, model, caplog, text):
    asked = model()
    for _ in range(2):
        server.say(text)
        reply = asked.reply(HELLO, TOOLS)
        (call,) = reply.tool_calls
        assert (call.name, json.loads(call.arguments), reply.text) == ("view", {"path": "a.py"}, "Look.")
    (record,) = [record for record in caplog.records if "leaves tool calls in the text" in record.message]
    assert record.levelno == logging.WARNING


def test_a_call_in_the_reasoning_counts_when_nothing_else_was_said(server, model):
    server.say("", reasoning_content=f"I look at it.\n{CALL}")
    reply = model().reply(HELLO, TOOLS)
    assert [call.name for call in reply.tool_calls] == ["view"]
    assert (reply.reasoning, reply.carry) == ("I look at it.", {})
    server.say("I am not sure.", reasoning_content=f"I look at it.\n{CALL}")
    assert not model().reply(HELLO, TOOLS).tool_calls


@pytest.mark.parametrize("stream", [False, True])
def test_the_legacy_function_call(server, model, stream):
    if stream:
        parts = [
            {"function_call": {"name": "view", "arguments": ""}},
            {"function_call": {"arguments": '{"path":'}},
        ]
        parts += [{"function_call": {"arguments": ' "a.py"}'}}]
        events = [{"choices": [{"delta": part}]} for part in parts]
        server.stream(*events, {"choices": [{"delta": {}, "finish_reason": "function_call"}]})
    else:
        server.say(None, function_call={"name": "view", "arguments": '{"path": "a.py"}'})
    (call,) = model(stream=stream).reply(HELLO, TOOLS).tool_calls
    assert (call.name, json.loads(call.arguments)) == ("view", {"path": "a.py"})


def test_what_a_file_says_is_not_played(server, model):
    shown = f"notes.md: lines 1-5 of 5\n   1\t# Notes\n   2\t{CALL}".replace("\n{", "\n   3\t{").replace(
        "\n</", "\n   4\t</"
    )
    read = [
        *HELLO,
        {"role": "assistant", "content": "", "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": shown},
    ]
    for text in (
        f"The file says:\n\n{CALL}",
        f"The file says:\n```\n{CALL}\n```",
        f"{CALL}\n\nis what the file says.",
    ):
        server.say(text)
        reply = model().reply(read, TOOLS)
        assert reply.tool_calls == ()
        assert reply.text == text


def test_a_reply_without_tools_on_offer_is_left_alone(server, model):
    server.say(CALL)
    assert model().reply(HELLO, ()).text == CALL


def test_a_call_that_cannot_be_read_is_explained(server, brief):
    server.say('<tool_call>{"name": "open", "arguments": {}}</tool_call>')
    server.say(CALL)
    agent = LLMAgent("m", base_url=server.url, retries=0)
    agent.start(brief(TOOLS))
    assert agent.act(Observation(text="")).call.name == "view"
    assert server.asked[-1]["content"].startswith("There is no tool named 'open'; the tools are: eval, view.")


@pytest.mark.parametrize(("status", "message"), REFUSALS)
def test_a_server_that_takes_no_tools_is_told_of_them_in_the_text(server, model, caplog, status, message):
    asked = model()
    server.fail(status, message)
    for _ in range(2):
        server.say('```json\n{"name": "view", "arguments": {"path": "a.py"}}\n```')
        (call,) = asked.reply(HELLO, TOOLS).tool_calls
        assert (call.name, json.loads(call.arguments)) == ("view", {"path": "a.py"})
    refused, first, second = server.requests
    assert "tools" in refused.body
    for request in (first, second):
        assert "tools" not in request.body
        assert "You have these tools" in request.body["messages"][0]["content"]
    (record,) = [record for record in caplog.records if "takes no tools" in record.message]
    assert message in record.message
    assert "--enable-auto-tool-choice" in record.message


def test_the_models_own_format_is_read_when_it_was_told_another(server, model):
    asked = model()
    server.fail(*REFUSALS[0])
    server.say(XML)
    assert [call.name for call in asked.reply(HELLO, TOOLS).tool_calls] == ["view"]
