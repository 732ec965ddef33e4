"""Vector environments: gymnasium's own, and the one whose environments step in threads."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import debug_gym  # noqa: F401 - registers the environments
from debug_gym.vector import ThreadVectorEnv

OPTIONS = {"task": "feed-delivery", "max_steps": 2}
VIEW = {"name": "listdir", "arguments": {}}


def _make():
    return gymnasium.make("debug_gym/Nightmares-v0", disable_env_checker=True, **OPTIONS)


@pytest.fixture(params=["sync", "async", "async without shared memory", "make_vec async", "threads"])
def envs(request):
    made = {
        "sync": lambda: SyncVectorEnv([_make, _make]),
        "async": lambda: AsyncVectorEnv([_make, _make]),
        "async without shared memory": lambda: AsyncVectorEnv([_make, _make], shared_memory=False),
        "make_vec async": lambda: gymnasium.make_vec(
            "debug_gym/Nightmares-v0", num_envs=2, vectorization_mode="async", **OPTIONS
        ),
        "threads": lambda: gymnasium.make_vec("debug_gym/Nightmares-v0", num_envs=2, **OPTIONS),
    }[request.param]()
    yield made
    made.close()


def test_two_episodes_side_by_side_with_autoreset(envs):
    texts, infos = envs.reset(seed=[1, 2])
    assert len(texts) == 2
    assert all(isinstance(text, str) for text in texts)
    assert list(infos["task"]) == ["feed-delivery"] * 2
    ended = []
    for _ in range(4):
        texts, rewards, _, truncated, infos = envs.step([VIEW, VIEW])
        assert rewards.shape == (2,)
        ended.append(bool(truncated.all()))
    assert ended == [False, True, False, False]  # the step after the last is the reset


def test_texts_of_other_processes_are_whole_and_stay_as_they_were():
    envs = AsyncVectorEnv([_make, _make])
    envs.reset(seed=1)
    long = {"name": "bash", "arguments": {"command": "yes 'a line é' | head -2000"}}
    before = envs.step([long, VIEW])[0]
    after = envs.step([VIEW, VIEW])[0]
    assert len(before[0]) > 10_000
    assert before[0].count("é") > 1000
    assert after[0] == before[1]
    envs.close()


def test_make_vec_takes_a_part_of_the_tasks():
    envs = gymnasium.make_vec("debug_gym/Nightmares-v0", num_envs=2, tasks=("meter*",))
    assert list(envs.reset(seed=1)[1]["task"]) == ["meter-days"] * 2
    envs.close()


def test_make_vec_gives_threads_by_default():
    envs = gymnasium.make_vec("debug_gym/Nightmares-v0", num_envs=3, **OPTIONS)
    assert isinstance(envs, ThreadVectorEnv)
    assert envs.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    envs.close()


def test_threads_step_at_the_same_time():
    envs = ThreadVectorEnv(4, benchmark="nightmares", task="feed-delivery")
    envs.reset(seed=1)
    nap = {"name": "bash", "arguments": {"command": "date +%s.%N; sleep 0.5; date +%s.%N"}}
    *_, info = envs.step([nap] * 4)
    began, ended = zip(*(map(float, output.split()) for output in info["data"]["output"]), strict=True)
    assert sorted(began)[1] < min(ended), "one had begun before another ended"
    envs.close()


def test_a_mask_resets_some_of_them():
    envs = ThreadVectorEnv(2, autoreset_mode="Disabled", benchmark="nightmares", **OPTIONS)
    envs.reset(seed=1)
    for _ in range(2):
        *_, truncated, _ = envs.step([VIEW, VIEW])
    assert truncated.all()
    envs.reset(options={"reset_mask": np.array([True, True])})
    assert not envs.step([VIEW, VIEW])[3].any()
    envs.close()
