"""Changes as agents leave them in their sandbox: whatever lies around a real fix, it is resolved."""

import pytest

from debug_gym.episode import Verdict
from debug_gym.judge import judge
from debug_gym.task import Tests

FILES = {
    "calc.py": "import json\n\n\ndef double(x):\n    return x + json.load(open('factor.json'))['factor']\n",
    "factor.json": '{"factor": 2}\n',
    "legacy.py": "def double(x):\n    return 2 * x\n",
    "notes.txt": "old\n",
    "tests/test_calc.py": "from calc import double\n\ndef test_two():\n    assert double(2) == 4\n",
}
TESTS = Tests(
    hidden={
        "tests/test_hidden.py": "from alias import double\n\ndef test_three():\n    assert double(3) == 6\n"
    },
    fail_to_pass=("tests/test_hidden.py::test_three",),
    pass_to_pass=("tests/test_calc.py::test_two",),
    timeout=10,
)
FIX = "sed -i 's/x +/x */' calc.py"
MODULE = "'def double(x):\\n    return x * 2\\n'"


@pytest.fixture(scope="module")
def task(make_task):
    task = make_task(FILES, tests=TESTS, editable=("*.py", "*.json", "!tests/", "!conftest.py"))
    (task.source.path / "alias.py").symlink_to("calc.py")
    return task


@pytest.fixture
def harvest(task, backend):
    """What commands in an agent's sandbox leave behind."""

    def run(*commands):
        with backend.start(task.for_agent()) as sandbox:
            for command in commands:
                done = sandbox.shell(command)
                assert done.exit_code == 0, done.output
            return sandbox.changes()

    return run


@pytest.mark.parametrize(
    "commands",
    [
        [FIX],
        [FIX, "chmod +x calc.py", "rm legacy.py"],
        [FIX, "sed -i 's/$/\\r/' calc.py"],
        [f"printf {MODULE} > doubling.py", "echo 'from doubling import *' > calc.py"],
        [f"printf {MODULE} > größe.py", "echo 'from größe import double' > calc.py"],
        [
            "rm calc.py",
            "mkdir calc",
            f"printf {MODULE} > calc/__init__.py",
            "ln -sf calc/__init__.py alias.py",
        ],
        ["rm alias.py", f"printf {MODULE} > alias.py"],
        ["git mv legacy.py calc.py -f"],
        [
            FIX,
            "echo 'def test_mine(): assert 0' > tests/test_mine.py",
            "echo 'raise SystemExit' > conftest.py",
        ],
        [FIX, "rm -rf tests notes.txt", "git commit -qam done"],
        [FIX, "python -m pytest -q; python -m compileall -q .; mkfifo pipe; ln -s /etc/passwd link.py"],
        ["sed -i 's/x + \\(.*\\)/x * \\1/' calc.py"],
    ],
    ids=lambda commands: commands[-1][:40],
)
def test_what_lies_around_a_fix_does_no_harm(task, backend, harvest, commands):
    verdict = judge(task, harvest(*commands), backend)
    assert verdict.resolved, (verdict.reason, verdict.rejected, verdict.output)


def test_file_names_that_are_no_text_are_listed_and_can_be_stored(task, backend, harvest):
    """A surrogate in a verdict would end the run that stores it."""
    verdict = judge(task, harvest(FIX, r"touch $'caf\xe9.py' $'\xff'; mkdir -p $'d\xe9'"), backend)
    assert verdict.resolved
    assert verdict.rejected == (
        "\\xff: its name is not valid UTF-8",
        "caf\\xe9.py: its name is not valid UTF-8",
        "d\\xe9: its name is not valid UTF-8",
    )
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_data_count_where_the_task_says_so(task, backend, harvest):
    swapped = "sed -i 's/x +/x * 2 if True else/' calc.py"
    verdict = judge(task, harvest(swapped, "echo '{}' > factor.json"), backend)
    assert verdict.resolved
    assert verdict.changed == ("calc.py", "factor.json")


def test_a_file_below_one_that_stays_does_not_count_and_the_rest_does(task, backend, harvest):
    verdict = judge(task, harvest(FIX, "rm notes.txt", "mkdir notes.txt", "touch notes.txt/a.py"), backend)
    assert verdict.resolved
    assert verdict.rejected == (
        "notes.txt/a.py: in its way lies a file that may not be deleted",
        "notes.txt: may not be deleted",
    )


def test_a_file_in_place_of_a_folder_that_stays_does_not_count(task, backend, harvest):
    verdict = judge(task, harvest(FIX, "rm -r tests", "touch tests"), backend)
    assert verdict.resolved
    assert [line.partition(":")[0] for line in verdict.rejected] == ["tests/test_calc.py", "tests"]


@pytest.mark.parametrize("commands", [["true"], ["rm calc.py"], ["echo > calc.py"], ["echo '(' >> calc.py"]])
def test_what_is_broken_stays_broken(task, backend, harvest, commands):
    verdict = judge(task, harvest(*commands), backend)
    assert not verdict.resolved
    assert verdict.reason
    assert verdict.cheating == ()
