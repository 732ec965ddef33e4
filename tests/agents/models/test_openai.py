import json
import math
import socket
import time

import pytest

from debug_gym.agents.models import ContextOverflowError
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.episode import InvalidToolCallError
from debug_gym.errors import ConfigError, ModelError

HELLO = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": "view", "parameters": {"type": "object"}}}]


@pytest.fixture
def model(server):
    return lambda **options: OpenAIModel("m", **{"base_url": server.url, "retries": 0, **options})


def test_a_reply_with_text_and_calls(server, model):
    server.say("Look.", server.call("view", {"path": "a.py"}, "c1"), server.call("eval", "", "c2"))
    reply = model(api_key="sesame", temperature="0.5", max_tokens="50").reply(HELLO, TOOLS)
    assert (reply.text, reply.finish_reason) == ("Look.", "tool_calls")
    view, evaluate = (call.parse() for call in reply.tool_calls)
    assert (view.name, view.arguments, view.id) == ("view", {"path": "a.py"}, "c1")
    assert (evaluate.name, evaluate.arguments, evaluate.id) == ("eval", {}, "c2")
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sesame"
    assert request.body == {
        "model": "m", "messages": HELLO, "tools": TOOLS, "temperature": 0.5, "max_tokens": 50
    }  # fmt: skip


def test_without_options_only_the_question_is_sent(server, model):
    server.say("hi")
    assert model().reply(HELLO, []).tool_calls == ()
    assert server.requests[0].body == {"model": "m", "messages": HELLO}
    assert server.requests[0].headers["authorization"] == "Bearer none"


def test_address_and_key_from_the_environment(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "from-env")
    server.say("hi")
    OpenAIModel("m").reply(HELLO, [])
    assert server.requests[0].headers["authorization"] == "Bearer from-env"


def test_openai_itself_needs_a_key(server):
    with pytest.raises(ModelError, match="set OPENAI_API_KEY"):
        OpenAIModel("gpt-x")


def test_extra_fields_as_json(server, model):
    server.say("hi")
    model(extra='{"reasoning_effort": "low", "top_k": 3}').reply(HELLO, [])
    assert server.requests[0].body["reasoning_effort"] == "low"
    assert server.requests[0].body["top_k"] == 3


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_reasoning_is_kept_apart_from_the_text(server, model, field):
    server.say("done", **{field: "let me think"})
    reply = model().reply(HELLO, [])
    assert (reply.text, reply.reasoning) == ("done", "let me think")
    assert reply.carry == {field: "let me think"}  # as this server calls it


def test_usage_and_dollars(server, model):
    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 400}}
    prices = {"input": 2, "output": 8, "cached": 0.5}
    for given in (None, json.dumps(prices), {"input": 2, "output": 8}):
        server.say("hi", usage=usage)
        figures = model(prices=given).reply(HELLO, []).usage.as_dict()
        assert figures.pop("seconds") > 0
        counts = {"input_tokens": 1000, "output_tokens": 200, "cached_tokens": 400}
        dollars = None if given is None else (600 * 2 + 400 * 0.5 + 200 * 8) / 1e6
        if isinstance(given, dict):
            dollars = (1000 * 2 + 200 * 8) / 1e6
        assert figures == pytest.approx(counts if dollars is None else {**counts, "dollars": dollars})


def test_tokens_are_estimated_where_the_server_counts_none(server, model, offline):
    server.say("four", server.call("view", "{}  "), usage=None, reasoning="four")
    usage = model().reply(HELLO, TOOLS).usage
    assert usage.input_tokens == math.ceil(len(json.dumps(HELLO + TOOLS)) / 4)
    assert usage.output_tokens == 3
    assert usage.as_dict()["estimates"] == 1


def test_retry_after_is_honoured(server, model):
    server.fail(429, "slow down", retry_after="1")
    server.say("hi")
    reply = model(retries=1).reply(HELLO, [])
    first, second = server.requests
    assert 1.0 <= second.at - first.at < 2.0  # the first wait of the backoff would be half a second
    assert reply.usage.seconds >= 1.0


def test_a_server_error_is_tried_again(server, model):
    server.fail(500, "oops")
    server.say("hi")
    assert model(retries=1).reply(HELLO, []).text == "hi"


@pytest.mark.parametrize(
    ("status", "said", "advice"),
    [
        (401, "bad key", "set OPENAI_API_KEY"),
        (403, "not yours", "no right"),
        (404, "no such model", "does the model 'm' exist there, and does base_url end in /v1"),
        (429, "quota", r"use fewer workers or set requests_per_minute"),
        (500, "oops", r"refused: .*oops"),
        (400, "bad schema", "bad schema"),
        (400, "max_tokens (200000) exceeds the limit of this model: 8192", "exceeds the limit"),
        (400, "max_tokens must be at least 1, got 0", "at least 1, got 0"),
        (400, "max_tokens exceeds the token limit of this model", "exceeds the token limit"),
        (400, "Invalid 'tools[0].function.name': string too long", "string too long"),
        (400, "Unsupported parameter: 'tools[0].strict'", "Unsupported parameter"),
        (400, "this model does not support parallel tool calls", "parallel tool calls"),
        (429, "Request too large for m: tokens per minute (TPM) limit 6000", "requests_per_minute"),
    ],
)
def test_refusals_say_what_to_do(server, model, status, said, advice):
    server.fail(status, said)
    with pytest.raises(ModelError, match=advice) as caught:
        model().reply(HELLO, [])
    assert said in str(caught.value)
    assert server.url in str(caught.value)
    assert not isinstance(caught.value, ContextOverflowError)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "too big", "context_length_exceeded"),
        (400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", None),
        (400, "the request exceeds the available context size, try increasing it", None),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", None),
        (400, "The input token count (5000) exceeds the maximum number of tokens allowed (4096).", None),
        (413, "Please reduce the length of the messages or completion.", None),
        (413, "Payload refused", None),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", None),
        (400, "Input prompt (9000 tokens) is too long to fit into the model (4096 tokens)", None),
        (400, "max_tokens must be at least 1, got -904.", None),
        (400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens.", None),
        (400, "Input is too long for requested model.", None),
        (400, "Range of input length should be [1, 30720]", None),
        (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9", None),
        (500, "the request exceeds the available context size", None),
        (400, "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000", None),
        (400, "too many total text bytes: 10000000 > 9000000", None),
        (400, "Prompt exceeds max length", None),
        (400, "Prompt length (5000) exceeds maximum input length (4096).", None),
        (
            400,
            "Request prompt has 5000 tokens in total, larger than the model input length limit 4096.",
            None,
        ),
        (400, "Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)", None),
        (400, "too many tokens in the request: 40000 > 32000", None),
        (400, "expected maxLength: 42000, actual: 51000, please reformat your input and try again.", None),
        (400, "Prompt length 5000 is greater than max_seq_len 4096", None),
        (
            400,
            "The sum of prompt length (5000) and max_tokens (9) should not exceed max_num_tokens (4096)",
            None,
        ),
        (500, "internal error happened, status code ResponseType.INPUT_LENGTH_ERROR", None),
        (400, "prompt tokens too long", None),
        (400, "Input too long. Maximum 4096 tokens.", None),
        (400, "The request exceeds the model's token limit", None),
        (400, "This model only supports prompts up to 4096 tokens", None),
        (400, "Sequence length 5000 is longer than the maximum sequence length 4096", None),
        (400, "The total number of tokens (9000) is greater than the limit (8192)", None),
        (400, "This request requires more tokens than the model supports", None),
        (400, "Invalid 'messages[1].content': string too long.", None),
        (400, "输入长度超过模型限制", None),
    ],
)
def test_context_overflow(server, model, status, message, code):
    server.fail(status, message, code=code)
    with pytest.raises(ContextOverflowError, match="too long for m"):
        model().reply(HELLO, [])


def test_an_unreachable_server_is_named(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(ModelError, match=rf"cannot reach {url} .*refused.*correct base_url"):
            OpenAIModel("m", base_url=url, retries=0).reply(HELLO, [])


def test_messages_hold_no_password(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    model = OpenAIModel("m", base_url="http://me:sesame@127.0.0.1:1/v1", retries=0)
    with pytest.raises(ModelError, match=r"cannot reach http://127\.0\.0\.1:1/v1") as caught:
        model.reply(HELLO, [])
    assert "sesame" not in str(caught.value)


def test_a_server_that_hangs(server, model):
    server.hang()
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"did not answer within 0\.2 s: raise timeout"):
        model(timeout=0.2).reply(HELLO, [])
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "body",
    ["", '{"choices": [', "null", "[]", "{}", '{"choices": []}', '{"choices": [{"message": null}]}',
     '{"error": {"message": "overloaded"}}', '{"choices": [{"message": {"tool_calls": ["x"]}}]}'],
)  # fmt: skip
def test_an_answer_that_is_no_completion(server, model, body):
    server.raw(body)
    with pytest.raises(ModelError, match="not a chat completion; check base_url") as caught:
        model().reply(HELLO, [])
    assert body in str(caught.value)


def test_a_message_that_a_filter_held_back_is_an_empty_reply(server, model):
    server.raw('{"choices": [{"message": null, "finish_reason": "content_filter"}]}')
    reply = model().reply(HELLO, [])
    assert (reply.text, reply.tool_calls, reply.finish_reason) == ("", (), "content_filter")


def test_bytes_that_are_no_text_are_no_completion(server, model):
    server.raw(b'{"choices": "\xff"}')
    with pytest.raises(ModelError, match="not a chat completion"):
        model().reply(HELLO, [])


def test_half_of_a_surrogate_pair_is_replaced(server, model):
    server.say("a\ud83d", reasoning="b\ude00")
    reply = model().reply(HELLO, [])
    assert (reply.text, reply.reasoning) == ("a\ufffd", "b\ufffd")


def test_a_web_page_is_no_completion(server, model):
    server.raw("<html>Welcome</html>", "text/html")
    with pytest.raises(ModelError, match=r"not a chat completion.*<html>Welcome"):
        model().reply(HELLO, [])


def test_sloppy_servers_are_understood(server, model):
    calls = [
        {"function": {"name": "view", "arguments": {"path": "a"}}},
        {"function": {"name": "eval", "arguments": None}},
    ]
    message = {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "tool_calls": calls}
    server.raw(
        json.dumps({"choices": [{"message": message}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
    )
    reply = model().reply(HELLO, [])
    assert reply.text == "ab"
    assert [call.parse().arguments for call in reply.tool_calls] == [{"path": "a"}, {}]


@pytest.mark.parametrize("arguments", ['{"path": ', "[1]", '"a"', "3", '{"path": "\\ud83d"}'])
def test_malformed_arguments_are_not_guessed(server, model, arguments):
    server.say(None, server.call("view", arguments, "c1"))
    (call,) = model().reply(HELLO, TOOLS).tool_calls
    assert call.arguments == arguments
    with pytest.raises(InvalidToolCallError):
        call.parse()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"temprature": 1}, "'temprature': did you mean 'temperature'"),
        ({"timeout": "soon"}, "option 'timeout' of the openai model: .*valid number"),
        ({"retries": -1}, "option 'retries'"),
        ({"prices": '{"input": 1}'}, r"option 'prices\.\*\.output'.*required"),
        ({"prices": "cheap"}, "option 'prices'"),
        ({"base_url": "localhost:8000"}, "'localhost:8000' must begin with http:// or https://"),
    ],
)
def test_wrong_options(options, complaint):
    with pytest.raises(ConfigError, match=complaint):
        OpenAIModel("m", **{"base_url": "http://127.0.0.1:1/v1", **options})


def test_the_key_is_not_shown(model):
    assert "sesame" not in repr(model(api_key="sesame").settings)
