"""A model in this process: a tiny random one with random experts, and SmolLM2 with its real weights."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest
import torch

from debug_gym.agents.models import ContextOverflowError, Request
from debug_gym.agents.models.local import LocalModel
from debug_gym.cli import main
from debug_gym.errors import ConfigError, LibraryError, ModelError, UnknownNameError
from debug_gym.lora import Arrow, ExpertLibrary, attach
from debug_gym.lora.serve.assistant import load
from debug_gym.store.records import Run
from debug_gym.tools.base import Toolbox
from tests.lora.serve.conftest import make_adapter, make_model, make_tokenizer

TOOLS = Toolbox(["view", "rewrite", "eval", "listdir"]).schemas()
SCHEMAS = {tool["function"]["name"]: tool["function"]["parameters"] for tool in TOOLS}
ASK = [{"role": "system", "content": "You fix bugs."}, {"role": "user", "content": "Look at calc.py."}]
NAMES = ("ants", "bees")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a model and one with its experts."""
    root = tmp_path_factory.mktemp("tiny")
    tokenizer = make_tokenizer()
    size = {"vocab": len(tokenizer), "max_position_embeddings": 16384}
    make_model(**size).save_pretrained(root / "model")
    tokenizer.save_pretrained(root / "model")
    library = ExpertLibrary.create(root / "experts", base="tiny/talker")
    for number, name in enumerate(NAMES):
        library.add(
            make_adapter(root / name, number, base="tiny/talker", model=make_model(**size)), name=name
        )
    return root


@pytest.fixture
def local(tiny):
    made = []

    def start(**options):
        made.append(LocalModel(str(tiny / "model"), **{"max_tokens": 20, **options}))
        return made[-1]

    yield start
    for model in made:
        model.close()


def test_a_reply_with_its_tokens(local, tiny):
    reply = local(logprobs="completion", temperature="0.5").reply(ASK, [], episode="a:0")
    tokens = reply.tokens
    assert reply.usage.input_tokens == len(tokens.prompt_ids)
    assert reply.usage.output_tokens == len(tokens.completion_ids) == len(tokens.completion_logprobs)
    assert reply.usage.output_tokens > 5
    assert reply.usage.dollars == 0.0
    model = make_model(vocab=len(make_tokenizer()), max_position_embeddings=16384)
    with torch.no_grad():
        logits = model(torch.tensor([[*tokens.prompt_ids, *tokens.completion_ids]])).logits[0]
    drawn = (logits[len(tokens.prompt_ids) - 1 : -1] / 0.5).log_softmax(-1)
    for row, token, logprob in zip(drawn, tokens.completion_ids, tokens.completion_logprobs, strict=True):
        assert logprob == pytest.approx(float(row[token]), abs=1e-3)
    assert local().reply(ASK, []).tokens is None


def test_seed_episode_and_conversation_decide_what_is_drawn(local):
    model, other = local(seed=1), local(seed=2)
    same = [model.reply(ASK, [], episode="a:0").text for _ in range(2)]
    assert same[0] == same[1]
    assert (
        len({same[0], model.reply(ASK, [], episode="a:1").text, other.reply(ASK, [], episode="a:0").text})
        == 3
    )


def test_experts_and_routers(local, tiny):
    library = str(tiny / "experts")
    greedy = {"temperature": 0, "logprobs": "completion"}
    said = {None: local(**greedy).reply(ASK, []).tokens.completion_ids}
    for router in (*NAMES, "arrow", "uniform", "likelihood"):
        said[router] = local(library=library, router=router, **greedy).reply(ASK, []).tokens.completion_ids
    assert len({said[None], said["ants"], said["bees"]}) == 3
    assert said["likelihood"] in (said["ants"], said["bees"])
    model = make_model(vocab=len(make_tokenizer()), max_position_embeddings=16384)
    reply = local(library=library, router="arrow", temperature=0, logprobs="completion").reply(ASK, [])
    attach(model, ExpertLibrary.open(library), Arrow())
    ids = torch.tensor([reply.tokens.prompt_ids])
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=20, do_sample=False)
    assert made[0, ids.shape[1] :].tolist() == list(reply.tokens.completion_ids)


def test_parallel_episodes_share_a_batch(local):
    model = local(max_tokens=60)
    asked = [
        Request([*ASK, {"role": "user", "content": f"number {number}"}], (), f"t:{number}")
        for number in range(8)
    ]
    together = model.replies(asked)
    assert model._assistant().engine.totals["steps"] < 4 * 60
    with ThreadPoolExecutor(8) as threads:
        threaded = list(
            threads.map(lambda one: model.reply(one.messages, one.tools, episode=one.episode), asked)
        )
    assert [reply.text for reply in threaded] == [reply.text for reply in together]


def test_a_conversation_is_computed_from_where_it_went_on(local):
    model = local()
    first = model.reply(ASK, [])
    talk = [*ASK, {"role": "assistant", "content": first.text}, {"role": "user", "content": "Go on."}]
    second = model.reply(talk, [])
    assert first.usage.cached_tokens == 0
    assert second.usage.cached_tokens >= first.usage.input_tokens


def test_every_call_of_a_random_model_is_valid(local):
    model = local(tool_calls="required", max_tokens=600)
    replies = model.replies([Request(ASK, TOOLS, f"t:{number}") for number in range(6)])
    whole = [reply for reply in replies if reply.finish_reason == "tool_calls"]
    assert len(whole) >= 3  # the others ended at their limit, within a text that went on
    for reply in whole:
        for call in reply.tool_calls:
            jsonschema.validate(call.parse().arguments, SCHEMAS[call.name])


def test_it_is_loaded_when_it_is_asked_and_not_after_it_was_closed(tiny):
    model = LocalModel(str(tiny / "model"), max_tokens=2)
    assert model._loaded is None
    model.check()
    assert model.reply(ASK, []).usage.output_tokens
    model.close()
    with pytest.raises(ModelError, match="is closed"):
        model.reply(ASK, [])


def test_too_long_a_conversation(local):
    talk = [*ASK, {"role": "user", "content": "x y " * 9000}]
    with pytest.raises(ContextOverflowError, match="context length"):
        local().reply(talk, [])
    answers = local(max_length=200).replies([Request(talk), Request(ASK)])
    assert isinstance(answers[0], ContextOverflowError)
    assert answers[1].text


@pytest.mark.parametrize(
    ("name", "options", "error", "complaint"),
    [
        (
            "model",
            {"router": "arrow"},
            ConfigError,
            "the router arrow needs a library of experts: -o library=DIR",
        ),
        ("model", {"library": "nowhere"}, LibraryError, "nowhere"),
        ("model", {"library": "{root}/experts", "router": "arow"}, UnknownNameError, "did you mean 'arrow'"),
        ("model", {"temperature": -1}, ConfigError, "temperature"),
        ("model", {"dtype": "int4"}, ConfigError, "dtype"),
        ("model", {"device": "quantum"}, ConfigError, "quantum"),
        ("experts", {}, ConfigError, "cannot be loaded"),
        ("no/such/model", {}, ConfigError, "cannot be loaded"),
    ],
)
def test_what_is_wrong_is_one_sentence(tiny, name, options, error, complaint):
    folder = str(tiny / name) if (tiny / name).exists() else name
    options = {key: str(value).replace("{root}", str(tiny)) for key, value in options.items()}
    with pytest.raises(error, match=complaint) as raised:
        LocalModel(folder, **options).check()
    assert "\n" not in str(raised.value)


def test_a_library_of_another_model_is_refused(tiny, tmp_path):
    tokenizer = make_tokenizer()
    make_model(hidden=64, vocab=len(tokenizer)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(LibraryError, match="belong to another"):
        load(str(tmp_path), str(tiny / "experts"), ["arrow"])


def play(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["debug-gym", "run", "repo", *map(str, options)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return Run.open(Path(options[-1]))


def test_a_run_on_a_routed_library(tiny, calc, tmp_path, monkeypatch):
    own = [
        "--provider",
        "local",
        "--library",
        tiny / "experts",
        "--router",
        "arrow",
        "-o",
        "tool_calls=required",
    ]
    limits = [
        "--tools",
        "listdir,view",
        "-o",
        "max_tokens=200",
        "-o",
        "max_malformed=1",
        "--max-steps",
        2,
        "-k",
        2,
        "-w",
        2,
    ]
    run = play(
        monkeypatch,
        "--path",
        calc,
        "-a",
        "llm",
        "-m",
        tiny / "model",
        *own,
        *limits,
        "--output",
        tmp_path / "run",
    )
    for result in run.results():
        assert result.status == "unresolved"
        assert result.usage["output_tokens"] > 0


def test_an_episode_with_real_weights(smollm2, calc, tmp_path, monkeypatch):
    own = ["--provider", "local", "-o", "tool_calls=required", "-o", "temperature=0", "-o", "max_tokens=40"]
    limits = ["--tools", "listdir,view", "--max-steps", 2, "-o", "max_malformed=2"]
    run = play(
        monkeypatch, "--path", calc, "-a", "llm", "-m", smollm2, *own, *limits, "--output", tmp_path / "run"
    )
    (result,) = run.results()
    assert result.status == "unresolved"
    assert "estimates" not in result.usage
    steps = run.trajectory(result.task).steps
    assert steps
    assert {step.call.name for step in steps} <= {"listdir", "view"}
    assert result.usage["cached_tokens"] > 0.4 * result.usage["input_tokens"]


def test_real_weights_write_valid_calls_and_sense(smollm2):
    assistant = load(str(smollm2))
    try:
        from debug_gym.lora.serve.assistant import Question
        from debug_gym.lora.serve.sampling import Sampling

        said = Question(
            [{"role": "user", "content": "What is the capital of France? Answer in one short sentence."}]
        )
        made = assistant.ask(
            Question(said.messages, sampling=Sampling(temperature=0, max_tokens=20))
        ).result.result()
        assert "Paris" in made.text
        views = [tool for tool in TOOLS if tool["function"]["name"] == "view"]
        ask = [{"role": "user", "content": "Show me the file calc.py by the tool view."}]
        sampling = Sampling(temperature=0, max_tokens=80)
        question = Question(ask, views, sampling=sampling, calls="required", most_calls=1)
        answer = assistant.ask(question).result.result()
        (call,) = assistant.read(question, answer).calls
        jsonschema.validate(call.arguments, SCHEMAS["view"])
        assert json.dumps(call.arguments).startswith('{"path": "')
    finally:
        assistant.close()
