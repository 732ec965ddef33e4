"""What a person should know while models are asked, on stderr unless logging is set up otherwise."""

import logging
import threading

_told: set[str] = set()
_lock = threading.Lock()


def tell_once(text: str, *, about: str | None = None) -> None:
    """Log a warning, once in a process whatever the number of workers.

    Args:
        text: one sentence.
        about: texts about the same are told once; None: the text itself.
    """
    with _lock:
        if (about or text) in _told:
            return
        _told.add(about or text)
    logging.getLogger("debug_gym.agents.models").warning("%s", text)
