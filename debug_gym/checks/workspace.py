"""Judge what somebody left in a folder: another harness's agent, or a person."""

import os
from pathlib import Path

from debug_gym.episode import Verdict
from debug_gym.errors import ConfigError
from debug_gym.judge import judge
from debug_gym.sandbox import Backend, Changes, checkout_cache
from debug_gym.sandbox.interpreters import interpreter
from debug_gym.sandbox.set_up import set_up
from debug_gym.sandbox.workspace_diff import harvest_tree, with_text_names
from debug_gym.task import Task


def changes_in(workspace: Path, task: Task, backend: Backend) -> Changes:
    """What a folder has that the task's repository has not, and the other way round. Links are not followed,
    caches and ``.git`` are left out.

    Raises:
        ConfigError: there is no such folder.
        TaskError: the task's repository cannot be had.
    """
    python = interpreter(task.environment)
    _, held = checkout_cache.hold(set_up(task, python, backend.start), python)
    try:
        if not workspace.is_dir():
            raise ConfigError(
                f"there is no folder {workspace}: name the one in which the repository was changed"
            )
        now = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
        try:
            return with_text_names(harvest_tree(now, held))
        finally:
            os.close(now)
    finally:
        os.close(held)


def judge_folder(workspace: Path, task: Task, backend: Backend) -> Verdict:
    """The judge's verdict about what a folder holds. Raises as ``changes_in`` and ``judge`` do.

    Args:
        workspace: a changed copy of the task's repository.
        task: whole, with its hidden tests.
        backend: where the judge's sandboxes come from; one that does not isolate was named on purpose.
    """
    changes = changes_in(workspace, task, backend)
    return judge(task, changes, backend, allow_unsafe=not backend.guarantees.isolated)
