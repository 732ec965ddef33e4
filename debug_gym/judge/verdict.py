"""From a changed workspace to a verdict: prepare the case, run its trials, say what they show."""

import time
from itertools import chain

from debug_gym.episode import Verdict
from debug_gym.errors import SandboxUnavailableError
from debug_gym.judge.case import Case
from debug_gym.judge.findings import Findings, is_decisive
from debug_gym.judge.harness import harness_verdict
from debug_gym.judge.hidden import revealed
from debug_gym.judge.open_ended import handed_in
from debug_gym.judge.original import Original
from debug_gym.judge.plan import Trial
from debug_gym.judge.trials import TrialResult, TrialRunner, run_all
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
    harness: bool = True,
) -> Verdict:
    """Decide whether the changes fix the task.

    An open-ended task is not judged: its verdict holds the answer, for somebody to grade. Else the required
    tests run in fresh sandboxes, on the original repository with the counted changes and the
    hidden tests laid over it. In each run some of them are laid as negative controls, which must fail; see
    ``debug_gym.judge.plan``.

    Args:
        task: with its hidden tests, required ids and negative controls. Where it names no ids, every test
            that the original repository with the hidden files collects must pass (one that is skipped or
            expected to fail there may stay so), and they share a sandbox. Where it brings no controls, some
            are made of the tests' text.
        changes: as harvested from the agent's sandbox.
        backend: where the judge's own sandboxes come from.
        allow_unsafe: accept a backend without isolation, whose verdicts can be forged.
        workers: sandboxes at the same time; None: one a CPU.
        thorough: False stops as soon as it is clear that this is no fix: ``resolved`` is the same, but the
            tests that were left out are ``missing``, and findings may be.
        harness: ask the benchmark's own harness as well, where there is one (``Task.harness``).

    Raises:
        SandboxUnavailableError: the backend does not isolate, or does not work.
        TaskError: a negative control does not fit its file; the test command cannot be run.
    """
    if task.question is not None:
        return handed_in(changes)
    began = time.monotonic()
    if not backend.guarantees.isolated and not allow_unsafe:
        missing = ", ".join(backend.guarantees.missing())
        raise SandboxUnavailableError(
            f"the {backend.name} backend does not give what a judge needs: {missing}"
        )
    task = revealed(task, backend)
    with Original(task, backend) as original:
        case = Case.prepare(task, changes, original)
    findings = _hold_trials(case, backend, workers, thorough)
    theirs = harness_verdict(task, changes, backend) if harness else None
    verdict = findings.verdict(time.monotonic() - began)
    return verdict.model_copy(update={"harness": theirs}) if theirs else verdict


def _hold_trials(case: Case, backend: Backend, workers: int | None, thorough: bool) -> Findings:
    """Run the rounds, then again the tests that what ran beside them may have disturbed."""

    def is_last(trial: Trial, result: TrialResult) -> bool:
        return is_decisive(case, trial, result)

    rounds = TrialRunner(case.task, case.counted, backend)
    findings = Findings(
        case, (run_all(rounds, case.plan.rounds(), workers, _never if thorough else is_last),)
    )
    waiting = case.plan.again(findings.unclear, findings.stuck)
    while not findings.is_lost and (group := next(waiting, None)):
        runner = TrialRunner(case.task, case.counted, backend)  # it gives a test all its time again
        findings = findings.after(run_all(runner, group, workers, is_last))
        if len(group) == 1 and (left := [test for test in group[0].tests if test in findings.unclear]):
            waiting = chain(case.plan.originals(left, findings.stuck, parts=2), waiting)
    return findings


def _never(_trial: Trial, _result: TrialResult) -> bool:
    return False
