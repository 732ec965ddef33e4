"""What sandboxes start from is fetched while other attempts are played, so that no worker waits for it."""

import time
from collections.abc import Callable, Sequence

from debug_gym.errors import DebugGymError
from debug_gym.sandbox import FetchingBackend
from debug_gym.session import Attempt
from debug_gym.task import Source

PAUSE = 0.5
"""Seconds between two looks at which attempts come next."""


def fetch_ahead(
    backend: FetchingBackend, upcoming: Callable[[], Sequence[Attempt]], over: Callable[[], bool]
) -> None:
    """Fetch for the attempts that are played next, one after the other, until there are no more.

    Args:
        backend: of their sandboxes.
        upcoming: the next ones. Only so many are fetched for ahead: the disk has to hold it all.
        over: whether nothing is played any more.
    """
    done: list[Source] = []
    while not over():
        task = next((attempt.task for attempt in upcoming() if attempt.task.source not in done), None)
        if task is None:
            time.sleep(PAUSE)
            continue
        done.append(task.source)
        try:
            backend.fetch(task.for_agent())
        except (DebugGymError, OSError):
            continue  # whoever plays it will meet the same error, and say so
