"""Try every known attack on a benchmark: what would it have scored, under which harness?"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.judge import judge
from debug_gym.judge.attacks import ATTACKS, Attack, Target
from debug_gym.judge.levels import exit_code, junit, look
from debug_gym.sandbox import Backend
from debug_gym.task import Task

LEVELS = ("exit code", "junit", "judge")


@dataclass(frozen=True)
class Attempt:
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
    on_done: Callable[[Attempt], None] = lambda attempt: None,
) -> list[Attempt]:
    """Try attacks on tasks, side by side; ``on_done`` is called in this thread for each, in order."""
    found: list[Attempt] = []
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


def show(console: Console, attempts: Sequence[Attempt], *, tasks: int) -> None:
    """Print how many of the tasks each attack would have scored on, under each harness."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("attack", overflow="fold")
    for level in LEVELS:
        table.add_column(level, justify="right")
    for name in dict.fromkeys(attempt.attack for attempt in attempts):
        mine = [attempt for attempt in attempts if attempt.attack == name]
        counts = [sum(attempt.scored[i] for attempt in mine) for i in range(len(LEVELS))]
        table.add_row(Text(name), *(_cell(count, tasks) for count in counts))
    console.print(table)
    for attempt in attempts:
        if attempt.scored[-1]:
            line = Text.assemble((attempt.attack, "bold red"), f" is judged to resolve {attempt.task}")
            console.print(line, soft_wrap=True)
    names = {attempt.attack for attempt in attempts}
    scored = [{item.attack for item in attempts if item.scored[i]} for i in range(len(LEVELS))]
    ends = ", ".join(f"{len(hits)} under {level}" for level, hits in zip(LEVELS, scored, strict=True))
    console.print(
        f"{len(names)} attacks, {tasks} task{'s' * (tasks != 1)}; that score on any: {ends}", highlight=False
    )


def _cell(count: int, tasks: int) -> Text:
    if not count:
        return Text("stopped", style="green")
    return Text("scores" if tasks == 1 else f"scores on {count}", style="red")


def _try(attack: Attack, task: Task, target: Target, backend: Backend) -> Attempt:
    changes = attack.make(target)
    verdict = judge(task, changes, backend, allow_unsafe=not backend.guarantees.isolated, thorough=False)
    scored = exit_code(task, changes, backend), junit(task, changes, backend), verdict.resolved
    return Attempt(attack.name, task.id, scored, verdict.cheating)
