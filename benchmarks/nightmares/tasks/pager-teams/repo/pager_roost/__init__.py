"""Routes alerts to the people on call."""

from .alerts import Alert, Severity
from .desk import Desk
from .settings import Rule, SettingsError, Team, read_teams

__all__ = ["Alert", "Desk", "Rule", "SettingsError", "Severity", "Team", "read_teams"]
