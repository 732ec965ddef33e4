"""What a server is asked before a run: whether it is there, takes the key, and how long its contexts are."""

import base64
import json

import pytest
from openai_server import Answer

from debug_gym.agents.models import ContextOverflowError
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.errors import ModelError

LONG = [{"role": "user", "content": "x" * 4000}]


def lists(server, *models, status=200):
    server.models = Answer(json.dumps({"object": "list", "data": list(models)}).encode(), status)


def refuses(server, status, message):
    server.models = Answer(json.dumps({"error": {"message": message}}).encode(), status)


@pytest.fixture
def model(server):
    return OpenAIModel("m", base_url=server.url, retries=5, api_key="sk-abcdefghijkl")


def test_a_good_server_costs_nothing(server, model):
    lists(server, {"id": "m"})
    model.check()
    assert not server.requests


def test_a_wrong_key(server, model):
    encoded = base64.b64encode(b"sk-abcdefghijkl").decode()
    refuses(server, 401, f"Incorrect API key provided: sk-abcdefghijkl ({encoded})")
    with pytest.raises(ModelError, match="set OPENAI_API_KEY") as caught:
        model.check()
    assert "abcdef" not in str(caught.value)
    assert encoded[4:12] not in str(caught.value)


def test_a_server_that_is_not_there(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ModelError, match=r"cannot reach http://127\.0\.0\.1:1/v1.*start the server"):
        OpenAIModel("m", base_url="http://127.0.0.1:1/v1").check()


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "no such page"), (403, "not yours"), (500, "oops"), (401, "Missing scopes: api.model.read")],
)
def test_who_has_no_list_may_still_answer(server, model, status, message):
    refuses(server, status, message)
    model.check()
    server.models = Answer(b"<html>", 200)
    model.check()


@pytest.mark.parametrize("name", ["max_model_len", "context_length", "context_window", "max_context_length"])
def test_a_refused_request_of_the_windows_length_is_too_long(server, model, name):
    lists(server, {"id": "n", name: 10}, {"id": "m", name: 1000})
    model.check()
    server.fail(400, "das geht nicht")
    with pytest.raises(ContextOverflowError, match=r"das geht nicht \(its context has 1000 tokens\)"):
        model.reply(LONG, [])
    server.fail(400, "das geht nicht")
    with pytest.raises(ModelError) as caught:
        model.reply([{"role": "user", "content": "short"}], [])
    assert not isinstance(caught.value, ContextOverflowError)
