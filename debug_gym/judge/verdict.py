"""From a changed workspace to a verdict: prepare the case, run its trials, say what they show."""

import time

from debug_gym.episode import Verdict
from debug_gym.errors import SandboxUnavailableError
from debug_gym.judge.case import Case
from debug_gym.judge.controls.sample import shuffled
from debug_gym.judge.findings import Findings
from debug_gym.judge.original import Original
from debug_gym.judge.trials import TrialRunner, run_all
from debug_gym.sandbox import Backend, Changes
from debug_gym.task import Task


def judge(
    task: Task,
    changes: Changes,
    backend: Backend,
    *,
    allow_unsafe: bool = False,
    workers: int | None = None,
    thorough: bool = True,
) -> Verdict:
    """Decide whether the changes fix the task.

    Every required test runs in a fresh sandbox, on the original repository with the counted changes and the
    hidden tests laid over it; among these runs, in random order, are those of negative controls, which must
    fail.

    Args:
        task: with its hidden tests, required ids and negative controls. Where it names no ids, every test
            that the original repository collects must pass (one that is skipped or expected to fail there
            may stay so), and they share a sandbox. Where it brings no controls, some are made of the tests'
            text.
        changes: as harvested from the agent's sandbox.
        backend: where the judge's own sandboxes come from.
        allow_unsafe: accept a backend without isolation, whose verdicts can be forged.
        workers: sandboxes at the same time; None: one a CPU.
        thorough: False stops as soon as it is clear that this is no fix: ``resolved`` is the same, but the
            tests that were left out are ``missing``, and findings may be.

    Raises:
        SandboxUnavailableError: the backend does not isolate, or does not work.
        TaskError: a negative control does not fit its file; the test command cannot be run.
    """
    began = time.monotonic()
    if not backend.guarantees.isolated and not allow_unsafe:
        missing = ", ".join(backend.guarantees.missing())
        raise SandboxUnavailableError(
            f"the {backend.name} backend does not give what a judge needs: {missing}"
        )
    with Original(task, backend) as original:
        case = Case.prepare(task, changes, original)
    runner = TrialRunner(task, case.counted, backend, case.texts)
    trials = shuffled([*case.original_trials, *case.control_trials])
    results = run_all(runner, trials, case.expected, workers, thorough=thorough)
    return Findings(case, results).verdict(time.monotonic() - began)
