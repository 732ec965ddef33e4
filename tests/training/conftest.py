"""A tiny learner, and episodes of the oracle for it to learn from."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("trl")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from debug_gym.runs.config import RunConfig
from debug_gym.runs.plan import prepare
from debug_gym.runs.scheduler import execute
from debug_gym.training.sources import Source

torch.set_num_threads(1)  # threads that wait for each other are slow on a busy machine
ROOT = Path(__file__).parents[2]


def load_tiny():
    spec = importlib.util.spec_from_file_location("tiny", ROOT / "scripts" / "learning" / "tiny.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tiny = load_tiny()


@pytest.fixture(scope="session")
def oracle(tmp_path_factory):
    """A run: two tasks, a look and a fix each."""
    folder = tmp_path_factory.mktemp("training") / "oracle"
    config = RunConfig(
        benchmark="sprouts",
        agent="oracle",
        agent_options={"by": "edits"},
        split="train",
        limit=2,
        tools=("view", "rewrite"),
        max_steps=2,
        output=folder,
    )
    assert [result.status for result in execute(prepare(config)).results] == ["resolved"] * 2
    return folder


@pytest.fixture(scope="session")
def prompts(tmp_path_factory):
    """Short ones, as options of the learner."""
    folder = tmp_path_factory.mktemp("prompts")
    (folder / "system.j2").write_text("")
    (folder / "instance.j2").write_text("{{ task.problem }}")
    return {
        "system_template": str(folder / "system.j2"),
        "instance_template": str(folder / "instance.j2"),
    }


@pytest.fixture(scope="session")
def conversations(oracle, prompts):
    return list(Source([oracle], options=prompts).conversations())


@pytest.fixture(scope="session")
def base(tmp_path_factory, conversations):
    """A model that knows nothing, and a tokenizer that knows the words."""
    folder = tmp_path_factory.mktemp("models") / "base"
    texts = [str(message) for one in conversations for message in one.messages]
    tokenizer = tiny.make_tokenizer(texts, vocabulary=400)
    tiny.save(tiny.make_model(tokenizer, seed=0, width=64), tokenizer, folder)
    return folder


@pytest.fixture(scope="session")
def skilled(tmp_path_factory, base, conversations):
    """A model that plays as the oracle did in these two episodes."""
    from debug_gym.training.learner import Goal, Learner
    from debug_gym.training.settings import SFTSettings
    from debug_gym.training.sft import sft

    goal = Goal(output=tmp_path_factory.mktemp("models") / "skilled")
    settings = SFTSettings(learning_rate=5e-3, batch=2, max_steps=80, cpu=True, checkpoint_every=100)
    with Learner(str(base), goal, settings) as learner:
        curve = sft(learner, conversations, settings)
        learner.keep("two episodes", {})
    assert curve[-1]["accuracy"] == 1.0 > curve[0]["accuracy"]
    return goal.output


@pytest.fixture
def kill_at():
    """Start the command, and kill it once a checkpoint is whole and it has gone on."""

    def kill(arguments, work, checkpoint):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "debug_gym", *map(str, arguments)]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        while not (work / checkpoint / "trainer_state.json").exists():
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.01)
        process.kill()
        process.wait()
        process.stderr.close()

    return kill
