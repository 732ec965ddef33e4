"""The judge: a changed workspace in, a verdict out.

It never runs in the agent's sandbox. The changes that count are laid over a pristine copy of the repository,
the hidden tests come from the host, and every required test must report from a session that ran to its end.
"""

import time

from debug_gym.episode import Verdict
from debug_gym.errors import SandboxUnavailableError
from debug_gym.sandbox import Backend, Changes, Sandbox, Snapshot, TestRun
from debug_gym.sandbox.base import FileEntry
from debug_gym.task import Task


def judge(task: Task, changes: Changes, backend: Backend, *, allow_unsafe: bool = False) -> Verdict:
    """Decide whether the changes fix the task.

    Args:
        task: with its hidden tests and required ids. Where it names no ids, every test that the pristine
            repository collects must pass.
        changes: as harvested from the agent's sandbox.
        backend: where the judge's own sandboxes come from.
        allow_unsafe: accept a backend without isolation, whose verdicts can be forged.

    Raises:
        SandboxUnavailableError: the backend does not isolate, or does not work.
    """
    began = time.monotonic()
    _demand_isolation(backend, allow_unsafe)
    counted, rejected = sort_changes(task, changes)
    with backend.start(task) as sandbox:
        _lay(sandbox, task, counted)
        run = sandbox.run_tests(_selection(task), timeout=task.tests.timeout)
    required = task.tests.required or _all_ids(task, backend)
    seen = {test: run.outcomes.get(test, "missing") for test in required}
    passed = {test for test, outcome in seen.items() if outcome == "passed"}
    fail_to_pass = task.tests.fail_to_pass or (() if task.tests.required else required)
    reason = _reason(run, required, passed)
    return Verdict(
        resolved=not reason,
        expected=dict.fromkeys(required, "passed"),
        seen=seen,
        fail_to_pass=_share(fail_to_pass, passed),
        pass_to_pass=_share(task.tests.pass_to_pass, passed),
        changed=tuple(sorted({*counted.files, *counted.deleted})),
        rejected=rejected,
        reason=reason,
        output=run.output[-4000:],
        seconds=time.monotonic() - began,
    )


def sort_changes(task: Task, changes: Changes) -> tuple[Changes, tuple[str, ...]]:
    """Split into the changes that count and those that do not, each of these with the reason."""
    rejected = list(changes.skipped)
    files: dict[str, FileEntry] = {}
    for path, entry in changes.files.items():
        if not task.is_editable(path):
            rejected.append(f"{path}: not one of the files that may change")
        elif entry.link is not None:
            rejected.append(f"{path}: a symbolic link")
        else:
            files[path] = entry
    deleted = tuple(path for path in changes.deleted if task.is_editable(path))
    rejected += [f"{path}: may not be deleted" for path in changes.deleted if path not in deleted]
    return Changes(files=files, deleted=deleted), tuple(sorted(rejected))


def _demand_isolation(backend: Backend, allow_unsafe: bool) -> None:
    if not backend.guarantees.isolated and not allow_unsafe:
        missing = ", ".join(backend.guarantees.missing())
        raise SandboxUnavailableError(
            f"the {backend.name} backend does not give what a judge needs: {missing}"
        )


def _lay(sandbox: Sandbox, task: Task, counted: Changes) -> None:
    """The counted changes, then the hidden tests on top: whatever the agent wrote there loses."""
    hidden = {path: FileEntry(data=text.encode()) for path, text in task.tests.hidden.items()}
    files = {**counted.files, **hidden}
    sandbox.restore(Snapshot(changes=Changes(files=files, deleted=counted.deleted)))


def _selection(task: Task) -> tuple[str, ...]:
    """The files that the required tests stand in, in order; empty: all that the command collects."""
    return tuple(dict.fromkeys(test.split("::")[0] for test in task.tests.required))


def _all_ids(task: Task, backend: Backend) -> tuple[str, ...]:
    with backend.start(task) as sandbox:
        return sandbox.run_tests(timeout=task.tests.timeout).collected


def _reason(run: TestRun, required: tuple[str, ...], passed: set[str]) -> str:
    if not required:
        return "there is no test that could show a fix"
    if run.timed_out:
        return "the tests did not end within their time limit"
    if not run.complete:
        return f"the test session did not run to its end (exit code {run.exit_code})"
    missing = [test for test in required if test not in passed]
    if missing:
        return f"{len(missing)} of {len(required)} required tests do not pass, first {missing[0]}"
    return ""


def _share(tests: tuple[str, ...], passed: set[str]) -> float:
    return sum(test in passed for test in tests) / len(tests) if tests else 1.0
