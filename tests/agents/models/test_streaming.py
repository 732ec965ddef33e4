import json

import pytest

from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.errors import ModelError

HELLO = [{"role": "user", "content": "hello"}]
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@pytest.fixture
def model(server):
    return lambda **options: OpenAIModel(
        "m", **{"base_url": server.url, "retries": 0, "stream": True, **options}
    )


def event(finish_reason=None, **delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}


def call(index=None, key=None, name=None, arguments=None):
    piece = {"index": index, "id": key, "function": {"name": name, "arguments": arguments}}
    return event(tool_calls=[{field: value for field, value in piece.items() if value is not None}])


def test_a_reply_in_parts(server, model):
    server.stream(
        event(role="assistant", content=""),
        event(reasoning_content="Let me "), event(reasoning_content="think."),
        event(content="Lo"), event(content="ok.", tool_calls=None),
        call(0, "c1", "view", ""), call(0, arguments='{"path": '), call(0, arguments='"a.py"}'),
        call(1, "c2", "eval", "{}"),
        event("tool_calls"),
        {"choices": [], "usage": USAGE},
    )  # fmt: skip
    reply = model().reply(HELLO, [])
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Look.", "Let me think.", "tool_calls")
    assert [(made.name, made.arguments, made.id) for made in reply.tool_calls] == [
        ("view", '{"path": "a.py"}', "c1"),
        ("eval", "{}", "c2"),
    ]
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert server.requests[0].body["stream"] is True
    assert server.requests[0].body["stream_options"] == {"include_usage": True}


def test_a_character_that_was_cut_in_two(server, model):
    server.stream(event(content="\ud83d"), event(content="\ude00"), event("stop"))
    assert model().reply(HELLO, []).text == "\N{GRINNING FACE}"


def test_servers_that_number_calls_badly(server, model):
    server.stream(
        call(0, "c1", "view", '{"path": "a"}'), call(0, "c2", "view", '{"path": "b"}'),
        call(None, None, "eval", None), call(None, None, "submit", "{}"),
        event("stop"),
    )  # fmt: skip
    calls = model().reply(HELLO, []).tool_calls
    assert [(made.name, made.id) for made in calls] == [
        ("view", "c1"),
        ("view", "c2"),
        ("eval", ""),
        ("submit", ""),
    ]
    assert [made.parse().arguments for made in calls] == [{"path": "a"}, {"path": "b"}, {}, {}]


@pytest.mark.parametrize(
    "broken",
    [
        {"done": False},  # the connection ends properly, but the reply has not
        {"done": False, "lost": 10},
    ],
)
def test_a_stream_that_is_cut_is_asked_for_again(server, model, broken):
    server.stream(event(content="Hal"), **broken)
    server.stream(event(content="Hello."), event("stop"))
    assert model(retries=1).reply(HELLO, []).text == "Hello."
    server.stream(event(content="Hal"), **broken)
    with pytest.raises(ModelError, match="broke off its reply"):
        model().reply(HELLO, [])


@pytest.mark.parametrize("broken", ['{"choices": [{"del', '{"choices": [{"delta": {"content": 3}}]}', "[1]"])
def test_a_broken_event_is_no_part_of_a_reply(server, model, broken):
    server.stream(event(content="Hal"), broken, event("stop"))
    server.stream(event(content="Hello."), event("stop"))
    assert model(retries=1).reply(HELLO, []).text == "Hello."
    server.stream(broken)
    with pytest.raises(ModelError, match="not a chat completion"):
        model().reply(HELLO, [])


def test_an_error_in_the_middle(server, model):
    server.stream(event(content="Hal"), {"error": {"message": "the engine died", "code": 500}})
    with pytest.raises(ModelError, match="the engine died"):
        model().reply(HELLO, [])


def test_a_server_that_hangs_in_the_middle(server, model):
    server.stream(event(content="Hal"), done=False, lost=10)
    server.linger(5)
    with pytest.raises(ModelError, match=r"did not answer within 0\.3 s"):
        model(timeout=0.3).reply(HELLO, [])


def test_a_server_that_refuses_stream_options(server, model):
    server.fail(422, "Extra inputs are not permitted: stream_options")
    for _ in range(2):
        server.stream(event(content="Hello."), event("stop"))
    talker = model()
    assert talker.reply(HELLO, []).text == talker.reply(HELLO, []).text == "Hello."
    assert ["stream_options" in request.body for request in server.requests] == [True, False, False]


def test_a_server_that_does_not_stream_is_asked_once(server, model):
    for text in ("hi", "hi", "again"):
        server.say(text)
    talker = model()
    assert [talker.reply(HELLO, []).text for _ in range(2)] == ["hi", "again"]
    assert ["stream" in request.body for request in server.requests] == [True, False, False]


@pytest.mark.parametrize(
    "said",
    [
        {"error": "the engine died"},
        {"object": "error", "message": "the engine died", "code": 500},
        {"detail": "the engine died"},
        {"choices": None, "error_msg": "the engine died"},
    ],
)
def test_an_error_in_the_middle_in_few_servers_words(server, model, said):
    """Else a reply that was cut would count as whole."""
    server.stream(event(content="Hal"), said)
    with pytest.raises(ModelError, match="the engine died"):
        model().reply(HELLO, [])


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_what_the_model_said(server, model, stream):
    if stream:
        server.stream(event(refusal="I will "), event(refusal="not."), event("stop"))
    else:
        server.say(None, refusal="I will not.")
    assert model(stream=stream).reply(HELLO, []).text == "I will not."


def test_what_comes_again_whole_is_said_once(server, model):
    whole = {"content": "Look.", "tool_calls": [{"id": "c", "function": {"name": "view", "arguments": "{}"}}]}
    server.stream(
        event(content="Look."), call(0, "c", "view", "{}"), call(0, "c", "view", "{}"), event("stop")
    )
    server.stream(
        event(content="Lo"), event(content="ok."), {"choices": [{"message": whole, "finish_reason": 1}]}
    )
    for _ in range(2):
        reply = model().reply(HELLO, [])
        assert (reply.text, [made.id for made in reply.tool_calls]) == ("Look.", ["c"])


@pytest.mark.parametrize(
    "parts",
    [
        [call(0, "c1", "view", '{"pa'), call(None, None, None, 'th": "a"}')],  # the index comes once
        [call(None, "c1", "view", ""), call(None, None, None, '{"path": "a"}')],  # no index at all
        [call(None, "c1", "view", '{"path"'), call(None, "c1", None, ': "a"}')],  # known by its id
        [call(0, "c1", "view", '{"path"'), call(0, "c9", None, ': "a"}')],  # an id of its own for each part
        [call(0, "c1", "vi"), call(0, None, "ew"), call(0, None, None, '{"path": "a"}')],
        [call(0, "c1", "vi"), call(None, None, "ew", '{"path": "a"}')],
        [call(0, "c1", "view", '{"path"'), call(0, None, "view", ': "a"}')],  # the name again and again
        [call(0, "c1", "view"), event(tool_calls=None), event(), call(0, None, None, '{"path": "a"}')],
        [call(0, "c1", "view", '{"path": "a"}'), event(tool_calls=[{"index": 0, "function": None}])],
        [call(0, "c1", "view", "{}"), call(0, None, None, '{"path": "a"}')],  # {} until there are some
        [call(0, "c1", "view", '{"path": "a"}'), event(tool_calls=[None]), event(tool_calls=[{}])],
        [event(tool_calls=""), call("0", "c1", "view", {"path": "a"}), call(0, "", "", "")],
    ],
)
def test_the_parts_of_one_call(server, model, parts):
    server.stream(*parts, event("tool_calls"))
    (made,) = model().reply(HELLO, []).tool_calls
    assert (made.name, made.id, made.parse().arguments) == ("view", "c1", {"path": "a"})


@pytest.mark.parametrize(
    "parts",
    [
        [call(0, "c1", "view", '{"path": "a"}'), call(0, "c2", "view", '{"path": "b"}')],
        [call(0, None, "view", '{"path": "a"}'), call(0, None, "view", '{"path": "b"}')],
        [call(None, None, "view", '{"path": "a"}'), call(None, None, "view", '{"path": "b"}')],
        [call(0, None, "view", '{"path":'), call(0, None, None, ' "a"}'), call(1, None, "view", '{"path": "b"}')],
    ],
)  # fmt: skip
def test_two_calls_of_one_tool(server, model, parts):
    server.stream(*parts, event("tool_calls"))
    assert [made.parse().arguments for made in model().reply(HELLO, []).tool_calls] == [
        {"path": "a"},
        {"path": "b"},
    ]


CALL = {"index": 0, "id": "c1", "function": {"name": "view", "arguments": '{"path": "a"}'}}


@pytest.mark.parametrize(
    "said",
    [
        event(tool_calls=CALL),
        event(tool_calls=[{**CALL, "id": 7}]),
        event(reasoning={"text": "Hm."}, tool_calls=[CALL]),
        event(tool_calls=[{"id": "c1", "name": "view", "parameters": {"path": "a"}}]),
        event(tool_calls=[{**CALL, "function": {"name": "view", "arguments": json.dumps('{"path": "a"}')}}]),
        {
            "choices": [
                {"message": {"role": "assistant", "tool_calls": [CALL]}, "finish_reason": "tool_calls"}
            ]
        },
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_calls_in_forms_that_few_servers_have(server, model, said, stream):
    if stream:
        server.stream(said, event("tool_calls"))
    else:
        (choice,) = said["choices"]
        message = choice.get("message") or choice["delta"]
        server.raw(json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}))
    (made,) = model(stream=stream).reply(HELLO, []).tool_calls
    assert (made.name, made.parse().arguments) == ("view", {"path": "a"})


@pytest.mark.parametrize(
    "empty",
    [
        "",
        "null",
        "ping",
        "{}",
        {"choices": [None]},
        {"choices": None},
        {"choices": [{"index": 0, "delta": None}]},
        {"choices": [{}]},
    ],
)
def test_events_that_say_nothing_are_skipped(server, model, empty):
    server.stream(empty, event(content="Hel"), empty, event(content="lo."), empty, event("stop"), empty)
    assert model().reply(HELLO, []).text == "Hello."


def test_done_ends_a_reply_that_has_no_reason_to_end(server, model):
    server.stream(event(content="Hello."))
    server.stream(call(0, "c1", "eval", "{}"))
    said, called = model().reply(HELLO, []), model().reply(HELLO, [])
    assert (said.text, said.finish_reason) == ("Hello.", "stop")
    assert (called.tool_calls[0].name, called.finish_reason) == ("eval", "tool_calls")
    server.stream()  # nothing was said at all
    with pytest.raises(ModelError, match="broke off its reply"):
        model().reply(HELLO, [])


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": None, "completion_tokens": None}, {"prompt_tokens": 7}, "many"],
)
@pytest.mark.parametrize("stream", [True, False])
def test_counts_that_are_missing_refuse_no_reply(server, model, usage, stream, offline):
    if stream:
        server.stream(event(content="Hello."), event("stop"), {"choices": [], "usage": usage})
    else:
        server.say("Hello.", usage=usage)
    reply = model(stream=stream).reply(HELLO, [])
    assert (reply.text, reply.usage.estimates) == ("Hello.", 1)
