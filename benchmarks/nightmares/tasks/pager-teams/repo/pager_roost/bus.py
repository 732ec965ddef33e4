"""Who hears about which topic."""

from typing import Callable

from .alerts import Alert

Handler = Callable[[Alert], None]


class Bus:
    """Hands alerts to handlers, in the order in which these were registered."""

    def __init__(self) -> None:
        self._handlers: list[tuple[str, Handler]] = []

    def register(self, pattern: str, handler: Handler) -> None:
        self._handlers.append((pattern, handler))

    def publish(self, alert: Alert) -> int:
        """Returns how many handlers heard of the alert."""
        heard = [handler for pattern, handler in self._handlers if _matches(pattern, alert.topic)]
        for handler in heard:
            handler(alert)
        return len(heard)


def _matches(pattern: str, topic: str) -> bool:
    if pattern.endswith(".*"):
        return topic.startswith(pattern[:-1])
    return pattern in ("*", topic)
