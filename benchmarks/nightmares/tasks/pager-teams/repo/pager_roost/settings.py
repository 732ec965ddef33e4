"""Teams as they stand in the settings file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Sequence

from .alerts import Severity


class SettingsError(ValueError):
    """The settings make no sense."""


@dataclass(frozen=True)
class Rule:
    topic: str
    address: str
    threshold: Severity = Severity.WARNING
    escalate_after: Optional[int] = None
    """Minutes; None: never."""


@dataclass(frozen=True)
class Team:
    name: str
    lead: str
    signature: str
    rules: tuple[Rule, ...]
    quiet: Optional[tuple[int, int]] = None
    """Minutes of the day: from (inclusive) and to (exclusive); may pass midnight."""

    def is_quiet(self, minute: int) -> bool:
        if self.quiet is None:
            return False
        start, end = self.quiet
        if start <= end:
            return start <= minute < end
        return minute >= start or minute < end


def read_teams(settings: Sequence[dict[str, Any]]) -> list[Team]:
    """Check and convert the ``teams`` section of the settings."""
    teams = []
    for entry in settings:
        if not entry.get("rules"):
            raise SettingsError(f"team {entry['name']} has no rules")
        rules = tuple(_read_rule(entry["name"], rule) for rule in entry["rules"])
        quiet = entry.get("quiet")
        teams.append(
            Team(
                name=entry["name"],
                lead=entry["lead"],
                signature=entry.get("signature", entry["name"]),
                rules=rules,
                quiet=(_minutes(quiet[0]), _minutes(quiet[1])) if quiet else None,
            )
        )
    return teams


def _read_rule(team: str, rule: dict[str, Any]) -> Rule:
    try:
        threshold = Severity[rule.get("from", "warning").upper()]
    except KeyError:
        raise SettingsError(f"team {team}: unknown severity {rule['from']!r}") from None
    return Rule(rule["topic"], rule["to"], threshold, rule.get("escalate"))


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
