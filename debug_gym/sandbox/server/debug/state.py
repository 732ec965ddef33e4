"""What a debugging session holds beside the program itself. Breakpoints and settings outlive the program; the
runtime learns of them, and of the checkpoints, with each answer."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Optional, Set

from ..checkpoints import Checkpoints, choose, table
from .breakpoints import Breakpoints
from .conversation import Conversation
from .display import Standing
from .places import Places
from .settings import Settings
from .sources import Sources


class State:
    """Shared by a debugger and those that it runs for the command ``debug``."""

    def __init__(self, conversation: Conversation, places: Places, checkpoints: Checkpoints) -> None:
        self.conversation, self.places, self.checkpoints = conversation, places, checkpoints
        self.sources = Sources()
        self.settings = Settings()
        self.breakpoints = Breakpoints(places, self.sources)
        self.standing: Optional[Standing] = None
        """Where the program stands; None: it runs, or has ended."""
        self._told: Set[str] = set()

    def facts(self) -> Dict[str, Any]:
        """All that goes with an answer; ``sources``: texts of files that hold their first breakpoint."""
        new = {point.file for point in self.breakpoints.all()} - self._told
        self._told |= new
        return {
            "stop": self.standing,
            "sources": {self.places.short(path): "".join(self.sources.lines(path)) for path in new},
            "checkpoints": self.checkpoints.entries,
            **self.lasting(),
        }

    def lasting(self) -> Dict[str, Any]:
        """What outlives the program."""
        return {"breakpoints": self.breakpoints.report(), "settings": self.settings.report()}

    def tell_changed_files(self, files: Iterable[str]) -> None:
        """Say which of these files, and of those with breakpoints, are no longer what the program runs."""
        known = {*files, *(point.file for point in self.breakpoints.all())}
        for path in self.sources.changed(sorted(path for path in known if self.places.ours(path))):
            self.conversation.output.message(
                "note: %s changed on disk; `restart` runs the new code" % self.places.short(path)
            )

    # -- checkpoints -----------------------------------------------------------------------

    def leave_checkpoint(self) -> bool:
        """Freeze a copy of the program as it stands. True in one that was woken to take its place, and has
        left a new copy."""
        assert self.standing is not None
        woken, output = False, self.conversation.output
        while self.checkpoints.freeze(self.standing):
            woken = True
            order = self.conversation.awake()
            self.checkpoints.entries = order["checkpoints"]
            output.message(order["note"] + "\n" + self.checkpoints.limits())
            self.breakpoints.replace(order["breakpoints"], output)
            self.settings.restore(order["settings"])
        return woken

    def go_back(self, word: str, argument: str) -> None:
        """``back`` or ``goto``: does not return, unless the argument is wrong."""
        self.checkpoints.prune()
        try:
            number = choose(word, argument, self.checkpoints.entries, self.checkpoints.here)
        except ValueError as error:
            self.conversation.output.error(str(error))
            return
        self.conversation.give_way(number, self.facts())

    def list_checkpoints(self) -> None:
        """``checkpoints``."""
        self.checkpoints.prune()
        self.conversation.output.message(table(self.checkpoints.entries, self.checkpoints.here))
