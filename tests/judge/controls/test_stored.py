"""The controls that the nightmares bring fit their files and bound forging. That they fail is what validate says."""

import ast
from pathlib import Path

import pytest

from debug_gym.benchmarks.nightmares import Nightmares
from debug_gym.judge.controls.sample import TARGET, draw, odds
from debug_gym.judge.controls.texts import apply

MOST_ODDS = {"contract-quotes": 2e-3}
"""Of tasks whose tests expect errors rather than values."""


@pytest.mark.parametrize("task", tuple(Nightmares().tasks.values()), ids=lambda task: task.id)
def test_stored_controls(task):
    repository = Path(task.source.path)
    texts = dict(task.tests.hidden)
    for control in task.tests.controls:
        if control.path not in texts:
            texts[control.path] = (repository / control.path).read_text(encoding="utf-8")
        changed = apply(control, texts)
        assert changed != texts[control.path]
        ast.parse(changed)
    drawn = draw(task, task.tests.controls, task.tests.required)
    assert odds([len(controls) for controls in drawn.sharp.values()]) <= MOST_ODDS.get(task.id, TARGET)
    assert not task.for_agent().tests.controls
