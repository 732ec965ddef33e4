"""Set-ups of repositories: commands that run once in a sandbox, and what they leave in the workspace.

The outcome is kept in the cache, as a folder, from which all sandboxes of the task start then.
"""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from debug_gym.cache import cache_folder
from debug_gym.errors import TaskError
from debug_gym.sandbox import checkout_cache
from debug_gym.sandbox.client import Sandbox
from debug_gym.sandbox.fetch import fetch
from debug_gym.sandbox.pinning import pin
from debug_gym.sandbox.results import Changes
from debug_gym.sandbox.server.files import remove_tree
from debug_gym.task import DirectorySource, Source, Task, opened

SECONDS = 1800.0
"""For one command."""
KEPT = 50
"""Outcomes that are kept; beyond that, the ones unused for longest go."""


def set_up(task: Task, python: str, start: Callable[[Task], Sandbox]) -> Source:
    """The source of a task's repository as its set-up (``Environment.setup``) leaves it.

    Args:
        task: with or without a set-up.
        python: its interpreter.
        start: gives a sandbox for a task.

    Raises:
        TaskError: a command fails, or leaves what cannot be kept.
        SandboxError: a sandbox could not be started.
    """
    commands = task.environment.setup
    if not commands:
        return task.source
    base = checkout_cache.prepare(task.source, python)
    said = json.dumps([base.path.parent.name, python, commands, sorted(task.environment.variables.items())])
    name = hashlib.sha256(said.encode()).hexdigest()[:32]
    folder = cache_folder() / "set-ups"
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / name
    with FileLock(folder / f"{name}.lock"):
        if not final.exists():
            before = task.environment.model_copy(update={"setup": ()})
            with start(task.model_copy(update={"environment": before})) as sandbox:
                _run(sandbox, commands)
                changes = sandbox.changes()
            with tempfile.TemporaryDirectory(prefix="staging-", dir=folder) as staging:
                tree = Path(staging) / "tree"
                fetch(pin(opened(task.source)), tree)
                _lay(changes, tree)
                tree.rename(final)
            _sweep(folder)
        os.utime(final)
    return DirectorySource(path=final, exclude=(), state=name)


def _run(sandbox: Sandbox, commands: tuple[str, ...]) -> None:
    for command in commands:
        done = sandbox.exec(["bash", "-c", command], timeout=SECONDS)
        if done.exit_code != 0:
            last = done.output.strip().rpartition("\n")[2] or f"exit code {done.exit_code}"
            why = "it took too long" if done.timed_out else last
            raise TaskError(f"the set-up's command {command!r} failed: {why}")


def _lay(changes: Changes, tree: Path) -> None:
    """Bring a repository into the state in which the set-up has left it."""
    if changes.skipped:
        raise TaskError(f"the set-up leaves what cannot be kept: {changes.skipped[0]}")
    for name in changes.deleted:
        path = tree / name
        if path.is_dir() and not path.is_symlink():
            remove_tree(str(path))
        else:
            path.unlink(missing_ok=True)
    for name in changes.empty:
        (tree / name).mkdir(parents=True, exist_ok=True)
    # Links come last, so that none of them leads another file out of the folder.
    for name, entry in sorted(changes.files.items(), key=lambda item: item[1].link is not None):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if entry.link is not None:
            path.symlink_to(entry.link)
        else:
            path.write_bytes(entry.data or b"")
            path.chmod(entry.mode & 0o777)


def _sweep(folder: Path) -> None:
    found = [entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("staging-")]
    for entry in sorted(found, key=lambda entry: entry.stat().st_mtime)[: max(0, len(found) - KEPT)]:
        if time.time() - entry.stat().st_mtime > 3600:  # a process that has just made it copies it
            with contextlib.suppress(OSError):
                remove_tree(str(entry))
