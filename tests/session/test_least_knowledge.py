"""What an agent is given holds nothing that only the judge may know, wherever one looks."""

import gc
import tarfile
import types

import pytest

from debug_gym.agents.base import Agent
from debug_gym.env import DebugGymEnv
from debug_gym.session import play
from debug_gym.task import ArchiveSource, NegativeControl, Tests

SECRETS = {
    "gold patch": "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return a + b\n",
    "patch that makes the bug": (
        "--- a/calc.py\n+++ b/calc.py\n@@ -1,2 +1,2 @@\n def add(a, b):\n-    return a - b\n+    return b + a\n"
    ),
    "hidden test": "from calc import add\ndef test_kept_secret(): assert add(20, 22) == 42\n",
    "hidden file": "tests/test_kept_secret.py",
    "required test": "tests/test_kept_secret.py::test_kept_secret",
    "control": "== 424242",
    "metadata": "the sign in add is wrong",
}


def reachable(start):
    """Every object that can be reached from this one by attributes, items, closures, bound methods, defaults.

    Modules and the globals of functions are left out: those an agent's code can import by itself.
    """
    seen, waiting = {}, [start]
    skipped = (types.ModuleType, types.FrameType, types.CodeType)
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, skipped):
            continue
        seen[id(found)] = found
        if isinstance(found, types.FunctionType):
            waiting += [found.__closure__, found.__defaults__, found.__kwdefaults__, found.__dict__]
        elif isinstance(found, dict) and "__builtins__" in found:
            continue
        else:
            waiting += gc.get_referents(found)
    return list(seen.values())


class Searcher(Agent):
    """Looks everywhere, in what it is given and in a copy of the environment."""

    name = "searcher"
    found = ()

    def start(self, briefing):
        self.copy = briefing.fork()
        self.texts = [item for item in reachable((briefing, self.copy)) if isinstance(item, str | bytes)]

    def act(self, observation):
        self.texts += [item for item in reachable((observation, self.copy)) if isinstance(item, str | bytes)]
        self.copy.close()


class Trusted(Searcher):
    """The same, as a control that sees the gold patch."""

    sees_gold = True


@pytest.fixture
def task(make_task, tmp_path):
    control = NegativeControl(
        test=SECRETS["required test"],
        path=SECRETS["hidden file"],
        line=2,
        column=SECRETS["hidden test"].split("\n")[1].index("== 42"),
        old="== 42",
        new="== 424242",
    )
    files = {"calc.py": "def add(a, b):\n    return b + a\n", "tests/test_calc.py": "def test_a(): pass\n"}
    for name, text in files.items():
        (tmp_path / "calc" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "calc" / name).write_text(text)
    with tarfile.open(tmp_path / "calc.tar", "w") as archive:
        archive.add(tmp_path / "calc", "calc")
    patch = SECRETS["patch that makes the bug"]
    return make_task(
        {},
        source=ArchiveSource(path=tmp_path / "calc.tar", bug_patch=patch, reverse=True),
        tests=Tests(
            hidden={SECRETS["hidden file"]: SECRETS["hidden test"]},
            fail_to_pass=(SECRETS["required test"],),
            controls=(control,),
        ),
        gold_patch=SECRETS["gold patch"],
        metadata={"cause": SECRETS["metadata"]},
    )


def search(agent, task, backend):
    """Which secrets the agent gets hold of, in a second episode: the judge of the first has worked by then."""
    with DebugGymEnv(task=task, sandbox=backend) as env:
        play(env, agent)
        play(env, agent)
    texts = [text.decode("latin-1") if isinstance(text, bytes) else text for text in agent.texts]
    return {name for name, secret in SECRETS.items() if any(secret in text for text in texts)}


def test_an_agent_that_looks_everywhere_finds_no_secret(task, backend):
    assert search(Searcher(), task, backend) == set()


def test_the_search_would_find_them(task, backend):
    assert search(Trusted(), task, backend) == set(SECRETS)
