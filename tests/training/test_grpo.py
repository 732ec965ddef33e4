"""Reinforcement learning in the gym, with TRL's real trainer."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer
from typer.testing import CliRunner

from debug_gym.cli import app
from debug_gym.errors import ConfigError

TASKS = ("operator-pair-00000", "operator-compare-00000")


def command(base, prompts, output, **settings):
    known = {"cpu": "true", "steps": 2, "prompts": 1, "group": 4, "batch": 4, "calls": 2, "max_tokens": 400}
    told = ["train", "grpo", "sprouts", "--base", base, "-O", output, "--tools", "view,rewrite"]
    told += [part for name in TASKS for part in ("-t", name)]
    told += [part for key, value in prompts.items() for part in ("-o", f"{key}={value}")]
    told += [part for key, value in {**known, **settings}.items() for part in ("-s", f"{key}={value}")]
    return [str(part) for part in told]


def train(*arguments, **settings):
    return CliRunner().invoke(app, command(*arguments, **settings))


def curve(output):
    return json.loads((output.with_name(f"{output.name}.work") / "curve.json").read_text())


def weights(folder):
    return load_file(folder / "model.safetensors")


def test_what_the_judge_accepts_is_rewarded(skilled, prompts, tmp_path):
    """The model repeats two episodes of the oracle, so that it is right, and has nothing to learn."""
    done = train(skilled, prompts, tmp_path / "sure", temperature=0.1, learning_rate=1e-3)
    assert done.exit_code == 0, done.output
    for point in curve(tmp_path / "sure"):
        assert point["reward"] == 1.0 and point["validity"] == 1.0 and point["calls"] == 2.0
        assert point["same"] == 1.0 and math.isfinite(point["entropy"])
        assert 0 < point["gym_seconds"] < point["seconds"]
    before, after = weights(skilled), weights(tmp_path / "sure")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_rollout_ends_with_its_episode(skilled, prompts, tmp_path):
    """After the last call nothing more is asked: there is one turn, and its call was right."""
    done = train(skilled, prompts, tmp_path / "one", temperature=0.1, calls=1, steps=1)
    assert done.exit_code == 0, done.output
    (point,) = curve(tmp_path / "one")
    assert point["calls"] == 1.0 and point["validity"] == 1.0 and point["reward"] == 0.0


def test_killed_and_started_again_it_ends_as_an_undisturbed_one(skilled, prompts, tmp_path, kill_at):
    """Valid calls are rewarded as well, so that there is something to learn whenever not all tries are equal."""
    settings = {"steps": 4, "checkpoint_every": 2, "validity": 1, "learning_rate": 1e-3}
    assert train(skilled, prompts, tmp_path / "calm", **settings).exit_code == 0
    kill_at(
        command(skilled, prompts, tmp_path / "killed", **settings), tmp_path / "killed.work", "checkpoint-2"
    )
    assert not (tmp_path / "killed").exists()
    assert train(skilled, prompts, tmp_path / "killed", **settings).exit_code == 0
    first, calm, killed = (weights(folder) for folder in (skilled, tmp_path / "calm", tmp_path / "killed"))
    assert any(not torch.equal(first[name], calm[name]) for name in calm)
    assert all(torch.equal(calm[name], killed[name]) for name in calm)

    def untimed(name):
        points = curve(tmp_path / name)
        return [{key: value for key, value in one.items() if "seconds" not in key} for one in points]

    assert untimed("calm") == untimed("killed") and len(untimed("calm")) == 4
    assert any(point["reward"] < 1 for point in untimed("calm"))


def test_wrong_input_is_told(skilled, prompts, tmp_path):
    def told(**settings):
        done = train(skilled, prompts, tmp_path / "out", **settings)
        assert isinstance(done.exception, ConfigError)
        return str(done.exception)

    assert "batch=3 does not divide prompts x group = 4" in told(batch=3)
    template = tmp_path / "plain.jinja"
    template.write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    assert "writes no tool calls: give one that does by --set chat_template=FILE" in told(
        chat_template=template
    )
    assert "no such setting" in told(rollouts=3)


def test_a_template_that_trl_cannot_read_is_told(skilled, prompts, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(skilled)
    tokenizer.response_template = None
    other = tmp_path / "other"
    tokenizer.save_pretrained(other)
    for name in ("config.json", "model.safetensors"):
        (other / name).write_bytes((skilled / name).read_bytes())
    done = train(other, prompts, tmp_path / "out")
    assert isinstance(done.exception, ConfigError) and "needs a response_template" in str(done.exception)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
