"""Episodes by name: how many there can be, and how they end."""

import re
import time
from contextlib import ExitStack

import pytest

from debug_gym.cli.mcp import MANY
from debug_gym.integrations.episodes import FINISH, START, Episodes
from debug_gym.runs.config import load_config
from debug_gym.runs.plan import prepare
from debug_gym.store.writer import RunWriter


@pytest.fixture
def make_episodes(tmp_path):
    """``make_episodes(...)``: at one task, any number of times."""
    folder = tmp_path / "calc"
    folder.mkdir()
    (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    (folder / "test_calc.py").write_text("def test():\n    assert False\n")
    named = {
        "benchmark": "repo",
        "benchmark_options": {"path": str(folder)},
        "agent": "somebody",
        "attempts": MANY,
        "output": tmp_path / "run",
    }
    with ExitStack() as stack:

        def make(**settings):
            plan = prepare(load_config((), named), driven=True)
            writer = stack.enter_context(RunWriter.begin(plan.config.folder, plan.manifest()))
            episodes = Episodes(plan, writer, named=True, **settings)
            stack.callback(episodes.close)
            return episodes

        yield make


def begin(episodes):
    text, error = episodes.call(START, {})
    assert not error, text
    return re.search(r"calc-[0-9a-f]{16}", text)[0]


def test_only_so_many_are_live(make_episodes):
    episodes = make_episodes(limit=2)
    first, _ = begin(episodes), begin(episodes)
    assert episodes.call(START, {}) == ("2 episodes are live: finish one of them first", True)
    episodes.call(FINISH, {"episode": first})
    begin(episodes)


def test_who_does_not_call_makes_room_and_can_still_ask_how_it_went(make_episodes):
    episodes = make_episodes(limit=1, idle=0.1)
    first = begin(episodes)
    deadline = time.monotonic() + 20
    while (answer := episodes.call(START, {})).error and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answer.error
    text, error = episodes.call(FINISH, {"episode": first})
    assert (error, "The episode is over (gave up): unresolved." in text) == (False, True)
    text, error = episodes.call("view", {"path": "calc.py", "episode": first})
    assert (error, text.startswith("the episode is over: ")) == (True, True)


def test_an_episode_that_an_error_broke_off_is_over(make_episodes, tmp_path):
    episodes = make_episodes(limit=1)
    first = begin(episodes)
    (tmp_path / "run" / "results.jsonl").mkdir()  # nothing can be written there
    text, error = episodes.call("submit", {"episode": first})
    assert (error, "cannot be written" in text) == (True, True)
    for call in (FINISH, "view"):
        text, error = episodes.call(call, {"episode": first, "path": "calc.py"})
        assert (error, "the episode is over: an error broke it off" in text) == (True, True)
    (tmp_path / "run" / "results.jsonl").rmdir()
    begin(episodes)


@pytest.mark.parametrize("episode", [None, "calc-0", 7, ["calc"]])
def test_a_wrong_name_is_told(make_episodes, episode):
    text, error = make_episodes().call("view", {"episode": episode, "path": "calc.py"})
    assert (error, "begins one" in text) == (True, True)
