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
        {"done": True},  # even this says nothing of why the reply is over
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


def test_a_server_that_does_not_stream(server, model):
    server.say("hi")
    with pytest.raises(ModelError, match="broke off its reply"):
        model().reply(HELLO, [])
