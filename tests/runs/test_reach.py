"""No answer lies where an agent can read it."""

import pytest

from debug_gym.env import shared_backend
from debug_gym.runs.reach import answers_in_reach
from debug_gym.task import Tests

FIX = "    answer = compute_the_right_answer(left, right)\n    remember_for_later(answer)\n    return answer or nothing_at_all\n"
GOLD = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,3 @@\n-    pass\n" + "".join(
    f"+{line}\n" for line in FIX.splitlines()
)
HIDDEN = "def test_answer():\n    assert compute_the_right_answer(2, 3) == 5\n"


@pytest.fixture(scope="module")
def backend():
    return shared_backend("namespace")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, None),
        ({"b.py": "def f():\n    return answer or nothing_at_all\n"}, None),  # one line is no answer
        ({"backup/a.py.orig": FIX}, "the agent can read the gold patch in /workspace/backup/a.py.orig"),
    ],
)
def test_what_lies_in_the_workspace(make_task, backend, files, problem):
    task = make_task({"a.py": "    pass\n", **files}, gold_patch=GOLD, tests=Tests(hidden={"t.py": HIDDEN}))
    found = answers_in_reach([task], backend, everywhere=False)
    assert found == {"example": [problem] if problem else []}


def test_a_task_without_answers_has_nothing_to_find(make_task, backend):
    assert answers_in_reach([make_task({"a.py": ""})], backend) == {"example": []}
