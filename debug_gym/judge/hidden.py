"""Hidden tests that a task knows only as a change or as files of its image: looked up before it is judged.

Benchmarks around images name their tests as some log parser once printed them. So the names of tests that
could not be run as they stand are looked up as well (see ``debug_gym.judge.harness.names``).
"""

import hashlib
import threading

from debug_gym.errors import TaskError
from debug_gym.judge.harness.names import needs_lookup, runnable
from debug_gym.sandbox import Backend, Sandbox
from debug_gym.task import ImageSource, Task, Tests, as_bytes

_KEPT = 64
_known: dict[str, Task] = {}
_locks: dict[str, threading.Lock] = {}


def revealed(task: Task, backend: Backend) -> Task:
    """The same task with all hidden tests in ``tests.hidden``, and ids that its runner takes.

    Within one process a task is looked up once.

    Raises:
        TaskError: the hidden patch does not apply, or the image lacks a hidden file.
    """
    tests = task.tests
    if tests.hidden_patch is None and not tests.hidden_paths and not needs_lookup(task):
        return task
    key = hashlib.sha256(f"{backend.name} {task.model_dump_json()}".encode()).hexdigest()
    with _locks.setdefault(key, threading.Lock()):
        found = _known.get(key)
        if found is None:
            found = _with_ids(_with_files(task, backend), backend)
            for old in [*_known][: max(0, len(_known) + 1 - _KEPT)]:
                _known.pop(old, None)
            _known[key] = found
        return found


def _with_files(task: Task, backend: Backend) -> Task:
    hidden = dict(task.tests.hidden)
    shown = task.for_agent()
    if task.tests.hidden_paths and isinstance(task.source, ImageSource):
        whole = task.source.model_copy(update={"remove": (), "bug_patch": None})
        with backend.start(shown.model_copy(update={"source": whole})) as sandbox:
            hidden |= {path: _read(sandbox, path) for path in task.tests.hidden_paths}
    if task.tests.hidden_patch is not None:
        with backend.start(shown) as sandbox:
            _apply(sandbox, task.tests.hidden_patch, "hidden")
            changed = sandbox.changes().files.items()
            hidden |= {path: entry.data for path, entry in changed if entry.data is not None}
    known = {**dict(task.tests), "hidden": hidden, "hidden_patch": None, "hidden_paths": ()}
    return task.model_copy(update={"tests": Tests.model_validate(known)})


def _read(sandbox: Sandbox, path: str) -> bytes:
    try:
        return sandbox.read(path)
    except (OSError, ValueError) as error:
        raise TaskError(f"the image has no hidden test {path}: {error}") from None


def _apply(sandbox: Sandbox, patch: str, which: str) -> None:
    done = sandbox.exec(["git", "apply", "--whitespace=nowarn", "-"], stdin=patch.encode())
    if done.exit_code:
        raise TaskError(f"the {which} patch does not apply: {' '.join(done.output.split())}")


def _with_ids(task: Task, backend: Backend) -> Task:
    """Collect the tests as they are with the fix: broken code may keep them from being collected."""
    if not needs_lookup(task):
        return task
    with backend.start(task.for_agent()) as sandbox:
        for path, content in task.tests.hidden.items():
            sandbox.write(path, as_bytes(content))
        if task.gold_patch is not None:
            _apply(sandbox, task.gold_patch, "gold")
        return task.model_copy(update={"tests": runnable(task, sandbox)})
