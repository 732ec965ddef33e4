"""Puts teams, bus and timetable together."""

import itertools
from typing import Iterable

from .alerts import Alert, Severity
from .bus import Bus
from .outbox import Letterhead, Outbox
from .settings import Rule, Team
from .timetable import DAY, Timetable


class Desk:
    """Takes alerts in and sends messages out."""

    def __init__(self, teams: Iterable[Team], now: int = 12 * 60) -> None:
        self.outbox = Outbox()
        self.time = Timetable(now)
        self._bus = Bus()
        self._numbers = itertools.count(1)
        self._open: set[int] = set()
        self._held: dict[tuple[str, Rule], list[Alert]] = {}
        self._wire(teams)

    def raise_alert(self, topic: str, severity: Severity, text: str = "") -> int:
        """Returns the alert's number, or 0 if nobody listens to its topic."""
        alert = Alert(next(self._numbers), topic, severity, text)
        self._open.add(alert.number)
        return alert.number if self._bus.publish(alert) else 0

    def acknowledge(self, number: int) -> None:
        self._open.discard(number)

    def _wire(self, teams: Iterable[Team]) -> None:
        for team in teams:
            letterhead = Letterhead(team.signature)
            for rule in team.rules:

                def handle(alert: Alert, rule: Rule = rule) -> None:
                    if alert.severity < rule.threshold:
                        return
                    if team.is_quiet(self.time.minute_of_day) and alert.severity < Severity.CRITICAL:
                        self._hold(team, rule, letterhead, alert)
                        return
                    self.outbox.send(rule.address, letterhead.single(alert))
                    if rule.escalate_after is not None:
                        self._escalate_later(team, rule.escalate_after, letterhead, alert)

                self._bus.register(rule.topic, handle)

    def _escalate_later(self, team: Team, minutes: int, letterhead: Letterhead, alert: Alert) -> None:
        def escalate() -> None:
            if alert.number in self._open:
                self.outbox.send(team.lead, letterhead.escalation(alert, minutes))

        self.time.after(minutes, escalate)

    def _hold(self, team: Team, rule: Rule, letterhead: Letterhead, alert: Alert) -> None:
        key = (team.name, rule)
        if key not in self._held:
            self._held[key] = []
            assert team.quiet is not None
            wait = (team.quiet[1] - self.time.minute_of_day) % DAY
            self.time.after(wait, lambda: self._release(key, letterhead))
        self._held[key].append(alert)

    def _release(self, key: tuple[str, Rule], letterhead: Letterhead) -> None:
        alerts = self._held.pop(key)
        self.outbox.send(key[1].address, letterhead.digest(alerts))
