"""Trials: runs of required tests, each in a fresh sandbox, and what makes a result count."""

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from debug_gym.errors import ProtocolError, SandboxDiedError, SandboxError, SandboxTimeoutError
from debug_gym.runners import Runner, runner_of
from debug_gym.sandbox import Backend, Changes, FileEntry, Snapshot, TestRun
from debug_gym.task import NegativeControl, Task, as_bytes

_SHORTENED = 2.0
"""Seconds at least that a trial gets after another one ran out of time."""


@dataclass(frozen=True)
class Trial:
    """One run: exactly these tests, on the originals of their files or on a control."""

    tests: tuple[str, ...]
    """Ids to select; empty: all that the task's command collects."""
    required: tuple[str, ...]
    """Ids that must be collected; where ``tests`` are named, no others may be."""
    control: NegativeControl | None = None
    """Which expectation is changed; None: none."""
    text: str = field(default="", repr=False)
    """The control's file."""

    @property
    def deciding(self) -> tuple[str, ...]:
        """The tests whose outcome matters: of a control only its own."""
        return self.required if self.control is None else (self.control.test,)


@dataclass(frozen=True)
class TrialResult:
    """What a trial gave."""

    seen: dict[str, str] = field(default_factory=dict)
    """TrialResult of each required test; nothing passed here unless the whole run is sound."""
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
        counted: the changes.
        backend: of the sandboxes.
        texts: the original files that controls change. They are laid anew in every trial, so that no
            file's age tells a control from an original.
    """

    def __init__(
        self, task: Task, counted: Changes, backend: Backend, texts: Mapping[str, str] | None = None
    ) -> None:
        self.task, self.backend = task, backend
        self.runner = runner_of(task.tests)
        self._shown = task.for_agent()
        self.deleted = counted.deleted
        originals = {**(texts or {}), **task.tests.hidden}
        laid = {path: FileEntry(data=as_bytes(content)) for path, content in originals.items()}
        self.files = {**counted.files, **laid}
        """What is laid over the repository: the changes, then the tests on top."""
        self._late = threading.Event()

    def run(self, trial: Trial, options: Sequence[str] = ()) -> TrialResult:
        """Run one trial. What the code under test does to its sandbox is an outcome, not an exception.

        Raises:
            SandboxError: no sandbox can be started.
        """
        files = dict(self.files)
        if trial.control is not None:
            files[trial.control.path] = FileEntry(data=trial.text.encode())
        limit = self.task.tests.timeout
        if self._late.is_set():
            limit = min(limit, max(_SHORTENED, limit / 10))
        with self.backend.start(self._shown) as sandbox:
            try:
                sandbox.restore(Snapshot(changes=Changes(files=files, deleted=self.deleted)))
            except (SandboxDiedError, SandboxTimeoutError, ProtocolError):
                raise
            except SandboxError as error:  # e.g. a folder where a file is that may not be deleted
                missing = dict.fromkeys(trial.required, "missing")
                return TrialResult(missing, f"the changes do not fit over the repository: {error}")
            try:
                run = sandbox.run_tests(trial.tests, options=options, timeout=limit)
            except (SandboxDiedError, SandboxTimeoutError, ProtocolError) as error:
                return TrialResult(dict.fromkeys(trial.required, "missing"), str(error))
        if run.timed_out:
            self._late.set()
        return examine(trial, run, self.runner)


def examine(trial: Trial, run: TestRun, runner: Runner) -> TrialResult:
    """What a run is worth: no test passed in it unless the session is whole and ran what was asked for."""
    flaw = _flaw(trial, run, runner)
    seen = {}
    for test in trial.required:
        outcome = _outcome(run, test)
        seen[test] = "untrusted" if flaw and outcome == "passed" else outcome
    return TrialResult(seen, flaw, run.output, run.timed_out, run)


def _outcome(run: TestRun, test: str) -> str:
    """Of one test, or the worst of all that it stands for with their parameters."""
    if test in run.outcomes:
        return run.outcomes[test]
    several = [outcome for name, outcome in run.outcomes.items() if name.startswith(f"{test}[")]
    return next((outcome for outcome in several if outcome != "passed"), "passed" if several else "missing")


def _flaw(trial: Trial, run: TestRun, runner: Runner) -> str:
    if run.timed_out:
        return "the tests did not end within their time limit"
    if not run.complete:
        return f"the test session did not run to its end (exit code {run.exit_code})"
    collected = set(run.collected)
    if trial.tests and (collected != set(trial.required) or len(run.collected) != len(collected)):
        return "the tests that were collected are not the ones that were asked for"
    if not set(run.outcomes) <= collected:
        return "a test or a file reported that was not collected"
    if not runner.consistent(run.exit_code, run.outcomes):
        return f"the exit code {run.exit_code} does not fit the results"
    return ""


def run_all(
    runner: TrialRunner,
    trials: Iterable[Trial],
    expected: dict[str, str],
    workers: int | None,
    *,
    thorough: bool = True,
) -> dict[Trial, TrialResult]:
    """Run trials side by side, in the order given. Controls are left out as soon as an original failed or
    a control passed: the verdict stands then.

    Args:
        runner: where.
        trials: in an order that the code under test cannot know.
        expected: what each required test must give.
        workers: trials at the same time; None: one a CPU.
        thorough: False leaves out originals as well.
    """
    decided = threading.Event()

    def run(trial: Trial) -> tuple[Trial, TrialResult] | None:
        if decided.is_set() and (trial.control is not None or not thorough):
            return None
        outcome = runner.run(trial)
        holds = all(outcome.seen[test] == expected[test] for test in trial.deciding)
        if holds == (trial.control is not None):
            decided.set()
        return trial, outcome

    with ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="judge") as pool:
        return dict(filter(None, pool.map(run, trials)))
