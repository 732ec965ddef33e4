"""The settings of the whole package."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Iterator


@dataclass(frozen=True)
class Settings:
    """How numbers and tables look."""

    decimals: int = 2
    decimal_mark: str = "."
    group_mark: str = ""
    missing: str = "n/a"
    width: int = 10
    flags: tuple[str, str] = ("L", "H")

    def __post_init__(self) -> None:
        if self.decimals < 0:
            raise ValueError("decimals must not be negative")
        if not self.decimal_mark or self.decimal_mark == self.group_mark:
            raise ValueError("decimal_mark must not be empty, nor the same as group_mark")


ACTIVE = Settings()


def configure(**changes: Any) -> Settings:
    """Change the named settings and keep the others. Returns the settings that hold now.

    Raises:
        TypeError: there is no such setting.
        ValueError: a value makes no sense; nothing is changed.
    """
    global ACTIVE
    ACTIVE = replace(ACTIVE, **changes)
    return ACTIVE


def reset() -> None:
    """Back to the defaults."""
    global ACTIVE
    ACTIVE = Settings()


@contextmanager
def override(**changes: Any) -> Iterator[Settings]:
    """Change settings for a while."""
    global ACTIVE
    before = ACTIVE
    try:
        yield configure(**changes)
    finally:
        ACTIVE = before
