"""What the paper reports, from ``published.yaml``."""

from pathlib import Path

import yaml

from debug_gym.task import Frozen

FILE = Path(__file__).with_name("published.yaml")


class Table(Frozen):
    """The paper's success on one benchmark."""

    benchmark: str
    where: str
    """The place in the paper."""
    tasks: int
    runs: int
    """Attempts at each task."""
    success: dict[str, dict[str, tuple[float, float]]]
    """Model to agent to mean and standard deviation, in percent."""


class Paper(Frozen):
    """A paper and its tables."""

    title: str
    authors: str
    url: str
    tables: tuple[Table, ...]


def read() -> Paper:
    """The published figures."""
    return Paper.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
