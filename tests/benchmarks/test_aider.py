"""Exercism's exercises as tasks: the format of both editions, what stays behind, and that they are sound."""

import json

import pytest

from debug_gym.benchmarks.aider import Aider
from debug_gym.checks.validate import validate_all
from debug_gym.errors import ConfigError, TaskError, UnknownNameError

SOLUTION = "def double(number):\n    return number + number\n"
EXERCISE = {
    ".docs/instructions.md": "# Instructions\n\nDouble a number.\n",
    ".docs/instructions.append.md": "# Instructions append\n\nOf any kind.\n",
    ".meta/example.py": SOLUTION,
    ".meta/config.json": json.dumps(
        {
            "authors": ["somebody"],
            "files": {
                "solution": ["two_fold.py"],
                "test": ["two_fold_test.py"],
                "example": [".meta/example.py"],
            },
        }
    ),
    ".approaches/plain/content.md": f"```python\n{SOLUTION}```\n",
    "two_fold.py": "def double(number):\n    pass\n",
    "two_fold_test.py": (
        "import unittest\n\nfrom two_fold import double\n\n\nclass TwoFoldTest(unittest.TestCase):\n"
        "    def test_a_number(self):\n        self.assertEqual(double(3), 6)\n"
    ),
}


@pytest.fixture(params=["exercism", "polyglot"])
def edition(request, tmp_path):
    """``Aider`` on a copy of an edition with one exercise and one refactoring."""
    below = {"exercism": "exercises/practice", "polyglot": "python/exercises/practice"}[request.param]
    for name in ("two-fold", "ledger"):
        for path, text in EXERCISE.items():
            target = tmp_path / below / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    return Aider(request.param, data_dir=tmp_path)


def test_an_exercise_is_a_task(edition):
    assert edition.ids() == ["two-fold"]
    task = edition.task("two-fold")
    assert "Double a number." in task.problem
    assert "Of any kind." in task.problem
    assert "`two_fold.py`" in task.problem
    assert set(task.source.files) == {"two_fold.py", "two_fold_test.py"}
    assert edition.version.startswith(edition.edition)


def test_it_is_sound_and_the_solution_is_out_of_reach(edition, backend):
    (found,) = validate_all([edition.task("two-fold")], backend, repeats=1)
    assert found.problems == ()
    assert found.controls > 0


def test_what_is_missing_is_said(edition, tmp_path):
    (edition.folder / "two-fold/.meta/config.json").write_text('{"files": {"solution": []}}')
    with pytest.raises(TaskError, match=r"config\.json does not describe an exercise: 'example'"):
        edition.task("two-fold")
    with pytest.raises(ConfigError, match="no copy of https://github"):
        Aider(data_dir=edition.folder).ids()
    with pytest.raises(UnknownNameError, match="polyglot"):
        Aider("polyglott")
