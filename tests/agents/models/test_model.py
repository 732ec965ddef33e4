"""The protocol of models: batches, and who closes what."""

import pytest
from pydantic import BaseModel

from debug_gym.agents.models import ContextOverflowError, Message, Model, Reply, Request
from debug_gym.agents.models.factory import make_model
from debug_gym.agents.models.fenced import FencedModel
from debug_gym.agents.models.openai import OpenAIModel
from debug_gym.errors import ModelError

TOOLS = [{"type": "function", "function": {"name": "view", "parameters": {"type": "object"}}}]


class Echo(Model):
    """Another package's model: a name and ``reply``."""

    class Settings(BaseModel):
        pass

    def __init__(self, name: str = "echo") -> None:
        self.name, self.closed = name, False

    def reply(self, messages, tools, *, episode=""):
        if not messages[-1]["content"]:
            raise ContextOverflowError("too long")
        return Reply(text=messages[-1]["content"])

    def close(self) -> None:
        self.closed = True


def says(text: str) -> list[Message]:
    return [{"role": "user", "content": text}]


def test_a_batch_keeps_its_order_and_an_error_its_place():
    answers = Echo().replies([Request(says("a")), Request(says("")), Request(says("b"))])
    assert [getattr(answer, "text", None) for answer in answers] == ["a", None, "b"]
    assert isinstance(answers[1], ContextOverflowError)
    assert Echo().replies([]) == []


def test_the_requests_of_a_batch_are_under_way_together(server):
    for _ in range(4):
        server.say("hi")
        server.slow(0.3)
    with OpenAIModel("m", base_url=server.url) as model:
        assert [reply.text for reply in model.replies([Request(says("hello"))] * 4)] == ["hi"] * 4
    assert server.peak == 4


def test_all_who_ask_one_model_share_its_limits(server):
    for _ in range(4):
        server.say("hi")
        server.slow(0.05)
    with OpenAIModel("m", base_url=server.url, max_concurrent=1) as model:
        model.replies([Request(says("hello"))] * 4)
    assert server.peak == 1


def test_what_stands_around_a_model_hands_batches_on_and_closes_it():
    """One that computes batches at once must get them whole, through every wrapper."""
    batches = []

    class Batching(Echo):
        def replies(self, requests):
            batches.append(len(requests))
            return super().replies(requests)

    model = Batching()
    fenced = FencedModel(model, "json")
    call = '```json\n{"name": "view", "arguments": {}}\n```'
    called, silent = fenced.replies([Request(says(call), TOOLS), Request(says("Hm."), TOOLS)])
    assert (batches, called.tool_calls[0].name) == ([2], "view")
    assert "no tool call" in silent.note
    fenced.close()
    assert model.closed


def test_a_batch_is_recorded(server, tmp_path):
    server.say("same")
    server.say("same")
    requests = [Request(says("x"), TOOLS, "calc:0"), Request(says("y"), TOOLS, "calc:1")]
    with make_model("m", "openai", {"base_url": server.url, "record": str(tmp_path)}) as model:
        recorded = model.replies(requests)
    assert make_model("m", "replay", {"recording": str(tmp_path)}).replies(requests) == recorded


def test_a_closed_model_cannot_be_asked(server):
    server.say("hi")
    model = OpenAIModel("m", base_url=server.url, retries=0)
    with model:
        model.reply(says("hello"), [])
    with pytest.raises(ModelError, match="the model m is closed"):
        model.reply(says("hello"), [])
