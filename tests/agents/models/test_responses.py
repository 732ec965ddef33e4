from dataclasses import replace

import pytest

from debug_gym.agents.models import ContextOverflowError
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.errors import ModelError

TOOLS = [{"type": "function", "function": {"name": "view", "description": "Look.", "parameters": {}}}]
ASK = [{"role": "system", "content": "You debug."}, {"role": "user", "content": "hello"}]
THOUGHT = {
    "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
    "summary": [{"type": "summary_text", "text": "Look first."}],
}  # fmt: skip
SAID = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Look."}],
}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "view",
    "arguments": '{"path": "a"}',
}


@pytest.fixture
def model(server):
    def make(**options):
        return OpenAIModel("m", **{"base_url": server.url, "retries": 0, "api": "responses", **options})

    return make


def conversation(reply, call_id="c1", arguments='{"path": "a"}'):
    """What an agent makes of a reply with one call, and the answer to it."""
    function = {"name": "view", "arguments": arguments}
    call = {"id": call_id, "type": "function", "function": function}
    said = {"role": "assistant", "content": reply.text or None, "tool_calls": [call], **reply.carry}
    return [*ASK, said, {"role": "tool", "tool_call_id": call_id, "content": "x = 1"}]


@pytest.mark.parametrize("stream", [False, True])
def test_a_reply_with_reasoning_text_and_a_call(server, model, stream):
    server.respond(THOUGHT, SAID, CALLED, stream=stream)
    reply = model(stream=stream, temperature=0, max_tokens=50).reply(ASK, TOOLS)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Look.", "Look first.", "tool_calls")
    (call,) = reply.tool_calls
    assert (call.name, call.id, call.parse().arguments) == ("view", "c1", {"path": "a"})
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 10)
    (request,) = server.requests
    assert request.path == "/v1/responses"
    assert request.body == {
        "model": "m", "input": ASK, "store": False, "stream": stream, "temperature": 0.0,
        "max_output_tokens": 50, "include": ["reasoning.encrypted_content"],
        "tools": [{"type": "function", "strict": False, **TOOLS[0]["function"]}],
    }  # fmt: skip


def test_reasoning_goes_back_in_its_place(server, model):
    server.respond(THOUGHT, SAID, CALLED)
    server.respond(SAID)
    talker = model()
    talker.reply(conversation(talker.reply(ASK, TOOLS)), TOOLS)
    output = {"type": "function_call_output", "call_id": "c1", "output": "x = 1"}
    assert server.requests[1].body["input"] == [*ASK, THOUGHT, SAID, CALLED, output]


def test_calls_go_back_as_the_agent_set_them_right(server, model):
    server.respond(THOUGHT, {**CALLED, "arguments": "{broken"})
    server.respond(SAID)
    talker = model()
    talker.reply(conversation(talker.reply(ASK, TOOLS), "call00001", "{}"), TOOLS)
    thought, call, output = server.requests[1].body["input"][2:]
    assert thought == THOUGHT
    assert (call["call_id"], call["arguments"], output["call_id"]) == ("call00001", "{}", "call00001")


def test_an_agent_may_drop_the_reasoning(server, model):
    server.respond(THOUGHT, SAID, CALLED)
    server.respond(SAID)
    talker = model()
    reply = talker.reply(ASK, TOOLS)
    assert reply.reasoning == "Look first."
    talker.reply(conversation(replace(reply, carry={})), TOOLS)
    said, call = server.requests[1].body["input"][2:4]
    assert said == {"role": "assistant", "content": "Look."}
    assert call == {name: CALLED[name] for name in ("type", "call_id", "name", "arguments")}


def test_a_server_that_refuses_what_it_does_not_know(server, model):
    server.fail(400, "Encrypted content is not supported: unknown parameter include")
    server.fail(400, "unknown parameter: store")
    server.respond(SAID)
    assert model().reply(ASK, TOOLS).text == "Look."
    assert {"include", "store"}.isdisjoint(server.requests[2].body)


def test_a_reply_cut_at_its_token_limit(server, model):
    server.respond(SAID, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert model().reply(ASK, TOOLS).finish_reason == "length"


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_response(server, model, stream):
    error = {"code": "server_error", "message": "the engine died"}
    server.respond(status="failed", stream=stream, error=error)
    server.respond(SAID, stream=stream)
    assert model(retries=1, stream=stream).reply(ASK, TOOLS).text == "Look."
    server.respond(status="failed", stream=stream, error=error)
    with pytest.raises(ModelError, match="the engine died"):
        model(stream=stream).reply(ASK, TOOLS)


def test_context_overflow(server, model):
    error = {"code": "context_length_exceeded", "message": "too big"}
    server.respond(status="failed", stream=True, error=error)
    with pytest.raises(ContextOverflowError, match="too long for m"):
        model(stream=True).reply(ASK, TOOLS)


def test_a_stream_that_ends_early(server, model):
    server.stream({"type": "response.output_text.delta", "delta": "Lo"}, done=False)
    with pytest.raises(ModelError, match="broke off its reply"):
        model(stream=True).reply(ASK, TOOLS)


def test_a_chat_completion_is_no_response(server, model):
    server.say("hi")
    with pytest.raises(ModelError, match="not a response"):
        model().reply(ASK, TOOLS)
