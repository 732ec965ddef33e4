"""Grades of open-ended answers, in ``grades.jsonl`` in a run's folder; who gave them stands beside them."""

import os
from typing import Literal

from pydantic import Field, ValidationError

from debug_gym.errors import DebugGymError
from debug_gym.store.records import Run, now
from debug_gym.task import Frozen

FILE = "grades.jsonl"
CRITERIA = ("correctness", "completeness", "relevance", "clarity", "reasoning")
BEST = 20
"""Points at most for each criterion; 1 is the worst."""


class Grade(Frozen):
    """What somebody thinks of one answer."""

    task: str
    attempt: int
    kind: Literal["model", "person"]
    by: str
    """Name of the model or the person."""
    points: dict[str, int]
    """Criterion to points, 1 to 20 each; all 0 where no answer was handed in."""
    comment: str = ""
    created: str = Field(default_factory=now)

    @property
    def total(self) -> int:
        """Of 100."""
        return sum(self.points.values())


def read_grades(run: Run) -> list[Grade]:
    """All grades of a run, in the order in which they were given; a torn last line is left out.

    Raises:
        DebugGymError: another line is damaged.
    """
    path = run.path / FILE
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    try:
        return [Grade.model_validate_json(line) for line in lines]
    except ValidationError as error:
        raise DebugGymError(f"{path} is damaged: {error.errors()[0]['msg']}: remove that line") from None


def add_grade(run: Run, grade: Grade) -> None:
    """Append one, in place of a torn last line."""
    path = run.path / FILE
    path.touch()
    with path.open("rb+") as file:
        whole = file.read()
        file.truncate(whole.rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
        file.write(grade.model_dump_json().encode() + b"\n")
