"""An open-ended task: a question about the repository, whose answer no test can score."""

from pydantic import Field

from debug_gym.task.frozen import Frozen

ANSWER = "ANSWER.md"
"""The file of the workspace in which the answer is handed in."""


class OpenQuestion(Frozen):
    """What a model or a person compares an answer with."""

    reference: str = Field(default="", repr=False)
    """An answer that is right. It never enters the agent's sandbox."""
