"""The twins that the nightmares bring fit their files and bound forging. That they fail is what validate says."""

import ast
from pathlib import Path

import pytest

from debug_gym.benchmarks.nightmares import Nightmares
from debug_gym.judge.draw import TARGET, apply, draw


@pytest.mark.parametrize("task", tuple(Nightmares().load()), ids=lambda task: task.id)
def test_stored_twins(task):
    repository = Path(task.source.path)
    texts = dict(task.tests.hidden)
    for twin in task.tests.twins:
        if twin.path not in texts:
            texts[twin.path] = (repository / twin.path).read_text(encoding="utf-8")
        changed = apply(twin, texts)
        assert changed != texts[twin.path]
        ast.parse(changed)
    _, odds = draw(task, task.tests.twins, task.tests.required)
    assert odds <= TARGET
    assert not task.for_agent().tests.twins
