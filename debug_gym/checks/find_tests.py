"""Find the tests that decide: those that the gold patch makes pass, and those that pass without it, too."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath

from debug_gym.benchmarks.base import Benchmark
from debug_gym.benchmarks.found import FoundTests, dump_found
from debug_gym.checks.validate import apply_gold
from debug_gym.errors import DebugGymError, TaskError
from debug_gym.judge.hidden import revealed
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialRunner
from debug_gym.runners import runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.sandbox import Backend, Changes, TestRun
from debug_gym.store.writer import write_atomically
from debug_gym.task import Task, Tests

REPEATS = 3
"""Runs of all tests with the gold patch, and as many without it."""
_NO_IDS = {"fail_to_pass": (), "pass_to_pass": (), "unstable": (), "controls": ()}


def find_tests(
    task: Task, backend: Backend, *, repeats: int = REPEATS, workers: int | None = None
) -> FoundTests:
    """Run a task's visible and hidden tests with the gold patch and without it.

    A test counts if it passes in every run with the gold patch. If it also passes in every run without it, it
    must keep passing; if it fails in each of these, it must be made to pass. Without the patch a program may
    never end, or take the session down: then each test runs alone.

    Args:
        task: with a gold patch. The ids that it names are not looked at.
        backend: of the sandboxes.
        repeats: runs of each kind.
        workers: sandboxes at the same time where tests run alone; None: one a CPU.

    Raises:
        TaskError: there is no gold patch, its tests do not run to their end, or it makes no test pass.
        SandboxError: no sandbox can be started.
    """
    task = revealed(task, backend)
    task = task.model_copy(update={"tests": task.tests.model_copy(update=_NO_IDS)})
    fixed = TrialRunner(task, apply_gold(task, backend)[0], backend)
    broken = TrialRunner(task, Changes(), backend)
    after = [_whole(fixed.run(_all_tests(task.tests)).run) for _ in range(repeats)]
    counted = Counter(test for run in after for test in run.passed)
    ids = [test for test in after[0].collected or after[0].outcomes if test in counted]
    if set(ids) != {COMMAND}:  # it stands for all others
        ids = [test for test in ids if test != COMMAND]
    stable = [test for test in ids if counted[test] == repeats]
    before = [_outcomes(broken, stable, workers) for _ in range(repeats)]
    found = FoundTests(
        fail_to_pass=tuple(t for t in stable if all(run.get(t) != "passed" for run in before)),
        pass_to_pass=tuple(t for t in stable if all(run.get(t) == "passed" for run in before)),
        unstable=tuple(test for test in ids if counted[test] < repeats),
    )
    if not found.fail_to_pass:
        raise TaskError("no test fails before the gold patch and passes after it")
    return found


def write_tests(
    benchmark: Benchmark,
    names: Iterable[str],
    backend: Backend,
    *,
    on_done: Callable[[str, str], None] = lambda task, what: None,
) -> dict[str, str]:
    """Find the tests of those tasks that name none themselves, and store them where the benchmark keeps them.

    Returns:
        Id of each task for which nothing was stored to a few words about why. ``on_done`` is told of each.
    """
    left_out = {}
    for name in names:
        try:
            task = benchmark.load(name)
            if task.tests.required:
                raise TaskError("it names its tests itself")
            found = find_tests(task, backend)
        except DebugGymError as error:
            left_out[name] = str(error)
            on_done(name, "is left out")
            continue
        path = benchmark.tests_file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, dump_found(found))
        on_done(name, f"has {len(found.fail_to_pass)} that fail and {len(found.pass_to_pass)} that pass")
    return left_out


def _all_tests(tests: Tests) -> Trial:
    """A run of what is visible and of the hidden tests. Without visible paths, the command finds both."""
    hidden = tuple(path for path in tests.hidden if _holds_tests(path))
    if not tests.visible or not hidden or not runner_of(tests).selects:
        return Trial((), everything=True)
    return Trial(tuple(dict.fromkeys((*tests.visible, *hidden))))


def _holds_tests(path: str) -> bool:
    name = PurePath(path).name
    return name.endswith(".py") and (name.startswith("test") or name.endswith(("_test.py", "_tests.py")))


def _whole(run: TestRun | None) -> TestRun:
    if run is None or run.timed_out or not run.complete:
        last = [] if run is None else run.output.strip().splitlines()[-1:]
        why = "they ran out of time" if run is not None and run.timed_out else "".join(last)
        raise TaskError(f"with the gold patch, the tests do not run to their end: {why}")
    return run


def _outcomes(runner: TrialRunner, tests: Sequence[str], workers: int | None) -> dict[str, str]:
    """Outcome of each of the tests: of one run, or of a run each."""
    together = runner.run(_all_tests(runner.task.tests)).run
    if together is not None and together.complete and not together.timed_out and not together.forked:
        return dict(together.outcomes)
    if not runner.runner.selects:
        return {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="find-tests") as pool:
        results = pool.map(runner.run, [Trial((test,)) for test in tests])
        return {test: outcome for result in results for test, outcome in result.seen.items()}
