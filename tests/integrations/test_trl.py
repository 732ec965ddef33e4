"""The environment as TRL takes it: tools are typed methods, groups are forks, all are judged together."""

import inspect

import pytest
from transformers.utils import get_json_schema

from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.integrations.trl import OVER, environment
from debug_gym.tools.base import Toolbox

TASK = "operator-pair-00000"
TOOLS = ("view", "rewrite", "eval", "submit")


@pytest.fixture
def world(backend):
    made = environment("sprouts", tasks=[TASK], tools=TOOLS, max_steps=4)
    yield made
    made._arena.close()


def fix(episode):
    seen = episode.view(path="sprout.py")
    line = seen.splitlines()[-1].partition("\t")[2]
    return episode.rewrite(path="sprout.py", content=line.replace("+", "-") + "\n", start=3)


def test_its_public_methods_are_the_tools_as_they_are_described(world):
    public = [name for name, _ in inspect.getmembers(world, inspect.isfunction) if not name.startswith("_")]
    assert sorted(public) == sorted([*TOOLS, "reset", "get_reward"])
    schemas = {schema["function"]["name"]: schema["function"] for schema in Toolbox(TOOLS).schemas()}
    for name in TOOLS:
        function = get_json_schema(getattr(world(), name))["function"]
        ours, theirs = schemas[name]["parameters"], function["parameters"]
        assert function["description"] == " ".join(schemas[name]["description"].split())
        assert theirs["properties"].keys() == ours.get("properties", {}).keys()
        assert sorted(theirs.get("required", [])) == sorted(ours.get("required", []))
    arguments = get_json_schema(world().view)["function"]["parameters"]["properties"]
    assert arguments["path"]["type"] == "string" and arguments["start"]["type"] == "integer"
    assert arguments["start"]["nullable"]


def test_a_group_of_rollouts_is_judged_together(world):
    fixed, _, wrong, unfinished = group = [world() for _ in range(4)]
    told = [one.reset(task=TASK, prompt="not for it") for one in group]
    assert len(set(told)) == 1 and "is right" in told[0]
    fix(fixed)
    answer = fixed.eval()
    assert "1 passed" in answer and answer.endswith(OVER)
    assert fixed.view(path="sprout.py") == OVER
    wrong.rewrite(path="sprout.py", content="nothing\n")
    assert wrong.submit() == f"Handed in.\n{OVER}"
    fix(unfinished)
    assert [one.get_reward() for one in group] == [1.0, 0.0, 0.0, 1.0]
    again = world()
    again.reset(task=TASK)
    assert "nothing" not in again.view(path="sprout.py")


def test_limits_and_mistakes(world):
    episode = world()
    episode.reset()
    assert not episode.view(path="nowhere.py").endswith(OVER)
    for _ in range(2):
        assert not episode.view(path="sprout.py").endswith(OVER)
    assert episode.view(path="sprout.py", end="x").endswith(OVER)
    assert (episode._rollout.calls, episode._rollout.wrong) == (4, 2)
    assert episode.get_reward() == 0.0


def test_dense_rewards_tell_of_progress(backend):
    made = environment(
        "nightmares", tasks=["meter-days"], tools=("bash", "eval"), reward="dense", max_steps=3
    )
    episode = made()
    episode.reset()
    episode.bash(command="echo 'def' > broken.py; for f in $(ls */*.py); do echo 'raise 1' > $f; done")
    episode.eval()
    assert episode.get_reward() < 0
    made._arena.close()


def test_what_fails_by_no_fault_of_the_model_is_raised(world):
    episode = world()
    episode.reset()
    episode._rollout.session.abandon()
    assert episode.view(path="sprout.py") == OVER
    with pytest.raises(Exception, match="the episode is over"):
        episode.get_reward()


def test_wrong_options():
    with pytest.raises(ConfigError, match="max_steps is at least 1"):
        environment("sprouts", max_steps=0)
    with pytest.raises(UnknownNameError, match="'veiw'"):
        environment("sprouts", tools=["veiw"])
