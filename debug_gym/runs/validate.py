"""Prove that tasks are sound: their tests fail before the gold patch and pass after it, again and again."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from debug_gym.episode import Verdict
from debug_gym.errors import DebugGymError
from debug_gym.judge import judge
from debug_gym.runs.summary import clock
from debug_gym.sandbox import Backend, Changes, TestRun
from debug_gym.task import Task

_FAILING = {"failed", "error", "missing"}
"""Outcomes that count as a failure; ``missing``: the test's file could not even be imported."""


@dataclass(frozen=True)
class Validation:
    """What was found out about one task."""

    task: str
    problems: tuple[str, ...] = ()
    """Sentences; empty: the task is sound."""
    resolved: int = 0
    """How many times in a row the gold patch was judged to resolve it."""
    seconds: float = 0.0
    """Wall-clock time of all checks."""

    @property
    def sound(self) -> bool:
        """Whether every check passed."""
        return not self.problems


def validate(task: Task, backend: Backend, *, repeats: int = 5) -> Validation:
    """Check one task. What is wrong with it is found and told, not raised.

    With no changes, the judge must see each fail-to-pass test fail and each pass-to-pass test pass. With the
    gold patch, the visible tests must pass and the judge must say resolved, ``repeats`` times in a row.
    """
    began = time.monotonic()
    resolved = 0
    try:
        problems = _check_broken(task, backend)
        if task.gold_patch is None:
            problems.append("it has no gold patch, so nothing proves that it can be solved")
        else:
            gold, visible = _apply_gold(task, backend)
            problems += _check_visible(visible)
            while resolved < repeats:
                verdict = _judge(task, gold, backend)
                if not verdict.resolved:
                    which = f"judgement {resolved + 1} of {repeats}"
                    problems.append(f"with the gold patch, {which} is not resolved: {verdict.reason}")
                    break
                resolved += 1
    except DebugGymError as error:
        problems = [str(error)]
    return Validation(task.id, tuple(problems), resolved, time.monotonic() - began)


def validate_all(
    tasks: Sequence[Task],
    backend: Backend,
    *,
    repeats: int = 5,
    workers: int = 1,
    on_done: Callable[[Validation], None] = lambda validation: None,
) -> list[Validation]:
    """Check tasks side by side; ``on_done`` is called in this thread for each, in order."""
    found: list[Validation] = []
    with ThreadPoolExecutor(workers, thread_name_prefix="validate") as pool:
        try:
            for validation in pool.map(lambda task: validate(task, backend, repeats=repeats), tasks):
                on_done(validation)
                found.append(validation)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def show(console: Console, validations: Sequence[Validation], *, repeats: int) -> None:
    """Print a table of the tasks and what is wrong with them."""
    table = Table(header_style="bold", show_edge=False, pad_edge=False)
    table.add_column("task", overflow="fold")
    table.add_column("sound")
    table.add_column("gold patch", justify="right")
    table.add_column("time", justify="right")
    for item in validations:
        verdict = Text("yes", style="green") if item.sound else Text("no", style="red")
        table.add_row(Text(item.task), verdict, f"{item.resolved}/{repeats}", clock(item.seconds))
    console.print(table)
    for item in validations:
        for problem in item.problems:
            console.print(Text.assemble((item.task, "bold red"), f": {problem}"), soft_wrap=True)
    sound = sum(item.sound for item in validations)
    console.print(f"{sound}/{len(validations)} tasks are sound", highlight=False)


def _judge(task: Task, changes: Changes, backend: Backend) -> Verdict:
    unsafe = not backend.guarantees.isolated  # then somebody named it on purpose
    return judge(task, changes, backend, allow_unsafe=unsafe)


def _check_broken(task: Task, backend: Backend) -> list[str]:
    verdict = _judge(task, Changes(), backend)
    problems = ["it counts as resolved with no change at all"] if verdict.resolved else []
    seen = {test: verdict.seen.get(test, "missing") for test in task.tests.required}
    problems += [
        f"{test} must fail before the fix, but: {seen[test]}"
        for test in task.tests.fail_to_pass
        if seen[test] not in _FAILING
    ]
    problems += [
        f"{test} must pass before the fix, but: {seen[test]}"
        for test in task.tests.pass_to_pass
        if seen[test] != "passed"
    ]
    return problems


def _apply_gold(task: Task, backend: Backend) -> tuple[Changes, TestRun]:
    """Apply the gold patch in a sandbox of its own; give the changes and a run of the visible tests."""
    assert task.gold_patch is not None
    with backend.start(task.for_agent()) as sandbox:
        applied = sandbox.exec(["git", "apply", "-p1", "-"], stdin=task.gold_patch.encode())
        if applied.exit_code != 0:
            output = " ".join(applied.output.split())
            raise DebugGymError(f"the gold patch does not apply: {output}")
        gold = sandbox.changes()
        return gold, sandbox.run_tests()


def _check_visible(run: TestRun) -> list[str]:
    if run.success:
        return []
    first = run.failed[0] if run.failed else run.note or f"exit code {run.exit_code}"
    return [f"with the gold patch the visible tests do not pass: {first}"]
