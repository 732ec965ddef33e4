"""What an agent reads first in an episode."""

from debug_gym.task import Task
from debug_gym.tools.printable import printable

_WORK = (
    "\n\nThe repository is the current folder of your sandbox. Find the bug and fix it in the source files; "
    "changes to tests do not count."
)


def opening(task: Task) -> str:
    """The problem, and what counts as a fix."""
    return printable(task.problem.strip()) + _WORK


def problem_in(text: str) -> str:
    """The problem alone, of what ``opening`` gave."""
    return text.removesuffix(_WORK)
