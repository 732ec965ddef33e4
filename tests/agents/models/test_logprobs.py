"""Token ids and log-probabilities, in the ways in which servers give them."""

import json

import pytest

from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.episode import TokenData
from debug_gym.errors import ConfigError

HELLO = [{"role": "user", "content": "hello"}]
CONTENT = [{"token": "h", "logprob": -0.5}, {"token": "i", "logprob": -1.5}]


@pytest.fixture
def model(server):
    return lambda **options: OpenAIModel(
        "m", **{"base_url": server.url, "retries": 0, "logprobs": "completion", **options}
    )


def answer(server, choice, **body):
    message = {"role": "assistant", "content": "hi"}
    server.raw(json.dumps({"choices": [{"message": message, "finish_reason": "stop", **choice}], **body}))


def test_nothing_is_asked_for_that_is_not_wanted(server):
    answer(server, {"logprobs": {"content": CONTENT}})
    assert OpenAIModel("m", base_url=server.url).reply(HELLO, []).tokens is None
    assert not {"logprobs", "return_token_ids", "prompt_logprobs"} & server.requests[0].body.keys()


def test_as_openai_gives_them(server, model):
    answer(server, {"logprobs": {"content": CONTENT}})
    assert model().reply(HELLO, []).tokens == TokenData(completion_logprobs=(-0.5, -1.5))
    assert server.requests[0].body["logprobs"] is True


def test_as_vllm_gives_them(server, model):
    prompt = [None, {"7": {"logprob": -0.25, "rank": 1}}, {"9": {"logprob": -3}, "8": {"logprob": -0.5}}]
    answer(
        server,
        {"logprobs": {"content": CONTENT}, "token_ids": [4, 5]},
        prompt_token_ids=[1, 7, 8],
        prompt_logprobs=prompt,
    )
    tokens = model(logprobs="all").reply(HELLO, []).tokens
    assert (tokens.prompt_ids, tokens.prompt_logprobs) == ((1, 7, 8), (None, -0.25, -0.5))
    assert (tokens.completion_ids, tokens.completion_logprobs) == ((4, 5), (-0.5, -1.5))
    body = server.requests[0].body
    assert (body["return_token_ids"], body["prompt_logprobs"]) == (True, 0)


@pytest.mark.parametrize(
    "content",
    [
        [{"id": 4, "token": "h", "logprob": -0.5}, {"id": 5, "token": "i", "logprob": -1.5}],  # llama.cpp
        [{"token": "token_id:4", "logprob": -0.5}, {"token": "token_id:5", "logprob": -1.5}],
    ],
)
def test_ids_beside_the_log_probabilities(server, model, content):
    answer(server, {"logprobs": {"content": content}})
    tokens = model().reply(HELLO, []).tokens
    assert (tokens.completion_ids, tokens.completion_logprobs) == ((4, 5), (-0.5, -1.5))


def test_in_a_stream(server, model):
    def part(text, ids, content):
        choice = {"delta": {"content": text}, "token_ids": ids, "logprobs": {"content": content}}
        return {"choices": [choice]}

    server.stream(
        {"choices": [], "prompt_token_ids": [1, 2]},
        part("h", [4], CONTENT[:1]),
        part("i", [5], CONTENT[1:]),
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    )
    reply = model(stream=True).reply(HELLO, [])
    assert reply.text == "hi"
    assert reply.tokens == TokenData(
        prompt_ids=(1, 2), completion_ids=(4, 5), completion_logprobs=(-0.5, -1.5)
    )


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ({"token_ids": [4, 5, 6], "logprobs": {"content": CONTENT}}, TokenData(completion_ids=(4, 5, 6))),
        ({"logprobs": {"tokens": ["h"], "token_logprobs": [-0.5]}}, None),
        ({"logprobs": {"content": [{"token": "h", "logprob": None}]}}, None),
        ({"logprobs": "none", "token_ids": "none"}, None),
    ],
)
def test_what_does_not_fit_together_is_left_out_and_refuses_no_reply(server, model, choice, left):
    answer(server, choice)
    reply = model().reply(HELLO, [])
    assert (reply.text, reply.tokens) == ("hi", left)


def test_minus_infinity_can_be_stored(server, model):
    server.raw(
        '{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop", '
        '"logprobs": {"content": [{"token": "h", "logprob": -Infinity}]}}]}'
    )
    tokens = model().reply(HELLO, []).tokens
    assert TokenData.model_validate_json(tokens.model_dump_json()) == tokens


def test_a_server_that_refuses_ids_is_asked_without(server, model):
    server.fail(400, "Unrecognized request argument supplied: return_token_ids")
    answer(server, {"logprobs": {"content": CONTENT}})
    assert model().reply(HELLO, []).tokens.completion_logprobs == (-0.5, -1.5)
    assert "return_token_ids" not in server.requests[1].body


def test_where_there_can_be_none(model):
    with pytest.raises(ConfigError, match="logprobs need api=chat"):
        model(api="responses")
    with pytest.raises(ConfigError, match="needs stream=false"):
        model(stream=True, logprobs="all")
