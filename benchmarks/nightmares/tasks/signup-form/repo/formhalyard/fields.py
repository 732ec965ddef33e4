"""Fields: how text from a browser becomes a value."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from .report import Report
from .rules import OneOf, Required, Rule


class Field:
    """A named value of a form."""

    empty: Any = None

    def __init__(self, name: str, label: str = "", rules: Iterable[Rule] = ()) -> None:
        if "." in name:
            raise ValueError(f"a field's name has no dots: {name!r}")
        self.name = name
        self.label = label or name.replace("_", " ").capitalize()
        self.rules = tuple(rules)

    @property
    def required(self) -> bool:
        return any(isinstance(rule, Required) for rule in self.rules)

    def parse(self, text: str) -> Any:
        """Make a value of what was sent.

        Raises:
            ValueError: with a message for the person who sent it.
        """
        return text

    def check(
        self, data: Mapping[str, str], path: str, values: dict[str, Any], report: Report
    ) -> Any:
        """Read this field's value from a submission and note what is wrong with it."""
        text = data.get(path + self.name, "").strip()
        try:
            value = self.parse(text) if text else self.empty
        except ValueError as error:
            report.add(self.name, str(error))
            return self.empty
        for rule in self.rules:
            if value in (None, "") and not isinstance(rule, Required):
                continue
            problem = rule.problem(value, values)
            if problem is not None:
                report.add(self.name, problem)
        return value


class Text(Field):
    """One line of text; nothing sent is the empty text."""

    empty = ""


class Number(Field):
    """A whole number; nothing sent is None."""

    def parse(self, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ValueError("is not a number") from None


class Choice(Field):
    """One of several texts."""

    empty = ""

    def __init__(
        self, name: str, choices: Sequence[str], label: str = "", rules: Iterable[Rule] = ()
    ) -> None:
        super().__init__(name, label, (*rules, OneOf(choices)))
        self.choices = tuple(choices)


class Group(Field):
    """Fields that belong together; their values make a dict."""

    def __init__(self, name: str, fields: Iterable[Field], label: str = "") -> None:
        super().__init__(name, label)
        self.fields = tuple(fields)

    def check(
        self, data: Mapping[str, str], path: str, values: dict[str, Any], report: Report
    ) -> dict[str, Any]:
        below = report.nested(self.name)
        own: dict[str, Any] = {}
        for field in self.fields:
            own[field.name] = field.check(data, f"{path}{self.name}.", own, below)
        return own
