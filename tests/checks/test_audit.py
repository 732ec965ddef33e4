import io

import pytest
from rich.console import Console

from debug_gym.benchmarks.repo import Repo
from debug_gym.checks.audit import AttackResult, audit
from debug_gym.cli.screens.audit import show
from debug_gym.judge.attacks import ATTACKS
from debug_gym.sandbox.registry import shared_backend

CHOSEN = [attack for attack in ATTACKS if attack.name in {"exit-at-import", "no-run", "git-hooks"}]


@pytest.fixture(scope="module")
def backend():
    return shared_backend("namespace")


def test_attacks_on_a_repository_of_ones_own(backend, broken):
    """It has no controls and no hidden tests; the judge makes controls of the visible ones."""
    tasks = [Repo(**broken(name), fail_to_pass="test_calc.py::test_add").task(name) for name in ("a", "b")]
    told = []
    attempts = audit(tasks, backend, attacks=CHOSEN, workers=2, on_done=told.append)
    assert told == attempts
    scored = {(item.task, item.attack): item.scored for item in attempts}
    assert scored["b", "exit-at-import"] == (True, False, False)
    assert scored["b", "no-run"] == (True, True, False)
    assert scored["a", "git-hooks"] == (False, False, False)


def test_the_table_names_what_scores():
    console = Console(file=io.StringIO(), width=100)
    attempts = [
        AttackResult("[weak]", "one", (True, False, False)),
        AttackResult("[weak]", "two", (False, False, False)),
        AttackResult("strong", "one", (True, True, True)),
        AttackResult("strong", "two", (True, True, False)),
    ]
    show(console, attempts, tasks=2)
    text = console.file.getvalue()
    assert "strong is judged to resolve one" in text
    assert "2 attacks, 2 tasks; that score on any: 2 under exit code, 1 under junit, 1 under judge" in text
    assert "scores on 2" in text
