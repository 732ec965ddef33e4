"""Forms: fields, and checks that need more than one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterable, Mapping

from .fields import Field
from .report import Report

Check = Callable[[dict[str, Any], Report], None]


@dataclass(frozen=True)
class Outcome:
    """What came of a submission."""

    values: dict[str, Any]
    report: Report

    @property
    def ok(self) -> bool:
        return self.report.ok

    @property
    def messages(self) -> dict[str, list[str]]:
        return self.report.messages


class Form:
    """A form that is declared once and checks any number of submissions."""

    def __init__(self, name: str, fields: Iterable[Field], checks: Iterable[Check] = ()) -> None:
        self.name = name
        self.fields = tuple(fields)
        self._checks = tuple(checks)
        names = [field.name for field in self.fields]
        twice = sorted({each for each in names if names.count(each) > 1})
        if twice:
            raise ValueError(f"form {name!r} has more than one field {twice[0]!r}")

    def check(self, data: Mapping[str, str]) -> Outcome:
        """Check a submission: text by path, such as ``address.zip``.

        The form's own checks run when all fields are fine by themselves.
        """
        report = Report()
        values: dict[str, Any] = {}
        for field in self.fields:
            values[field.name] = field.check(data, "", values, report)
        if report.ok:
            for check in self._checks:
                check(values, report)
        return Outcome(values, report)
