"""The oracle as an agent that others learn from: it looks, edits place by place, and runs the tests."""

import pytest

from debug_gym.agents.oracle import OracleAgent
from debug_gym.diff import edits, unified_diff
from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError
from debug_gym.session import play

OLD = "".join(f"line {number}\n" for number in range(1, 21))


def apply(old, changes):
    lines = old.splitlines(keepends=True)
    for edit in changes:
        lines[edit.start - 1 : edit.end] = [edit.content]
    return "".join(lines)


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("line 3\n", "line three\n").replace("line 17\n", "a\nb\n"),
        OLD.replace("line 5\nline 6\n", ""),
        OLD.replace("line 9\n", "line 9\nnew\n"),
        "first\n" + OLD,
        OLD + "last\n",
        OLD.replace("line 2\n", "").replace("line 4\n", "4\n").replace("line 20\n", "--- a/x\n+++ b/x\n"),
    ],
)
def test_a_patch_as_edits(new):
    changes = edits(unified_diff(OLD, new, "a/f.py", "b/f.py"))
    assert {edit.path for edit in changes} == {"f.py"}
    assert apply(OLD, changes) == new


def test_it_plays_like_an_agent():
    env = DebugGymEnv("sprouts", task="runtime-key-00001", tools=("view", "pdb", "rewrite", "eval"))
    trajectory = play(env, OracleAgent(by="edits"))
    env.close()
    assert trajectory.verdict.resolved
    assert [step.call.name for step in trajectory.steps] == ["view", "pdb", "rewrite", "eval"]
    assert not any(step.observation.error for step in trajectory.steps)
    value = trajectory.steps[1].observation.text.splitlines()[-1]
    assert f"{{{value}:" in trajectory.steps[2].call.arguments["content"]


def test_without_a_debugger_it_does_not_call_one():
    env = DebugGymEnv("sprouts", task="runtime-key-00001", tools=("view", "rewrite", "submit"))
    trajectory = play(env, OracleAgent(by="edits"))
    env.close()
    assert trajectory.verdict.resolved
    assert [step.call.name for step in trajectory.steps] == ["view", "rewrite", "submit"]


def test_what_it_needs_is_told():
    env = DebugGymEnv("sprouts", task="name-pair-00001", tools=("view", "submit"))
    with env, pytest.raises(ConfigError, match="needs rewrite"):
        play(env, OracleAgent(by="edits"))
    with pytest.raises(ConfigError, match="'patch' or by 'edits'"):
        OracleAgent(by="magic")
