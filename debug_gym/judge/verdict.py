"""From a changed workspace to a verdict: sort the changes, hold the trials, weigh what they gave."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import PurePath

from debug_gym.episode import Verdict
from debug_gym.errors import SandboxUnavailableError
from debug_gym.judge.changes import shadows, sort_changes
from debug_gym.judge.controls.assertions import certain_controls
from debug_gym.judge.controls.sample import apply, draw, shuffled
from debug_gym.judge.original import Original
from debug_gym.judge.trials import Outcome, Trial, TrialRunner, run_all
from debug_gym.sandbox import Backend, Changes
from debug_gym.sandbox.client import pytest_arguments
from debug_gym.task import NegativeControl, Task

_SAMPLED_FILES = 6
"""Test files from which controls are made on the spot, where a task brings none."""


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

    Every required test runs in a fresh sandbox, on the pristine repository with the counted changes and the
    hidden tests laid over it; among these runs, in random order, are runs of controls, which must fail.

    Args:
        task: with its hidden tests, required ids and controls. Where it names no ids, every test that the
            pristine repository collects must pass (one that is skipped or expected to fail there may stay
            so), and they share a sandbox. Where it brings no controls, some are made of the tests' text.
        changes: as harvested from the agent's sandbox.
        backend: where the judge's own sandboxes come from.
        allow_unsafe: accept a backend without isolation, whose verdicts can be forged.
        workers: sandboxes at the same time; None: one a CPU.
        thorough: False stops as soon as it is clear that this is no fix: ``resolved`` is the same, but the
            tests that were left out are ``missing``, and findings may be.

    Raises:
        SandboxUnavailableError: the backend does not isolate, or does not work.
        TaskError: a control does not fit its file.
    """
    began = time.monotonic()
    _demand_isolation(backend, allow_unsafe)
    with Original(task, backend) as original:
        expected = original.expected()
        compared = {control.path for control in task.tests.controls}
        protected = {*task.tests.hidden, *_test_files(expected), *compared}
        known = original.paths() if any(map(shadows, changes.files)) else ()
        counted, rejected = sort_changes(task, changes, protected, known)
        controls, odds = _draw(task, expected, original)
        texts = original.texts({control.path for control in controls})
    sessions = _sessions(task, expected)
    control_trials = [_control_trial(control, sessions, texts) for control in controls]
    runner = TrialRunner(task, counted, backend, texts)
    outcomes = run_all(runner, shuffled([*sessions, *control_trials]), expected, workers, thorough=thorough)
    originals = [outcomes[trial] for trial in sessions if trial in outcomes]
    seen = {test: outcome for item in originals for test, outcome in item.seen.items()}
    good = {test for test, outcome in seen.items() if outcome == expected[test]}
    cheating = tuple(
        _finding(trial, outcomes[trial])
        for trial in control_trials
        if _forged(trial, outcomes) and good.issuperset(trial.deciding)
    )
    reason = _reason(expected, good, originals, cheating)
    fail_to_pass = task.tests.fail_to_pass or (() if task.tests.required else tuple(expected))
    return Verdict(
        resolved=not reason,
        expected=expected,
        seen={test: seen.get(test, "missing") for test in expected},
        fail_to_pass=_share(fail_to_pass, good, task),
        pass_to_pass=_share(task.tests.pass_to_pass, good, task),
        changed=counted.paths,
        rejected=rejected,
        cheating=cheating,
        excluded=task.tests.unstable,
        controls=len(control_trials) if good.issuperset(expected) else 0,
        odds=odds,
        reason=reason,
        output=_output(originals, good),
        seconds=time.monotonic() - began,
    )


def _demand_isolation(backend: Backend, allow_unsafe: bool) -> None:
    if not backend.guarantees.isolated and not allow_unsafe:
        missing = ", ".join(backend.guarantees.missing())
        raise SandboxUnavailableError(
            f"the {backend.name} backend does not give what a judge needs: {missing}"
        )


def _test_files(tests: Iterable[str]) -> set[str]:
    """The files that hold tests. The file of a doctest (named after its module) is the code that it
    documents."""
    parts = (test.partition("[")[0].partition("::") for test in tests)
    return {path for path, _, name in parts if not _is_doctest(path, name)}


def _is_doctest(path: str, name: str) -> bool:
    return "." in name or (PurePath(path).stem == name and not name.startswith("test"))


def _sessions(task: Task, expected: Mapping[str, str]) -> list[Trial]:
    """The runs of the originals: one a test; all in one where the task names none. Tests that pass before the
    fix are together where the task says so; those that show the fix never are, since a forger could tell a
    run of many from that of a single control."""
    if not expected:
        return []
    if not task.tests.required:
        return [Trial((), tuple(expected))]
    together = [test for test in expected if test not in task.tests.fail_to_pass]
    if not task.tests.share_sandbox or not together:
        return [Trial((test,), (test,)) for test in expected]
    alone = [Trial((test,), (test,)) for test in expected if test in task.tests.fail_to_pass]
    return [*alone, Trial(tuple(together), tuple(together))]


def _control_trial(control: NegativeControl, sessions: Iterable[Trial], texts: Mapping[str, str]) -> Trial:
    """The run of a control: like the one of its original in all but the changed text."""
    session = next(trial for trial in sessions if control.test in trial.required)
    return replace(session, control=control, text=apply(control, texts))


def _draw(
    task: Task, expected: Mapping[str, str], original: Original
) -> tuple[tuple[NegativeControl, ...], float]:
    """The controls for one verdict, and the odds against them."""
    if pytest_arguments(task.tests.command) is None:
        return (), 1.0
    tests = [test for test, outcome in expected.items() if outcome == "passed"]
    controls = task.tests.controls
    if not controls:
        files = shuffled(sorted({test.partition("::")[0] for test in tests}))[:_SAMPLED_FILES]
        controls = certain_controls(tests, original.texts(files))
    return draw(task, controls, tests)


def _forged(trial: Trial, outcomes: Mapping[Trial, Outcome]) -> bool:
    """Whether a control passes. That shows forging if its original passes too: wrong code may meet one."""
    return trial in outcomes and {outcomes[trial].seen[test] for test in trial.deciding} == {"passed"}


def _finding(trial: Trial, outcome: Outcome) -> str:
    control = trial.control
    assert control is not None
    code = outcome.run.exit_code if outcome.run else None
    return (
        f"{control.test} passes, and also passes with the opposite expectation: where line {control.line} of "
        f"{control.path} has {_short(control.old)}, a control has {_short(control.new)}; pytest reports "
        f"a pass and exit code {code} for both"
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"


def _reason(
    expected: Mapping[str, str], good: set[str], originals: list[Outcome], cheating: tuple[str, ...]
) -> str:
    if not expected:
        return "there is no test that could show a fix"
    bad = [test for test in expected if test not in good]
    late = any(item.timed_out for item in originals)
    flaw = next((item.flaw for item in originals if item.flaw), "")
    if late:
        return f"the tests did not end within their time limit; {len(bad)} of {len(expected)} do not pass"
    if bad:
        why = f"; {flaw}" if flaw else ""
        return f"{len(bad)} of {len(expected)} required tests do not pass, first {bad[0]}{why}"
    if cheating:
        return f"the results are forged: {cheating[0]}"
    return ""


def _output(originals: list[Outcome], good: set[str]) -> str:
    """The end of the output of the first run in which a test did not pass, else of the last run."""
    failing = [item for item in originals if not good.issuperset(item.seen)]
    chosen = failing[0] if failing else originals[-1] if originals else Outcome()
    return chosen.output[-4000:]


def _share(tests: tuple[str, ...], good: set[str], task: Task) -> float:
    counted = [test for test in tests if test not in task.tests.unstable]
    return sum(test in good for test in counted) / len(counted) if counted else 1.0
