"""The endpoint, asked by the official client of OpenAI."""

import asyncio
import json
import re
import socket
import threading
import time
from contextlib import contextmanager

import httpx2
import jsonschema
import openai
import pytest
import uvicorn

from debug_gym.errors import ConfigError
from debug_gym.lora import Arrow
from debug_gym.lora.serve.assistant import Assistant
from debug_gym.lora.serve.http.app import make_app
from debug_gym.lora.serve.http.server import check_address

from .conftest import ENDLESS_FORMAT
from .test_constraints import SCHEMAS, TOOLS

HELLO = [{"role": "user", "content": "hello"}]
SHORT = {"messages": HELLO, "max_tokens": 12, "seed": 1}


@contextmanager
def served(assistant, key=None):
    """The server's address."""
    config = uvicorn.Config(make_app(assistant, "tiny", key), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve(engine):
    with_servers = []

    def start(key=None, **settings):
        context = served(Assistant(engine(**settings)), key)
        with_servers.append(context)
        return context.__enter__()

    yield start
    for context in with_servers:
        context.__exit__(None, None, None)


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = []

    def connect(url, key="none", **options):
        made.append(openai.OpenAI(base_url=url, api_key=key, **{"max_retries": 0, "timeout": 60, **options}))
        return made[-1]

    yield connect
    for one in made:
        one.close()


@pytest.fixture
def tiny(serve, client, talkers_library):
    return client(serve(library=talkers_library, routers=(Arrow(),)))


def test_models(tiny):
    listed = tiny.models.list().data
    assert [model.id for model in listed] == ["tiny", "ants", "bees", "cats", "arrow"]
    assert listed[0].max_model_len == 2048


def test_an_answer_with_usage(tiny):
    made = tiny.chat.completions.create(model="tiny", **SHORT)
    choice = made.choices[0]
    assert (choice.message.role, choice.finish_reason) == ("assistant", "length")
    assert isinstance(choice.message.content, str)
    assert (made.usage.completion_tokens, made.usage.prompt_tokens_details.cached_tokens) == (12, 0)
    assert made.usage.total_tokens == made.usage.prompt_tokens + 12
    again = tiny.chat.completions.create(model="tiny", **SHORT)
    assert again.choices[0].message.content == choice.message.content
    assert again.usage.prompt_tokens_details.cached_tokens == made.usage.prompt_tokens - 1


def test_each_expert_and_router_answers_as_itself(tiny):
    said = {
        name: tiny.chat.completions.create(model=name, temperature=0, max_tokens=16, messages=HELLO)
        .choices[0]
        .message.content
        for name in ("tiny", "base", "ants", "bees", "cats", "arrow")
    }
    assert said["tiny"] == said["base"]
    assert len(set(said.values())) >= 4


@pytest.mark.parametrize("n", [1, 3])
def test_a_stream_says_what_the_whole_answer_says(tiny, n):
    whole = tiny.chat.completions.create(model="bees", n=n, logprobs=True, top_logprobs=2, **SHORT)
    texts, tokens, reasons, usage = [""] * n, [[] for _ in range(n)], [None] * n, None
    options = {"stream": True, "stream_options": {"include_usage": True}, "logprobs": True, "top_logprobs": 2}
    for chunk in tiny.chat.completions.create(model="bees", n=n, **SHORT, **options):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            tokens[choice.index] += choice.logprobs.content if choice.logprobs else []
            reasons[choice.index] = choice.finish_reason or reasons[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert reasons == [choice.finish_reason for choice in whole.choices]
    for streamed, choice in zip(tokens, whole.choices, strict=True):
        assert [token.token for token in streamed] == [token.token for token in choice.logprobs.content]
    assert usage.completion_tokens == whole.usage.completion_tokens == 12 * n
    assert len({choice.message.content for choice in whole.choices}) == n


def test_logprobs(tiny):
    made = tiny.chat.completions.create(
        model="tiny", logprobs=True, top_logprobs=3, temperature=0, max_tokens=5, messages=HELLO
    )
    listed = made.choices[0].logprobs.content
    assert len(listed) == 5
    for token in listed:
        assert token.logprob <= 0
        assert [token.token, token.logprob] == [token.top_logprobs[0].token, token.top_logprobs[0].logprob]
        assert len(token.top_logprobs) == 3


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "view"}}])
def test_tools(tiny, stream, choice):
    asked = {
        "model": "tiny",
        "messages": HELLO,
        "tools": TOOLS,
        "tool_choice": choice,
        "max_tokens": 400,
        "seed": 3,
    }
    if stream:
        events = list(tiny.chat.completions.create(stream=True, **asked))
        parts = [call for event in events for call in event.choices[0].delta.tool_calls or ()]
        called = [(part.function.name, part.function.arguments) for part in parts]
        assert all("<tool_call>" not in (event.choices[0].delta.content or "") for event in events)
        reason = events[-1].choices[0].finish_reason
    else:
        message = tiny.chat.completions.create(**asked)
        called = [
            (call.function.name, call.function.arguments) for call in message.choices[0].message.tool_calls
        ]
        reason = message.choices[0].finish_reason
    assert called
    assert reason == "tool_calls"
    for name, arguments in called:
        jsonschema.validate(json.loads(arguments), SCHEMAS[name])
    if choice != "required":
        assert [name for name, _ in called] == ["view"]


def test_a_conversation_with_calls_goes_on(tiny):
    first = tiny.chat.completions.create(
        model="tiny",
        messages=HELLO,
        tools=TOOLS,
        tool_choice="required",
        max_tokens=400,
        seed=3,
        parallel_tool_calls=False,
    )
    said = first.choices[0].message
    answer = {"role": "tool", "tool_call_id": said.tool_calls[0].id, "content": "x = 1"}
    second = tiny.chat.completions.create(
        model="tiny", messages=[*HELLO, said, answer], tools=TOOLS, max_tokens=5
    )
    assert second.usage.prompt_tokens_details.cached_tokens > first.usage.prompt_tokens - 2


def test_an_answer_by_a_schema(tiny):
    form = {"type": "json_schema", "json_schema": {"name": "view", "schema": SCHEMAS["view"]}}
    made = tiny.chat.completions.create(
        model="ants", messages=HELLO, response_format=form, max_tokens=300, seed=2
    )
    jsonschema.validate(json.loads(made.choices[0].message.content), SCHEMAS["view"])


def test_stop(tiny):
    whole = (
        tiny.chat.completions.create(model="tiny", **{**SHORT, "max_tokens": 40}).choices[0].message.content
    )
    stop = whole[5:8]
    made = tiny.chat.completions.create(model="tiny", stop=[stop], **{**SHORT, "max_tokens": 40}).choices[0]
    assert made.finish_reason == "stop"
    assert made.message.content == whole[: whole.index(stop)].strip()


BAD = [
    ({"messages": []}, "messages: List should have at least 1 item"),
    ({"temperature": -1}, "temperature: Input should be greater than or equal to 0"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name"),
    ({"tool_choice": "required"}, "tool_choice needs tools"),
    (
        {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "rm"}}},
        "names 'rm', which is not among",
    ),
    ({"logit_bias": {"5": 100}}, "logit_bias is not supported"),
    ({"top_logprobs": 3}, "top_logprobs needs logprobs"),
    ({"n": 1000}, "n: Input should be less than or equal to 16"),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        "messages.0.content",
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "odd"}}}},
        "no grammar",
    ),
]


@pytest.mark.parametrize(("fields", "complaint"), BAD)
def test_a_bad_request_is_one_sentence(tiny, fields, complaint):
    with pytest.raises(openai.BadRequestError, match=re.escape(complaint)) as refused:
        tiny.chat.completions.create(**{"model": "tiny", "messages": HELLO, "extra_body": fields})
    assert "\n" not in refused.value.body["message"]
    assert tiny.chat.completions.create(model="tiny", **SHORT).choices  # and nothing else has changed


def test_what_is_no_request(tiny):
    url = f"{tiny.base_url}chat/completions"
    json_type = {"content-type": "application/json"}
    for body, headers, status in [
        (b"{", json_type, 400),
        (b"\xff\xfe", json_type, 400),
        (b"[]", json_type, 400),
        (b"", json_type, 400),
        (
            b'{"model": "tiny", "messages": [{"role": "user", "content": "x"}]}',
            {"content-type": "text/plain"},
            415,
        ),
        (b'{"x": "' + b"y" * 33 * 1024**2, json_type, 413),
    ]:
        answer = httpx2.post(url, content=body, headers=headers, timeout=30)
        assert answer.status_code == status
        assert answer.json()["error"]["message"]
    assert httpx2.get(url).status_code == 405


def test_an_unknown_model_and_too_long_a_prompt(tiny):
    with pytest.raises(openai.NotFoundError, match="no model 'dogs' here; there are: tiny, ants") as refused:
        tiny.chat.completions.create(model="dogs", messages=HELLO)
    assert refused.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="context length") as refused:
        tiny.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x y " * 2000}])
    assert refused.value.code == "context_length_exceeded"


def test_a_key(serve, client):
    url = serve(key="sesame")
    with pytest.raises(openai.AuthenticationError, match="needs its key"):
        client(url, "wrong").chat.completions.create(model="tiny", **SHORT)
    assert client(url, "sesame").chat.completions.create(model="tiny", **SHORT).choices
    with pytest.raises(ConfigError, match="DEBUG_GYM_SERVE_KEY"):
        check_address("0.0.0.0", None)
    check_address("0.0.0.0", "sesame")
    check_address("localhost", None)


def test_thirty_two_at_once(serve, talkers_library):
    url = serve(library=talkers_library, routers=(Arrow(),), max_batch=8)
    names = ["tiny", "ants", "bees", "arrow"]

    async def ask_all():
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=120) as client:
            asked = [
                client.chat.completions.create(
                    model=names[number % 4],
                    messages=[{"role": "user", "content": f"number {number}"}],
                    max_tokens=10,
                    seed=number,
                )
                for number in range(32)
            ]
            return await asyncio.gather(*asked)

    together = asyncio.run(ask_all())
    assert [made.usage.completion_tokens for made in together] == [10] * 32
    with openai.OpenAI(base_url=url, api_key="none") as client:
        for number in (0, 9, 18, 31):
            alone = client.chat.completions.create(
                model=names[number % 4],
                messages=[{"role": "user", "content": f"number {number}"}],
                max_tokens=10,
                seed=number,
            )
            assert alone.choices[0].message.content == together[number].choices[0].message.content
    steps = int(
        re.search(r"^debug_gym_steps_total (\d+)$", httpx2.get(f"{url[:-3]}/metrics").text, re.MULTILINE)[1]
    )
    assert steps < 32 * 11  # they shared steps


def test_more_than_fit_are_told_when_to_come_again(serve, client):
    url = serve(max_batch=1, max_waiting=1)

    def held_open(url):
        asked = {"messages": HELLO, "max_tokens": 1900, "response_format": ENDLESS_FORMAT}
        return client(url).chat.completions.create(model="tiny", stream=True, **asked)

    held = [held_open(url) for _ in range(2)]
    waiting = []
    with pytest.raises(openai.RateLimitError, match="try again later") as refused:
        waiting.extend(held_open(url) for _ in range(3))
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 60
    for stream in (*held, *waiting):
        stream.close()
    patient = client(url, max_retries=8)
    assert patient.chat.completions.create(model="tiny", **SHORT).choices
    assert 'debug_gym_requests_total{status="429"} ' in httpx2.get(f"{url[:-3]}/metrics").text


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_frees_its_place(serve, client, stream):
    url = serve(max_batch=1)
    body = json.dumps(
        {
            "model": "tiny",
            "messages": HELLO,
            "max_tokens": 1900,
            "stream": stream,
            "response_format": ENDLESS_FORMAT,
        }
    ).encode()
    host, port = url.removeprefix("http://").removesuffix("/v1").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        deadline = time.monotonic() + 30
        while httpx2.get(f"{url[:-3]}/health").json()["running"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while httpx2.get(f"{url[:-3]}/health").json()["running"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert client(url).chat.completions.create(model="tiny", **SHORT).choices


def test_metrics(tiny):
    tiny.chat.completions.create(model="tiny", **SHORT)
    page = httpx2.get(f"{str(tiny.base_url)[:-4]}/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in page.text.splitlines() if not line.startswith("#"))
    assert values['debug_gym_requests_total{status="200"}'] == "1"
    assert values["debug_gym_tokens_total"] == "12"
    assert values["debug_gym_request_seconds_count"] == "1"
    assert float(values["debug_gym_request_seconds_sum"]) > 0
    assert values["debug_gym_running"] == values["debug_gym_waiting"] == "0"
