"""Messages as they leave the house."""

from dataclasses import dataclass, field
from typing import Sequence

from .alerts import Alert


@dataclass
class Outbox:
    """Collects (address, message) pairs for the mail gateway."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, address: str, message: str) -> None:
        self.sent.append((address, message))


class Letterhead:
    """Turns alerts into messages of one team."""

    def __init__(self, signature: str) -> None:
        self.signature = signature

    def single(self, alert: Alert) -> str:
        return f"[{alert.severity.name}] {alert.topic}: {alert.text} -- {self.signature}"

    def escalation(self, alert: Alert, minutes: int) -> str:
        return f"nobody took #{alert.number} ({alert.topic}) for {minutes} min -- {self.signature}"

    def digest(self, alerts: Sequence[Alert]) -> str:
        topics = ", ".join(alert.topic for alert in alerts)
        return f"{len(alerts)} held: {topics} -- {self.signature}"
