"""The events of a stream: what the ``openai`` package reads, without what says nothing."""

import json
from collections.abc import Iterator
from typing import Any

from debug_gym.agents.models.client import openai


class Events(openai.Stream[object]):
    """A stream that skips empty events, and knows whether the server has ended it."""

    ended = False
    """``[DONE]`` has come."""

    def _iter_events(self) -> Iterator[Any]:
        """Events as they came. Some servers keep a connection alive by empty ones."""
        for event in super()._iter_events():
            self.ended = self.ended or event.data.startswith("[DONE]")
            if said := _complaint(event.data):
                raise openai.APIError(said, self.response.request, body=None)
            if event.data.strip() not in ("", "null", "ping"):
                yield event

    @property
    def none_came(self) -> bool:
        """The server does not stream: it sent the whole answer as JSON."""
        return bool(self.response.headers.get("content-type", "").startswith("application/json"))


def _complaint(data: str) -> str:
    """The error that an event reports in a way that the package does not know; or ""."""
    try:
        found = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(found, dict) or found.get("choices") or "type" in found:
        return ""
    said = (found.get(key) for key in ("error", "message", "detail", "error_msg"))
    return next((text for text in said if isinstance(text, str) and text), "")
