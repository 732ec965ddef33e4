"""Members and what they have to pay next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Iterator, Mapping, Optional

from .cycles import Cycle, cycle_named


class MemberError(ValueError):
    """Something cannot be done with a member."""


@dataclass
class Member:
    name: str
    cycle: Cycle
    first_due: date
    next_due: date
    left: Optional[date] = None

    @classmethod
    def joining(cls, name: str, cycle: Cycle, day: date, trial_days: int = 0) -> Member:
        first = day + timedelta(days=trial_days)
        return cls(name, cycle, first, first)

    def is_due(self, today: date) -> bool:
        if self.left is not None and self.next_due >= self.left:
            return False
        return self.next_due <= today

    def charge(self) -> tuple[date, date]:
        """Take note that the next cycle is charged; returns its first and its last day."""
        start = self.next_due
        self.next_due = self.cycle.after(start)
        return start, self.next_due - timedelta(days=1)

    def pause(self, until: date) -> None:
        """Skip all dues before ``until``; the rhythm stays as it is."""
        if until < self.next_due:
            raise MemberError(f"{self.name} has already paid beyond {until}")
        while self.next_due < until:
            self.next_due = self.cycle.after(self.next_due)

    def upcoming(self) -> Iterator[date]:
        """The days on which the member will pay, from the next one on, without end."""
        due = self.next_due
        while self.left is None or due < self.left:
            yield due
            due = self.cycle.after(due)

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "cycle": self.cycle.name,
            "first_due": self.first_due.isoformat(),
            "next_due": self.next_due.isoformat(),
            "left": self.left.isoformat() if self.left else None,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Member:
        return cls(
            data["name"],
            cycle_named(data["cycle"]),
            date.fromisoformat(data["first_due"]),
            date.fromisoformat(data["next_due"]),
            date.fromisoformat(data["left"]) if data.get("left") else None,
        )
