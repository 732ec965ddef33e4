"""Tests that decide do the same each time, also in another process of the interpreter."""

import sys

from debug_gym.mining.base import Draft, Ground
from debug_gym.mining.decide import decide, steady
from debug_gym.task import Environment

TESTS = """\
import sys

import pytest

from calc import half


@pytest.mark.parametrize("where", [f"at{id(sys.modules)}"])
def test_of_another_name_in_another_process(where):
    assert half(3) == 1.5


def test_three():
    assert half(3) == 1.5


def test_four():
    assert half(4) == 2
"""
BROKEN, FIXED = "def half(x):\n    return x // 2\n", "def half(x):\n    return x / 2\n"


def draft(folder, backend):
    for path, text in {"calc.py": FIXED, "test_calc.py": TESTS}.items():
        (folder / path).write_text(text)
    ground = Ground("calc", folder, Environment(python=sys.executable), backend)
    return Draft(ground=ground, broken={"calc.py": BROKEN}, fixed={"calc.py": FIXED})


def test_ids_that_change_with_the_process_are_unstable(tmp_path, backend):
    made = draft(tmp_path, backend)
    decided = decide(made)
    assert len(decided.failing) == 2
    found = steady(made, decided, repeats=2)
    assert found.failing == ("test_calc.py::test_three",)
    assert found.passing == ("test_calc.py::test_four",)
    [unstable] = found.unstable
    assert unstable.startswith("test_calc.py::test_of_another_name_in_another_process[at")
