"""What the debugger itself is doing, and so what an interrupt ends and whether code may stop."""

from __future__ import annotations

import contextlib
import threading
from typing import Iterator

from .conversation import Conversation


class Activity:
    """The debugger at work, in one of the program's threads."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.inside = 0
        """The thread that stands at a stop; 0: none."""
        self.executing = False
        """A command is being executed at the stop: an interrupt ends it."""
        self.interrupted = False
        """An interrupt came while the debugger was at work between two commands."""
        self._judging = 0
        """The thread in which the condition of a breakpoint is evaluated; 0: none."""

    def may_stop(self) -> bool:
        """Code that runs now in this thread is the program's, and somebody is there to be told."""
        return not self._conversation.closed and self.inside != threading.get_ident()

    @contextlib.contextmanager
    def command(self) -> Iterator[None]:
        """A command is executed: code of the program's own runs, which may not end."""
        self.executing = True
        try:
            yield
        finally:
            self.executing = False

    @contextlib.contextmanager
    def judgement(self) -> Iterator[None]:
        """The condition of a breakpoint is evaluated, which may not end."""
        self._judging = threading.get_ident()
        try:
            yield
        finally:
            self._judging = 0

    def interrupt(self) -> bool:
        """Something has run for too long: True if it is the program, which is to be stopped.

        Raises ``KeyboardInterrupt`` if it is a command or a condition, which so ends.
        """
        if self._conversation.waiting or self._conversation.closed:
            return False
        self._conversation.drop()
        if self.inside:
            self.interrupted = True
            if self.executing and self.inside == threading.get_ident():
                raise KeyboardInterrupt
            return False
        if self._judging == threading.get_ident():
            raise KeyboardInterrupt
        return True
