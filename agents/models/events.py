"""The events of a stream: what the ``openai`` package reads, without what says nothing."""

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
            if event.data.strip() not in ("", "null"):
                yield event
