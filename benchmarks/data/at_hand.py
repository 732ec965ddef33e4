"""Looking at what there is, without fetching anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from debug_gym.errors import DebugGymError

_only = ContextVar("_only", default=False)


class NotFetchedError(DebugGymError):
    """Data would have to be fetched, and must not be now."""


@contextmanager
def only_at_hand() -> Iterator[None]:
    """Within it, data that was not fetched before raises ``NotFetchedError``."""
    token = _only.set(True)
    try:
        yield
    finally:
        _only.reset(token)


def may_fetch(what: str) -> None:
    """Called before anything is fetched.

    Raises:
        NotFetchedError: nothing must be.
    """
    if _only.get():
        raise NotFetchedError(f"{what} was not fetched yet")
