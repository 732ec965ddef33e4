import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from debug_gym.agents.models.failures import retry_after
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.errors import ConfigError, ModelError

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture
def model(server):
    return lambda **options: OpenAIModel("m", **{"base_url": server.url, **options})


@pytest.mark.parametrize(
    ("status", "message"), [(500, "oops"), (503, "overloaded"), (408, "late"), (429, "slow")]
)
def test_what_may_pass_is_tried_again(server, model, status, message):
    server.fail(status, message)
    server.say("hi")
    assert model(retries=1).reply(HELLO, []).text == "hi"
    first, second = server.requests
    assert 0.37 <= second.at - first.at < 2.0  # half a second, less a quarter of jitter at most


def test_many_workers_say_once_that_they_wait(server, model, caplog):
    for _ in range(4):
        server.fail(500, "oops")
    for _ in range(4):
        server.say("hi")
    asked = model(retries=3)
    with ThreadPoolExecutor(4) as pool:
        assert [reply.text for reply in pool.map(lambda _: asked.reply(HELLO, []), range(4))] == ["hi"] * 4
    (notice,) = (line for line in caplog.messages if "trying again" in line)
    assert notice.startswith(f"{server.url} refused, trying again: ")
    assert notice.endswith("oops")


def test_waits_grow_and_end(server, model):
    for _ in range(3):
        server.fail(500, "oops")
    with pytest.raises(ModelError, match=r"refused \(3 attempts\): .*oops"):
        model(retries=2).reply(HELLO, [])
    first, second, third = (request.at for request in server.requests)
    assert third - second > second - first


@pytest.mark.parametrize(
    ("code", "headers"), [("insufficient_quota", {}), (None, {"x_should_retry": "false"})]
)
def test_what_will_not_pass_is_not_tried_again(server, model, code, headers):
    server.fail(429, "you have no money", code=code, **headers)
    with pytest.raises(ModelError, match="you have no money"):
        model().reply(HELLO, [])
    assert len(server.requests) == 1


def test_a_wait_that_is_too_long_is_refused(server, model):
    server.fail(429, "come back tomorrow", retry_after="86400")
    with pytest.raises(ModelError, match=r"asks to wait 86400 s, which is more than max_wait"):
        model().reply(HELLO, [])


def test_an_answer_that_cannot_be_read_is_asked_for_again_twice(server, model):
    server.raw('{"choices": [')
    server.say("hi")
    server.truncate(20)
    server.say("hi")
    assert model().reply(HELLO, []).text == "hi"
    for _ in range(3):
        server.raw("<html>Welcome</html>", "text/html")
    with pytest.raises(ModelError, match=r"not a chat completion; check base_url \(3 attempts\)"):
        model(retries=9).reply(HELLO, [])


def test_a_hanging_server_is_asked_again(server, model):
    server.hang()
    server.say("hi")
    assert model(timeout=0.3).reply(HELLO, []).text == "hi"


def test_one_refusal_slows_all_workers(server, model):
    server.fail(429, "slow down", retry_after="1")
    for _ in range(6):
        server.say("hi")
    talker = model()
    with ThreadPoolExecutor(4) as pool:
        refused = pool.submit(talker.reply, HELLO, [])
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.2)
        others = [pool.submit(talker.reply, HELLO, []) for _ in range(3)]
        assert [future.result().text for future in (refused, *others)] == ["hi"] * 4
    first, *rest = (request.at for request in server.requests)
    assert min(rest) - first >= 1.0


def test_workers_share_a_limit(server, model):
    for _ in range(6):
        server.say("hi")
        server.slow(0.1)
    talker = model(max_concurrent=2)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: talker.reply(HELLO, []), range(6)))
    assert server.peak == 2


def test_waiting_costs_no_processor_time(server, model):
    server.fail(429, "slow down", retry_after="1")
    server.say("hi")
    talker = model()
    began = time.process_time()
    talker.reply(HELLO, [])
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3), ({"retry-after": "0.5"}, 0.5), ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "20", "retry-after": "3"}, 0.02), ({}, None), ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None), ({"retry-after": "-1"}, None),
    ],
)  # fmt: skip
def test_how_long_a_server_asks_to_wait(headers, seconds):
    assert retry_after(headers) == (seconds if seconds is None else pytest.approx(seconds))


def test_a_server_that_names_a_date():
    later = datetime.now(UTC) + timedelta(seconds=60)
    assert retry_after({"retry-after": format_datetime(later, usegmt=True)}) == pytest.approx(60, abs=5)
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


def test_azure_with_a_dated_api(server, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from-azure")
    server.say("hi")
    url = server.url.removesuffix("/v1")
    assert OpenAIModel("my-gpt", base_url=url, api_version="2024-10-21").reply(HELLO, []).text == "hi"
    (request,) = server.requests
    assert request.path == "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == "from-azure"
    with pytest.raises(ConfigError, match="give base_url"):
        OpenAIModel("my-gpt", api_version="2024-10-21")


def test_null_takes_a_field_out(server, model):
    server.say("hi")
    model(temperature=1, extra='{"temperature": null, "seed": 3}').reply(HELLO, [])
    assert server.requests[0].body == {"model": "m", "messages": HELLO, "seed": 3}


KEY = "sk-abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    "said", [f"Incorrect API key: {KEY}", f"bad Bearer {KEY}.", "sk-abcdefghij... is wrong", f"{KEY * 2}"]
)
def test_no_message_repeats_the_key(server, model, said, caplog):
    server.fail(500, said)
    server.fail(401, said)
    with pytest.raises(ModelError) as caught:
        model(api_key=KEY, retries=1).reply(HELLO, [])
    told = f"{caught.value} {caplog.text}"
    assert not any(KEY[start : start + 6] in told for start in range(len(KEY) - 5))
    assert "set OPENAI_API_KEY" in told
