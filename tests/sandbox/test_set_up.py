"""Set-ups: commands that run once before a task begins."""

import pytest

from debug_gym.benchmarks.repo import Repo
from debug_gym.env import DebugGymEnv
from debug_gym.errors import TaskError

FILES = {
    "calc.py": "from generated import ONE\n\ndef add(a, b):\n    return a - b * ONE\n",
    "test_calc.py": "from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
    "old.txt": "old",
}
MAKE = [
    "mkdir -p made/empty; echo 'ONE = 1' > generated.py",
    "rm old.txt; ln -s /etc/passwd link; chmod 700 calc.py",
]


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_what_it_leaves_belongs_to_the_repository_for_agent_and_judge(folder):
    env = DebugGymEnv("repo", path=folder, setup=[*MAKE, "date +%s%N > when.txt"], variables={"WHO": "me"})
    try:
        env.reset()
        sandbox = env.session.sandbox
        assert sandbox.changes().paths == ()
        seen = sandbox.shell(
            "ls -I __pycache__; readlink link; stat -c %a calc.py; git status --short"
        ).output
        assert seen.split() == "calc.py generated.py link made test_calc.py when.txt /etc/passwd 700".split()
        when = sandbox.read("when.txt")
        env.reset()
        assert env.session.sandbox.read("when.txt") == when  # it ran once
        env.step({"name": "replace", "arguments": {"path": "calc.py", "old": "a - b", "new": "a + b"}})
        assert env.judge().resolved
        assert env.verdict.changed == ("calc.py",)
    finally:
        env.close()
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo no compiler here >&2; exit 3", "failed: no compiler here"),
        ("false", "failed: exit code 1"),
        ("head -c 9000000 /dev/zero > big.bin", "cannot be kept: big.bin: too large"),
    ],
)
def test_one_that_fails_says_why(command, said, folder, backend):
    task = Repo(folder, setup=command).task(folder.name)
    with pytest.raises(TaskError, match=said):
        backend.start(task)


def test_it_and_the_past_do_not_go_together(folder):
    repo = Repo(folder, setup="true", history=True)
    with pytest.raises(TaskError, match="leave one of them out"):
        repo.task(repo.ids()[0])
    assert Repo(folder, setup="true").version != Repo(folder).version
