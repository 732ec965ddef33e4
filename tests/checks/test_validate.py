import io
from pathlib import Path

import pytest
from rich.console import Console

from debug_gym.benchmarks.repo import Repo
from debug_gym.checks.validate import Validation, validate, validate_all
from debug_gym.cli.screens.validation import show
from debug_gym.sandbox.registry import shared_backend
from debug_gym.task import DirectorySource

ADD = "test_calc.py::test_add"


@pytest.fixture(scope="module")
def backend():
    return shared_backend("namespace")


def check(backend, repeats=2, **options):
    (task,) = Repo(**options).tasks.values()
    return validate(task, backend, repeats=repeats)


def test_a_sound_task_is_judged_again_and_again(backend, broken):
    found = check(backend, repeats=3, **broken(), fail_to_pass=ADD)
    assert (found.task, found.problems, found.resolved, found.sound) == ("calc", (), 3, True)
    assert found.seconds > 0


@pytest.mark.parametrize(
    ("options", "problems"),
    [
        ({"gold_patch": None}, ("it has no gold patch, so nothing proves that it can be solved",)),
        ({"fail_to_pass": ADD, "pass_to_pass": ADD}, (f"{ADD} must pass before the fix, but: failed",)),
        (
            {"fail_to_pass": "test_calc.py::test_none"},
            (
                "with the gold patch, judgement 1 of 2 is not resolved: "
                "1 of 1 required tests do not pass, first test_calc.py::test_none; the tests that were "
                "collected are not the ones that were asked for: ERROR: not found: "
                "/workspace/test_calc.py::test_none",
            ),
        ),
    ],
)
def test_a_wrong_task_is_told_what_is_wrong(backend, broken, options, problems):
    assert check(backend, **{**broken(), **options}).problems == problems


def test_ids_that_are_relative_to_another_folder_are_named(backend, broken):
    options = broken()
    folder = Path(options["path"])
    (folder / "sub").mkdir()
    (folder / "sub/pytest.ini").write_text("[pytest]\n")
    (folder / "test_calc.py").rename(folder / "sub/test_calc.py")
    command = "python -m pytest sub"
    found = check(backend, **options, test_command=command, fail_to_pass=ADD)
    assert found.problems == ("there is no file test_calc.py: name its tests by their path in the workspace",)
    assert check(backend, **options, test_command=command, fail_to_pass=f"sub/{ADD}").sound


def test_tests_that_pass_before_the_fix_show_nothing(backend, broken):
    test = "from calc import add\n\ndef test_add():\n    assert add(0, 0) == 0\n"
    found = check(backend, **broken(test=test), fail_to_pass=ADD)
    assert "it counts as resolved with no change at all" in found.problems
    assert f"{ADD} must fail before the fix, but: passed" in found.problems


def test_a_patch_that_does_not_apply_is_a_problem(backend, broken):
    (problem,) = check(backend, **broken(gold="--- a/calc.py\n+++ b/calc.py\n@@ -9 +9 @@\n-x\n+y\n")).problems
    assert problem.startswith("the gold patch does not apply: ")


def test_visible_tests_must_pass_with_the_gold_patch(backend, broken):
    test = "from calc import add\n\ndef test_add(): assert add(1, 2) == 3\n\ndef test_bad(): assert 0\n"
    (problem,) = check(backend, **broken(test=test), fail_to_pass=ADD).problems
    assert problem == "with the gold patch the visible tests do not pass: test_calc.py::test_bad"
    (task,) = Repo(**broken(name="other", test=test), fail_to_pass=ADD).tasks.values()
    tests = task.tests.model_copy(update={"visible_decide": False})
    assert validate(task.model_copy(update={"tests": tests}), backend, repeats=1).sound


def test_what_the_infrastructure_says_is_a_problem_of_the_task(backend, broken):
    (problem,) = check(backend, **broken(), python="no/such/python").problems
    assert "there is no Python at" in problem


def test_tasks_are_checked_side_by_side_and_shown_in_order(backend, broken):
    tasks = [Repo(**broken(name)).task(name) for name in ("a", "b", "c")]
    told = []
    found = validate_all(tasks, backend, repeats=1, workers=2, on_done=told.append)
    assert [item.task for item in found] == ["a", "b", "c"]
    assert told == found
    assert all(item.sound for item in found)


def test_one_broken_task_does_not_keep_the_others_from_being_checked(backend, broken):
    tasks = [Repo(**broken(name)).task(name) for name in ("a", "b")]
    gone = tasks[0].model_copy(update={"source": DirectorySource(path=Path("/no/such/folder"))})
    bad, good = validate_all([gone, tasks[1]], backend, repeats=1)
    assert "the task's folder /no/such/folder does not exist or is not a folder" in bad.problems
    assert good.sound


def test_the_table_names_every_problem():
    console = Console(file=io.StringIO(), width=100)
    show(console, [Validation("good", resolved=5), Validation("bad", ("[it] fails",), 1)], repeats=5)
    text = console.file.getvalue()
    assert "bad: [it] fails" in text
    assert "5/5" in text
    assert "1/5" in text
