"""The runtime's side of time travel: which frozen copies of the debugged program there are, and their end."""

from __future__ import annotations

import signal
from typing import Any, Dict, FrozenSet, List, Set

from ..processes import send_signal
from ..supervise import Supervisor

_PATIENCE = 1.0
"""Seconds until processes that were killed are gone."""


class CheckpointProcesses:
    """The checkpoints of one debugging session, oldest first: ``number``, ``pid``, and the place of the stop.

    Their processes are our children. The supervisor spares them as helpers, until they are dropped.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self.entries: List[Dict[str, Any]] = []
        self._ending: Set[int] = set()
        """Those that were killed and may not be gone yet."""
        self._supervisor = supervisor

    def note(self, entries: List[Dict[str, Any]], before: FrozenSet[int]) -> None:
        """Take the list as the program has sent it. A new pid that is no child of ours, or was one ``before``
        the session, is none of a copy: the program can send anything."""
        supervisor = self._supervisor
        known = {entry["pid"] for entry in self.entries}
        old = set(known)
        if {entry["pid"] for entry in entries} - known:
            known |= supervisor.strays() - before
        self.entries = [entry for entry in entries if entry["pid"] in known]
        now = [entry["pid"] for entry in self.entries]
        supervisor.keep.update(now)
        supervisor.frozen.update(dict.fromkeys(now))
        self._release(old.difference(now))

    def drop(self, after: int) -> None:
        """End those with a higher number, and do not wait for it."""
        doomed = {entry["pid"] for entry in self.entries if entry["number"] > after}
        self.entries = [entry for entry in self.entries if entry["number"] <= after]
        for pid in doomed - self._supervisor.exited.keys():
            send_signal(pid, signal.SIGKILL)
        self._ending |= doomed
        self.prune()

    def clear(self) -> None:
        """End all of them, and wait until they are gone."""
        self.drop(after=0)
        self._supervisor.wait({}, lambda: self._ending <= self._supervisor.exited.keys(), _PATIENCE)
        self._ending, gone = set(), self._ending
        self._release(gone)

    def prune(self) -> None:
        """Forget those that have ended."""
        gone = ({entry["pid"] for entry in self.entries} | self._ending) & self._supervisor.exited.keys()
        self.entries = [entry for entry in self.entries if entry["pid"] not in gone]
        self._ending -= gone
        self._release(gone)

    def take(self) -> int:
        """The pid of the newest, which is a copy no longer."""
        pid = int(self.entries.pop()["pid"])
        self._supervisor.frozen.pop(pid, None)
        return pid

    def _release(self, pids: Set[int]) -> None:
        for pid in pids:
            self._supervisor.keep.discard(pid)
            self._supervisor.exited.pop(pid, None)
            self._supervisor.frozen.pop(pid, None)
