"""The repair agent in real episodes."""

import pytest

from debug_gym.agents.repair import RepairAgent
from debug_gym.agents.repair.agent import rewrite
from debug_gym.env import DebugGymEnv
from debug_gym.errors import ConfigError
from debug_gym.session import play
from debug_gym.task import Tests

TOOLS = ("rewrite", "eval", "bash", "submit")
SHELF = '''\
"""A shelf."""


class Shelf:
    def __init__(self, items=[]):  # shared by mistake
        self.items = items

    def put(self, item):
        self.items.append(item)
        return self

    def last(self, count):
        """The last items, the newest first."""
        return self.items[::-1][:count - 1]
'''
LAST = """\
from shelf import Shelf
def test_last(): assert Shelf([1, 2, 3]).last(2) == [3, 2]
def test_none(): assert Shelf([]).last(2) == []
"""
SHARED = """\
from shelf import Shelf
def test_own_items():
    Shelf().put(1)
    assert Shelf().put(2).items == [2]
"""


@pytest.fixture
def play_repair(make_task, backend):
    """Play an episode on files; the tests that are named in ``hidden`` decide."""

    def run(files, fail_to_pass, hidden=None, **options):
        tests = Tests(hidden=hidden or {}, fail_to_pass=fail_to_pass, timeout=10)
        env = DebugGymEnv(task=make_task(files, tests=tests), tools=TOOLS, sandbox=backend)
        try:
            return play(env, RepairAgent(**options), seed=1)
        finally:
            env.close()

    return run


def test_fixes_a_bug_and_says_how(play_repair):
    files = {"shelf.py": SHELF, "tests/test_last.py": LAST}
    check = "from shelf import Shelf\ndef test_three(): assert Shelf([1, 2, 3, 4]).last(3) == [4, 3, 2]\n"
    required = ("tests/test_last.py::test_last", "tests/test_hidden.py::test_three")
    played = play_repair(files, required, {"tests/test_hidden.py": check}, seconds=60)
    assert played.verdict.resolved, played.verdict.reason
    fix, *others = played.steps
    assert fix.call.name == "rewrite"
    assert "+        return self.items[::-1][:count]\n" in fix.observation.data["diff"]
    assert "1 visible tests fail, 1 pass" in fix.thought
    assert "shelf.py:14" in fix.thought
    assert [step.call.name for step in others] == ["eval"]  # all tests pass, which ends the episode


def test_two_bugs_take_two_changes(play_repair):
    files = {"shelf.py": SHELF, "tests/test_last.py": LAST, "tests/test_shared.py": SHARED}
    required = ("tests/test_last.py::test_last", "tests/test_shared.py::test_own_items")
    played = play_repair(files, required, seconds=90, candidates=25)
    assert played.verdict.resolved, played.steps[0].thought
    assert played.steps[0].thought.count("Chosen:") == 2


def test_a_test_that_never_ends_counts_as_failing(play_repair):
    code = (
        "def bits(n):\n    seen = 0\n    while n >= 0:\n        n, seen = n // 2, seen + 1\n    return seen\n"
    )
    tests = (
        "from bits import bits\ndef test_bad(): assert bits(-1) == 0\ndef test_four(): assert bits(4) == 3\n"
    )
    files = {"bits.py": code, "tests/test_bits.py": tests}
    played = play_repair(files, ("tests/test_bits.py::test_four",), seconds=20)
    assert played.verdict.resolved, played.steps[0].thought
    assert "1 visible tests fail, 1 pass" in played.steps[0].thought


def test_gives_up_without_a_failing_test(play_repair):
    played = play_repair(
        {"a.py": "x = 1\n", "test_a.py": "def test_ok(): assert True\n"}, ("test_a.py::test_ok",)
    )
    assert [step.call.name for step in played.steps] == ["eval"]
    assert "no visible test fails" in played.steps[0].thought
    assert played.stop_reason.startswith("no visible test fails")
    assert played.verdict.changed == ()


def test_gives_up_when_nothing_helps(play_repair):
    """Changing the test would help, but is not what the agent tries."""
    files = {
        "a.py": "def f():\n    return 1\n",
        "test_a.py": "from a import f\ndef test_f(): assert f() - 77 == 0\n",
    }
    played = play_repair(files, ("test_a.py::test_f",), candidates=6)
    assert [step.call.name for step in played.steps] == ["eval"]
    assert "Of 6 candidates, 0 pass" in played.steps[0].thought
    assert "Giving up" in played.steps[0].thought
    assert played.stop_reason
    assert "a.py:2" in played.steps[0].thought
    assert "test_a.py:" not in played.steps[0].thought
    assert played.verdict.changed == ()


def test_other_commands_than_pytest_cannot_be_traced(make_task, backend):
    tests = Tests(command=("python", "-c", "import sys; sys.exit(1)"), fail_to_pass=("command",))
    env = DebugGymEnv(task=make_task({"a.py": "x = 1\n"}, tests=tests), tools=TOOLS, sandbox=backend)
    played = play(env, RepairAgent(seconds=10))
    env.close()
    assert "is not pytest" in played.steps[0].thought


@pytest.mark.parametrize("options", [{"second": 3}, {"seconds": 0}, {"candidates": "many"}])
def test_refuses_wrong_options(options):
    with pytest.raises(ConfigError, match="'repair'"):
        RepairAgent(**options)


def test_says_which_tools_it_needs(brief):
    with pytest.raises(ConfigError, match="needs bash, rewrite"):
        RepairAgent().start(brief(tools=("view", "eval", "submit")))


@pytest.mark.parametrize(
    ("new", "start", "end", "content"),
    [
        ("a\nB\nc\nd\n", 2, 2, "B\n"),
        ("a\nb\nx\nc\nd\n", 2, 2, "b\nx\n"),
        ("x\na\nb\nc\nd\n", 1, 1, "x\na\n"),
        ("a\nc\nd\n", 1, 2, "a\n"),
        ("b\nc\nd\n", 1, 2, "b\n"),
        ("a\nb\nc\n", 3, 4, "c\n"),
        ("A\nb\nc\nD\n", 1, 4, "A\nb\nc\nD\n"),
        ("a\na\nb\nc\nd\n", 1, 1, "a\na\n"),
    ],
)
def test_rewrites_only_the_lines_that_change(new, start, end, content):
    old = "a\nb\nc\nd\n"
    arguments = rewrite("x.py", old, new).arguments
    assert arguments == {"path": "x.py", "content": content, "start": start, "end": end}
    lines = old.splitlines(keepends=True)
    assert "".join([*lines[: start - 1], content, *lines[end:]]) == new


def test_a_form_feed_ends_no_line():
    arguments = rewrite("x.py", "a\n\fb\nc\n", "a\n\fb\nd\n").arguments
    assert (arguments["start"], arguments["end"]) == (3, 3)
