"""What an agent reads first in an episode."""

from debug_gym.task import Task
from debug_gym.tools.printable import printable


def opening(task: Task) -> str:
    """The problem, and what counts as a fix."""
    return (
        f"{printable(task.problem.strip())}\n\n"
        "The repository is the current folder of your sandbox. Find the bug and fix it in the source files; "
        "changes to tests do not count."
    )
