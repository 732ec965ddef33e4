"""What a person should know while a model is asked, on stderr unless logging is set up otherwise."""

import logging
import threading


class Notices:
    """The warnings of one model: each is logged once, however many threads ask it."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, text: str, *, about: str | None = None) -> None:
        """Log a warning.

        Args:
            text: one sentence.
            about: texts about the same are told once; None: the text itself.
        """
        with self._lock:
            if (about or text) in self._told:
                return
            self._told.add(about or text)
        logging.getLogger("debug_gym.agents.models").warning("%s", text)
