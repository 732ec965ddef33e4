"""The club: its members and its money."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import takewhile
from typing import Iterator

from .cycles import Cycle
from .ledger import Charge, Ledger
from .members import Member, MemberError

NOTICE = timedelta(days=7)


class Club:
    """Members by name, and the ledger."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._members: dict[str, Member] = {}

    def join(self, name: str, cycle: Cycle, day: date, trial_days: int = 0) -> Member:
        if name in self._members:
            raise MemberError(f"{name} is already a member")
        member = self._members[name] = Member.joining(name, cycle, day, trial_days)
        return member

    def leave(self, name: str, day: date) -> None:
        self._members[name].left = day

    def change_cycle(self, name: str, cycle: Cycle) -> None:
        """From the next payment on."""
        self._members[name].cycle = cycle

    def collect(self, today: date) -> list[Charge]:
        """Charge everything that is due, also what was missed since the last run."""
        charges = []
        for member in self:
            while member.is_due(today):
                start, end = member.charge()
                charges.append(Charge(member.name, start, end, member.cycle.price))
        charges.sort(key=lambda charge: (charge.start, charge.member))
        for charge in charges:
            self.ledger.add(charge)
        return charges

    def forecast(self, until: date) -> list[tuple[date, str, int]]:
        """Expected payments up to and including a day: (day, member, cents), in order."""
        expected = []
        for member in self:
            for due in takewhile(lambda day: day <= until, member.upcoming()):
                expected.append((due, member.name, member.cycle.price))
        return sorted(expected)

    def reminders(self, today: date) -> list[str]:
        """Names of the members who pay in exactly a week."""
        return [member.name for member in self if next(member.upcoming(), None) == today + NOTICE]

    def save(self) -> str:
        return json.dumps([member.to_dict() for member in self], indent=1)

    @classmethod
    def load(cls, text: str) -> Club:
        club = cls()
        for entry in json.loads(text):
            member = Member.from_dict(entry)
            club._members[member.name] = member
        return club

    def __getitem__(self, name: str) -> Member:
        try:
            return self._members[name]
        except KeyError:
            raise MemberError(f"{name} is not a member") from None

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())
