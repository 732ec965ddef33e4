"""Running trials, each in a fresh sandbox, and what makes a result count."""

import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxError, SandboxTimeoutError
from debug_gym.judge.plan import Trial
from debug_gym.runners import Runner, runner_of
from debug_gym.runners.base import COMMAND
from debug_gym.runners.pytest import complaint
from debug_gym.sandbox import Backend, Changes, FileEntry, Snapshot, TestRun
from debug_gym.task import Task, as_bytes

_SHORTENED = 2.0
"""Seconds at least that a trial gets after another one ran out of time."""


@dataclass(frozen=True)
class TrialResult:
    """What a trial gave."""

    seen: dict[str, str] = field(default_factory=dict)
    """Outcome of each of its tests; nothing passed here unless the whole run is sound."""
    flaw: str = ""
    """Why the run as a whole is not to be trusted; empty: it is sound."""
    output: str = ""
    timed_out: bool = False
    run: TestRun | None = field(default=None, repr=False)
    """None: the sandbox died."""


class TrialRunner:
    """Runs trials of one set of changes, each in a sandbox of its own.

    Args:
        task: of the trials.
        counted: the changes. In every trial they are laid over the repository, then the hidden tests and the
            trial's texts, all anew, so that no file's age tells a control from an original.
        backend: of the sandboxes.
    """

    def __init__(self, task: Task, counted: Changes, backend: Backend) -> None:
        self.task, self.counted, self.backend = task, counted, backend
        self.runner = runner_of(task.tests)
        self._shown = task.for_agent()
        self._late = threading.Event()

    def run(self, trial: Trial, options: Sequence[str] = ()) -> TrialResult:
        """Run one trial. What the code under test does to its sandbox is a result, not an exception.

        Raises:
            SandboxError: no sandbox can be started.
        """
        contents = {**self.task.tests.hidden, **trial.texts}
        laid = {path: FileEntry(data=as_bytes(content)) for path, content in contents.items()}
        files = Changes(files={**self.counted.files, **laid}, deleted=self.counted.deleted)
        limit = self.task.tests.timeout
        if self._late.is_set():
            limit = min(limit, max(_SHORTENED, limit / 10))
        selection = () if trial.everything else tuple(map(trial.id_of, trial.tests))
        with self.backend.start(self._shown) as sandbox:
            try:
                sandbox.restore(Snapshot(changes=files))
            except (SandboxDiedError, SandboxTimeoutError, ProtocolError):
                raise
            except SandboxError as error:  # e.g. a folder where a file is that may not be deleted
                missing = dict.fromkeys(trial.tests, "missing")
                return TrialResult(missing, f"the changes do not fit over the repository: {error}")
            try:
                run = sandbox.run_tests(selection, options=options, timeout=limit, last=True)
            except (SandboxDiedError, SandboxTimeoutError, ProtocolError) as error:
                return TrialResult(dict.fromkeys(trial.tests, "missing"), str(error))
        if run.timed_out:
            self._late.set()
        return examine(trial, run, self.runner)


def examine(trial: Trial, run: TestRun, runner: Runner) -> TrialResult:
    """What a run is worth: no test passed in it unless the session is whole and ran what was asked for."""
    flaw = _flaw(trial, run, runner)
    worst = _worst(run)
    seen = {}
    for test in trial.tests:
        name = trial.id_of(test)
        outcome = run.outcomes.get(name) or worst.get(name, "missing")
        seen[test] = "untrusted" if flaw and outcome == "passed" else outcome
    return TrialResult(seen, flaw, run.output, run.timed_out, run)


def _worst(run: TestRun) -> dict[str, str]:
    """Of each id without its parameters the first outcome that is no pass, if one of them has such a one."""
    worst: dict[str, str] = {}
    for name, outcome in run.outcomes.items():
        for bracket in re.finditer(r"\[", name):
            function = name[: bracket.start()]
            if worst.get(function, "passed") == "passed":
                worst[function] = outcome
    return worst


def _flaw(trial: Trial, run: TestRun, runner: Runner) -> str:
    if run.timed_out:
        return "the tests did not end within their time limit"
    if not run.complete:
        return f"the test session did not run to its end (exit code {run.exit_code}){_why(run)}"
    return "the session went on in a forked process, too" if run.forked else _mismatch(trial, run, runner)


def _why(run: TestRun) -> str:
    """Why nothing was collected, if pytest says so."""
    said = complaint(run.output) if not run.collected else ""
    return f": {said}" if said else ""


def _mismatch(trial: Trial, run: TestRun, runner: Runner) -> str:
    """What does not fit in a session that came to its end."""
    collected = set(run.collected)
    asked = set(map(trial.id_of, trial.tests))
    beside = {COMMAND} - asked  # programs report on themselves, too
    if not trial.everything and (collected - beside != asked or len(run.collected) != len(collected)):
        return f"the tests that were collected are not the ones that were asked for{_why(run)}"
    if not set(run.outcomes) <= collected:
        return "a test or a file reported that was not collected"
    consistent = runner.consistent(run.exit_code, run.outcomes)
    return "" if consistent else f"the exit code {run.exit_code} does not fit the results"


def run_all(
    runner: TrialRunner,
    trials: Iterable[Trial],
    workers: int | None,
    is_last: Callable[[Trial, TrialResult], bool] = lambda trial, result: False,
) -> dict[Trial, TrialResult]:
    """Run trials side by side, in the order given.

    Args:
        runner: where.
        trials: in an order that the code under test cannot know.
        workers: trials at the same time; None: one a CPU.
        is_last: whether the trials that have not begun need not run after one with this result.
    """
    decided = threading.Event()

    def run(trial: Trial) -> tuple[Trial, TrialResult] | None:
        if decided.is_set():
            return None
        result = runner.run(trial)
        if is_last(trial, result):
            decided.set()
        return trial, result

    with ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="judge") as pool:
        return dict(filter(None, pool.map(run, trials)))
