"""Supervised fine-tuning: what is learned, where it goes, and what a crash costs."""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.errors import ConfigError
from debug_gym.lora import ExpertLibrary
from debug_gym.training.sft import encoded


def train(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def options(prompts):
    return [part for key, value in prompts.items() for part in ("-o", f"{key}={value}")]


def learned(one, tokenizer):
    return tokenizer.decode([label for label in one.labels if label >= 0])


def test_only_what_the_agent_said_is_learned(conversations, base):
    tokenizer = AutoTokenizer.from_pretrained(base)
    (one,) = encoded(conversations[0], tokenizer, 1024)
    call = '<tool_call>\n{"name": "view", "arguments": {"path": "sprout.py"}}\n</tool_call><|im_end|>\n'
    text = learned(one, tokenizer)
    assert text.startswith(call)
    assert text.count("<tool_call>") == 2 and "lines 1-" not in text and "right" not in text
    assert tokenizer.decode(one.ids).startswith(
        "<|im_start|>system\nview rewrite <|im_end|>\n<|im_start|>user\n"
    )


def test_a_template_that_knows_no_tools_writes_them_as_text(conversations, base):
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    (one,) = encoded(conversations[0], tokenizer, 9999)
    assert '"name": "rewrite"' in learned(one, tokenizer)
    assert "You have these tools" in tokenizer.decode(one.ids)
    assert "You have these tools" not in learned(one, tokenizer)


def test_what_it_has_learned_it_does(skilled, conversations):
    tokenizer, model = AutoTokenizer.from_pretrained(skilled), AutoModelForCausalLM.from_pretrained(skilled)
    messages, tools = conversations[0].messages, conversations[0].tools
    prompt = tokenizer.apply_chat_template(
        messages[:2], tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )
    said = model.generate(prompt, max_new_tokens=60, do_sample=False, pad_token_id=0)[0, prompt.shape[1] :]
    (call,) = tokenizer.parse_response(said, prefix=prompt[0])["tool_calls"]
    assert call["function"] == {"name": "view", "arguments": {"path": "sprout.py"}}


def test_an_expert_for_the_library(oracle, prompts, base, tmp_path):
    library = tmp_path / "experts"
    command = [
        "sft",
        "--from",
        oracle,
        "--base",
        base,
        "--library",
        library,
        "--name",
        "fixer",
        *options(prompts),
    ]
    command += ["-s", "rank=4", "-s", "max_steps=6", "-s", "cpu=true", "-s", "learning_rate=0.01"]
    done = train(*command)
    assert done.exit_code == 0, done.output
    assert "2 of 2 episodes" in done.stderr and "learned from 2 episodes" in done.stdout
    expert = ExpertLibrary.open(library)["fixer"]
    assert expert.config.r == 4 and not expert.problems()
    assert expert.card.made_by["training"]["max_steps"] == 6
    curve = json.loads((tmp_path / "experts.work" / "fixer" / "curve.json").read_text())
    assert [point["step"] for point in curve] == [1, 2, 3, 4, 5, 6]
    assert curve[-1]["loss"] < curve[0]["loss"]
    again = train(*command)
    assert isinstance(again.exception, ConfigError) and "has an expert 'fixer' already" in str(
        again.exception
    )
    onward = train(*command[:7], "--start", "fixer", "--name", "more", *command[9:])
    assert onward.exit_code == 0, onward.output
    then = json.loads((tmp_path / "experts.work" / "more" / "curve.json").read_text())
    assert then[0]["loss"] < curve[0]["loss"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--output", "out", "-s", "ranks=3"], "--set ranks: there is no such setting"),
        (["--output", "out", "-s", "batch=0"], "--set batch: "),
        (["--library", "out"], "--library and --name go together"),
        ([], "name a --library and the expert's --name, or an --output folder"),
        (["--output", "out", "--start", "x"], "--start is an expert of the --library"),
        (["--output", "out", "-s", "max_length=2"], "nothing to learn from"),
        (["--output", "out", "--without", "RUN"], "nothing to learn from"),
    ],
)
def test_wrong_input_is_told(oracle, base, tmp_path, arguments, told):
    places = {"RUN": oracle, "out": tmp_path / "out"}
    arguments = [places.get(one, one) for one in arguments]
    done = train("sft", "--from", oracle, "--base", base, "-s", "cpu=true", *arguments)
    assert isinstance(done.exception, ConfigError) and told in str(done.exception)


def test_another_training_in_the_same_folder_is_refused(oracle, prompts, base, tmp_path):
    command = [
        "sft",
        "--from",
        oracle,
        "--base",
        base,
        "-O",
        tmp_path / "m",
        *options(prompts),
        "-s",
        "cpu=true",
    ]
    assert train(*command, "-s", "max_steps=1").exit_code == 0
    other = train(*command, "--replace", "-s", "max_steps=2")
    assert isinstance(other.exception, ConfigError)
    assert "holds a training with other settings" in str(other.exception)


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_killed_and_started_again_it_ends_as_an_undisturbed_one(oracle, prompts, base, tmp_path, kill_at):
    def command(name):
        told = ["train", "sft", "--from", oracle, "--base", base, "-O", tmp_path / name, *options(prompts)]
        return [*told, "-s", "cpu=true", "-s", "max_steps=12", "-s", "checkpoint_every=2", "-s", "batch=1"]

    assert train(*command("calm")[1:]).exit_code == 0
    kill_at(command("killed"), tmp_path / "killed.work", "checkpoint-4")
    assert not (tmp_path / "killed").exists()
    assert train(*command("killed")[1:]).exit_code == 0
    calm, killed = weights(tmp_path / "calm"), weights(tmp_path / "killed")
    assert all(torch.equal(calm[name], killed[name]) for name in calm)
    curves = [
        json.loads((tmp_path / f"{name}.work" / "curve.json").read_text()) for name in ("calm", "killed")
    ]
    assert curves[0] == curves[1] and len(curves[0]) == 12
