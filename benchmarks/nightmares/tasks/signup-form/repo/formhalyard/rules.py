"""What a value has to be like."""

from __future__ import annotations

import re
from typing import Any, Iterable, Protocol


class Rule(Protocol):
    """Says what is wrong with a value, or None. Rules other than ``Required`` are not asked about nothing."""

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        """``values`` are those of the fields before this one in the same form or group."""
        ...


class Required:
    """There must be a value."""

    def __init__(self, message: str = "is required") -> None:
        self.message = message

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return self.message if value in (None, "") else None


class MaxLength:
    """Not longer than that."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return f"has more than {self.limit} characters" if len(value) > self.limit else None


class Pattern:
    """The whole text matches a regular expression."""

    def __init__(self, expression: str, message: str) -> None:
        self._expression = re.compile(expression)
        self.message = message

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return None if self._expression.fullmatch(value) else self.message


class Between:
    """A number in a range, both ends included."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return (
            None if self.low <= value <= self.high else f"is not between {self.low} and {self.high}"
        )


class OneOf:
    """One of some values."""

    def __init__(self, allowed: Iterable[Any]) -> None:
        self.allowed = tuple(allowed)

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return None if value in self.allowed else "is not one of the choices"


class SameAs:
    """The same as another field, which comes earlier."""

    def __init__(self, other: str) -> None:
        self.other = other

    def problem(self, value: Any, values: dict[str, Any]) -> str | None:
        return None if value == values.get(self.other) else f"is not the same as {self.other}"
