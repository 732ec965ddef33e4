"""How much memory a group of processes uses together, seen from outside of them, and which to end."""

from __future__ import annotations

import os
import time
from typing import Dict, Iterable, Optional, Sequence, Set, Tuple

from . import linux

_MEASURING = 0.02
"""Seconds that one look may take if it has to be exact."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
FROZEN_SHARE = 4
"""Frozen copies together may use one in so many parts of the memory, and of the processes."""


class MemoryWatch:
    """Looks again and again whether processes keep within ``limit`` bytes.

    Only what a process has in its address space is seen: not what lies in a file without a name, for example.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used: Dict[int, Tuple[int, int]] = {}
        self._stale: Set[int] = set()
        """Processes whose share may have changed since it was seen."""
        self._shares: Dict[int, int] = {}
        """Process to bytes, as they were last seen, the oldest first."""

    def excess(self, pids: Iterable[int], expendable: Sequence[int] = ()) -> Optional[int]:
        """The process to end, if all of them together use more than is allowed: the first of the
        ``expendable`` ones, else the largest. The last of those is spared if it uses little: it is what
        one can go back to when the largest is gone."""
        used = {pid: _used(pid) for pid in pids}
        if used != self._used:  # what one process does changes the shares of those that it shares with
            self._used, self._stale = used, set(used)
        sizes = {pid: size for pid, (size, _) in used.items()}
        if sum(sizes.values()) <= self.limit:
            return None
        self._measure(sizes)
        if sum(self._shares.values()) <= self.limit:
            return None
        doomed = max(self._shares, key=lambda pid: self._shares[pid])
        first = next((pid for pid in expendable if pid in self._shares), None)
        if first is not None and (
            first != expendable[-1] or self._shares[first] > self.limit // FROZEN_SHARE
        ):
            doomed = first
        del self._shares[doomed]
        return doomed

    def _measure(self, sizes: Dict[int, int]) -> None:
        """Look at what each process has for itself: those unknown first, the largest before all, then those
        not looked at for longest. That is exact, and 100 times slower than their sizes: of many processes,
        one look takes but some."""
        self._shares = {pid: share for pid, share in self._shares.items() if pid in sizes}
        unknown = sorted(sizes.keys() - self._shares.keys(), key=lambda pid: -sizes[pid])
        end = time.monotonic() + _MEASURING
        for pid in [*unknown, *(pid for pid in self._shares if pid in self._stale)]:
            self._shares.pop(pid, None)
            self._shares[pid] = linux.proportional_memory(pid)
            self._stale.discard(pid)
            if time.monotonic() > end:
                break


def _used(pid: int) -> Tuple[int, int]:
    """Bytes that a process has in memory, shared ones too, and how many pages it has come to use so far."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            words = file.read().rpartition(")")[2].split()
        return int(words[21]) * _PAGE, int(words[7])
    except (OSError, IndexError, ValueError):
        return 0, 0
