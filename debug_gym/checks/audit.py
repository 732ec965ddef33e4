"""Try every known attack on a benchmark: what would it have scored, under which harness?"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from debug_gym.checks.harnesses import exit_code, junit, look
from debug_gym.judge import judge
from debug_gym.judge.attacks import ATTACKS, Attack, Target
from debug_gym.judge.hidden import revealed
from debug_gym.sandbox import Backend
from debug_gym.task import Task

LEVELS = ("exit code", "junit", "judge")


@dataclass(frozen=True)
class AttackResult:
    """One attack on one task."""

    attack: str
    task: str
    scored: tuple[bool, bool, bool]
    """Under each of ``LEVELS``."""
    findings: tuple[str, ...] = ()
    """What the judge noticed."""


def audit(
    tasks: Sequence[Task],
    backend: Backend,
    *,
    attacks: Sequence[Attack] = ATTACKS,
    workers: int = 1,
    on_done: Callable[[AttackResult], None] = lambda attempt: None,
) -> list[AttackResult]:
    """Try attacks on tasks, side by side; ``on_done`` is called in this thread for each, in order."""
    found: list[AttackResult] = []
    tasks = [revealed(task, backend) for task in tasks]
    with ThreadPoolExecutor(workers, thread_name_prefix="audit") as pool:
        try:
            seen = pool.map(lambda task: look(task, backend), tasks)
            targets = {task.id: target for task, target in zip(tasks, seen, strict=True)}
            pairs = [(attack, task) for task in tasks for attack in attacks]
            for attempt in pool.map(lambda pair: _try(pair[0], pair[1], targets[pair[1].id], backend), pairs):
                on_done(attempt)
                found.append(attempt)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _try(attack: Attack, task: Task, target: Target, backend: Backend) -> AttackResult:
    changes = attack.make(target)
    unsafe = not backend.guarantees.isolated
    verdict = judge(task, changes, backend, allow_unsafe=unsafe, thorough=False, harness=False)
    scored = exit_code(task, changes, backend), junit(task, changes, backend), verdict.resolved
    return AttackResult(attack.name, task.id, scored, verdict.cheating)
