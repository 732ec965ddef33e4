"""The environment as somebody uses it who only knows gymnasium."""

import copy
import json
import pickle
import warnings

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st

import debug_gym
from debug_gym.env import DebugGymEnv
from debug_gym.episode import ToolCall
from debug_gym.errors import ConfigError, UnknownNameError
from debug_gym.reward import Progress
from debug_gym.sandbox import TestRun
from debug_gym.task import Tests

FILES = {
    "calc.py": "def mean(xs):\n    return sum(xs) / (len(xs) - 1)\n",
    "tests/test_calc.py": "from calc import mean\ndef test_two(): assert mean([1, 3]) == 2\ndef test_ok(): assert True\n",
}
HIDDEN = Tests(
    hidden={"tests/test_hidden.py": "from calc import mean\ndef test_three(): assert mean([1, 2, 6]) == 3\n"},
    fail_to_pass=("tests/test_calc.py::test_two", "tests/test_hidden.py::test_three"),
    pass_to_pass=("tests/test_calc.py::test_ok",),
)
FIX = {"name": "replace", "arguments": {"path": "calc.py", "old": "(len(xs) - 1)", "new": "len(xs)"}}
EVAL = {"name": "eval", "arguments": {}}
SUBMIT = {"name": "submit", "arguments": {}}


@pytest.fixture
def task(make_task):
    return make_task(FILES, tests=HIDDEN)


@pytest.fixture
def make_env(task, backend):
    made = []

    def make(**options):
        made.append(DebugGymEnv(**{"task": task, "sandbox": backend, **options}))
        return made[-1]

    yield make
    for env in made:
        env.close()


def test_passes_gymnasiums_own_checks():
    env = gymnasium.make("debug_gym/Nightmares-v0", disable_env_checker=True).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env)
    env.close()


def test_the_namespace_needs_no_separate_import():
    env = gymnasium.make("debug_gym:debug_gym/Nightmares-v0", task="feed-delivery")
    text, info = env.reset(seed=1)
    assert info["task"] == "feed-delivery"
    assert "repository" in text
    env.close()


def test_an_episode_that_fixes_the_bug(make_env):
    env = make_env()
    _, info = env.reset()
    assert {tool["function"]["name"] for tool in info["tools"]} >= {
        "view",
        "rewrite",
        "eval",
        "pdb",
        "bash",
        "submit",
    }
    _, reward, terminated, truncated, info = env.step(EVAL)
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["data"]["failed"] == 1
    env.step(FIX)
    _, reward, terminated, truncated, info = env.step(EVAL)
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert info["resolved"]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(EVAL)


def test_a_fix_for_the_visible_test_alone_is_not_resolved(make_env):
    env = make_env(stop_when_passing=False)
    env.reset()
    env.step(
        {"name": "rewrite", "arguments": {"path": "calc.py", "content": "def mean(xs):\n    return 2\n"}}
    )
    assert env.step(EVAL)[4]["data"]["failed"] == 0
    _, reward, terminated, _, info = env.step(SUBMIT)
    assert (reward, terminated, info["resolved"]) == (0.0, True, False)
    assert info["verdict"]["seen"]["tests/test_hidden.py::test_three"] == "failed"


def test_passing_tests_end_nothing_before_something_was_changed(make_env, make_task):
    env = make_env(task=make_task({"test_a.py": "def test_a(): pass\n"}))
    env.reset()
    assert env.step(EVAL)[2:4] == (False, False)


def test_truncation_judges_too(make_env):
    env = make_env(max_steps=1)
    env.reset()
    _, reward, terminated, truncated, info = env.step(FIX)
    assert (reward, terminated, truncated, info["resolved"]) == (1.0, False, True, True)


def test_dense_reward_is_the_change_in_the_share_of_passing_tests(make_env):
    env = make_env(reward="dense")
    env.reset()
    assert env.step(EVAL)[1] == 0.0  # nothing was changed since the reset
    env.step({"name": "rewrite", "arguments": {"path": "calc.py", "content": "def mean(xs: return 2\n"}})
    assert env.step(EVAL)[1] == pytest.approx(-0.5)
    env.step(
        {
            "name": "rewrite",
            "arguments": {"path": "calc.py", "content": "def mean(xs): return sum(xs) / len(xs)\n"},
        }
    )
    assert env.step(EVAL)[1] == pytest.approx(1.0 + 1.0)  # from none to both, and the verdict


def test_tests_that_an_agent_adds_earn_nothing(make_env):
    env = make_env(reward="dense")
    env.reset()
    more = "".join(f"def test_{n}(): pass\n" for n in range(50))
    env.step({"name": "rewrite", "arguments": {"path": "tests/test_more.py", "content": more}})
    _, reward, _, _, info = env.step(EVAL)
    assert (reward, info["data"]["passed"]) == (0.0, 51)


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["passed", "failed", "error"])), min_size=1
    )
)
def test_dense_rewards_telescope(runs):
    """Whatever happens in between, they sum up to the last share less the first."""
    runs = [TestRun(0, "", True, outcomes=outcomes) for outcomes in runs]
    progress = Progress(runs[0])
    gains = [progress.gain(run) for run in runs[1:]]
    assert sum(gains) == pytest.approx(progress.share(runs[-1]) - progress.share(runs[0]))
    assert all(-1 <= gain <= 1 for gain in gains)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("not json", "not valid JSON"),
        ({"arguments": {}}, "looks like"),
        (5, "looks like"),
        ({"name": "view", "arguments": [1]}, "arguments"),
        ({"name": "veiw", "arguments": {}}, "no tool named 'veiw'"),
        ({"name": "view", "arguments": {"path": "calc.py", "lines": 3}}, "lines"),
        ({"name": "view", "arguments": {}}, "path"),
        ({"name": "view", "arguments": "{bad"}, "not valid JSON"),
        ({"name": "view", "arguments": {"path": "../../etc/passwd"}}, "workspace"),
    ],
)
def test_a_wrong_action_is_an_observation(make_env, action, words):
    env = make_env()
    env.reset()
    text, reward, terminated, truncated, info = env.step(action)
    assert words in text
    assert info["error"]
    assert (reward, terminated, truncated, info["step"]) == (0.0, False, False, 1)


def test_actions_in_every_form(make_env):
    env = make_env()
    env.reset()
    as_dict = {"name": "view", "arguments": {"path": "calc.py"}}
    forms = [
        as_dict,
        json.dumps(as_dict),
        debug_gym.ToolCall(**as_dict),
        {**as_dict, "arguments": '{"path": "calc.py"}'},
    ]
    texts = {env.step(form)[0] for form in forms}
    assert len(texts) == 1
    assert all(form in env.action_space for form in forms)
    assert {"name": "view", "arguments": {"nope": 1}} not in env.action_space


def test_samples_are_valid_calls_and_follow_the_seed(make_env):
    def play():
        env = make_env(stop_when_passing=False)
        env.reset(seed=3)
        env.action_space.seed(3)
        calls = []
        for _ in range(12):
            call = env.action_space.sample()
            assert call in env.action_space
            if call["name"] == "submit":
                continue
            text, _, _, _, info = env.step(call)
            assert not info["error"], (call, text)
            calls.append((call, text))
        return calls

    assert play() == play()


def test_the_seed_draws_the_task():
    env = DebugGymEnv("nightmares", tools=["view"])
    drawn = [env.reset(seed=seed)[1]["task"] for seed in (1, 2, 3, 4, 1, 2, 3, 4)]
    assert drawn[:4] == drawn[4:]
    assert len(set(drawn)) > 1
    assert env.reset(options={"task": "meter-days"})[1]["task"] == "meter-days"
    with pytest.raises(UnknownNameError, match="meter-days"):
        env.reset(options={"task": "meter-day"})
    env.close()


def test_a_fork_goes_its_own_way(make_env):
    env = make_env()
    env.reset()
    env.step({"name": "bash", "arguments": {"command": "cd tests && export MARK=1 && echo 'y = 1' > new.py"}})
    forked = env.fork()
    assert forked.step({"name": "bash", "arguments": {"command": "pwd; echo $MARK; ls"}})[0].split()[:2] == [
        "/workspace/tests",
        "1",
    ]
    forked.step(FIX)
    assert forked.step(EVAL)[4]["resolved"]
    assert env.step(EVAL)[4]["data"]["failed"] == 1
    forked.close()
    assert not env.step({"name": "view", "arguments": {"path": "calc.py"}})[4]["error"]


def test_a_fork_keeps_the_wrappers_and_their_state(make_env):
    env = gymnasium.wrappers.RecordEpisodeStatistics(gymnasium.wrappers.TimeLimit(make_env(), 3))
    env.reset()
    env.step(FIX)
    forked = debug_gym.fork(env)
    assert forked.step(EVAL)[4]["episode"]["l"] == 2
    assert forked.unwrapped is not env.unwrapped
    env.step({"name": "listdir", "arguments": {}})
    assert env.step({"name": "listdir", "arguments": {}})[3]  # truncated: the fork's steps are its own
    forked.close()


def test_what_is_no_environment_of_ours_is_not_forked():
    with pytest.raises(ConfigError, match="only environments of debug-gym"):
        debug_gym.fork(gymnasium.make("CartPole-v1"))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_an_environment_can_be_duplicated_before_it_is_played(duplicate):
    env = gymnasium.make("debug_gym/Nightmares-v0", tasks="meter*", max_steps=3)
    other = duplicate(env)
    first, info = other.reset(seed=2)
    assert info["task"] == "meter-days"
    assert other.action_space.sample() in other.action_space
    assert env.unwrapped.branch is None
    with pytest.raises(ConfigError, match="a live episode cannot be"):
        duplicate(other.unwrapped)
    assert env.reset(seed=2)[0] == first
    env.close()
    other.close()


def test_a_sandbox_of_ones_own_is_not_pickled(make_env):
    with pytest.raises(ConfigError, match="given by name"):
        pickle.dumps(make_env())


def test_some_tasks_of_a_benchmark():
    env = DebugGymEnv("nightmares", tasks=["meter*", "wiki-footer"])
    assert list(env.tasks) == ["meter-days", "wiki-footer"]
    with pytest.raises(UnknownNameError, match="no task named 'metre"):
        DebugGymEnv("nightmares", tasks="metre*")


def test_an_unknown_option_of_reset_is_refused(make_env):
    with pytest.raises(ConfigError, match="no option 'tasks' of reset"):
        make_env().reset(options={"tasks": "example"})


def test_a_copy_to_try_things_out_in_is_no_oracle(make_env):
    env = make_env(max_steps=2)
    env.reset()
    copied = env.branch.fork()
    calls = [ToolCall(**call) for call in (FIX, EVAL, EVAL, SUBMIT)]
    told = [copied.call(call) for call in calls]
    assert (told[1].data["failed"], told[3].error) == (0, False)
    assert not hasattr(copied, "judge")
    again = copied.fork()
    copied.close()
    assert again.call(ToolCall(**EVAL)).data["failed"] == 0
    again.close()
    assert env.step(EVAL)[4]["data"]["failed"] == 1


def test_a_dead_sandbox_is_replaced_and_the_files_are_kept(make_env):
    env = make_env()
    env.reset()
    env.step(FIX)
    env.session.sandbox.connection.fail("the sandbox died: the test killed it")
    text, _, terminated, _, info = env.step(EVAL)
    assert info["error"]
    assert "with your files" in text
    assert not terminated
    assert env.step(EVAL)[4]["resolved"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reward": "rich"}, "sparse"),
        ({"max_steps": 0}, "at least 1"),
        ({"render_mode": "rgb_array"}, "ansi"),
        ({"tools": ["view", "bsh"]}, "did you mean 'bash'"),
        ({"sandbox": "namespaces"}, "did you mean 'namespace'"),
        ({"task": None, "benchmark": "nightmare"}, "did you mean 'nightmares'"),
        ({"task": "nope", "benchmark": "nightmares"}, "no task named 'nope'"),
        ({"benchmark": "nightmares"}, "not both"),
        ({"task": None}, "give a benchmark or a task"),
        ({"task": None, "benchmark": "nightmares", "colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_one_sentence(task, options, words):
    with pytest.raises((ConfigError, UnknownNameError), match=words):
        DebugGymEnv(**{"task": task, **options})


def test_rendering(make_env, capsys):
    env = make_env(render_mode="ansi")
    env.reset()
    env.step({"name": "view", "arguments": {"path": "calc.py"}})
    assert "def mean" in env.render()
    human = make_env(render_mode="human")
    human.reset()
    human.step({"name": "view", "arguments": {"path": "calc.py"}})
    assert "def mean" in capsys.readouterr().out


def test_importing_is_light():
    """Nothing heavy comes with ``import debug_gym``, and importing all of the core loads no optional package."""
    import subprocess
    import sys

    code = "import sys, debug_gym.env, debug_gym.vector; print([m for m in ('torch', 'docker', 'openai', 'transformers', 'tiktoken') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_notebook_shows_how_the_episode_stands(make_env):
    env = make_env()
    assert "no episode" in env._repr_html_()
    env.reset(seed=0)
    env.step({"name": "no<b>", "arguments": {}})
    shown = env._repr_html_()
    assert f"<b>{env.task.id}</b>, step 1, goes on" in shown and "no&lt;b&gt;" in shown
    env.step({"name": "submit", "arguments": {}})
    assert "step 2, not resolved" in env._repr_html_()
