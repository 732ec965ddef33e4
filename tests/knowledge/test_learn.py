"""Learning a repository: something is learned, nothing is lost to a kill, and agents can load what was learned."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from debug_gym.agents.models.local import LocalModel
from debug_gym.cli import app
from debug_gym.errors import ConfigError, LibraryError
from debug_gym.knowledge.asked import Retriever, is_right, overlap, replies, surprise
from debug_gym.knowledge.chunks import Chunk
from debug_gym.knowledge.learn import learn, lesson
from debug_gym.knowledge.templates import Question
from debug_gym.lora import ExpertLibrary, attach
from debug_gym.lora.merge import merge_into, open_module
from debug_gym.store.records import Run

from .conftest import SETTINGS, make_repository

PAGE = Path(__file__).parents[2] / "docs" / "knowledge.md"


@pytest.fixture
def library(tmp_path):
    return ExpertLibrary.create(tmp_path / "library", "tiny/base")


@pytest.mark.parametrize("objective", ["distill", "answers", "text"])
def test_each_objective_learns_and_the_base_stays(objective, library, model, tokenizer, taught, tmp_path):
    before = {key: value.clone() for key, value in model.state_dict().items()}
    settings = SETTINGS.model_copy(update={"objective": objective, "max_steps": 16})
    made = learn(library, "shop", model, tokenizer, taught, settings, tmp_path / "work", trained_on="shop")
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    curve = json.loads((tmp_path / "work" / "curve.json").read_text())
    assert curve[-1]["loss"] < 0.8 * curve[0]["loss"]
    assert made.card.trained_on == "shop" and made.card.made_by["learned"]["objective"] == objective
    figures = made.card.metrics
    if objective == "answers":  # what a random base says is not worth distilling
        assert figures["held_out_nats"] < figures["held_out_nats_base"] - 1
    with pytest.raises(LibraryError, match="already"):
        learn(library, "shop", model, tokenizer, taught, settings, tmp_path / "work")


def test_checkpoints_of_another_repository_are_not_gone_on_from(
    library, model, tokenizer, taught, tmp_path, repository
):
    learn(library, "one", model, tokenizer, taught, SETTINGS, tmp_path / "work")
    (repository / "shop/cart.py").write_text("LIMIT = 30\n")
    changed = lesson(repository, tokenizer, SETTINGS, tmp_path / "work")
    with pytest.raises(LibraryError, match="another training"):
        learn(library, "two", model, tokenizer, changed, SETTINGS, tmp_path / "work")
    assert library.names == ("one",)


def test_a_base_with_no_chat_template_is_refused(library, model, tokenizer, taught, tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer, "chat_template", None)
    with pytest.raises(LibraryError, match="chat template"):
        learn(library, "shop", model, tokenizer, taught, SETTINGS, tmp_path / "work")


CHILD = """
import sys
from pathlib import Path
from tests.knowledge.conftest import *
folder = Path(sys.argv[1])
torch.set_num_threads(1)
tokenizer = make_tokenizer()
taught = lesson(make_repository(folder / "shop"), tokenizer, SETTINGS, folder / "work")
from debug_gym.knowledge.learn import learn
from debug_gym.lora import ExpertLibrary
library = ExpertLibrary.create(folder / "library", "tiny/base")
model = make_base(tokenizer)
tell = lambda step, last, measured: print(step, flush=True)
learn(library, "shop", model, tokenizer, taught, SETTINGS, folder / "work", on_progress=tell)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_it_goes_on_and_ends_the_same(tmp_path, tokenizer, model):
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-W", "ignore", "-c", CHILD, str(tmp_path / "killed")]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    for line in child.stdout:
        if line == "5\n":
            child.send_signal(signal.SIGKILL)
            break
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    weights, first = {}, {}
    for name in ("whole", "killed"):
        work, library = (
            tmp_path / name / "work",
            ExpertLibrary.create(tmp_path / name / "library", "tiny/base"),
        )
        taught, steps = lesson(make_repository(tmp_path / name / "shop"), tokenizer, SETTINGS, work), []
        tell = lambda step, last, measured: steps.append(step)  # noqa: B023, E731
        made = learn(library, "shop", model, tokenizer, taught, SETTINGS, work, on_progress=tell)
        weights[name], first[name] = load_file(made.folder / "adapter_model.safetensors"), steps[0]
    assert first == {"whole": 1, "killed": 5}
    for key, value in weights["whole"].items():
        torch.testing.assert_close(weights["killed"][key], value, atol=1e-6, rtol=1e-5)


def test_a_merged_module_computes_what_it_computes_attached(library, model, tokenizer, taught, tmp_path):
    made = learn(library, "shop", model, tokenizer, taught, SETTINGS, tmp_path / "work")
    asked = taught.held_out[:5]
    routed = attach(model, library, "shop")
    attached = surprise(model, tokenizer, asked)
    said, read = replies(model, tokenizer, asked[:2], lambda one: one.chunk, max_tokens=4)
    routed.detach()
    assert surprise(model, tokenizer, asked) != pytest.approx(attached, abs=1e-3)
    merge_into(model, made)
    assert surprise(model, tokenizer, asked) == pytest.approx(attached, abs=1e-5)
    assert len(said) == 2 and read > 100
    with pytest.raises(LibraryError, match="another model"):
        merge_into(torch.nn.Linear(2, 2), made)


def test_one_module_is_meant(library, adapters, tmp_path):
    with pytest.raises(LibraryError, match="holds 0 modules"):
        open_module(library.folder)
    library.add(adapters[0])
    assert open_module(library.folder).name == open_module(library.folder / "e0").name == "e0"
    library.add(adapters[1])
    with pytest.raises(LibraryError, match=r"holds 2 modules.*e1"):
        open_module(library.folder)


def test_answers_are_compared_word_by_word():
    assert is_right("`total(cart, rate)` of course", "total(cart,  rate)") and not is_right(
        "the total", "total"
    )
    assert overlap("a b", "b c") == 0.5 and overlap("", "x") == overlap("y", "x") == 0


def test_search_finds_the_chunk_with_the_rarest_words():
    texts = ("def total(cart): ...", "def taxed(total): ...", "the cart of the cart")
    chunks = [Chunk(path="a.py", start=at, end=at, text=text) for at, text in enumerate(texts, 1)]
    find = Retriever(chunks)
    for asked, right in (("Where is `taxed`?", 1), ("Of the cart", 2), ("def total", 0), ("Who?", 0)):
        assert (
            find(Question(chunk=chunks[0], kind="x", subject="x", question=asked, answer="x"))
            == chunks[right]
        )


@pytest.fixture
def base(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.filterwarnings("ignore")
def test_from_the_command_line_to_an_agent(base, repository, tmp_path, monkeypatch):
    """Learned, and loaded alone and beside an expert, whose library knows nothing of it."""
    monkeypatch.chdir(tmp_path)
    repository.rename("shop")
    (command, shown), *_ = re.findall(r"^\$ debug-gym (.*)\n((?:[^`].*\n)*)", PAGE.read_text(), re.MULTILINE)
    small = "max_steps=2", "rank=2", "chunk=400", "learning_rate=0.01"
    options = [part for one in small for part in ("--set", one)] + ["--device", "cpu"]
    result = CliRunner().invoke(app, [*command.split(), *options], catch_exceptions=False)
    numbers = re.compile(r"\d+(\.\d+)?")
    assert numbers.sub("N", result.stdout) == numbers.sub("N", shown)
    assert Path("modules.work/shop/curve.json").exists()
    question = [{"role": "user", "content": "Where is `total`?"}]
    own = {"max_tokens": 4, "device": "cpu", "logprobs": "completion"}
    said = {}
    for who, more in {
        "alone": {},
        "knows": {"knowledge": "modules/shop"},
        "expert": {"library": "modules", "router": "shop"},
        "both": {"library": "modules", "router": "shop", "knowledge": "modules"},
    }.items():
        with LocalModel(str(base), **own, **more) as local:
            said[who] = local.reply(question, []).tokens.completion_logprobs
    assert said["knows"] == pytest.approx(said["expert"], abs=1e-4)
    assert len({round(said[who][0], 5) for who in ("alone", "knows", "both")}) == 3
    Path("calc").mkdir()
    Path("calc/test_calc.py").write_text("def test_sum():\n    assert 1 + 1 == 3\n")
    play = ["run", "repo", "--path", "calc", "-a", "llm", "-m", str(base), "--provider", "local"]
    play += ["--knowledge", "modules/shop", "--max-steps", "1", "-o", "max_tokens=2", "-o", "max_malformed=1"]
    CliRunner().invoke(app, [*play, "--output", "run"], catch_exceptions=False)
    assert Run.open("run").manifest.config["agent_options"]["knowledge"] == "modules/shop"
    assert [result.status for result in Run.open("run").results()] == ["unresolved"]


def test_what_is_wrong_is_said_before_anything_is_trained(base, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    common = ["--library", "modules", "--base", str(base)]
    for command, sentence in (
        (["learn", "nowhere", *common], "no folder"),
        (["learn", str(repository), *common, "--set", "chunk=1"], "--set chunk"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            CliRunner().invoke(app, command, catch_exceptions=False)
    with pytest.raises(LibraryError, match="no library"):
        LocalModel(str(base), knowledge="nothing").check()
