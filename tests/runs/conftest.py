"""Tiny repositories to play and to validate, each with a bug of one character."""

import pytest

from debug_gym.runs.store import Run

GOLD = """\
--- a/calc.py
+++ b/calc.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return a - b
+    return a + b
"""


@pytest.fixture
def broken(tmp_path):
    """Make a folder ``name`` with a wrong sum, and a gold patch beside it; gives the benchmark's options."""

    def make(
        name="calc", test="from calc import add\n\ndef test_add():\n    assert add(1, 2) == 3\n", gold=GOLD
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "calc.py").write_text("def add(a, b):\n    return a - b\n")
        (folder / "test_calc.py").write_text(test)
        (tmp_path / f"{name}.diff").write_text(gold)
        return {"path": folder, "gold_patch": tmp_path / f"{name}.diff"}

    return make


@pytest.fixture
def told():
    """Everything that a run's agents did and saw, without times, and the predictions."""

    def tell(folder):
        run = Run.open(folder)
        found = {path.name: path.read_text() for path in folder.glob("predictions*")}
        for result in run.results():
            trajectory = run.trajectory(*result.key)
            steps = [(step.call, step.observation.text) for step in trajectory.steps]
            found[result.key] = (result.status, result.seed, result.reason, steps, trajectory.verdict.seen)
        return found

    return tell
