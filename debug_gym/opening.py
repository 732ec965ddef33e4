"""What an agent reads first in an episode."""

from debug_gym.task import ANSWER, Task
from debug_gym.tools.printable import printable

_WORK = (
    "\n\nThe repository is the current folder of your sandbox. Find the bug and fix it in the source files; "
    "changes to tests do not count."
)
_ANSWER = (
    "\n\nThe repository is the current folder of your sandbox. Nothing is to be fixed: find out, and write "
    f"your answer, in words and with the places in the code that it rests on, into the new file {ANSWER}. "
    "Nothing else counts."
)


def opening(task: Task) -> str:
    """The problem, and what counts as a fix or an answer."""
    return printable(task.problem.strip()) + (_WORK if task.question is None else _ANSWER)


def problem_in(text: str) -> str:
    """The problem alone, of what ``opening`` gave."""
    return text.removesuffix(_WORK).removesuffix(_ANSWER)
